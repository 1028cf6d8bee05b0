// wavetank-report: turns a result.json into a page or a screen, merges results, makes a capacity planner's
// report of a sheet, and the table of the project's own figures. Exits with the verdict's code.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "reports/capacity/capacity_command.hpp"
#include "reports/exit_code.hpp"
#include "reports/figures/benchmark_file.hpp"
#include "reports/figures/figures_command.hpp"
#include "reports/html.hpp"
#include "reports/json.hpp"
#include "reports/merge.hpp"
#include "reports/terminal.hpp"
#include "reports/verdict.hpp"

namespace {

using namespace wavetank::reports;

// What the user asked for cannot be done; what() is the one line to print.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Result read_result_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) throw UsageError(path + ": cannot be read");
  try {
    return parse_result_json(text.view());
  } catch (const ResultError& error) {
    throw UsageError(path + ": " + error.what());
  }
}

// Writes to the file, or to standard output when the path is empty.
void write_text(const std::string& path, const std::string& text) {
  if (path.empty()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
      throw std::runtime_error("standard output cannot be written");
    }
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw UsageError(path + ": cannot be written");
}

// wavetank-sim stands beside this executable, as the build puts it.
std::string simulator_beside_us() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "wavetank-sim").string();
}

int report_capacity(wavetank::capacity::CapacityOptions options, const std::string& colour) {
  options.colour = colour == "always" || (colour == "auto" && isatty(STDOUT_FILENO) == 1);
  options.command = "./wavetank report capacity " + options.sheet;
  if (!options.out.empty()) options.command += " --out " + options.out;
  const auto done = wavetank::capacity::run_capacity(options);
  if (!done) {
    fmt::print(stderr, "wavetank-report: {}\n", done.error().text);
    return done.error().exit_code;
  }
  write_text("", done->screen);
  return done->exit_code;
}

int run(int argc, char** argv) {
  CLI::App app("Reads result.json files and reports on them; plans capacity; tabulates benchmarks.",
               "wavetank-report");
  app.footer(
      "Example: wavetank-report html out/result.json -o report.html\n"
      "Exits 0 for PASS, 1 for FAIL, 2 for INCONCLUSIVE, 64 for a usage error, 70 for an internal error.");
  app.require_subcommand(1);
  std::vector<std::string> inputs;
  std::string input;
  std::string output;
  std::string colour = "auto";

  auto* html = app.add_subcommand("html", "Write the self-contained page of a result");
  html->add_option("result", input, "a result.json")->required();
  html->add_option("-o,--output", output, "the page to write")->default_str("report.html");
  html->footer("Example: wavetank-report html out/result.json -o report.html");

  auto* show = app.add_subcommand("show", "Print the verdict of a result on one screen");
  show->add_option("result", input, "a result.json")->required();
  show->add_option("--colour", colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  show->footer("Example: wavetank-report show out/result.json");

  auto* merging = app.add_subcommand("merge", "Merge results into one; histograms merge exactly");
  merging->add_option("results", inputs, "two or more result.json")->required()->expected(2, 1'000'000);
  merging->add_option("-o,--output", output, "the result to write; standard output if not given");
  merging->footer("Example: wavetank-report merge a/result.json b/result.json -o both.json");

  wavetank::capacity::CapacityOptions planned;
  planned.simulator = simulator_beside_us();
  auto* capacity =
      app.add_subcommand("capacity", "Nodes, bytes, latency, headroom and cost from a planner's sheet");
  capacity
      ->add_option("sheet", planned.sheet, "a sheet in protobuf text format (reports/capacity/sheet.proto)")
      ->required();
  capacity->add_option("--out", planned.out, "folder for report.html, capacity.json and the sweep's runs");
  auto* results =
      capacity->add_option("--results", planned.results,
                           "the --out folder of an earlier report: its sweep is read, nothing is simulated");
  capacity
      ->add_flag("--no-sweep", planned.no_sweep, "leave the sweep out; the latency knee is then inconclusive")
      ->excludes(results);
  capacity->add_option("--sim", planned.simulator,
                       "the simulator to run (default: the one beside this program)");
  capacity->add_option("--colour", colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  capacity->footer("Example: wavetank-report capacity reports/sheets/region.txtpb --out out/region");

  wavetank::figures::FiguresOptions measured;
  auto* figures = app.add_subcommand("figures", "The table of the project's figures (./wavetank bench)");
  figures->add_option("--benchmarks", measured.benchmarks,
                      "a JSON file of Google Benchmark; may be repeated");
  figures->add_option("--run", measured.runs,
                      "WORKLOAD=RESULT=SECONDS: a run of a scenario and its processor time; may be repeated");
  figures->add_option("--rounds", measured.rounds,
                      "rounds run in turn with others (./wavetank bench --peers)");
  figures->add_option("--value", measured.values, "NAME=VALUE: a figure measured otherwise; may be repeated");
  figures->add_option("--date", measured.date, "when");
  figures->add_option("--commit", measured.commit, "of what");
  figures->add_option("--machine", measured.machine, "where");
  figures->add_option("--load", measured.load, "how busy the machine was");
  figures->add_option("--compiler", measured.compiler, "compiled with");
  figures->add_option("--out", measured.out, "a history: it gets one line of JSON more");
  figures->add_option("--against", measured.against,
                      "a history whose last line is compared with (default: the one of --out)");
  figures->footer("Example: wavetank-report figures --benchmarks kernel_bench.json --out figures.jsonl");

  std::string page_of;
  figures->add_option("--page", page_of, "prints what this history shows, in Markdown, and measures nothing");

  auto* peers =
      app.add_subcommand("peers", "The table of rounds run in turn with others (./wavetank bench --peers)");
  peers->add_option("rounds", input, "lines of round, job, tool, work and processor seconds")->required();
  peers->footer("Example: wavetank-report peers rounds.tsv");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }

  try {
    if (*figures)
      write_text("", page_of.empty() ? wavetank::figures::run_figures(measured)
                                     : wavetank::figures::run_page(page_of));
    if (*peers) write_text("", wavetank::figures::run_peers(input));
  } catch (const wavetank::figures::FiguresError& error) {
    throw UsageError(error.what());
  }
  if (*figures || *peers) return kPass;
  if (*capacity) return report_capacity(planned, colour);
  if (*merging) {
    Result merged = read_result_file(inputs.front());
    for (std::size_t i = 1; i < inputs.size(); ++i) merged = merge(merged, read_result_file(inputs[i]));
    write_text(output, render_json(merged));
    return exit_code(merged);
  }
  const Result result = read_result_file(input);
  if (*html) {
    const std::string page = output.empty() ? "report.html" : output;
    write_text(page, render_html(result));
    write_text("", page + "\n");
  } else {
    const bool coloured = colour == "always" || (colour == "auto" && isatty(STDOUT_FILENO) == 1);
    write_text("", render_terminal(result, coloured));
  }
  return exit_code(result);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    fmt::print(stderr, "wavetank-report: {}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "wavetank-report: internal error: {}\n", error.what());
    return kInternal;
  }
}
