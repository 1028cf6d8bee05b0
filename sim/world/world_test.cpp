#include "sim/world/world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/world/known_answers.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Phase;
using history::Record;

// ---- determinism

void expect_same_run(const WorldFacts& a, const WorldFacts& b) {
  EXPECT_EQ(a.trace_hash, b.trace_hash);
  EXPECT_EQ(a.history_hash, b.history_hash);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.commits, b.commits);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.access_bytes, b.access_bytes);
  EXPECT_EQ(a.node_bytes, b.node_bytes);
}

TEST(Determinism, OneSeedIsOneRunAndAnotherIsAnother) {
  for (const scenarios::Scenario& scenario : {small_star(), small_campus()}) {
    const WorldFacts first = facts_of(scenario, 1);
    expect_same_run(first, facts_of(scenario, 1));
    const WorldFacts other = facts_of(scenario, 2);
    EXPECT_NE(first.trace_hash, other.trace_hash);
    EXPECT_NE(first.history_hash, other.history_hash);
  }
}

TEST(Determinism, WatchingChangesNothing) {
  const scenarios::Scenario scenario = small_campus();
  Recording recording;
  std::uint64_t tapped = 0;
  WorldOptions options{1, {}, [] {}, [&](const Event&) { ++tapped; }};
  auto world = World::make(scenario, std::move(options), recording);
  ASSERT_TRUE(world) << world.error();
  (*world)->run();
  EXPECT_EQ(tapped, (*world)->facts().events);
  const WorldFacts watched = (*world)->facts();
  world->reset();  // one world at a time has the simulated disks
  expect_same_run(watched, facts_of(scenario));
}

std::string pinned(std::uint64_t trace, std::uint64_t history) {
  return fmt::format("{{0x{:016x}, 0x{:016x}}}", trace, history);
}

void expect_known(const char* name, const KnownAnswer& known, const WorldFacts& facts) {
  EXPECT_EQ(pinned(known.trace, known.history), pinned(facts.trace_hash, facts.history_hash))
      << "if the change of behaviour is meant, sim/world/known_answers.hpp needs\n  inline constexpr "
         "KnownAnswer "
      << name << " = " << pinned(facts.trace_hash, facts.history_hash) << ";";
}

TEST(KnownAnswers, SmallStar) { expect_known("kSmallStar", kSmallStar, facts_of(small_star())); }

TEST(KnownAnswers, SmallCampus) { expect_known("kSmallCampus", kSmallCampus, facts_of(small_campus())); }

// ---- fidelity: no setting changes virtual time

class EveryFidelity
    : public testing::TestWithParam<std::pair<scenarios::Fidelity::Wire, scenarios::Fidelity::Store>> {};

TEST_P(EveryFidelity, ShowsTheSameToUsersAtTheSameTimes) {
  scenarios::Scenario scenario = small_campus();
  for (const std::uint64_t seed : {1, 2, 3}) {
    const WorldFacts exact = facts_of(scenario, seed);
    scenarios::Scenario other = scenario;
    other.mutable_fidelity()->set_wire(GetParam().first);
    other.mutable_fidelity()->set_store(GetParam().second);
    expect_same_run(exact, facts_of(other, seed));
  }
}

INSTANTIATE_TEST_SUITE_P(World, EveryFidelity,
                         testing::Values(std::pair(scenarios::Fidelity::BYTES, scenarios::Fidelity::MEMORY),
                                         std::pair(scenarios::Fidelity::FRAMES, scenarios::Fidelity::SQLITE),
                                         std::pair(scenarios::Fidelity::FRAMES, scenarios::Fidelity::MEMORY)),
                         [](const auto& one) {
                           return scenarios::Fidelity::Wire_Name(one.param.first) + "_" +
                                  scenarios::Fidelity::Store_Name(one.param.second);
                         });

// ---- one whole run, looked at from all sides

class WholeRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    recording = new Recording();
    world = run_world(small_campus(), 1, *recording).release();
  }
  static void TearDownTestSuite() {
    delete world;
    delete recording;
  }
  static inline Recording* recording = nullptr;
  static inline World* world = nullptr;
};

