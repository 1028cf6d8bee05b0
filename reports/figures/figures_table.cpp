#include "reports/figures/figures_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/terminal_text.hpp"
#include "reports/text.hpp"

namespace wavetank::figures {
namespace {

const Figure* figure_called(const FigureRun& run, const std::string& name) {
  const auto found = std::ranges::find(run.figures, name, &Figure::name);
  return found == run.figures.end() ? nullptr : &*found;
}

std::string description(const FigureRun& run) {
  return fmt::format("{}{}, {}, {}, load {}", run.date, run.commit.empty() ? "" : ", commit " + run.commit,
                     run.compiler, run.machine, run.load);
}

// "0.60 of 1.50 M": 1 and more means that the goal is reached.
std::string goal_text(const FigureName& name, double value) {
  if (name.goal == 0) return "";
  return fmt::format("{:.2f} of {}", reached(name, value), figure_text(name.goal));
}

}  // namespace

std::string figure_text(double value) {
  for (const auto& [size, letter] : {std::pair(1e9, " G"), std::pair(1e6, " M"), std::pair(1e3, " k")}) {
    if (value >= 0.9995 * size) return figure_text(value / size) + letter;
  }
  return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

std::string render_figures(const FigureRun& run, const std::optional<FigureRun>& earlier) {
  using reports::left;
  using reports::right;
  std::string out = "figures: " + reports::one_line(description(run)) + "\n";
  if (earlier) out += "earlier: " + reports::one_line(description(*earlier)) + "\n";
  out += left("figure", 46) + right("value", 12) + "  " + left("unit", 14) + "  " + left("goal", 16) +
         (earlier ? "  against the earlier" : "");
  while (out.ends_with(' ')) out.pop_back();
  out += "\n";
  for (const FigureName& name : figure_names()) {
    out += left(name.title, 46);
    const Figure* figure = figure_called(run, name.name);
    if (figure == nullptr) {
      out += right("-", 12) + "  not measured in this run\n";
      continue;
    }
    out += right(figure_text(figure->value), 12) + "  " + left(name.unit, 14) + "  " +
           left(goal_text(name, figure->value), 16);
    if (earlier) {
      const Figure* before = figure_called(*earlier, name.name);
      out += "  " + (before == nullptr ? "-" : fmt::format("{:.2f}", figure->value / before->value));
      if (before != nullptr && name.less_is_better) out += " (less is better)";
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  out += "goal: 1 and more of it is reached; where less is better, the goal is divided by the value.\n";
  if (earlier && (earlier->machine != run.machine || earlier->compiler != run.compiler)) {
    out += "Machine or compiler of the two differ: only \"times as fast\" can be compared.\n";
  }
  return out;
}

}  // namespace wavetank::figures
