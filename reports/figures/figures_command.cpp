#include "reports/figures/figures_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/figures/figures.hpp"
#include "reports/figures/figures_page.hpp"
#include "reports/figures/figures_table.hpp"
#include "reports/figures/history.hpp"
#include "reports/figures/peer_rounds.hpp"
#include "reports/figures/scenario_figures.hpp"
#include "reports/json.hpp"

namespace wavetank::figures {
namespace {

// Reads the file and makes of its text what `function` makes; what is wrong is told with the file's name.
template <class Function>
auto read_as(const std::string& path, Function function) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) throw FiguresError(path + ": cannot be read, or is empty");
  try {
    return function(text.view());
  } catch (const FiguresError& error) {
    throw FiguresError(path + ": " + error.what());
  } catch (const reports::ResultError& error) {
    throw FiguresError(path + ": " + error.what());
  }
}

// What stands behind the last '=' of the argument, which is cut there; nothing when that is no number.
std::optional<double> number_at_end(std::string& argument) {
  const std::size_t equals = argument.rfind('=');
  if (equals == std::string::npos) return std::nullopt;
  double number = 0;
  const char* const end = argument.data() + argument.size();
  const auto [stop, error] = std::from_chars(argument.data() + equals + 1, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  argument.resize(equals);
  return number;
}

ScenarioRun scenario_run_of(const std::string& argument) {
  std::string rest = argument;
  const auto seconds = number_at_end(rest);
  const std::size_t equals = rest.find('=');
  if (!seconds || equals == std::string::npos)
    throw FiguresError(argument + ": not of the form WORKLOAD=RESULT=SECONDS");
  return {rest.substr(0, equals), read_as(rest.substr(equals + 1), reports::parse_result_json), *seconds};
}

Figure value_of(const std::string& argument) {
  std::string name = argument;
  const auto value = number_at_end(name);
  if (!value || !(*value > 0))
    throw FiguresError(argument + ": not of the form NAME=VALUE, a number above 0");
  const auto known = std::ranges::find(figure_names(), name, &FigureName::name);
  return {name, *value, known == figure_names().end() ? "" : known->unit};
}

std::optional<FigureRun> earlier_run(const FiguresOptions& options) {
  if (!options.against.empty()) return read_as(options.against, last_run);
  std::error_code error;
  if (options.out.empty() || std::filesystem::file_size(options.out, error) == 0 || error)
    return std::nullopt;
  return read_as(options.out, last_run);
}

}  // namespace

std::string run_figures(const FiguresOptions& options) {
  Benchmarks benchmarks;
  for (const std::string& path : options.benchmarks) benchmarks.merge(read_as(path, parse_benchmarks));
  std::vector<ScenarioRun> runs;
  for (const std::string& argument : options.runs) runs.push_back(scenario_run_of(argument));
  std::vector<Figure> values;
  for (const std::string& argument : options.values) values.push_back(value_of(argument));
  const std::optional<FigureRun> earlier = earlier_run(options);
  FigureRun run{options.date, options.commit,   options.machine,
                options.load, options.compiler, figures_of(benchmarks)};
  add_figures(run.figures, figures_of_runs(runs));
  if (!options.rounds.empty())
    add_figures(run.figures, figures_of_rounds(read_as(options.rounds, parse_rounds)));
  add_figures(run.figures, values);
  if (run.figures.empty()) {
    if (!options.out.empty()) throw FiguresError("none of the benchmarks that ran belongs to a figure");
    return "";
  }
  if (!options.out.empty()) {
    std::ofstream file(options.out, std::ios::binary | std::ios::app);
    file << history_line(run);
    file.close();
    if (!file) throw FiguresError(options.out + ": cannot be written");
  }
  return render_figures(run, earlier);
}

std::string run_page(const std::string& history) { return render_page(read_as(history, runs_of)); }

std::string run_peers(const std::string& rounds) { return render_rounds(read_as(rounds, parse_rounds)); }

}  // namespace wavetank::figures
