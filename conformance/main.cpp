// wavetank-conform: lists the properties and requirements, proves the monitors by seeded defects and the
// suite's cases by mutants, and judges histories again.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "conformance/defects/catalogue.hpp"
#include "conformance/defects/gate.hpp"
#include "conformance/defects/kill_matrix.hpp"
#include "conformance/defects/mutant_matrix.hpp"
#include "conformance/defects/mutant_trial.hpp"
#include "conformance/defects/trial.hpp"
#include "conformance/exact/exact_judge.hpp"
#include "conformance/history/reader.hpp"
#include "conformance/history/text.hpp"
#include "conformance/requirements/registry.hpp"
#include "conformance/traceability/documents.hpp"
#include "conformance/traceability/evidence.hpp"
#include "conformance/traceability/listing.hpp"
#include "conformance/traceability/requirements_page.hpp"
#include "reports/exit_code.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"
#include "sim/runner/result_builder.hpp"

namespace {

using namespace wavetank;
using namespace wavetank::conformance;

constexpr std::array<std::uint64_t, 3> kControlSeeds = {1, 2, 3};
constexpr std::size_t kExamplesShown = 3;  // of the violations of a property

int usage_error(const std::string& what) {
  fmt::print(stderr, "wavetank conform: {}\n", what);
  return reports::kUsage;
}

bool write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) fmt::print(stderr, "wavetank conform: {}: cannot be written\n", path.string());
  return static_cast<bool>(out);
}

// The folder of `--out`, made if need be; false and one line when it cannot be.
bool make_folder(std::string_view command, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) usage_error(fmt::format("{}: --out {}: {}", command, folder, error.message()));
  return !error;
}

int list(const ListOptions& options) {
  const auto lines = listing(registry(), options);
  if (!lines) return usage_error("list: " + lines.error());
  fmt::print("{}", *lines);
  return reports::kPass;
}

// requirements.html in `folder`; the exit code.
int write_page(const std::string& folder) {
  if (!make_folder("list", folder)) return reports::kUsage;
  const auto page = std::filesystem::path(folder) / "requirements.html";
  if (!write_text(page, requirements_page(registry()))) return reports::kInternal;
  fmt::print("page: {}\n", page.string());
  return reports::kPass;
}

