// Which property caught which seeded defect: the table of the repository and the page for a reader.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/defects/catalogue.hpp"
#include "conformance/defects/trial.hpp"

namespace wavetank::conformance {

// One defect, tried seed by seed until the property that must catch it did.
struct Kill {
  const SeededDefect* record = nullptr;
  bool killed = false;
  std::uint64_t seed = 0;  // of the last trial
  std::uint32_t seeds_tried = 0;
  std::vector<Catch> caught_by;  // in the last trial, in the order of the catalogue of properties
  double seconds = 0;            // of all trials, wall time
};

// Where the table stands in a checkout.
inline constexpr std::string_view kKillTablePath = "conformance/defects/KILLS.md";

// The line of one defect, a row of Markdown; without what differs from machine to machine.
std::string kill_line(const Kill& kill);
// The whole page of them.
std::string kill_table(std::span<const Kill> kills);

// What stands in `table` and was not found, and the other way round: "- line" and "+ line", each with its end
// of line; empty when they are equal. With `whole` false the table may hold more.
std::string kill_differences(std::string_view table, std::span<const Kill> kills, bool whole);

// kills.html: self-contained, opens offline, without a script; `mutants` in HTML stands behind the matrix.
std::string kill_page(std::span<const Kill> kills, std::string_view mutants = {});

}  // namespace wavetank::conformance
