// Test only: a stage without a world, on which a behaviour acts out its cues in the order of their times.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <set>
#include <tuple>
#include <vector>

#include "sim/population/behaviour.hpp"
#include "sim/population/community.hpp"

namespace wavetank::sim {

// What a test wants to know it overrides; nothing else leaves a trace.
class TestStage : public Stage {
 public:
  // Until no cue is left; the behaviour quiesces before the first one at or after `end`.
  void run(Behaviour& behaviour, TimeNs end = kNever) {
    behaviour.begin();
    run_cues(behaviour, end);
  }
  void run_cues(Behaviour& behaviour, TimeNs end = kNever) {
    while (!cues_.empty()) {
      const auto [time, number, code, index] = cues_.top();
      cues_.pop();
      if (now_ < end && time >= end) behaviour.quiesce();
      now_ = time;
      behaviour.cue(code, index);
    }
  }
  TimeNs now() const override { return now_; }
  void cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) override {
    cues_.push({time, number_++, code, index});
  }
  void open_app(std::uint32_t device) override { open_.insert(device); }
  void close_app(std::uint32_t device) override { open_.erase(device); }
  bool app_is_open(std::uint32_t device) const override { return open_.contains(device); }
  std::uint32_t send(std::uint32_t, std::uint32_t, protocol::EntryKind, std::uint32_t) override {
    return ++sent_;
  }
  std::uint32_t direct(std::uint32_t, std::uint32_t) override { return 0; }
  void read(std::uint32_t, std::uint32_t) override {}

  // By send(), unless a test has overridden it.
  std::uint32_t sent() const { return sent_; }

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues_;
  std::set<std::uint32_t> open_;
  std::uint64_t number_ = 0;
  std::uint32_t sent_ = 0;
  TimeNs now_ = 0;
};

// A campus of ten minutes whose people are always there.
inline scenarios::Scenario small_campus(std::int32_t users, std::int64_t messages) {
  scenarios::Scenario scenario;
  scenario.set_run_s(600);
  scenario.mutable_topology()->add_region()->set_name("us-east-1");
  scenario.add_cohort()->set_profile("fibre");
  scenarios::Population& population = *scenario.mutable_population();
  population.set_workload(scenarios::Population::CAMPUS);
  population.set_users(users);
  population.set_campus_messages(messages);
  population.set_always_on_percent(100);
  return scenario;
}

}  // namespace wavetank::sim
