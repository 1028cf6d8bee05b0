#include "reports/capacity/capacity_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/capacity/capacity_html.hpp"
#include "reports/capacity/capacity_json.hpp"
#include "reports/capacity/capacity_report.hpp"
#include "reports/capacity/capacity_terminal.hpp"
#include "reports/exit_code.hpp"
#include "reports/external_program.hpp"
#include "reports/json.hpp"

namespace wavetank::capacity {
namespace {

using reports::Result;
using Path = std::filesystem::path;

// A folder for the runs of a report that keeps none.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "wavetank-capacity-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

// The runs of one sweep: made by wavetank-sim, or read from where it left them. Keeps the exit code of what
// went wrong.
class Runs {
 public:
  Runs(const CapacityOptions& options, Path folder, std::size_t count)
      : options_(options), folder_(std::move(folder)), count_(count) {}

  std::expected<Result, std::string> operator()(const SweepRun& run) {
    const Path folder = folder_ / run.folder;
    if (options_.results.empty()) {
      if (const auto done = simulate(run, folder); !done) return std::unexpected(done.error());
    }
    return read(run, folder / "result.json");
  }

  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  std::unexpected<std::string> fail(int exit_code, std::string text) {
    exit_code_ = exit_code;
    return std::unexpected(std::move(text));
  }

  std::expected<void, std::string> simulate(const SweepRun& run, const Path& folder) {
    fmt::print(stderr, "sweep: run {} of {}: {}\n", ++done_, count_, run.folder);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(reports::kUsage, fmt::format("{}: {}", folder.string(), error.message()));
    std::filesystem::remove(folder / "result.json", error);
    std::vector<std::string> arguments = run.arguments;
    arguments.insert(arguments.end(), {"--no-progress", "--out", folder.string()});
    const auto end = reports::run_program(options_.simulator, arguments, folder / "errors");
    if (!end) return fail(reports::kUsage, end.error() + " (./wavetank build release wavetank-sim)");
    // An overloaded run may well violate a bound of time: that is what a sweep looks for.
    if (end->signal == 0 && end->exit_code <= reports::kInconclusive) return {};
    const std::string how = end->signal != 0 ? fmt::format("was killed by signal {}", end->signal)
                                             : fmt::format("ended with exit code {}", end->exit_code);
    const bool usage = end->signal == 0 && end->exit_code == reports::kUsage;
    return fail(usage ? reports::kUsage : reports::kTargetDied,
                fmt::format("sweep: the simulator {}{}{}", how, end->first_line.empty() ? "" : ": ",
                            end->first_line));
  }

  // A result of another run than the sheet asks for is refused.
  std::expected<Result, std::string> read(const SweepRun& run, const Path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf()))
      return fail(reports::kUsage, fmt::format("{}: cannot be read; it has to be the result of: {}",
                                               file.string(), fmt::join(run.arguments, " ")));
    Result result;
    try {
      result = reports::parse_result_json(text.view());
    } catch (const reports::ResultError& error) {
      return fail(reports::kUsage, fmt::format("{}: {}", file.string(), error.what()));
    }
    const auto names = [&](const std::string& word) {
      return result.command.find(word) != std::string::npos;
    };
    std::string missing;
    for (const std::string& setting : run.settings) {
      if (missing.empty() && !names(setting)) missing = setting;
    }
    if (result.seed != run.seed || !missing.empty())
      return fail(reports::kUsage, fmt::format("{}: is the result of another run ({}{})", file.string(),
                                               missing.empty() ? "another seed" : "not with ", missing));
    if (!result.engine_error.empty())
      return fail(reports::kInternal,
                  fmt::format("{}: the simulator itself failed: {}", file.string(), result.engine_error));
    return result;
  }

  const CapacityOptions& options_;
  Path folder_;
  std::size_t count_;
  std::size_t done_ = 0;
  int exit_code_ = reports::kInternal;
};

std::expected<void, CapacityError> write_report(const CapacityReport& report, const Path& folder) {
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream out(folder / name, std::ios::binary);
    out << text;
    out.close();
    return static_cast<bool>(out);
  };
  for (const auto& [name, text] : {std::pair{"capacity.json", render_capacity_json(report)},
                                   std::pair{"report.html", render_capacity_html(report)}}) {
    if (!write(name, text))
      return std::unexpected(
          CapacityError{reports::kUsage, fmt::format("{}: cannot be written", (folder / name).string())});
  }
  return {};
}

int exit_code_of(reports::Verdict verdict) {
  switch (verdict) {
    case reports::Verdict::kPass:
      return reports::kPass;
    case reports::Verdict::kFail:
      return reports::kViolated;
    case reports::Verdict::kInconclusive:
      break;
  }
  return reports::kInconclusive;
}

}  // namespace

std::expected<CapacityDone, CapacityError> run_capacity(const CapacityOptions& options) {
  const auto sheet = load_sheet(options.sheet);
  if (!sheet) return std::unexpected(CapacityError{reports::kUsage, sheet.error()});
  if (!options.out.empty()) {  // said before the sweep, not after it
    std::error_code error;
    std::filesystem::create_directories(options.out, error);
    if (error)
      return std::unexpected(
          CapacityError{reports::kUsage, fmt::format("{}: {}", options.out, error.message())});
  }
  std::optional<SweepOutcome> swept;
  if (sheet->has_sweep() && !options.no_sweep) {
    const Scratch scratch;
    const std::string& folder = options.results.empty() ? options.out : options.results;
    if (folder.empty() && scratch.path().empty())
      return std::unexpected(CapacityError{reports::kInternal, "no folder for temporary files can be made"});
    const std::string beside = Path(options.sheet).parent_path().string();
    Runs runs(options, (folder.empty() ? scratch.path() : Path(folder)) / "sweep",
              runs_of(sheet->sweep(), beside).size());
    auto outcome = sweep_of(sheet->sweep(), beside, std::ref(runs));
    if (!outcome) return std::unexpected(CapacityError{runs.exit_code(), outcome.error()});
    swept = std::move(*outcome);
  }
  CapacityReport report = make_report(*sheet, std::move(swept));
  report.file = options.sheet;
  report.command = options.command;
  CapacityDone done{exit_code_of(verdict_of(report)), render_capacity_terminal(report, options.colour)};
  if (!options.out.empty()) {
    if (const auto written = write_report(report, options.out); !written)
      return std::unexpected(written.error());
    done.screen += fmt::format("report: {}\n", (Path(options.out) / "report.html").string());
  }
  return done;
}

}  // namespace wavetank::capacity
