#include "sim/runner/probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/scenarios/scenario.hpp"
#include "sim/world/world.hpp"

namespace wavetank::sim {
namespace {

struct Nobody final : history::Sink {
  void on(const history::Record&) override {}
};

std::expected<scenarios::Scenario, std::string> scenario_of(const scenarios::ProbeSet::Run& run) {
  // Files are named from the root of the checkout, wherever the command is given.
  const std::filesystem::path below = scenarios::data_root() / run.scenario();
  auto scenario =
      scenarios::load_scenario(std::filesystem::is_regular_file(below) ? below.string() : run.scenario());
  if (!scenario) return scenario;
  for (const bool is_overlay : {true, false}) {  // these first
    for (const std::string& setting : run.set()) {
      if (scenarios::is_overlay(setting) != is_overlay) continue;
      if (const auto applied = scenarios::apply_setting(*scenario, setting); !applied)
        return std::unexpected(fmt::format("{}: {}", run.scenario(), applied.error()));
    }
  }
  if (const auto valid = scenarios::validate(*scenario); !valid)
    return std::unexpected(fmt::format("{}: {}", run.scenario(), valid.error()));
  return scenario;
}

void add_run(const WorldFacts& facts, const std::string& name, ProbeTally& tally) {
  ++tally.runs;
  if (tally.probes.empty()) {
    for (const auto& [probe, times] : facts.probes) tally.probes.push_back({probe, 0, 0, ""});
  }
  for (std::size_t i = 0; i < facts.probes.size(); ++i) {
    const std::uint64_t times = facts.probes[i].second;
    ProbeCount& count = tally.probes[i];
    if (times > 0 && count.runs++ == 0) count.first = name;
    count.times += times;
  }
}

}  // namespace

std::vector<std::string> ProbeTally::cold() const {
  std::vector<std::string> names;
  for (const ProbeCount& probe : probes) {
    if (probe.times == 0) names.push_back(probe.name);
  }
  return names;
}

std::string standard_probe_set() { return (scenarios::data_root() / "sim/runner/probe_set.txtpb").string(); }

std::expected<ProbeTally, std::string> count_probes(const scenarios::ProbeSet& set, std::uint32_t threads,
                                                    const std::function<void(const std::string&)>& progress) {
  // All of them are read before the first is run: a mistake in the last costs nothing.
  std::vector<scenarios::Scenario> read;
  for (const scenarios::ProbeSet::Run& run : set.run()) {
    auto scenario = scenario_of(run);
    if (!scenario) return std::unexpected(scenario.error());
    read.push_back(std::move(*scenario));
  }
  ProbeTally tally;
  for (int i = 0; i < set.run_size(); ++i) {
    const scenarios::ProbeSet::Run& run = set.run(i);
    for (std::int64_t n = 0; n < run.seeds(); ++n) {
      const auto seed = static_cast<std::uint64_t>(run.first_seed() + n);
      const std::string name = fmt::format("{} {}", read[static_cast<std::size_t>(i)].name(), seed);
      if (progress) progress(name);
      Nobody nobody;
      auto world = World::make(read[static_cast<std::size_t>(i)], {seed, {}, {}, {}, threads}, nobody);
      if (!world) return std::unexpected(fmt::format("{}: {}", run.scenario(), world.error()));
      (*world)->run();
      add_run((*world)->facts(), name, tally);
    }
  }
  return tally;
}

std::string render_probes(const ProbeTally& tally) {
  std::string text = fmt::format("{:<34} {:>12} {:>6}  {}\n", "probe", "times", "runs", "first seen in");
  for (const ProbeCount& probe : tally.probes) {
    text += fmt::format("{:<34} {:>12} {:>6}  {}\n", probe.name, probe.times, probe.runs,
                        probe.times == 0 ? "COLD" : probe.first);
  }
  const std::vector<std::string> cold = tally.cold();
  text += fmt::format("{} of {} probes in {} runs", tally.probes.size() - cold.size(), tally.probes.size(),
                      tally.runs);
  return text + (cold.empty() ? "\n" : fmt::format("; cold: {}\n", fmt::join(cold, ", ")));
}

}  // namespace wavetank::sim
