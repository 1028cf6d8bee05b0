// wavetank-conform: lists the properties and requirements, and proves the monitors by seeded defects.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "conformance/defects/catalogue.hpp"
#include "conformance/defects/trial.hpp"
#include "conformance/requirements/registry.hpp"
#include "conformance/traceability/documents.hpp"
#include "conformance/traceability/evidence.hpp"
#include "conformance/traceability/listing.hpp"
#include "reports/exit_code.hpp"

namespace {

using namespace wavetank;
using namespace wavetank::conformance;

constexpr std::array<std::uint64_t, 3> kControlSeeds = {1, 2, 3};

int usage_error(const std::string& what) {
  fmt::print(stderr, "wavetank conform: {}\n", what);
  return reports::kUsage;
}

int list(const ListOptions& options) {
  const auto lines = listing(registry(), options);
  if (!lines) return usage_error("list: " + lines.error());
  fmt::print("{}", *lines);
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
  int killed = 0;
  int survived = 0;
  int passed = 0;
  int failed = 0;
  std::vector<double> seconds;  // of each defect
};

void print_line(std::string_view name, std::string_view property, std::uint64_t seed, double seconds,
                std::string_view verdict) {
  fmt::print("{:<32} {:<14} {:>4} {:>8.1f}  {}\n", name, property, seed, seconds, verdict);
  std::fflush(stdout);
}

// Each seed of the record in turn until one kills. False when the scenario itself is at fault.
bool run_defect(const SeededDefect& record, Tally& tally) {
  const Stopwatch watch;
  std::string first;
  std::uint64_t last_seed = 0;
  for (const std::uint64_t seed : record.seeds) {
    if (seed == 0) break;
    const auto trial = try_defect(record, seed);
    if (!trial) {
      fmt::print(stderr, "wavetank conform: {}\n", trial.error());
      return false;
    }
    last_seed = seed;
    if (trial->killed) {
      ++tally.killed;
      tally.seconds.push_back(watch.seconds());
      print_line(record.name(), record.property, seed, tally.seconds.back(), "killed");
      return true;
    }
    first = trial->first;
  }
  ++tally.survived;
  tally.seconds.push_back(watch.seconds());
  print_line(record.name(), record.property, last_seed, tally.seconds.back(), "SURVIVED");
  fmt::print("    {} {} in scenario {}: {}\n", record.property, first, record.scenario, record.story);
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
  return true;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

int defects(const std::string& only) {
  if (!kDefectsCompiled) {
    return usage_error(
        "defects: seeded defects are compiled out of this build; './wavetank conform defects' uses the test "
        "build");
  }
  const SeededDefect* const chosen = only.empty() ? nullptr : find_seeded_defect(only);
  if (!only.empty() && chosen == nullptr) {
    return usage_error(fmt::format("--only {}: no such defect; './wavetank conform list' names them", only));
  }
  const Stopwatch watch;
  Tally tally;
  fmt::print("{:<32} {:<14} {:>4} {:>8}  {}\n", "defect", "property", "seed", "seconds", "verdict");
  for (const SeededDefect& record : seeded_defects()) {
    if (chosen != nullptr && chosen != &record) continue;
    if (!run_defect(record, tally)) return reports::kUsage;
  }
  for (const std::string_view scenario : defect_scenarios()) {
    if (chosen != nullptr && chosen->scenario != scenario) continue;
    for (const std::uint64_t seed : kControlSeeds) {
      if (!run_control(scenario, seed, tally)) return reports::kUsage;
    }
  }
  fmt::print("defects: {} of {} killed, median {:.1f} s; controls: {} of {} passed; {:.0f} s in all\n",
             tally.killed, tally.killed + tally.survived, median(tally.seconds), tally.passed,
             tally.passed + tally.failed, watch.seconds());
  return tally.survived == 0 && tally.failed == 0 ? reports::kPass : reports::kViolated;
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
  list_command
      ->add_flag(
          "--write", writes,
          "(developers) Writes what is made from the records anew: the tables of PROTOCOL.md, MATRIX.md")
      ->excludes(rules)
      ->excludes(some)
      ->excludes(form);
  list_command->footer("Example:\n  ./wavetank conform list --requirements --only SND-IDEM");
  CLI::App* defects_command = app.add_subcommand(
      "defects",
      "Runs every seeded defect in a small scenario, and the same scenarios without; fails if one survives");
  std::string only;
  defects_command->add_option("--only", only, "This defect alone, and the control of its scenario");
  defects_command->footer("Example:\n  ./wavetank conform defects --only dedup-lost-at-restart");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help) == 0 ? reports::kPass : reports::kUsage;
  } catch (const CLI::ParseError& error) {
    return usage_error(std::string(error.what()) + "; --help shows an example");
  }
  if (*list_command) {
    options.json = format == "json";
    return writes ? write() : list(options);
  }
  return defects(only);
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