TEST_F(WholeRun, TellsItsHistoryInOrder) {
  TimeNs last = 0;
  for (const Record& record : recording->records) {
    EXPECT_GE(record.time, last);
    last = record.time;
  }
  EXPECT_EQ(recording->records.back().kind, Kind::kEnd);
  EXPECT_EQ(recording->records.back().time, world->facts().end);
  EXPECT_EQ(recording->of(Kind::kSendInvoked).size(), world->facts().sends);
}

TEST_F(WholeRun, MeetsItsFaults) {
  EXPECT_GE(recording->of(Kind::kCrash).size(), 8u);
  EXPECT_EQ(recording->of(Kind::kCrash).size(), recording->of(Kind::kRestart).size());
  EXPECT_GT(recording->of(Kind::kDeviceRestart).size(), 3u);
  EXPECT_EQ(recording->of(Kind::kFault).size(), static_cast<std::size_t>(world->plan().fault_size()));
  EXPECT_EQ(recording->of(Kind::kHeal).size(), recording->of(Kind::kFault).size());
  for (int i = 0; i < world->plan().fault_size(); ++i) {
    const FaultSpan& span = world->fault_spans()[static_cast<std::size_t>(i)];
    EXPECT_GE(span.begin, world->plan().fault(i).at_ms() * kMillisecond);
    EXPECT_LE(span.end, world->facts().quiesced);
    EXPECT_LT(span.begin, span.end);
  }
  ASSERT_EQ(world->reconnects().size(), 1u);
  EXPECT_EQ(world->reconnects()[0].samples.size(), 121u);
  EXPECT_LT(world->reconnects()[0].samples[0].connections, world->reconnects()[0].samples[60].connections);
}

