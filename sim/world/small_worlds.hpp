// Worlds small enough for tests: a tenth of a second each.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "conformance/history/record.hpp"
#include "sim/scenarios/scenario.hpp"
#include "sim/world/world.hpp"

namespace wavetank::sim {

// A shipped scenario with settings; every one must apply and the whole must be valid.
inline scenarios::Scenario changed_scenario(const std::string& name,
                                            const std::vector<std::string>& settings) {
  scenarios::Scenario scenario = *scenarios::load_scenario(name);
  for (const std::string& setting : settings) {
    const auto applied = scenarios::apply_setting(scenario, setting);
    EXPECT_TRUE(applied) << applied.error();
  }
  return scenario;
}

// A hundred devices, one region, no faults.
inline scenarios::Scenario small_star() { return changed_scenario("star", {"devices=100"}); }

inline void add_fault(scenarios::Scenario& scenario, const std::string& name, faults::Kind kind,
                      std::int64_t at_s, std::int64_t duration_s, faults::Place::Role role,
                      std::int32_t share_permille = 1000) {
  faults::Fault& fault = *scenario.mutable_faults()->add_fault();
  fault.set_name(name);
  fault.set_kind(kind);
  fault.set_at_ms(at_s * 1000);
  fault.set_duration_ms(duration_s * 1000);
  fault.mutable_target()->set_role(role);
  fault.mutable_target()->set_share_permille(share_permille);
}

// Thirty people in three regions for five minutes, over SQLite and bytes, with kills that fall into pending
// commits, lost writes, a cut, a mass disconnect and restarted apps.
inline scenarios::Scenario small_campus() {
  scenarios::Scenario scenario = changed_scenario(
      "campus",
      {"run_s=300", "population.users=30", "population.groups=8", "population.campus_messages=300"});
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  using faults::Place;
  add_fault(scenario, "gateway killed", faults::NODE_KILL, 60, 10, Place::GATEWAY, 300);
  // Every other batch that dies so is kept, the others are dropped or torn.
  for (int i = 0; i < 6; ++i) {
    add_fault(scenario, "shard killed", faults::NODE_KILL, 90 + 20 * i, 5, Place::SHARD);
    scenario.mutable_faults()->mutable_fault(1 + i)->set_trigger(faults::COMMIT_PENDING);
  }
  add_fault(scenario, "writes lost", faults::DISK_DROP_UNSYNCED, 220, 5, Place::SHARD);
  scenario.mutable_faults()->mutable_fault(7)->set_trigger(faults::COMMIT_PENDING);
  add_fault(scenario, "cut", faults::LINK_CUT, 110, 20, Place::ANY);
  faults::Fault& cut = *scenario.mutable_faults()->mutable_fault(8);
  cut.clear_target();
  cut.mutable_from()->set_region("ap-northeast-1");
  cut.mutable_from()->set_role(Place::NODE);
  cut.mutable_to()->set_region("us-east-1");
  add_fault(scenario, "mass disconnect", faults::MASS_DISCONNECT, 180, 1, Place::DEVICE);
  // Only the end of the run ends this one.
  add_fault(scenario, "shard stays down", faults::NODE_KILL, 285, 600, Place::SHARD, 150);
  add_fault(scenario, "apps restarted", faults::DEVICE_RESTART, 240, 1, Place::DEVICE, 300);
  return scenario;
}

// Keeps everything it hears.
struct Recording final : history::Sink {
  std::vector<history::Record> records;
  void on(const history::Record& record) override { records.push_back(record); }
  std::vector<history::Record> of(history::Kind kind) const {
    std::vector<history::Record> found;
    for (const history::Record& record : records) {
      if (record.kind == kind) found.push_back(record);
    }
    return found;
  }
};

// Makes a world and runs it to its end. `sink` hears it.
inline std::unique_ptr<World> run_world(const scenarios::Scenario& scenario, std::uint64_t seed,
                                        history::Sink& sink, DefectSet defects = {},
                                        std::uint32_t threads = 1) {
  const auto valid = scenarios::validate(scenario);
  EXPECT_TRUE(valid) << valid.error();
  auto world = World::make(scenario, WorldOptions{seed, defects, {}, {}, threads}, sink);
  EXPECT_TRUE(world) << world.error();
  (*world)->run();
  return std::move(*world);
}

inline WorldFacts facts_of(const scenarios::Scenario& scenario, std::uint64_t seed = 1,
                           std::uint32_t threads = 1) {
  Recording recording;
  return run_world(scenario, seed, recording, {}, threads)->facts();
}

}  // namespace wavetank::sim
