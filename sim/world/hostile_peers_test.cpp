#include "sim/world/hostile_peers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "reference/protocol/codec.hpp"
#include "sim/world/hostile_frames.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

using history::Attack;
using history::AttackEnd;
using history::AttackStep;
using history::Kind;
using history::ProbeEnd;
using history::Record;

// Ten people and eight peers for two minutes, no fault.
scenarios::Scenario besieged_town() {
  scenarios::Scenario scenario = changed_scenario(
      "campus", {"run_s=120", "population.users=10", "population.groups=3", "population.campus_messages=200",
                 "population.always_on_percent=100", "population.ramp_s=5", "population.hostile_peers=8",
                 "population.hostile_gap_ms=2000", "protocol.hello_within_ms=3000", "fidelity.store=MEMORY"});
  scenario.clear_faults();
  scenario.clear_outages();
  scenario.mutable_checks()->clear_require();
  return scenario;
}

TEST(HostilePeers, AttackInEveryWayAndHarmNobody) {
  Recording recording;
  run_world(besieged_town(), 1, recording);
  std::map<std::uint64_t, Record> attacks;
  std::set<std::uint8_t> kinds;
  for (const Record& attack : recording.of(Kind::kAttack)) {
    EXPECT_EQ(attack.device, history::kNone);
    EXPECT_TRUE(attacks.emplace(attack.seq, attack).second) << attack.seq;
    kinds.insert(attack.code);
    EXPECT_EQ(attack.key.device != history::kNone, static_cast<Attack>(attack.code) == Attack::kBeforeHello);
  }
  EXPECT_GT(attacks.size(), 100U);
  EXPECT_EQ(kinds.size(), history::kAttacks);
  std::size_t probes = 0;
  for (const Record& outcome : recording.of(Kind::kAttackOutcome)) {
    const Record& attack = attacks.at(outcome.seq);
    const auto name = name_of(static_cast<Attack>(attack.code));
    EXPECT_EQ(outcome.value, attack.value);
    if (static_cast<AttackStep>(outcome.entry_kind) == AttackStep::kConnection) {
      EXPECT_NE(static_cast<AttackEnd>(outcome.code), AttackEnd::kServed) << name;
      EXPECT_LT(outcome.time - attack.time, static_cast<DurationNs>(attack.value2)) << name;
      continue;
    }
    ++probes;
    EXPECT_EQ(static_cast<ProbeEnd>(outcome.code), ProbeEnd::kWelcomed) << name;
    EXPECT_TRUE(outcome.flag) << name;
  }
  EXPECT_GT(probes + 8, attacks.size());
  // Nobody's device has lost its connection, nobody was told of anybody new.
  for (const Record& end : recording.of(Kind::kDisconnected)) {
    EXPECT_NE(static_cast<CloseReason>(end.code), CloseReason::kProtocolError);
    EXPECT_NE(static_cast<CloseReason>(end.code), CloseReason::kTimeout);
  }
}

TEST(HostilePeers, ARunWithThemRepeatsExactly) {
  const scenarios::Scenario scenario = besieged_town();
  const WorldFacts first = facts_of(scenario, 2);
  const WorldFacts again = facts_of(scenario, 2);
  EXPECT_EQ(first.trace_hash, again.trace_hash);
  EXPECT_EQ(first.history_hash, again.history_hash);
  EXPECT_EQ(first.events, again.events);
  EXPECT_NE(first.trace_hash, facts_of(scenario, 3).trace_hash);
}

TEST(HostileFrames, DamagedOnesAreNone) {
  for (std::uint32_t peer = 0; peer < 20; ++peer) {
    for (std::uint32_t attack = 1; attack < 50; ++attack) {
      const std::string bytes = damaged_frame({Randomness(7), peer, attack});
      EXPECT_FALSE(protocol::decode(bytes)) << peer << " " << attack;
      EXPECT_EQ(bytes, damaged_frame({Randomness(7), peer, attack}));
    }
  }
}

TEST(HostileFrames, AnswersAreTold) {
  EXPECT_FALSE(answer_in(protocol::make_frame(protocol::ChangePush{})).is_answer);
  const Answer refused = answer_in(protocol::make_frame(protocol::Error{protocol::ErrorCode::kForbidden, 0}));
  EXPECT_TRUE(refused.is_answer);
  EXPECT_EQ(refused.error, protocol::ErrorCode::kForbidden);
  EXPECT_EQ(answer_in(protocol::make_frame(protocol::SendAck{})).error, protocol::ErrorCode::kNone);
}

}  // namespace
}  // namespace wavetank::sim
