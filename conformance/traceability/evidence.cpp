#include "conformance/traceability/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

#include "conformance/defects/catalogue.hpp"
#include "conformance/suite/cases.hpp"
#include "conformance/suite/mutant.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kMacros = {"TEST", "TEST_F", "TEST_P", "RC_GTEST_PROP",
                                                     "RC_GTEST_FIXTURE_PROP"};
constexpr std::array<std::string_view, 4> kRooms = {"reference", "sim", "faults", "conformance"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Takes a word, spaces and line ends before it, from the front of `text`; empty when there is none.
std::string_view take_word(std::string_view& text) {
  const auto* const begin = std::find_if(
      text.begin(), text.end(), [](char c) { return std::isspace(static_cast<unsigned char>(c)) == 0; });
  const auto* const end = std::find_if_not(begin, text.end(), is_word);
  const std::string_view word(begin, static_cast<std::size_t>(end - begin));
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return word;
}

}  // namespace

fs::path checkout() { return WAVETANK_SOURCE_DIR; }

void add_test_names(std::string_view source, Evidence::Names& names) {
  for (std::size_t line = 0; line < source.size();) {
    std::string_view rest = source.substr(line);
    const std::string_view macro = is_word(rest.front()) ? take_word(rest) : std::string_view();
    if (std::find(kMacros.begin(), kMacros.end(), macro) != kMacros.end() && rest.starts_with("(")) {
      rest.remove_prefix(1);
      const std::string_view suite = take_word(rest);
      if (rest.starts_with(",")) rest.remove_prefix(1);
      const std::string_view name = take_word(rest);
      const bool whole = !suite.empty() && !name.empty();
      if (whole && !suite.starts_with("DISABLED_") && !name.starts_with("DISABLED_"))
        names.insert(fmt::format("{}.{}", suite, name));
    }
    const std::size_t end = source.find('\n', line);
    line = end == std::string_view::npos ? source.size() : end + 1;
  }
}

std::expected<Evidence, std::string> evidence_of(const fs::path& top) {
  Evidence evidence;
  for (const std::string_view room : kRooms) {
    std::error_code failure;
    fs::recursive_directory_iterator files(top / room, failure);
    if (failure) return std::unexpected(fmt::format("{}: cannot be read", (top / room).string()));
    for (const fs::directory_entry& file : files) {
      if (!file.path().filename().string().ends_with("_test.cpp")) continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string source{std::istreambuf_iterator<char>(in), {}};
      if (!in && !in.eof()) return std::unexpected(fmt::format("{}: cannot be read", file.path().string()));
      add_test_names(source, evidence.tests);
    }
  }
  for (const Case& one : all_cases()) evidence.cases.emplace(one.id, one.requirement());
  for (const SeededDefect& one : seeded_defects()) evidence.defects.emplace(one.name(), one.property);
  for (const Mutant& one : all_mutants()) {
    const auto broken = one.requirements();
    evidence.mutants[std::string(one.name)].assign(broken.begin(), broken.end());
  }
  evidence.protocol_version = protocol::kNextVersion;
  return evidence;
}

}  // namespace wavetank::conformance
