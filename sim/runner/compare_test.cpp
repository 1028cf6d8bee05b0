#include "sim/runner/compare.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "reference/environment/defect_names.hpp"
#include "reports/comparison_json.hpp"
#include "reports/comparison_verdict.hpp"
#include "sim/runner/first_difference.hpp"
#include "sim/runner/runner.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;

Design design_of(scenarios::Scenario scenario, const std::string& label = "as it stands") {
  Design design;
  const auto valid = scenarios::validate(scenario);
  EXPECT_TRUE(valid) << valid.error();
  design.scenario = std::move(scenario);
  design.label = label;
  design.command = "./wavetank sim run small";
  return design;
}

// A shipped scenario with some settings, at the speed of a test: neither fidelity changes a virtual quantity.
Design changed(const std::string& name, std::vector<std::string> settings) {
  const std::string label = settings.front();
  settings.insert(settings.end(), {"fidelity.wire=FRAMES", "fidelity.store=MEMORY"});
  return design_of(changed_scenario(name, settings), label);
}

reports::Comparison compared(const Design& a, const Design& b, std::uint64_t seeds,
                             std::vector<reports::Bound> bounds = {}) {
  CompareRequest request;
  request.a = a;
  request.b = b;
  request.seeds = seeds;
  request.bounds = std::move(bounds);
  auto comparison = compare(request);
  EXPECT_TRUE(comparison) << comparison.error().text;
  return std::move(*comparison);
}

const reports::PairedDifference& difference(const reports::Comparison& c, const std::string& name) {
  static const reports::PairedDifference none;
  const auto found =
      std::find_if(c.measures.begin(), c.measures.end(), [&](const auto& m) { return m.name == name; });
  EXPECT_NE(found, c.measures.end()) << name;
  return found == c.measures.end() ? none : found->paired;
}

scenarios::Scenario small_room() {
  return changed_scenario("assembly", {"run_s=40", "population.users=30", "population.campus_messages=120"});
}

// ---- the same draws on both sides

TEST(Compare, EqualDesignsDifferInNothing) {
  const Design design = design_of(small_campus());
  const reports::Comparison c = compared(design, design, 2);
  ASSERT_EQ(c.seeds.size(), 2u);
  for (const reports::ComparedSeed& seed : c.seeds) {
    EXPECT_EQ(seed.a.trace_hash, seed.b.trace_hash);
    EXPECT_EQ(seed.a.history_hash, seed.b.history_hash);
    EXPECT_EQ(seed.a.scenario_digest, seed.b.scenario_digest);
  }
  EXPECT_NE(c.seeds[0].a.trace_hash, c.seeds[1].a.trace_hash);
  ASSERT_GT(c.measures.size(), 100u);
  for (const reports::MeasureComparison& m : c.measures) {
    EXPECT_EQ(m.paired.difference, 0) << m.name;
    EXPECT_FALSE(m.paired.excludes_zero()) << m.name;
  }
  EXPECT_TRUE(c.changes.empty());
  EXPECT_FALSE(c.first_difference->different);
  EXPECT_EQ(reports::exit_code(c), reports::kPass);
}

// The wait until the n-th connection of a device stands, by (device, n): network draws, seen from outside.
std::map<std::pair<std::uint32_t, std::uint32_t>, TimeNs> connected_at(const Recording& recording) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, TimeNs> times;
  for (const history::Record& r : recording.of(Kind::kConnected)) times[{r.device, r.connection}] = r.time;
  return times;
}

// A page of two entries costs requests, and what follows from them; who lives there, what they mean to do,
// when their links connect and what breaks is drawn as before.
TEST(Compare, AChangeLeavesUnrelatedDrawsAsTheyWere) {
  scenarios::Scenario small_pages = small_campus();
  ASSERT_TRUE(scenarios::apply_setting(small_pages, "protocol.page_limit=2"));
  ASSERT_TRUE(scenarios::apply_setting(small_pages, "client.fetch_limit=2"));
  // One world at a time has the simulated disks, so what is compared outlives its world.
  struct Kept {
    Recording recording;
    Script script;
    std::string plan;
    std::uint64_t trace_hash = 0;
  };
  const auto keep = [](const scenarios::Scenario& scenario, Kept& kept) {
    const auto world = run_world(scenario, 1, kept.recording);
    kept.script = world->script();
    kept.plan = world->plan().SerializeAsString();
    kept.trace_hash = world->facts().trace_hash;
  };
  Kept a;
  Kept b;
  keep(small_campus(), a);
  keep(small_pages, b);
  ASSERT_NE(a.trace_hash, b.trace_hash) << "the change has no effect";

  const Script& ours = a.script;
  const Script& theirs = b.script;
  ASSERT_EQ(ours.actions.size(), theirs.actions.size());
  for (std::size_t i = 0; i < ours.actions.size(); ++i) {
    EXPECT_EQ(ours.actions[i].at, theirs.actions[i].at);
    EXPECT_EQ(ours.actions[i].device, theirs.actions[i].device);
    EXPECT_EQ(ours.actions[i].conversation, theirs.actions[i].conversation);
    EXPECT_EQ(ours.actions[i].size, theirs.actions[i].size);
  }
  ASSERT_EQ(ours.devices.size(), theirs.devices.size());
  for (std::size_t i = 0; i < ours.devices.size(); ++i) {
    EXPECT_EQ(ours.devices[i].cohort, theirs.devices[i].cohort);
  }
  EXPECT_EQ(a.plan, b.plan);

  // The first connection of every device stands at the same nanosecond. (That no draw of a connection hangs
  // on another's is access_network_test's matter.)
  const auto first = connected_at(a.recording);
  const auto second = connected_at(b.recording);
  std::size_t compared_devices = 0;
  for (const auto& [key, time] : first) {
    if (key.second != 1 || time >= 60 * kSecond) continue;  // before the first fault
    const auto found = second.find(key);
    ASSERT_NE(found, second.end()) << "device " << key.first;
    EXPECT_EQ(found->second, time) << "device " << key.first;
    ++compared_devices;
  }
  EXPECT_GT(compared_devices, 10u);
}

