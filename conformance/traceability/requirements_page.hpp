// requirements.html: what a messenger must keep to and what proves it, as one page.
#pragma once

#include <string>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

// A self-contained page: the properties with the defects that prove them, how much of each area is proved,
// and every rule beside what judges, proves and breaks it. What is debt is marked: a MUST that neither a
// property nor a test holds, one that neither a defect nor a mutant breaks, a property that no defect proves.
std::string requirements_page(const Registry& registry);

}  // namespace wavetank::conformance
