#pragma once

#include <string_view>

// The built page (reports/page/dist), compiled into the library by embed.cmake.
namespace wavetank::reports {

std::string_view page_script();
std::string_view page_style();

}  // namespace wavetank::reports