TEST_F(WholeRun, PassesThroughItsPhasesWithoutAGap) {
  const std::vector<PhaseSpan>& phases = world->phases();
  ASSERT_GE(phases.size(), 4u);
  EXPECT_EQ(phases.front().phase, history::Phase::kCalm);
  EXPECT_EQ(phases.front().begin, 0);
  EXPECT_EQ(phases.back().phase, history::Phase::kDrain);
  EXPECT_EQ(phases.back().begin, world->facts().quiesced);
  EXPECT_EQ(phases.back().end, world->facts().end);
  std::set<history::Phase> seen;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    seen.insert(phases[i].phase);
    EXPECT_LT(phases[i].begin, phases[i].end);
    if (i == 0) continue;
    EXPECT_EQ(phases[i].begin, phases[i - 1].end);
    EXPECT_NE(phases[i].phase, phases[i - 1].phase);
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST_F(WholeRun, StartsNothingNewAfterTheQuiesceAndConverges) {
  const std::vector<Record> quiesce = recording->of(Kind::kQuiesce);
  ASSERT_EQ(quiesce.size(), 1u);
  for (const Record& send : recording->of(Kind::kSendInvoked)) EXPECT_LE(send.time, quiesce[0].time);
  ASSERT_NE(world->facts().converged_after, kNever);
  EXPECT_LE(world->facts().converged_after, static_cast<DurationNs>(quiesce[0].value));
  const std::vector<Record> states = recording->of(Kind::kDeviceState);
  EXPECT_EQ(states.size(), world->facts().devices + world->facts().users);
  for (const Record& state : states) {
    EXPECT_TRUE(state.flag) << "device " << state.device << " waits for reason " << int{state.code};
    EXPECT_EQ(state.value, state.value2);  // its feed is read to the head
  }
  for (const Record& state : recording->of(Kind::kConversationState)) EXPECT_EQ(state.seq, state.value);
}

TEST_F(WholeRun, AnAuditorOfEachUserReadsEverythingAgain) {
  std::set<std::uint32_t> auditors;
  for (const Record& device : recording->of(Kind::kDevice)) {
    if (device.code == 1) auditors.insert(device.device);
  }
  EXPECT_EQ(auditors.size(), world->facts().users);
  std::set<std::pair<std::uint32_t, std::uint64_t>> read;
  for (const Record& entry : recording->of(Kind::kReceived)) {
    if (!auditors.contains(entry.device)) continue;
    EXPECT_GT(entry.time, world->facts().quiesced);
    read.emplace(entry.conversation, entry.seq);
  }
  std::size_t acknowledged = 0;
  for (const Record& ack : recording->of(Kind::kSendAcked)) {
    ++acknowledged;
    EXPECT_TRUE(read.contains({ack.conversation, ack.seq})) << ack.conversation << ":" << ack.seq;
  }
  EXPECT_GT(acknowledged, 300u);
}

TEST_F(WholeRun, CountsWhatItUses) {
  const WorldFacts& facts = world->facts();
  EXPECT_EQ(facts.users, 30u);
  EXPECT_GT(facts.devices, facts.users);
  EXPECT_GT(facts.conversations, 10u);
  EXPECT_GT(facts.deliveries, facts.sends);
  std::uint64_t events = 0;
  for (const std::uint64_t count : facts.events_by_kind) events += count;
  EXPECT_EQ(events, facts.events);
  for (const std::size_t bytes :
       {facts.bytes_devices, facts.bytes_network, facts.bytes_queue, facts.bytes_disks}) {
    EXPECT_GT(bytes, 0u);
  }
  ASSERT_FALSE(world->series().samples.empty());
  EXPECT_EQ(world->series().samples.back().sends, facts.sends);
  for (const Sample& sample : world->series().samples) {
    EXPECT_LE(sample.busy_gateways_permille, 1000u);
    EXPECT_LE(sample.busy_shards_permille, 1000u);
  }
}

// ---- planned restarts

scenarios::Scenario small_rollout() {
  scenarios::Scenario scenario =
      changed_scenario("rollout", {"run_s=120", "population.users=60", "population.campus_messages=300"});
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  // One gateway of three in each region.
  for (int region = 0; region < 2; ++region) {
    add_fault(scenario, "replaced", faults::NODE_DRAIN, 30, 50, faults::Place::GATEWAY);
    faults::Fault& fault = *scenario.mutable_faults()->mutable_fault(region);
    fault.set_window_ms(30'000);
    fault.mutable_target()->set_index(1);
    fault.mutable_target()->set_region(scenario.topology().region(region).name());
  }
  return scenario;
}

TEST(PlannedRestart, MovesEverybodyAndIsNoFault) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    Recording recording;
    const auto world = run_world(small_rollout(), seed, recording);
    const std::vector<Record> drains = recording.of(Kind::kNodeDrains);
    ASSERT_EQ(drains.size(), 2u);
    EXPECT_EQ(drains[0].value2, static_cast<std::uint64_t>(30 * kSecond));
    EXPECT_EQ(recording.of(Kind::kCrash).size(), 0u);
    EXPECT_EQ(recording.of(Kind::kRestart).size(), 2u);
    EXPECT_GT(recording.of(Kind::kGoAway).size(), 15u);
    for (const Record& phase : recording.of(Kind::kPhase))
      EXPECT_NE(phase.code, static_cast<std::uint8_t>(Phase::kFault));
    // Nobody is let in by a gateway that drains, or is left when it is replaced.
    std::set<std::uint64_t> draining;
    std::map<std::uint32_t, std::uint64_t> place;
    for (const Record& record : recording.records) {
      if (record.kind == Kind::kNodeDrains) draining.insert(record.value);
      if (record.kind == Kind::kDisconnected) place.erase(record.device);
      if (record.kind == Kind::kConnected) {
        EXPECT_TRUE(!draining.contains(record.value) || record.time < 31 * kSecond) << record.device;
        place[record.device] = record.value;
      }
      if (record.kind != Kind::kRestart) continue;
      draining.erase(record.value);
      for (const auto& [device, gateway] : place) EXPECT_NE(gateway, record.value) << device;
    }
    EXPECT_NE(world->facts().converged_after, kNever);
  }
}

// When all gateways of all regions drain at once there is nowhere to go until the first is back.
TEST(PlannedRestart, OfAllGatewaysAtOnceStillConverges) {
  scenarios::Scenario scenario = small_rollout();
  scenario.clear_faults();
  add_fault(scenario, "all replaced", faults::NODE_DRAIN, 30, 20, faults::Place::GATEWAY);
  Recording recording;
  const auto world = run_world(scenario, 1, recording);
  EXPECT_EQ(recording.of(Kind::kNodeDrains).size(), 6u);
  EXPECT_NE(world->facts().converged_after, kNever);
}

// ---- resumed sessions

scenarios::Scenario small_tunnel(const std::string& setting) {
  return changed_scenario("resume",
                          {"run_s=130", "population.users=60", "population.campus_messages=500", setting});
}

