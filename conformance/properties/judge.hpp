// The judge: takes the history of a run record by record and says at the end what held and what did not.
//
//   Judge judge(config);
//   ... judge.on(record) for each record, in the order of their time ...
//   judge.finish();
//   for (const PropertyOutcome& outcome : judge.outcomes()) ...
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "conformance/history/forks.hpp"
#include "conformance/history/record.hpp"
#include "conformance/properties/harness_health.hpp"
#include "conformance/properties/memory.hpp"
#include "conformance/properties/monitor.hpp"
#include "conformance/properties/outcome.hpp"
#include "conformance/properties/truth.hpp"
#include "conformance/requirements/judge_config.hpp"
#include "reports/histogram.hpp"

namespace wavetank::conformance {

struct LatencyOutcome {
  std::string metric;  // "service_share", "end_to_end", ..., see latency.hpp
  Phase phase = Phase::kCalm;
  std::string cohort;  // a name of JudgeConfig::cohorts, or "all"
  reports::Histogram histogram;
  DurationNs judged_bound = 0;   // of the 99th percentile; 0 = only reported
  std::uint64_t unfinished = 0;  // began and never ended
};

class LatencyMonitor;

// Owns all monitors and the truth they share. Not copyable; single-threaded; O(1) per record.
class Judge final : public history::Sink {
 public:
  // Throws std::invalid_argument when `config` requires a property that is not in the registry or judges an
  // unknown cohort.
  explicit Judge(JudgeConfig config);
  ~Judge() override;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  void on(const Record& record) override;
  // The same for each of them, in this order, and faster: the memory for the later ones is on its way while
  // the earlier ones are judged.
  void on(std::span<const Record> records);
  // After the last record; once. Later records are ignored.
  void finish();

  // Called for the first violations of each property, as they are found.
  void listen(const ViolationListener& listener);

  // One per property of the registry, in its order. Complete after finish().
  std::vector<PropertyOutcome> outcomes() const;
  // Those with a sample, ordered by metric, phase and cohort.
  std::vector<LatencyOutcome> latencies() const;
  // Violations so far, of all properties. O(properties).
  std::uint64_t violations() const;
  // Where the memory of truth and monitors is. O(devices).
  JudgeMemory memory() const;

 private:
  // Hands what the fork filter lets pass to judge().
  class Passed final : public history::Sink {
   public:
    explicit Passed(Judge& to) : judge_(to) {}
    void on(const Record& record) override { judge_.judge(record); }

   private:
    Judge& judge_;
  };

  void judge(const Record& record);
  void add(std::unique_ptr<Monitor> monitor);
  void hand_on_known();
  PropertyOutcome outcome_of(const Monitor& monitor) const;

  JudgeConfig config_;
  Truth truth_;
  std::vector<std::unique_ptr<Monitor>> monitors_;
  std::array<std::vector<Monitor*>, static_cast<std::size_t>(Kind::kCount)> by_kind_;
  std::vector<Monitor*> wanting_known_;
  std::vector<ParkedCheck> settled_;
  LatencyMonitor* latency_ = nullptr;
  HarnessHealth health_;
  Passed passed_{*this};
  std::unique_ptr<history::ForkFilter> forks_;  // where logs can be forked
  std::uint64_t malformed_ = 0;                 // records that could not be judged
  bool finished_ = false;
};

}  // namespace wavetank::conformance
