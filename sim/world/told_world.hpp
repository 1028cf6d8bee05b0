// What a world has told and counted by its end, to compare it with the same world done in another way.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {

struct ToldWorld {
  Recording recording;
  WorldFacts facts;
  std::vector<Reconnect> reconnects;
  std::vector<Sample> samples;

  // The world has run.
  void take(const World& world) {
    facts = world.facts();
    reconnects = world.reconnect_times();
    samples = world.series().samples;
  }
};

// By one thread of one process.
inline ToldWorld run_alone(const scenarios::Scenario& scenario, std::uint64_t seed) {
  ToldWorld run;
  run.take(*run_world(scenario, seed, run.recording));
  return run;
}

// Every record in its order, and what is counted.
inline void expect_same(const ToldWorld& a, const ToldWorld& b) {
  const auto& ones = a.recording.records;
  const auto& others = b.recording.records;
  for (std::size_t i = 0; i < std::min(ones.size(), others.size()); ++i)
    ASSERT_TRUE(ones[i] == others[i]) << "record " << i << " of kind " << static_cast<int>(ones[i].kind)
                                      << " and " << static_cast<int>(others[i].kind);
  ASSERT_EQ(ones.size(), others.size());
  EXPECT_EQ(a.facts.trace_hash, b.facts.trace_hash);
  EXPECT_EQ(a.facts.history_hash, b.facts.history_hash);
  EXPECT_EQ(a.facts.events, b.facts.events);
  EXPECT_EQ(a.facts.probes, b.facts.probes);
  EXPECT_EQ(a.facts.sends, b.facts.sends);
  EXPECT_EQ(a.facts.deliveries, b.facts.deliveries);
  EXPECT_EQ(a.facts.conversations, b.facts.conversations);
  EXPECT_EQ(a.facts.access_packets, b.facts.access_packets);
  EXPECT_EQ(a.facts.access_bytes, b.facts.access_bytes);
  EXPECT_EQ(a.facts.converged_after, b.facts.converged_after);
  EXPECT_EQ(a.facts.end, b.facts.end);
  ASSERT_EQ(a.reconnects.size(), b.reconnects.size());
  for (std::size_t i = 0; i < a.reconnects.size(); ++i) EXPECT_EQ(a.reconnects[i].took, b.reconnects[i].took);
  ASSERT_EQ(a.samples.size(), b.samples.size());
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    EXPECT_EQ(a.samples[i].connections, b.samples[i].connections);
    EXPECT_EQ(a.samples[i].busy_shards_permille, b.samples[i].busy_shards_permille);
  }
}

// With a storm, typing, presence and groups.
inline scenarios::Scenario small_region() { return changed_scenario("region", {"devices=300", "run_s=100"}); }

}  // namespace wavetank::sim