struct Costs {
  std::uint64_t attaches = 0;
  std::uint64_t syncs = 0;
  std::size_t resumed = 0;
};
Costs costs_of(const std::string& setting) {
  Recording recording;
  const auto world = run_world(small_tunnel(setting), 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever) << setting;
  Costs costs;
  costs.attaches = world->facts().node_frames.of(protocol::Body(protocol::Attach()).index()).frames;
  costs.syncs = recording.of(Kind::kSyncInvoked).size();
  for (const Record& record : recording.of(Kind::kResume)) costs.resumed += record.flag ? 1 : 0;
  return costs;
}

TEST(ResumedSessions, SpareTheHomes) {
  const Costs on = costs_of("protocol.resume_window_ms=120000");
  const Costs off = costs_of("protocol.resume_window_ms=0");
  EXPECT_GT(on.resumed, 80U);
  EXPECT_EQ(off.resumed, 0U);
  EXPECT_LT(on.attaches, off.attaches - on.resumed / 2);
  EXPECT_LT(on.syncs, off.syncs);
}

// Neither is a mistake: whoever cannot resume logs in.
TEST(ResumedSessions, ATinyRingOrWindowOnlyMeansLogins) {
  const Costs ring = costs_of("protocol.replay_ring_frames=0");
  const Costs window = costs_of("protocol.resume_window_ms=1");
  const Costs whole = costs_of("protocol.replay_ring_frames=1000");
  EXPECT_LT(ring.resumed, whole.resumed);
  EXPECT_EQ(window.resumed, 0U);
}

// ---- limits

// A flood is held back to the pace, arrives in the end, and costs the shards what the pace allows.
TEST(LimitedSends, AFloodIsHeldBackAndArrives) {
  const auto flooded = [](const std::string& setting) {
    scenarios::Scenario scenario =
        changed_scenario("limits", {"run_s=60", "population.users=20", "population.campus_messages=50",
                                    "population.flood_permille=500", "population.flood_gap_ms=30000",
                                    "population.flood_messages=30", "protocol.send_burst=10", setting});
    scenario.clear_faults();
    scenario.mutable_checks()->clear_require();
    return scenario;
  };
  const auto sent_by = [&flooded](const std::string& setting, Recording& recording) {
    const auto world = run_world(flooded(setting), 1, recording);
    EXPECT_NE(world->facts().converged_after, kNever);
    return world->facts().sends;
  };
  Recording limited;
  const std::uint64_t sends = sent_by("protocol.sends_per_s=2", limited);
  const std::size_t refused = limited.of(Kind::kSendRefused).size();
  EXPECT_GT(refused, 100u);
  EXPECT_GT(sends, 200u);
  // Who has left the group of his flood is told so.
  EXPECT_GT(limited.of(Kind::kSendAcked).size(), sends / 2);
  EXPECT_EQ(limited.of(Kind::kSendAcked).size() + limited.of(Kind::kSendFailed).size(), sends);
  for (const Record& record : limited.of(Kind::kSendRefused)) {
    EXPECT_GT(record.value, 0u);
    EXPECT_LE(record.value, 500u);
  }
  Recording free;
  EXPECT_GT(sent_by("protocol.sends_per_s=0", free), sends - sends / 20);
  EXPECT_EQ(free.of(Kind::kSendRefused).size(), 0u);
}

// ---- settings

TEST(SettingsOfUsers, AreTheSameOnAllDevicesInTheEnd) {
  scenarios::Scenario scenario =
      changed_scenario("settings", {"run_s=100", "population.users=20", "population.campus_messages=100",
                                    "population.settings_permille=1000", "population.setting_gap_ms=2000"});
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  using faults::Place;
  add_fault(scenario, "half-open", faults::HALF_OPEN, 30, 20, Place::DEVICE, 500);
  add_fault(scenario, "mass disconnect", faults::MASS_DISCONNECT, 60, 1, Place::DEVICE);
  add_fault(scenario, "apps restarted", faults::DEVICE_RESTART, 70, 1, Place::DEVICE, 500);
  Recording recording;
  const auto world = run_world(scenario, 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever);
  EXPECT_GT(recording.of(Kind::kSettingPut).size(), 500u);
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint8_t>, Record> values;
  for (const Record& state : recording.of(Kind::kSettingState)) {
    const Record& value =
        values.try_emplace({state.user, state.conversation, state.entry_kind}, state).first->second;
    EXPECT_EQ(value.value, state.value);
    EXPECT_EQ(value.key, state.key);
    EXPECT_EQ(value.digest, state.digest);
  }
  EXPECT_GT(values.size(), 100u);
  for (const auto& [probe, count] : world->facts().probes) {
    if (probe == "setting coalesced" || probe == "put repeated") {
      EXPECT_GT(count, 0u) << probe;
    }
  }
}