int write() {
  const auto changed = write_documents(registry(), checkout());
  if (!changed) return usage_error("list --write: " + changed.error());
  for (const std::string& path : *changed) fmt::print("written: {}\n", path);
  if (changed->empty()) fmt::print("every document is up to date\n");
  return reports::kPass;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Tally {
  std::vector<Kill> kills;
  int passed = 0;
  int failed = 0;
  int disagreed = 0;  // runs on which the online and the exact judge differ
  std::vector<MutantTrial> mutants;
  int gates_noticed = 0;
  int gates_open = 0;

  std::size_t killed() const {
    return static_cast<std::size_t>(
        std::count_if(kills.begin(), kills.end(), [](const Kill& kill) { return kill.killed; }));
  }
  bool is_good() const {
    return killed() == kills.size() && failed == 0 && disagreed == 0 && gates_open == 0 &&
           std::all_of(mutants.begin(), mutants.end(),
                       [](const MutantTrial& trial) { return trial.is_as_it_should_be(); });
  }
};

void print_line(std::string_view name, std::string_view property, std::uint64_t seed, double seconds,
                std::string_view verdict) {
  fmt::print("{:<32} {:<14} {:>4} {:>8.1f}  {}\n", name, property, seed, seconds, verdict);
  std::fflush(stdout);
}

void compare(const std::string& disagreement, Tally& tally) {
  if (disagreement.empty()) return;
  ++tally.disagreed;
  fmt::print("    the online and the exact judge DISAGREE:\n{}", disagreement);
}

// Each seed of the record in turn until one kills. False when the scenario itself is at fault.
bool run_defect(const SeededDefect& record, Tally& tally) {
  const Stopwatch watch;
  Kill& kill = tally.kills.emplace_back();
  kill.record = &record;
  std::string first;
  for (const std::uint64_t seed : record.seeds) {
    if (seed == 0 || kill.killed) break;
    auto trial = try_defect(record, seed);
    if (!trial) {
      fmt::print(stderr, "wavetank conform: {}\n", trial.error());
      return false;
    }
    ++kill.seeds_tried;
    kill.seed = seed;
    kill.killed = trial->killed;
    kill.caught_by = std::move(trial->caught_by);
    first = std::move(trial->first);
    compare(trial->disagreement, tally);
  }
  kill.seconds = watch.seconds();
  print_line(record.name(), record.property, kill.seed, kill.seconds, kill.killed ? "killed" : "SURVIVED");
  if (!kill.killed) {
    fmt::print("    {} {} in scenario {}: {}\n", record.property, first, record.scenario, record.story);
  }
  return true;
}

bool run_control(std::string_view scenario, std::uint64_t seed, Tally& tally) {
  const Stopwatch watch;
  const auto control = try_control(scenario, seed);
  if (!control) {
    fmt::print(stderr, "wavetank conform: {}\n", control.error());
    return false;
  }
  ++(control->passed ? tally.passed : tally.failed);
  print_line(fmt::format("control {}", scenario), "all", seed, watch.seconds(),
             control->passed ? "passed" : "FAILED");
  if (!control->passed) fmt::print("    {}\n", control->first);
  compare(control->disagreement, tally);
  return true;
}

// Every case that did not pass is told when the mutant did not do as it should, or is the only one.
void run_mutant(const Mutant& mutant, bool is_only, Tally& tally) {
  const MutantTrial& trial = tally.mutants.emplace_back(try_mutant(mutant));
  const bool good = trial.is_as_it_should_be();
  const std::string control = fmt::format("control {}", mutant.name);
  const std::string breaks = fmt::format("{}", fmt::join(mutant.requirements(), " "));
  std::string verdict = good ? "passed" : "FAILED";
  if (!mutant.is_control()) {
    const std::size_t count = trial.failed.size();
    verdict = good ? fmt::format("killed by {} case{}", count, count == 1 ? "" : "s") : "SURVIVED";
  }
  fmt::print("{:<40} {:<32} {:>8.1f}  {}\n", mutant.is_control() ? control : mutant.name,
             mutant.is_control() ? "nothing" : breaks, trial.seconds, verdict);
  if (good && !is_only) return;
  for (const std::string_view requirement : trial.missed) {
    fmt::print("    no case of {} has failed: {}\n", requirement, mutant.story);
  }
  for (const CaseResult& result : trial.not_passed) {
    fmt::print("    {:<12} {}: {}\n", name_of(result.grade), result.id, result.detail);
  }
}

// All of them, or the one that is chosen.
void run_mutants(const Mutant* chosen, Tally& tally) {
  const Stopwatch watch;
  fmt::print("\n{:<40} {:<32} {:>8}  {}\n", "mutant", "breaks", "seconds", "verdict");
  for (const Mutant& mutant : all_mutants()) {
    if (chosen == nullptr || chosen == &mutant) run_mutant(mutant, chosen != nullptr, tally);
  }
  std::array<std::array<std::size_t, 2>, 2> counts{};  // [control][as it should be]
  for (const MutantTrial& trial : tally.mutants) {
    ++counts.at(trial.mutant->is_control()).at(trial.is_as_it_should_be());
  }
  const auto& [mutants, controls] = counts;
  fmt::print("mutants: {} of {} killed by {} cases; controls: {} of {} passed; {:.0f} s in all\n", mutants[1],
             mutants[0] + mutants[1], all_cases().size(), controls[1], controls[0] + controls[1],
             watch.seconds());
}

// The defects of the gate, or the one that is chosen. False when the scenario itself is at fault.
bool run_gates(const GateDefect* chosen, Tally& tally) {
  fmt::print("\n{:<32} {:>5} {:>7} {:>12} {:>8}  {}\n", "defect of the gate", "sound", "spoiled",
             "judged again", "seconds", "verdict");
  for (const GateDefect& defect : gate_defects()) {
    if (chosen != nullptr && chosen != &defect) continue;
    const Stopwatch watch;
    const auto trial = try_gate(defect);
    if (!trial) {
      fmt::print(stderr, "wavetank conform: {}\n", trial.error());
      return false;
    }
    ++(trial->is_noticed() ? tally.gates_noticed : tally.gates_open);
    fmt::print("{:<32} {:>5} {:>7} {:>12} {:>8.1f}  {}\n", defect.name, trial->sound, trial->spoiled,
               trial->judged_again, watch.seconds(), trial->is_noticed() ? "noticed" : "SURVIVED");
    if (!trial->is_noticed()) fmt::print("    {} {}\n", defect.story, trial->first);
    std::fflush(stdout);
  }
  fmt::print("gate: {} of {} noticed, by the exit code\n", tally.gates_noticed,
             tally.gates_noticed + tally.gates_open);
  return true;
}

double median_seconds(const std::vector<Kill>& kills) {
  std::vector<double> values;
  for (const Kill& kill : kills) values.push_back(kill.seconds);
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct DefectOptions {
  std::string only;
  std::string out;
  bool check = false;
  bool write = false;
};

// Holds one table of the checkout to what was found; the exit code.
int check_table(std::string_view path, const std::function<std::string(std::string_view)>& differences_to) {
  std::ostringstream written;
  written << std::ifstream(checkout() / path).rdbuf();
  const std::string differences = differences_to(written.str());
  if (differences.empty()) return reports::kPass;
  fmt::print(
      "{} is not what was found (- it says, + found); './wavetank conform defects --write' mends it:\n{}",
      path, differences);
  return reports::kViolated;
}

// What is to become of the matrices; the exit code.
int publish(const Tally& tally, const DefectOptions& options) {
  const bool whole = options.only.empty();
  if (!options.out.empty()) {
    const auto page = std::filesystem::path(options.out) / "kills.html";
    if (!write_text(page, kill_page(tally.kills, mutant_section(tally.mutants)))) return reports::kInternal;
    fmt::print("page: {}\n", page.string());
  }
  if (options.write) {
    if (!write_text(checkout() / kKillTablePath, kill_table(tally.kills)) ||
        !write_text(checkout() / kMutantTablePath, mutant_table(tally.mutants))) {
      return reports::kInternal;
    }
    fmt::print("written: {}\nwritten: {}\n", kKillTablePath, kMutantTablePath);
  }
  if (!options.check) return reports::kPass;
  const int kills = check_table(
      kKillTablePath, [&](std::string_view table) { return kill_differences(table, tally.kills, whole); });
  const int mutants = check_table(kMutantTablePath, [&](std::string_view table) {
    return mutant_differences(table, tally.mutants, whole);
  });
  return std::max(kills, mutants);
}

// All seeded defects and the controls of their scenarios, or the one that is chosen. False when a scenario is
// at fault.
bool run_defects(const SeededDefect* chosen, Tally& tally) {
  const Stopwatch watch;
  fmt::print("{:<32} {:<14} {:>4} {:>8}  {}\n", "defect", "property", "seed", "seconds", "verdict");
  for (const SeededDefect& record : seeded_defects()) {
    if (chosen != nullptr && chosen != &record) continue;
    if (!run_defect(record, tally)) return false;
  }
  for (const std::string_view scenario : defect_scenarios()) {
    if (chosen != nullptr && chosen->scenario != scenario) continue;
    for (const std::uint64_t seed : kControlSeeds) {
      if (!run_control(scenario, seed, tally)) return false;
    }
  }
  fmt::print("defects: {} of {} killed, median {:.1f} s; controls: {} of {} passed; {}; {:.0f} s in all\n",
             tally.killed(), tally.kills.size(), median_seconds(tally.kills), tally.passed,
             tally.passed + tally.failed,
             tally.disagreed == 0 ? "the exact judge agrees"
                                  : fmt::format("the judges DISAGREE on {} runs", tally.disagreed),
             watch.seconds());
  return true;
}

// The scenarios of the defects, or one of them, without a defect and with many seeds: nothing may alarm.
struct ControlOptions {
  std::string only;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 3;
};

int controls(const ControlOptions& options) {
  const auto scenarios = defect_scenarios();
  if (!options.only.empty() &&
      std::find(scenarios.begin(), scenarios.end(), options.only) == scenarios.end()) {
    return usage_error(fmt::format("controls --only {}: no such scenario; there are: {}", options.only,
                                   fmt::join(scenarios, ", ")));
  }
  const Stopwatch watch;
  Tally tally;
  fmt::print("{:<32} {:<14} {:>4} {:>8}  {}\n", "scenario", "property", "seed", "seconds", "verdict");
  for (const std::string_view scenario : scenarios) {
    if (!options.only.empty() && options.only != scenario) continue;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
      if (!run_control(scenario, options.first_seed + i, tally)) return reports::kUsage;
    }
  }
  fmt::print("controls: {} of {} passed; {} disagreements of the judges; {:.0f} s in all\n", tally.passed,
             tally.passed + tally.failed, tally.disagreed, watch.seconds());
  return tally.is_good() ? reports::kPass : reports::kViolated;
}

int defects(const DefectOptions& options) {
  if (!kDefectsCompiled) {
    return usage_error(
        "defects: seeded defects are compiled out of this build; './wavetank conform defects' uses the test "
        "build");
  }
  const bool all = options.only.empty();
  const SeededDefect* const defect = all ? nullptr : find_seeded_defect(options.only);
  const Mutant* const mutant = all ? nullptr : find_mutant(options.only);
  const GateDefect* const gate = all ? nullptr : find_gate_defect(options.only);
  if (!all && defect == nullptr && mutant == nullptr && gate == nullptr) {
    return usage_error(
        fmt::format("--only {}: no such defect or mutant; './wavetank conform list' and {} name them",
                    options.only, kMutantTablePath));
  }
  // Said before the runs, not after them.
  if (!options.out.empty() && !make_folder("defects", options.out)) return reports::kUsage;
  Tally tally;
  if ((all || defect != nullptr) && !run_defects(defect, tally)) return reports::kUsage;
  if (all || mutant != nullptr) run_mutants(mutant, tally);
  if ((all || gate != nullptr) && !run_gates(gate, tally)) return reports::kUsage;
  const int published = publish(tally, options);
  return tally.is_good() ? published : reports::kViolated;
}

// ---- histories

int print_history(const std::string& path) {
  bool is_first = true;
  const auto header = history::read_file(path, [&](const history::Record& record) {
    if (std::exchange(is_first, false)) fmt::print("{}", history::column_line());
    fmt::print("{}", history::text_line(record));
  });
  if (!header) return usage_error(header.error());
  std::fflush(stdout);
  return std::ferror(stdout) == 0 ? reports::kPass : reports::kInternal;
}

// The table of one judgement; the first violations below the property they violate.
void print_outcomes(const std::vector<PropertyOutcome>& outcomes) {
  fmt::print("{:<14} {:<13} {:>14} {:>10} {:>10}  {}\n", "property", "verdict", "checked", "minimum",
             "violations", "what it demands");
  for (const PropertyOutcome& outcome : outcomes) {
    const std::string minimum = outcome.minimum == 0 ? "-" : reports::with_thousands(outcome.minimum);
    fmt::print(
        "{:<14} {:<13} {:>14} {:>10} {:>10}  {}\n", outcome.id,
        outcome.verdict == PropertyVerdict::kNotExercised ? "NOT EXERCISED" : to_string(outcome.verdict),
        reports::with_thousands(outcome.antecedents), minimum, reports::with_thousands(outcome.violations),
        outcome.title);
    if (outcome.verdict == PropertyVerdict::kInconclusive) fmt::print("    {}\n", outcome.note);
    for (std::size_t i = 0; i < std::min(kExamplesShown, outcome.examples.size()); ++i) {
      const Violation& violation = outcome.examples[i];
      fmt::print("    {:.3f} s  {}\n", static_cast<double>(violation.time) / 1e9, violation.text);
    }
  }
}

int judge_history(const std::string& path) {
  std::vector<history::Record> records;
  const auto header =
      history::read_file(path, [&](const history::Record& record) { records.push_back(record); });
  if (!header) return usage_error(header.error());
  std::vector<PropertyOutcome> outcomes;
  try {
    outcomes = exact::judge(records, header->judged_by);
  } catch (const std::invalid_argument& error) {
    return usage_error(fmt::format("{}: {}; it is of another wavetank", path, error.what()));
  }
  reports::Result result;
  result.verdict =
      reports::Verdict::kPass;  // the exit code and the word are the worst of it and the properties
  for (const PropertyOutcome& outcome : outcomes) result.properties.push_back(sim::property_result(outcome));
  fmt::print("{}  {}  seed {}{}{}  judged exactly from {} records\n\n",
             reports::to_string(reports::effective_verdict(result)), header->scenario, header->seed,
             header->defect.empty() ? "" : "  with the seeded defect ", header->defect,
             reports::with_thousands(records.size()));
  print_outcomes(outcomes);
  if (!header->command.empty()) fmt::print("\nrepeats the run: {}\n", header->command);
  return reports::exit_code(result);
}

int dispatch(int argc, char** argv) {
  CLI::App app{"What a messenger must keep to, and the proof that breaking it is noticed."};
  app.name("wavetank conform");
  app.footer("Example:\n  ./wavetank conform defects --only ack-before-sync");
  app.require_subcommand(1);
  CLI::App* list_command =
      app.add_subcommand("list", "Names the properties or the requirements, and what proves each");
  ListOptions options;
  std::string format = "text";
  bool writes = false;
  CLI::Option* rules =
      list_command->add_flag("--requirements", options.rules, "The requirements of the protocol instead");
  CLI::Option* some = list_command->add_option("--only", options.only,
                                               "Those of an area (SND), a topic (SND-IDEM) or one id");
  CLI::Option* form = list_command->add_option("--format", format, "text, or json for machines")
                          ->check(CLI::IsMember({"text", "json"}));
  std::string page_folder;
  CLI::Option* page =
      list_command->add_option("--out", page_folder, "Folder for requirements.html, both lists as a page")
          ->excludes(rules)
          ->excludes(some)
          ->excludes(form);
  list_command
      ->add_flag(
          "--write", writes,
          "(developers) Writes what is made from the records anew: the tables of PROTOCOL.md, MATRIX.md")
      ->excludes(rules)
      ->excludes(some)
      ->excludes(form)
      ->excludes(page);
  list_command->footer("Example:\n  ./wavetank conform list --requirements --only SND-IDEM");
  CLI::App* defects_command = app.add_subcommand("defects",
                                                 "Runs every seeded defect in a small scenario, and the "
                                                 "suite against every mutant; fails if one survives");
  DefectOptions trials;
  CLI::Option* one = defects_command->add_option("--only", trials.only,
                                                 "This defect, and the control of its scenario, or mutant");
  defects_command->add_option("--out", trials.out, "Folder for kills.html, the matrices as a page");
  CLI::Option* check = defects_command->add_flag(
      "--check", trials.check,
      "Fails when a matrix in the checkout (KILLS.md, MUTANTS.md) says something else");
  defects_command->add_flag("--write", trials.write, "(developers) Writes those matrices anew")
      ->excludes(one)
      ->excludes(check);
  defects_command->footer("Example:\n  ./wavetank conform defects --only dedup-lost-at-restart");
  CLI::App* controls_command = app.add_subcommand(
      "controls",
      "Runs the scenarios of the defects without any, with many seeds; fails if a property alarms");
  ControlOptions control;
  controls_command->add_option("--only", control.only, "This scenario");
  controls_command->add_option("--first-seed", control.first_seed, "The first seed")->capture_default_str();
  controls_command->add_option("--seeds", control.seeds, "How many of each scenario")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  controls_command->footer("Example:\n  ./wavetank conform controls --seeds 50");
  std::string file;
  CLI::App* judge_command = app.add_subcommand(
      "judge", "Judges the history of a run again, exactly; exit codes as of the run itself");
  judge_command->add_option("file", file, "What './wavetank sim run ... --history FILE' wrote")->required();
  judge_command->footer("Example:\n  ./wavetank conform judge out/campus.wth");
  CLI::App* history_command =
      app.add_subcommand("history", "Prints every record of a history as one tab-separated line");
  history_command->add_option("file", file, "What './wavetank sim run ... --history FILE' wrote")->required();
  history_command->footer("Example:\n  ./wavetank conform history out/campus.wth | grep send_failed");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help) == 0 ? reports::kPass : reports::kUsage;
  } catch (const CLI::ParseError& error) {
    return usage_error(std::string(error.what()) + "; --help shows an example");
  }
  if (*controls_command) return controls(control);
  if (*judge_command) return judge_history(file);
  if (*history_command) return print_history(file);
  if (*list_command) {
    options.json = format == "json";
    if (!page_folder.empty()) return write_page(page_folder);
    return writes ? write() : list(options);
  }
  return defects(trials);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "wavetank conform: internal error: {}\n", error.what());
    return reports::kInternal;
  }
}
