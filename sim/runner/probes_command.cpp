#include "sim/runner/probes_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "reports/exit_code.hpp"
#include "sim/runner/command_line.hpp"
#include "sim/runner/probes.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint64_t kMostSeeds = 1000;

std::expected<scenarios::ProbeSet, std::string> read_set(const ProbesOptions& o) {
  if (o.scenarios.empty()) {
    if (!o.settings.empty()) return std::unexpected("--set needs a scenario; a set of runs has its own");
    auto set = scenarios::load_probe_set(o.file.empty() ? standard_probe_set() : o.file);
    if (set && o.seeds != 0) {
      for (auto& run : *set->mutable_run()) run.set_seeds(static_cast<std::int64_t>(o.seeds));
    }
    return set;
  }
  if (!o.file.empty()) return std::unexpected("--file: either a file or scenarios");
  scenarios::ProbeSet set;
  for (const std::string& scenario : o.scenarios) {
    auto& run = *set.add_run();
    run.set_scenario(scenario);
    for (const std::string& setting : o.settings) run.add_set(setting);
    run.set_seeds(static_cast<std::int64_t>(o.seeds == 0 ? 1 : o.seeds));
  }
  return set;
}

}  // namespace

CLI::App* add_probes(CLI::App& app, ProbesOptions& o) {
  CLI::App* command =
      app.add_subcommand("probes", "Sums what happened at least once, and names what never did");
  command->add_option("scenario", o.scenarios,
                      "Shipped names or files; none: the standard set, sim/runner/probe_set.txtpb");
  command->add_option("--set", o.settings, "path=value for every scenario; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--seeds", o.seeds, "Seeds 1 to N of every scenario (default: 1, or as the set says)")
      ->check(CLI::Range(std::uint64_t{1}, kMostSeeds));
  command->add_option("--file", o.file, "Another set of runs in protobuf text format (message ProbeSet)");
  command->add_option("--threads", o.threads, "As of run")->check(CLI::Range(1U, 3U));
  command->add_flag("--no-progress", o.no_progress, "No progress line");
  command->footer(
      "Example:\n  ./wavetank sim probes campus reconnect --seeds 3\n"
      "Exits 1 when a probe stays cold: nothing of what was run goes there.");
  return command;
}

int run_probes(const ProbesOptions& o) {
  const auto set = read_set(o);
  if (!set) return usage_error(set.error());
  const bool progress = !o.no_progress && isatty(STDERR_FILENO) != 0;
  const auto tally = count_probes(*set, o.threads, [&](const std::string& name) {
    if (!progress) return;
    fmt::print(stderr, "\r\x1b[K{}", name);
    std::fflush(stderr);
  });
  if (progress) fmt::print(stderr, "\r\x1b[K");
  if (!tally) return usage_error(tally.error());
  fmt::print("{}", render_probes(*tally));
  return tally->cold().empty() ? reports::kPass : reports::kViolated;
}

}  // namespace wavetank::sim
