#include "reports/figures/figures_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/figures/figures_table.hpp"

namespace wavetank::figures {
namespace {

// In a cell a bar would begin the next one.
std::string cell(std::string text) {
  std::erase_if(text, [](char c) { return c == '|' || c == '\n' || c == '\r'; });
  return text;
}

}  // namespace

std::string render_page(const std::vector<FigureRun>& runs) {
  std::string out = "| figure | value | goal | reached | measured |\n| --- | --- | --- | --- | --- |\n";
  std::set<std::string> where;
  for (const FigureName& name : figure_names()) {
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
      const auto figure = std::ranges::find(run->figures, name.name, &Figure::name);
      if (figure == run->figures.end()) continue;
      const std::string day = run->date.substr(0, 10);
      out += fmt::format("| {} | {} {} | {} | {} | {}, {} |\n", name.title, figure_text(figure->value),
                         name.unit, name.goal == 0 ? "" : figure_text(name.goal),
                         name.goal == 0 ? "" : fmt::format("{:.2f}", reached(name, figure->value)), cell(day),
                         cell(run->commit));
      where.insert(cell(fmt::format("{}, {}", run->machine, run->compiler)));
      break;
    }
  }
  return out + fmt::format("\n{}. Where less is better, `reached` is the goal divided by the value.\n",
                           fmt::join(where, "; "));
}

}  // namespace wavetank::figures
