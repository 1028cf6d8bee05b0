// One scenario, run and judged: the world on one side, the judge on the other, one result out of both.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/properties/judge.hpp"
#include "reference/environment/defects.hpp"
#include "reports/result.hpp"
#include "sim/scenarios/scenario.pb.h"
#include "sim/world/world.hpp"

namespace wavetank::sim {

// What a watcher of a running world may know.
struct Progress {
  TimeNs now = 0;
  TimeNs planned_end = 0;
  std::uint64_t events = 0;
  std::uint64_t violations = 0;
  std::vector<std::string> active_faults;
};

struct RunRequest {
  scenarios::Scenario scenario;  // valid (scenarios::validate)
  std::uint64_t seed = 1;
  DefectSet defects;
  std::string defect;         // its name, for the report
  std::string command;        // the one line that repeats this run
  bool tell_stories = true;   // re-run for the story of a violation
  std::uint32_t threads = 1;  // with more, judge, databases and devices may run beside the rest of the world
  std::uint64_t beside_from = kWorthBeside;  // WorldOptions::beside_from
  std::function<void(const Progress&)> progress;
  history::Sink* recorder = nullptr;  // hears every record too
  // Told what the run is judged by before the recorder hears its first record.
  std::function<void(const conformance::JudgeConfig&)> judged_by;
  // For the proof of the gate. Every server node dies then and none comes back; and what the world tells goes
  // through this sink before judge and recorder hear it.
  TimeNs target_dies_at = kNever;
  std::function<std::unique_ptr<history::Sink>(history::Sink& to)> between;
  // The process with the devices of the same run, which simulates them meanwhile: run_devices(). nullptr:
  // this one does. Then no story is told of a violation.
  Partner* devices = nullptr;
};

struct RunOutcome {
  reports::Result result;  // without wall time, memory and machine: the caller's clock and system know those
  std::vector<conformance::PropertyOutcome> properties;  // as the judge gave them
  faults::Plan plan;  // as executed, generators included: replays without them
};

// Errors are of the scenario (a missing trace, an unknown name), one line.
std::expected<RunOutcome, std::string> run_scenario(const RunRequest& request);

// The devices of a run that another process judges, and has the servers of: run_scenario() with that request.
// Errors as there; nobody hears the history here. Both throw std::runtime_error when the other is gone.
std::expected<void, std::string> run_devices(const RunRequest& request, Partner& servers);

// What a scenario asks its run to be judged by; without `world` no region of a gateway is known.
conformance::JudgeConfig judge_config(const scenarios::Scenario& scenario, const World* world);

// Passes records on to two sinks, the second may be null.
class Tee final : public history::Sink {
 public:
  Tee(history::Sink* first, history::Sink* second) : first_(first), second_(second) {}
  void on(const history::Record& record) override {
    if (first_ != nullptr) first_->on(record);
    if (second_ != nullptr) second_->on(record);
  }

 private:
  history::Sink* first_;
  history::Sink* second_;
};

}  // namespace wavetank::sim
