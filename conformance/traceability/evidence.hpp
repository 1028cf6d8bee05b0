// What there is besides the registry, collected from a checkout: the tests of its sources, the black-box
// cases, the seeded defects, the mutants.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "conformance/requirements/gate.hpp"

namespace wavetank::conformance {

// The checkout that this code was built from.
std::filesystem::path checkout();

// Adds the names, Suite.Name, of the tests that a C++ source defines: TEST, TEST_F, TEST_P, RC_GTEST_PROP and
// RC_GTEST_FIXTURE_PROP at the beginning of a line. Disabled ones are left out: they prove nothing.
void add_test_names(std::string_view source, Evidence::Names& names);

// Reads every *_test.cpp below `top` that is in a room; cases and defects are compiled in. An error is
// one line.
std::expected<Evidence, std::string> evidence_of(const std::filesystem::path& top);

}  // namespace wavetank::conformance
