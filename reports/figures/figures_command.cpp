#include "reports/figures/figures_command.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/figures/figures.hpp"
#include "reports/figures/figures_table.hpp"
#include "reports/figures/history.hpp"
#include "reports/figures/peer_rounds.hpp"
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

StarRun star_run_of(const std::string& argument) {
  const std::size_t equals = argument.rfind('=');
  StarRun run;
  if (equals != std::string::npos) {
    const char* const end = argument.data() + argument.size();
    const auto [stop, error] = std::from_chars(argument.data() + equals + 1, end, run.processor_s);
    if (error == std::errc() && stop == end) {
      run.result = read_as(argument.substr(0, equals),
                           [](std::string_view text) { return reports::parse_result_json(text); });
      return run;
    }
  }
  throw FiguresError(argument + ": not of the form RESULT=SECONDS");
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
  std::vector<StarRun> star;
  for (const std::string& argument : options.star) star.push_back(star_run_of(argument));
  const std::optional<FigureRun> earlier = earlier_run(options);
  const FigureRun run{options.date, options.commit,   options.machine,
                      options.load, options.compiler, figures_of(benchmarks, star)};
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

std::string run_peers(const std::string& rounds) { return render_rounds(read_as(rounds, parse_rounds)); }

}  // namespace wavetank::figures