// ---- verdicts

TEST(Compare, ADefectOfSideBIsARegressionOfItsProperty) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  scenarios::Scenario scenario = small_campus();
  scenario.mutable_fidelity()->set_wire(scenarios::Fidelity::FRAMES);
  scenario.mutable_fidelity()->set_store(scenarios::Fidelity::MEMORY);
  const Design a = design_of(scenario);
  Design b = a;
  b.defect = "own-messages-unread";
  b.defects.enable(*find_defect(b.defect));
  const reports::Comparison c = compared(a, b, 2);
  EXPECT_EQ(reports::exit_code(c), reports::kViolated);
  ASSERT_FALSE(c.changes.empty());
  EXPECT_TRUE(std::any_of(c.changes.begin(), c.changes.end(), [](const reports::VerdictChange& change) {
    return reports::is_regression(change) && change.property == "RD-LEQ" && !change.note.empty();
  })) << c.changes.front().property;
  EXPECT_TRUE(c.first_difference->different);
  EXPECT_GE(c.first_difference->conversation, 0);
  // The other way round the defect is mended: listed, and no failure.
  const reports::Comparison mended = compared(b, a, 1);
  EXPECT_FALSE(mended.changes.empty());
  EXPECT_EQ(reports::exit_code(mended), reports::kPass);
}

TEST(Compare, AnInconclusiveSideIsInconclusive) {
  scenarios::Scenario starved = small_room();
  starved.mutable_checks()->mutable_require(0)->set_minimum(1'000'000'000);
  const reports::Comparison c = compared(design_of(small_room()), design_of(starved), 1);
  EXPECT_EQ(reports::exit_code(c), reports::kInconclusive);
  ASSERT_FALSE(c.unchecked.empty());
  EXPECT_NE(c.unchecked[0].find("seed 1, side B: ORD-AGREE is inconclusive"), std::string::npos);
}

TEST(Compare, ErrorsOfTheScenarioAreUsage) {
  CompareRequest request;
  request.a = design_of(small_star());
  request.b = request.a;
  auto& required = *request.b.scenario.mutable_checks()->add_require();
  required.set_property("ORD-NONSENSE");
  request.seeds = 1;
  const auto comparison = compare(request);
  ASSERT_FALSE(comparison);
  EXPECT_EQ(comparison.error().code, reports::kUsage);
  EXPECT_NE(comparison.error().text.find("ORD-NONSENSE"), std::string::npos);
}

TEST(MeasureNames, AreThoseOfARun) {
  const scenarios::Scenario scenario = small_campus();
  const std::vector<std::string> names = measure_names(scenario);
  const reports::Comparison c = compared(design_of(scenario), design_of(scenario), 1);
  for (const reports::MeasureComparison& m : c.measures) {
    if (m.better == reports::Better::kNeutral) continue;
    EXPECT_NE(std::find(names.begin(), names.end(), m.name), names.end()) << m.name;
  }
}

// ---- the comparisons that sim/README.md shows, on fewer seeds

TEST(ReadyComparison, WithoutJitterEverybodyComesBackAtOnce) {
  const reports::Comparison c = compared(changed("reconnect", {"protocol.reconnect_min_ms=5000"}),
                                         changed("reconnect", {"protocol.reconnect_min_ms=1"}), 3);
  EXPECT_EQ(reports::exit_code(c), reports::kPass);
  EXPECT_GT(difference(c, "gateways.utilisation.peak").interval->low, 0);
  EXPECT_LT(difference(c, "reconnect.fault.all.p50").interval->high, 0);
}

TEST(ReadyComparison, RareHeartbeatsSaveFrames) {
  const auto with_heartbeats = [](const std::string& interval_ms) {
    return changed("reconnect", {"protocol.heartbeat_interval_ms=" + interval_ms,
                                 "protocol.heartbeat_timeout_ms=750000", "checks.converge_bound_s=400"});
  };
  const reports::Comparison c = compared(with_heartbeats("30000"), with_heartbeats("300000"), 3);
  EXPECT_EQ(reports::exit_code(c), reports::kPass);
  EXPECT_LT(difference(c, "device_links.Heartbeat.frames").interval->high, 0);
}

TEST(ReadyComparison, PointersInsteadOfEntriesCostFetches) {
  const reports::Comparison c = compared(changed("assembly", {"protocol.inline_limit=256"}),
                                         changed("assembly", {"protocol.inline_limit=16"}), 3);
  EXPECT_EQ(reports::exit_code(c), reports::kPass);
  EXPECT_GT(difference(c, "device_links.FetchRange.frames").difference, 0);
  EXPECT_LT(difference(c, "device_links.ChangePush.bytes").difference, 0);
}

TEST(ReadyComparison, CollectedReceiptsSaveCommits) {
  const reports::Comparison c = compared(changed("assembly", {"client.group_receipts_interval_ms=1000"}),
                                         changed("assembly", {"client.group_receipts_interval_ms=30000"}), 3);
  EXPECT_EQ(reports::exit_code(c), reports::kPass);
  EXPECT_LT(difference(c, "store.commits").interval->high, 0);
}

}  // namespace
}  // namespace wavetank::sim