// ---- typing

scenarios::Scenario small_typing(const std::vector<std::string>& settings) {
  scenarios::Scenario scenario = changed_scenario(
      "typing",
      {"run_s=100", "population.users=20", "population.groups=4", "population.campus_messages=200"});
  for (const std::string& setting : settings) {
    EXPECT_TRUE(scenarios::apply_setting(scenario, setting)) << setting;
  }
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  add_fault(scenario, "half-open", faults::HALF_OPEN, 30, 20, faults::Place::DEVICE, 500);
  return scenario;
}

TEST(TypingPeople, AreSeenByTheOthers) {
  Recording recording;
  const auto world = run_world(small_typing({}), 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever);
  EXPECT_GT(recording.of(Kind::kTypingSent).size(), 200u);
  std::size_t by_time = 0;
  std::size_t by_message = 0;
  for (const Record& hidden : recording.of(Kind::kTypingHidden)) {
    by_time += hidden.code == static_cast<std::uint8_t>(TypingEnd::kExpired) ? 1 : 0;
    by_message += hidden.code == static_cast<std::uint8_t>(TypingEnd::kMessage) ? 1 : 0;
  }
  EXPECT_GT(by_time, 0u);
  EXPECT_GT(by_message, 50u);
}

// Where the protocol has no typing, nobody can tell whether people type.
TEST(TypingPeople, CostNothingWhereItIsOff) {
  const WorldFacts silent = facts_of(small_typing({"protocol.typing_ttl_ms=0"}));
  const WorldFacts none =
      facts_of(small_typing({"protocol.typing_ttl_ms=0", "population.typing_permille=0"}));
  EXPECT_EQ(silent.history_hash, none.history_hash);
  EXPECT_EQ(silent.sends, none.sends);
  EXPECT_EQ(silent.access_packets, none.access_packets);
  EXPECT_EQ(silent.node_packets, none.node_packets);
}

// ---- presence

TEST(PresencePeople, AreSeenToComeAndGo) {
  scenarios::Scenario scenario =
      changed_scenario("presence", {"run_s=100", "population.users=20", "population.groups=4",
                                    "population.campus_messages=300", "population.watchers_permille=1000",
                                    "population.session_factor=3000", "population.privacy_permille=0"});
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  Recording recording;
  const auto world = run_world(scenario, 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever);
  std::size_t online = 0;
  std::size_t offline = 0;
  for (const Record& shown : recording.of(Kind::kPresenceShown)) ++(shown.flag ? online : offline);
  EXPECT_GT(online, 50u);
  EXPECT_GT(offline, 20u);
  std::size_t times = 0;
  for (const Record& shown : recording.of(Kind::kLastSeenShown)) {
    EXPECT_LE(static_cast<TimeNs>(shown.value), shown.time + kSecond);
    times += shown.value > 1 ? 1 : 0;
  }
  EXPECT_GT(times, 2u);
  // One lease for each gateway, shard and third of a lease, whatever the number of users.
  const auto& leases = world->facts().node_frames.of(protocol::Body(protocol::PresenceLease()).index());
  const auto intervals = static_cast<std::uint64_t>(world->facts().end / (5 * kSecond));
  EXPECT_LE(leases.frames, 4u * 4u * (intervals + 1));
}

// ---- the rest

// ---- versions

