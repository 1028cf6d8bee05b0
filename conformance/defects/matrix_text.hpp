// What the two matrices share: rows of Markdown held to what was found.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wavetank::conformance {

// A row, with its end of line, and what stands in its first cell.
struct NamedLine {
  std::string_view name;
  std::string line;
};

// What stands in the rows of `table` and was not found, and the other way round: "- line" and "+ line", each
// with its end of line; empty when they are equal. With `whole` false the table may hold more.
std::string line_differences(std::string_view table, std::span<const NamedLine> found, bool whole);

}  // namespace wavetank::conformance
