#include "sim/runner/verify.hpp"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "sim/kernel/hash.hpp"

namespace wavetank::sim {
namespace {

// The runs are first compared block by block; only the block that differs is then looked at event by event.
constexpr std::uint64_t kBlock = 4096;

struct Silent final : history::Sink {
  void on(const history::Record&) override {}
};

// Rolling hashes of who made an event and of whom it happens to. A machine that did something else than in
// the other run shows it here at once, even while its events still look the same.
struct Ends {
  std::uint64_t source = 0;
  std::uint64_t target = 0;
  friend bool operator==(const Ends&, const Ends&) = default;
};

struct Run {
  std::vector<std::uint64_t> blocks;  // rolling hash of all events at the end of each block
  std::vector<Event> events;          // of the block asked for
  std::vector<Ends> ends;             // how its two ends stood before each of them
  std::unique_ptr<World> world;
};

std::expected<Run, std::string> run_once(int number, const scenarios::Scenario& scenario,
                                         const WorldOptions& options, std::uint64_t block,
                                         const std::function<void(int, std::uint64_t, World&)>& disturb) {
  static Silent silent;
  Run run;
  RollingHash hash;
  std::uint64_t count = 0;
  WorldOptions tapped = options;
  tapped.progress = nullptr;
  tapped.threads = static_cast<std::uint32_t>(number);
  tapped.tap = [&](const Event& event) {
    if (disturb) disturb(number, count, *run.world);
    hash.add(static_cast<std::uint64_t>(event.time));
    hash.add(static_cast<std::uint64_t>(event.source) << 32 | event.number);
    hash.add(static_cast<std::uint64_t>(event.kind()) << 32 | event.target());
    const Ends ends{run.world->state_of(event.source),
                    run.world->state_of(run.world->entity_of_target(event))};
    hash.add(ends.source);
    hash.add(ends.target);
    if (count / kBlock == block) {
      run.events.push_back(event);
      run.ends.push_back(ends);
    }
    if (++count % kBlock == 0) run.blocks.push_back(hash.value());
  };
  auto world = World::make(scenario, std::move(tapped), silent);
  if (!world) return std::unexpected(world.error());
  run.world = std::move(*world);
  run.world->run();
  run.blocks.push_back(hash.value());
  return run;
}

// Nobody looks at each event here, and devices and servers are on two threads in every window that lets them.
std::expected<std::string, std::string> difference_beside(
    const scenarios::Scenario& scenario, const WorldOptions& options, const VerifyOutcome& alone,
    const std::function<void(int, std::uint64_t, World&)>& disturb) {
  static Silent silent;
  WorldOptions beside = options;
  beside.progress = nullptr;
  beside.threads = 2;
  beside.beside_from = 0;
  auto world = World::make(scenario, std::move(beside), silent);
  if (!world) return std::unexpected(world.error());
  if (disturb) disturb(3, 0, **world);
  (*world)->run();
  const WorldFacts& facts = (*world)->facts();
  if (facts.trace_hash == alone.trace_hash && facts.history_hash == alone.history_hash &&
      facts.events == alone.events)
    return "";
  return fmt::format(
      "with devices and servers on two threads: {} events, traceHash {:016x}, historyHash {:016x}",
      facts.events, facts.trace_hash, facts.history_hash);
}

std::string describe(const World& world, const Event& event) {
  return fmt::format("{:.6f} s, {} (event {} of {}, for {})", static_cast<double>(event.time) / 1e9,
                     kEventKindNames[event.kind()], event.number, world.entity_name(event.source),
                     world.entity_name(world.entity_of_target(event)));
}

}  // namespace

std::expected<VerifyOutcome, std::string> verify_scenario(
    const scenarios::Scenario& scenario, const WorldOptions& options,
    const std::function<void(int, std::uint64_t, World&)>& disturb) {
  constexpr std::uint64_t kNoBlock = UINT64_MAX;
  auto first = run_once(1, scenario, options, kNoBlock, disturb);
  if (!first) return std::unexpected(first.error());
  VerifyOutcome outcome;
  outcome.trace_hash = first->world->facts().trace_hash;
  outcome.history_hash = first->world->facts().history_hash;
  outcome.events = first->world->facts().events;
  first->world.reset();
  auto second = run_once(2, scenario, options, kNoBlock, disturb);
  if (!second) return std::unexpected(second.error());
  const WorldFacts& facts = second->world->facts();
  outcome.equal = first->blocks == second->blocks && facts.trace_hash == outcome.trace_hash &&
                  facts.history_hash == outcome.history_hash;
  second->world.reset();
  if (outcome.equal) {
    auto difference = difference_beside(scenario, options, outcome, disturb);
    if (!difference) return std::unexpected(difference.error());
    outcome.equal = difference->empty();
    outcome.difference = std::move(*difference);
    return outcome;
  }

  std::uint64_t block = 0;
  while (block < first->blocks.size() && block < second->blocks.size() &&
         first->blocks[block] == second->blocks[block])
    ++block;
  auto a = run_once(1, scenario, options, block, disturb);
  if (!a) return std::unexpected(a.error());
  const std::vector<Event> events = std::move(a->events);
  const std::vector<Ends> ends = std::move(a->ends);
  a->world.reset();
  auto b = run_once(2, scenario, options, block, disturb);
  if (!b) return std::unexpected(b.error());
  for (std::size_t i = 0; i < events.size() || i < b->events.size(); ++i) {
    if (i >= events.size() || i >= b->events.size()) {
      outcome.difference = fmt::format("event {}: one run ends here", block * kBlock + i + 1);
      break;
    }
    if (events[i] == b->events[i] && ends[i] == b->ends[i]) continue;
    const World& world = *b->world;
    const std::uint32_t changed =
        ends[i].source != b->ends[i].source ? events[i].source : world.entity_of_target(events[i]);
    outcome.difference =
        events[i] == b->events[i]
            ? fmt::format("event {}: {} stands differently before it: {}", block * kBlock + i + 1,
                          world.entity_name(changed), describe(world, events[i]))
            : fmt::format("event {}: {} | {}", block * kBlock + i + 1, describe(world, events[i]),
                          describe(world, b->events[i]));
    break;
  }
  if (outcome.difference.empty())
    outcome.difference =
        "the runs differ, but not twice at the same place: something outside the world decides";
  return outcome;
}

}  // namespace wavetank::sim
