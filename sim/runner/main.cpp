// wavetank-sim: runs, verifies, compares and lists scenarios, and says what they never meet.
#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <filesystem>
#include <thread>

#include "reference/environment/defect_names.hpp"
#include "reports/exit_code.hpp"
#include "reports/html.hpp"
#include "reports/json.hpp"
#include "reports/junit.hpp"
#include "reports/terminal.hpp"
#include "reports/verdict.hpp"
#include "sim/runner/clocks.hpp"
#include "sim/runner/command_line.hpp"
#include "sim/runner/compare_command.hpp"
#include "sim/runner/history_file.hpp"
#include "sim/runner/memory_limit.hpp"
#include "sim/runner/probes_command.hpp"
#include "sim/runner/processes.hpp"
#include "sim/runner/runner.hpp"
#include "sim/runner/verify.hpp"
#include "sim/scenarios/scenario.hpp"

namespace {

using namespace wavetank;
using namespace wavetank::sim;
using Clock = std::chrono::steady_clock;

// Servers, devices, and the judge with what the shards write.
constexpr std::uint32_t kMostThreads = 3;

struct Options {
  std::string scenario;
  std::uint64_t seed = 1;
  std::vector<std::string> settings;
  std::string out;
  std::string history;
  std::string defect;
  std::string plan;
  std::uint32_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  std::int64_t max_memory_mib = 0;  // 0: what the machine has
  bool no_progress = false;
  bool clocks = false;
};

std::string command_of(const Options& options) {
  std::string command =
      fmt::format("./wavetank sim run {} --seed {}", shell_word(options.scenario), options.seed);
  for (const std::string& setting : options.settings) command += " --set " + shell_word(setting);
  if (!options.plan.empty()) command += " --plan " + shell_word(options.plan);
  if (!options.defect.empty()) command += " --defect " + shell_word(options.defect);
  return command;
}

// One line that is rewritten in place.
class ProgressBar {
 public:
  explicit ProgressBar(bool on) : on_(on), start_(Clock::now()) {}
  void show(const sim::Progress& progress) {
    const auto now = Clock::now();
    if (!on_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double done =
        std::min(1.0, static_cast<double>(progress.now) / static_cast<double>(progress.planned_end));
    const auto width = static_cast<std::size_t>(done * 24);
    std::string faults;
    for (const std::string& name : progress.active_faults) faults += (faults.empty() ? "" : ", ") + name;
    fmt::print(stderr, "\r\x1b[K[{}{}] {:>6.0f} s  {:.2f} M events/s  {} violations{}{}",
               std::string(width, '#'), std::string(24 - width, '.'), static_cast<double>(progress.now) / 1e9,
               static_cast<double>(progress.events) / seconds / 1e6, progress.violations,
               faults.empty() ? "" : "  fault: ", faults.substr(0, 40));
    std::fflush(stderr);
  }
  ~ProgressBar() {
    if (on_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  bool on_;
  Clock::time_point start_;
  Clock::time_point last_{};
};

void describe_environment(reports::Result& result) {
#if defined(__clang__)
  result.environment.compiler = "clang " __clang_version__;
#else
  result.environment.compiler = "g++ " __VERSION__;
#endif
#ifdef __OPTIMIZE__
  result.environment.build = "optimised";
#else
  result.environment.build = "not optimised";
#endif
  if (kDefectsCompiled) result.environment.build += ", seeded defects compiled in";
  utsname system{};
  uname(&system);
  result.environment.machine =
      fmt::format("{} {}, {} processors", system.sysname, system.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

bool write_outputs(const std::filesystem::path& folder, const reports::Result& result,
                   const sim::RunOutcome& outcome) {
  std::string plan;
  google::protobuf::TextFormat::PrintToString(outcome.plan, &plan);
  return write_file(folder / "result.json", reports::render_json(result)) &&
         write_file(folder / "junit.xml", reports::render_junit(result)) &&
         write_file(folder / "report.html", reports::render_html(result)) &&
         write_file(folder / "plan.txtpb", plan);
}

// What a run needs before it begins.
struct Prepared {
  scenarios::Scenario scenario;
  DefectSet defects;
  std::unique_ptr<sim::HistoryFile> recorder;  // none where no history was asked for
};

std::expected<Prepared, std::string> prepare(const Options& options) {
  Prepared prepared;
  auto scenario = read_scenario({options.scenario, {{"--set", options.settings}}, options.plan});
  if (!scenario) return std::unexpected(scenario.error());
  prepared.scenario = std::move(*scenario);
  const auto defects = read_defect("--defect", options.defect);
  if (!defects) return std::unexpected(defects.error());
  prepared.defects = *defects;
  if (!options.history.empty()) {
    auto file = sim::HistoryFile::create(options.history);
    if (!file) return std::unexpected(file.error());
    prepared.recorder = std::move(*file);
  }
  if (!options.out.empty()) {  // said before the run, not after it
    std::error_code error;
    std::filesystem::create_directories(options.out, error);
    if (error) return std::unexpected(fmt::format("{}: {}", options.out, error.message()));
  }
  return prepared;
}

sim::RunRequest request_of(const Options& options, const Prepared& prepared) {
  sim::RunRequest request;
  request.scenario = prepared.scenario;
  request.seed = options.seed;
  request.defects = prepared.defects;
  request.defect = options.defect;
  request.command = command_of(options);
  request.threads = options.threads;
  return request;
}

sim::MemoryLimit memory_limit(const Options& options) {
  return options.max_memory_mib == 0 ? sim::MemoryLimit::of_machine()
                                     : sim::MemoryLimit(options.max_memory_mib << 20, "--max-memory allows");
}

// This process cannot go on, and the other one would wait for it for ever.
int give_up(sim::Processes& processes, int code) {
  if (processes.size() > 1) processes.abort(code);
  return code;
}

// Of two processes each says what it is about to run, or that it cannot; none runs when the two differ.
bool are_all_ready(sim::Processes& processes, const Options& options, const Prepared* prepared) {
  if (processes.partner() == nullptr) return prepared != nullptr;
  std::string mine;
  if (prepared != nullptr)
    mine = fmt::format("{} {} {}", prepared->scenario.SerializeAsString(), options.seed, options.defect);
  return processes.partner()->exchange(mine) == mine && prepared != nullptr;
}

// Each of two processes adds what it took of its machine's memory.
std::int64_t peak_of_all(sim::Processes& processes) {
  const std::int64_t mine = sim::peak_resident_bytes();
  if (processes.partner() == nullptr) return mine;
  return mine + std::stoll(processes.partner()->exchange(std::to_string(mine)));
}

// The second of two processes: it has the devices, and the first one says what came of it.
int run_devices(Options options, sim::Processes& processes) {
  options.history.clear();
  options.out.clear();
  const auto prepared = prepare(options);
  if (!are_all_ready(processes, options, prepared ? &*prepared : nullptr)) return reports::kUsage;
  sim::RunRequest request = request_of(options, *prepared);
  const sim::MemoryLimit limit = memory_limit(options);
  request.progress = [&](const sim::Progress& progress) { limit.check(progress, sim::resident_bytes()); };
  try {
    if (!sim::run_devices(request, *processes.partner())) return reports::kUsage;
    peak_of_all(processes);
    return reports::kPass;
  } catch (const sim::MemoryExceeded& error) {
    return give_up(processes, usage_error(error.what()));
  }
}

int run(const Options& options, sim::Processes& processes) {
  if (processes.rank() == 1) return run_devices(options, processes);
  auto prepared = prepare(options);
  const bool are_ready = are_all_ready(processes, options, prepared ? &*prepared : nullptr);
  if (!prepared) return usage_error(prepared.error());
  if (!are_ready) return usage_error("the other process cannot run the same scenario");
  const std::unique_ptr<sim::HistoryFile> recorder = std::move(prepared->recorder);
  sim::RunRequest request = request_of(options, *prepared);
  request.recorder = recorder.get();
  request.devices = processes.partner();
  if (recorder != nullptr) {
    request.judged_by = [&](const conformance::JudgeConfig& config) {
      recorder->begin({request.scenario.name(), options.seed, options.defect, request.command, config});
    };
  }
  const auto start = Clock::now();
  std::expected<sim::RunOutcome, std::string> outcome;
  {
    ProgressBar bar(!options.no_progress && isatty(STDERR_FILENO) != 0);
    const sim::MemoryLimit limit = memory_limit(options);
    request.progress = [&](const sim::Progress& progress) {
      bar.show(progress);
      limit.check(progress, sim::resident_bytes());
    };
    try {
      outcome = sim::run_scenario(request);
    } catch (const sim::MemoryExceeded& error) {
      outcome = std::unexpected(error.what());
    }
  }
  if (!outcome) return give_up(processes, usage_error(outcome.error()));
  reports::Result& result = outcome->result;
  result.wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
  result.peak_rss_bytes = peak_of_all(processes);
  describe_environment(result);
  if (processes.size() > 1) result.environment.machine += fmt::format(", {} processes", processes.size());
  fmt::print("{}", reports::render_terminal(result, isatty(STDOUT_FILENO) != 0));
  if (recorder != nullptr && !recorder->close()) {
    fmt::print(stderr, "wavetank sim: {}: the history could not be written whole\n", options.history);
    return reports::kInternal;
  }
  if (!options.out.empty()) {
    if (!write_outputs(options.out, result, *outcome)) return reports::kInternal;
    fmt::print("report: {}\n", (std::filesystem::path(options.out) / "report.html").string());
  }
  return reports::exit_code(result);
}

int verify_clocks(const Options& options, const scenarios::Scenario& scenario, const DefectSet& defects) {
  const auto outcome = sim::verify_clocks(scenario, {options.seed, defects, {}, {}, 1});
  if (!outcome) return usage_error(outcome.error());
  if (!outcome->equal) {
    fmt::print("DIFFERENT: {} --seed {}, {}\n", options.scenario, options.seed, outcome->difference);
    return reports::kViolated;
  }
  fmt::print("equal: {} records, with clocks that agree and with nodes off by {} s, devices by {} h\n",
             outcome->records, kWrongNodesMs / 1000, kWrongDevicesMs / 3'600'000);
  return reports::kPass;
}

int verify(const Options& options) {
  const auto scenario = read_scenario({options.scenario, {{"--set", options.settings}}, options.plan});
  if (!scenario) return usage_error(scenario.error());
  const auto defects = read_defect("--defect", options.defect);
  if (!defects) return usage_error(defects.error());
  if (options.clocks) return verify_clocks(options, *scenario, *defects);
  const auto outcome = sim::verify_scenario(*scenario, {options.seed, *defects, {}, {}, 1});
  if (!outcome) return usage_error(outcome.error());
  if (!outcome->equal) {
    fmt::print("DIFFERENT: {} --seed {}\n  {}\n", options.scenario, options.seed, outcome->difference);
    return reports::kViolated;
  }
  fmt::print("equal: {} events, traceHash {:016x}, historyHash {:016x}\n", outcome->events,
             outcome->trace_hash, outcome->history_hash);
  return reports::kPass;
}

int list() {
  for (const auto& shipped : scenarios::shipped_scenarios())
    fmt::print("{:<12} {}\n", shipped.name, shipped.description);
  return reports::kPass;
}

void add_common(CLI::App& command, Options& options) {
  command
      .add_option("scenario", options.scenario,
                  "A shipped name (./wavetank sim list) or a file in protobuf text format")
      ->required();
  command.add_option("--seed", options.seed, "Every draw follows from it")
      ->capture_default_str()
      ->check(CLI::Validator(seed_problem, "", "seed"));
  command.add_option(
      "--set", options.settings,
      "path=value of any field of the scenario, for example protocol.page_limit=50; may be repeated. "
      "profile=NAME and fidelity=NAME merge a shipped overlay first");
  command.add_option(
      "--plan", options.plan,
      "Replaces the scenario's faults and generators by this plan (plan.txtpb of an earlier run)");
  command.add_option("--defect", options.defect, "Switches a seeded defect on (test builds only)");
}

int dispatch(int argc, char** argv, sim::Processes& processes) {
  CLI::App app{"Runs the reference messenger under the deterministic simulator."};
  app.name("wavetank sim");
  app.footer("Example:\n  ./wavetank sim run college --seed 7 --set messages=3000 --out out/seven");
  app.require_subcommand(1);
  Options options;
  CLI::App* run_command = app.add_subcommand("run", "Runs a scenario and judges it");
  add_common(*run_command, options);
  run_command->add_option("--out", options.out,
                          "Folder for report.html, result.json, junit.xml and plan.txtpb");
  run_command->add_option(
      "--history", options.history,
      "File for the run's history, every record of it; './wavetank conform judge' judges it again");
  run_command
      ->add_option("--threads", options.threads,
                   "With 2 the run is judged, the shards' databases are written, and in big worlds devices "
                   "are simulated "
                   "beside the rest; with 3 the judge never shares a thread. Verdict and hashes are the same")
      ->check(CLI::Range(1U, kMostThreads));
  run_command
      ->add_option("--max-memory", options.max_memory_mib,
                   "MiB that the run may take; without it what the machine has free, less a thirty-second")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  run_command->add_flag("--no-progress", options.no_progress, "No progress line");
  run_command->footer("Example:\n  ./wavetank sim run campus --seed 3 --out out/campus-3");
  CLI::App* verify_command =
      app.add_subcommand("verify", "Runs a scenario twice and names the first event that differs");
  add_common(*verify_command, options);
  verify_command->add_flag("--clocks", options.clocks,
                           "Compares what people are shown with right clocks and with wrong ones instead");
  verify_command->footer("Example:\n  ./wavetank sim verify campus --seed 3");
  CompareOptions comparison;
  CLI::App* compare_command = add_compare(app, comparison);
  ProbesOptions probes;
  CLI::App* probes_command = add_probes(app, probes);
  CLI::App* list_command = app.add_subcommand("list", "Names the shipped scenarios");
  list_command->footer("Example:\n  ./wavetank sim list");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help) == 0 ? reports::kPass : reports::kUsage;
  } catch (const CLI::RequiredError& error) {
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (app.get_subcommands().empty() && !word.empty() && word.front() != '-') {
      return usage_error(
          fmt::format("{}: no such command; there are run, verify, compare, probes and list", word));
    }
    return usage_error(std::string(error.what()) + "; --help shows an example");
  } catch (const CLI::ParseError& error) {
    return usage_error(std::string(error.what()) + "; --help shows an example");
  }
  if (processes.size() > 1 && (processes.size() > 2 || !*run_command)) {
    if (processes.rank() > 0) return reports::kUsage;
    return usage_error("a world is simulated by one process or by two, and by two only in 'run'");
  }
  if (*verify_command) return verify(options);
  if (*compare_command) return run_compare(comparison);
  if (*probes_command) return run_probes(probes);
  if (*list_command) return list();
  return run(options, processes);
}

}  // namespace

int main(int argc, char** argv) {
  const auto processes = sim::join_processes(&argc, &argv);
  if (!processes) return usage_error(processes.error());
  try {
    return dispatch(argc, argv, **processes);
  } catch (const std::exception& error) {
    fmt::print(stderr, "wavetank sim: internal error: {}\n", error.what());
    return give_up(**processes, reports::kInternal);
  }
}
