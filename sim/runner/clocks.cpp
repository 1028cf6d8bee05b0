#include "sim/runner/clocks.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/history/text.hpp"
#include "sim/kernel/hash.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

// Whether a record tells of something whose end is a time of day.
bool is_ephemeral(const Record& record) {
  switch (record.kind) {
    case Kind::kTypingSent:
    case Kind::kTypingShown:
    case Kind::kTypingHidden:
    case Kind::kPresenceWatched:
    case Kind::kPresenceShown:
    case Kind::kLastSeenShown:
      return true;
    default:
      return false;
  }
}

std::string line_of(const Record& record) {
  std::string line = history::text_line(record);
  if (!line.empty() && line.back() == '\n') line.pop_back();
  for (char& c : line) {
    if (c == '\t') c = ' ';
  }
  return line;
}

std::uint64_t shown_digest(const Record& record) {
  Record plain = record;
  if (record.kind == Kind::kEnd) plain.value = 0;  // counts what is left out here as well
  RollingHash hash;
  for (const char c : history::text_line(plain)) hash.add(static_cast<unsigned char>(c));
  return hash.value();
}

// The first run's records, as digests.
class Remembered final : public history::Sink {
 public:
  void on(const Record& record) override {
    if (!is_ephemeral(record)) digests.push_back(shown_digest(record));
  }
  std::vector<std::uint64_t> digests;
};

// Stops to look at the first record that the other run did not have at this place.
class Compared final : public history::Sink {
 public:
  explicit Compared(const std::vector<std::uint64_t>& expected) : expected_(expected) {}
  void on(const Record& record) override {
    if (is_ephemeral(record) || different) return;
    if (count >= expected_.size() || expected_[count] != shown_digest(record)) {
      different = record;
      return;
    }
    ++count;
  }
  std::uint64_t count = 0;
  std::optional<Record> different;

 private:
  const std::vector<std::uint64_t>& expected_;
};

// Keeps one record: the one at a place.
class Picked final : public history::Sink {
 public:
  explicit Picked(std::uint64_t place) : place_(place) {}
  void on(const Record& record) override {
    if (!is_ephemeral(record) && count_++ == place_) found = record;
  }
  std::optional<Record> found;

 private:
  std::uint64_t place_;
  std::uint64_t count_ = 0;
};

std::expected<void, std::string> run_with(const scenarios::Scenario& scenario, const WorldOptions& options,
                                          history::Sink& sink) {
  auto world = World::make(scenario, options, sink);
  if (!world) return std::unexpected(world.error());
  (*world)->run();
  return {};
}

scenarios::Scenario with_clocks(scenarios::Scenario scenario, std::int64_t nodes_ms,
                                std::int64_t devices_ms) {
  scenarios::Clocks& clocks = *scenario.mutable_clocks();
  clocks.set_node_offset_ms(nodes_ms);
  clocks.set_device_offset_ms(devices_ms);
  clocks.set_restart_step_ms(nodes_ms);
  return scenario;
}

}  // namespace

std::expected<ClockOutcome, std::string> verify_clocks(const scenarios::Scenario& scenario,
                                                       const WorldOptions& options) {
  const scenarios::Scenario right = with_clocks(scenario, 0, 0);
  const scenarios::Scenario wrong = with_clocks(scenario, kWrongNodesMs, kWrongDevicesMs);
  Remembered first;
  if (const auto run = run_with(right, options, first); !run) return std::unexpected(run.error());
  Compared second(first.digests);
  if (const auto run = run_with(wrong, options, second); !run) return std::unexpected(run.error());
  ClockOutcome outcome;
  outcome.records = second.count;
  outcome.equal = !second.different && second.count == first.digests.size();
  if (outcome.equal) return outcome;
  Picked picked(second.count);
  if (const auto run = run_with(right, options, picked); !run) return std::unexpected(run.error());
  outcome.difference =
      fmt::format("record {}\n  clocks that agree: {}\n  wrong clocks:      {}", second.count + 1,
                  picked.found ? line_of(*picked.found) : "the run ends here",
                  second.different ? line_of(*second.different) : "the run ends here");
  return outcome;
}

}  // namespace wavetank::sim