// Both gateways and both shards of a region become newer, one after the other; half of the devices stay old.
scenarios::Scenario rolled_out_versions() {
  scenarios::Scenario scenario =
      changed_scenario("versions", {"run_s=130", "population.users=25", "population.groups=3",
                                    "population.campus_messages=300", "versions.older_devices_permille=500"});
  scenario.mutable_topology()->mutable_region()->DeleteSubrange(1, 1);
  auto& faults = *scenario.mutable_faults()->mutable_fault();
  for (int i = faults.size() - 1; i >= 0; --i) {
    if (faults[i].target().region() != "us-east-1") faults.DeleteSubrange(i, 1);
  }
  for (int i = 0; i < faults.size(); ++i) faults[i].set_at_ms(25'000 * (i + 1));
  scenario.mutable_checks()->clear_require();
  return scenario;
}

TEST(Versions, AreRolledOutOneByOne) {
  Recording recording;
  const auto world = run_world(rolled_out_versions(), 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever);
  std::vector<std::uint32_t> newest;  // of nodes, as they were told
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t>
      sessions;  // by the device's newest and theirs
  for (const Record& r : recording.of(Kind::kVersions)) {
    if (r.device == history::kNone) {
      newest.push_back(r.size);
    } else {
      ++sessions[{r.size, r.value}];
    }
  }
  EXPECT_EQ(newest, (std::vector<std::uint32_t>{1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(sessions.size(), 3U);
  EXPECT_GT((sessions[{1, 1}]), 10U);
  EXPECT_GT((sessions[{2, 1}]), 10U);
  EXPECT_GT((sessions[{2, 2}]), 10U);
  EXPECT_FALSE(recording.of(Kind::kBeyond).empty());
  EXPECT_TRUE(recording.of(Kind::kUnnamed).empty());
  const auto reactions = recording.of(Kind::kReceived);
  EXPECT_TRUE(std::any_of(reactions.begin(), reactions.end(), [](const Record& r) {
    return r.entry_kind == static_cast<std::uint8_t>(protocol::EntryKind::kReaction);
  }));
}

// Who knows which field is not on the wire, and a store keeps rows as bytes or as structs.
TEST(Versions, AreTheSameInEveryFidelity) {
  scenarios::Scenario scenario = rolled_out_versions();
  const WorldFacts whole = facts_of(scenario);
  scenario.mutable_fidelity()->set_wire(scenarios::Fidelity::FRAMES);
  scenario.mutable_fidelity()->set_store(scenarios::Fidelity::MEMORY);
  expect_same_run(whole, facts_of(scenario));
}

TEST(Versions, WithoutOneInCommonADeviceWaitsAndComesBack) {
  scenarios::Scenario scenario = rolled_out_versions();
  scenario.mutable_versions()->set_oldest_of_devices(2);
  Recording recording;
  const auto world = run_world(scenario, 1, recording);
  EXPECT_NE(world->facts().converged_after, kNever);
  const auto refused = recording.of(Kind::kLoginRefused);
  const auto is_for_versions = [](const Record& r) {
    return r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kUnsupportedVersion);
  };
  const auto count = std::count_if(refused.begin(), refused.end(), is_for_versions);
  EXPECT_GT(count, 10);
  EXPECT_LT(count, 1'000);  // 20 devices, on average 15 s between two attempts of one
}

TEST(World, ConvergesThoughInboxesOverflow) {
  scenarios::Scenario scenario = small_campus();
  scenario.mutable_costs()->set_inbox_limit(8);
  scenario.mutable_costs()->set_default_gateway_ns(5 * kMillisecond);
  Recording recording;
  const auto world = run_world(scenario, 1, recording);
  EXPECT_GT(world->facts().inbox_overflows, 0u);
  EXPECT_NE(world->facts().converged_after, kNever);
}

TEST(World, SaysWhatItCannotBuild) {
  Recording recording;
  const auto error = [&](const std::string& setting) {
    auto world = World::make(changed_scenario("star", {"devices=10", setting}), {}, recording);
    return world ? std::string() : world.error();
  };
  EXPECT_EQ(error("devices=12"), "");
  EXPECT_NE(error("topology.region[0].name=mars").find("mars"), std::string::npos);
  EXPECT_NE(error("topology.rtt_matrix=none.csv").find("none.csv"), std::string::npos);
  EXPECT_NE(error("cohort[1].profile=pigeon").find("pigeon"), std::string::npos);
  scenarios::Scenario scenario = small_star();
  add_fault(scenario, "kill", faults::NODE_KILL, 1, 1, faults::Place::SHARD);
  scenario.mutable_faults()->mutable_fault(0)->mutable_target()->set_region("venus");
  EXPECT_NE(World::make(scenario, {}, recording).error().find("venus"), std::string::npos);
  scenario = small_star();
  scenario.mutable_costs()->add_cost()->set_body("Nonsense");
  EXPECT_NE(World::make(scenario, {}, recording).error().find("Nonsense"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::sim
