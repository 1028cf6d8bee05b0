#include "conformance/defects/matrix_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace wavetank::conformance {
namespace {

// The rows of Markdown tables below their heads.
std::set<std::string> rows_of(std::string_view text) {
  std::set<std::string> rows;
  std::string_view before;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("| --- ")) {
      rows.erase(std::string(before));  // it was the head
    } else if (line.starts_with("| ")) {
      rows.emplace(line);
    }
    before = line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows;
}

}  // namespace

std::string line_differences(std::string_view table, std::span<const NamedLine> found, bool whole) {
  std::set<std::string> written = rows_of(table);
  std::string differences;
  for (const NamedLine& one : found) {
    std::string line = one.line;
    line.pop_back();
    if (written.erase(line) == 0) differences += "+ " + line + "\n";
    // What else is said of it is no longer so.
    const std::string start = fmt::format("| {} |", one.name);
    std::erase_if(written, [&](const std::string& other) {
      if (!other.starts_with(start)) return false;
      differences += "- " + other + "\n";
      return true;
    });
  }
  if (whole) {
    for (const std::string& line : written) differences += "- " + line + "\n";
  }
  return differences;
}

}  // namespace wavetank::conformance
