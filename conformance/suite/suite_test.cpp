// The same cases over both drivers: the proof that the machines are pure.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/simulated_target.hpp"
#include "conformance/suite/socket_target.hpp"
#include "conformance/suite/test_support.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

// The case that waits until silence ends a session has an impatient server of its own.
constexpr std::string_view kSilence = "conf/connect/HB-TIMEOUT-001/silence-ends-the-session";

std::vector<CaseResult> over_sockets(const host::ServerOptions& options, std::string_view id_begin = {}) {
  SocketTarget target(options);
  std::vector<CaseResult> results;
  for (const Case& one : all_cases()) {
    if (!one.id.starts_with(id_begin)) continue;
    if (one.id != kSilence) {
      results.push_back(run_case(one, target, 1));
      continue;
    }
    host::ServerOptions impatient = options;
    impatient.data.clear();
    impatient.config.heartbeat_interval_ms = 300;
    impatient.config.heartbeat_timeout_ms = 1'500;
    SocketTarget other(impatient);
    results.push_back(run_case(one, other, 1));
  }
  return results;
}

// The cases of limits, bounds and retention need a server that has some; the others one that is not in their
// way.
constexpr std::string_view kLimits = "conf/limit/";
constexpr std::string_view kPushes = "conf/push/";
constexpr std::string_view kRetention = "conf/retention/";
constexpr std::string_view kCredentials = "conf/credential/";
constexpr std::uint32_t kPushFrames = 16;
constexpr std::uint32_t kRetain = 8;
constexpr std::uint32_t kSlowMs = 1'000;
constexpr std::uint32_t kSendsPerS = 5;
constexpr std::uint32_t kSendBurst = 10;
constexpr std::uint32_t kRevokeMs = 1'000;
constexpr std::uint32_t kLifeMs = 4'000;

// Whether the case asks for what a server has only when it is told to.
bool is_of_choice(std::string_view id) {
  return id.starts_with(kLimits) || id.starts_with(kPushes) || id.starts_with(kRetention) ||
         id.starts_with(kCredentials);
}

std::vector<CaseResult> over_sockets(DefectSet defects = {}, std::string_view id_begin = {}) {
  const TestFolder folder;
  host::ServerOptions options = local_server(folder);
  options.config.defects = defects;
  if (id_begin.starts_with(kLimits)) {
    options.config.sends_per_s = kSendsPerS;
    options.config.send_burst = kSendBurst;
  }
  if (id_begin.starts_with(kPushes)) {
    options.config.push_queue_frames = kPushFrames;
    options.config.slow_consumer_ms = kSlowMs;
  }
  if (id_begin.starts_with(kRetention)) {
    options.config.retain_entries = kRetain;
    options.config.retain_changes = kRetain;
  }
  if (id_begin.starts_with(kCredentials)) {
    options.config.revoke_within_ms = kRevokeMs;
    options.config.token_life_ms = kLifeMs;
  }
  return over_sockets(options, id_begin);
}

std::vector<CaseResult> over_simulation(DefectSet defects = {}, std::string_view id_begin = {},
                                        std::uint64_t seed = 1) {
  const std::uint32_t sends_per_s = id_begin.starts_with(kLimits) ? kSendsPerS : 0;
  const std::uint32_t pushes = id_begin.starts_with(kPushes) ? kPushFrames : 0;
  const std::uint32_t retain = id_begin.starts_with(kRetention) ? kRetain : 0;
  const bool revokes = id_begin.starts_with(kCredentials);
  SimulatedTarget target({seed, 2, 2, defects, pushes, kSlowMs, sends_per_s, kSendBurst, retain, retain,
                          revokes ? kRevokeMs : 0, revokes ? kLifeMs : 0});
  return run_all(target, 1, id_begin);
}

// By a server without limits.
void expect_all_pass(const std::vector<CaseResult>& results) {
  for (const CaseResult& result : results) {
    const Grade expected = is_of_choice(result.id) ? Grade::kUnsupported : Grade::kPass;
    EXPECT_EQ(name_of(result.grade), name_of(expected)) << result.id << ": " << result.detail;
  }
}

std::map<std::string_view, Grade> grades(const std::vector<CaseResult>& results) {
  std::map<std::string_view, Grade> map;
  for (const CaseResult& result : results) map[result.id] = result.grade;
  return map;
}

TEST(Cases, AreWellFormed) {
  std::set<std::string_view> ids;
  std::set<UserId> users;
  SimulatedTarget target({1, 1, 1, {}});
  EXPECT_GE(all_cases().size(), 14u);
  for (const Case& one : all_cases()) {
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
    EXPECT_TRUE(one.id.starts_with("conf/")) << one.id;
    EXPECT_NE(one.requirement().find('-'), std::string_view::npos) << one.id;
    EXPECT_FALSE(one.description.empty()) << one.id;
    EXPECT_FALSE(one.expectation.empty()) << one.id;
    const Trial trial(target, 1, one.id);
    EXPECT_TRUE(users.insert(trial.user(0)).second) << one.id << " shares its users with another case";
    EXPECT_FALSE(is_group(direct_conversation(trial.user(1), trial.user(2))));
  }
}

TEST(Suite, BothDriversPassEveryCaseAlike) {
  const auto socket = over_sockets();
  const auto simulated = over_simulation();
  expect_all_pass(socket);
  expect_all_pass(simulated);
  EXPECT_EQ(grades(socket), grades(simulated));
  EXPECT_EQ(socket.size(), all_cases().size());
}

TEST(Suite, BothDriversPassTheCasesOfLimitsAndBounds) {
  for (const auto& results :
       {over_sockets(DefectSet(), kLimits), over_simulation({}, kLimits), over_sockets(DefectSet(), kPushes),
        over_simulation({}, kPushes), over_sockets(DefectSet(), kRetention), over_simulation({}, kRetention),
        over_sockets(DefectSet(), kCredentials), over_simulation({}, kCredentials)}) {
    EXPECT_GE(results.size(), 2U);
    for (const CaseResult& result : results)
      EXPECT_EQ(name_of(result.grade), "PASS") << result.id << ": " << result.detail;
  }
}

TEST(Suite, SimulatedVerdictsHoldForOtherSeeds) {
  for (std::uint64_t seed = 2; seed <= 6; ++seed) expect_all_pass(over_simulation({}, {}, seed));
}

TEST(Suite, SimulationRepeatsItself) {
  const auto run = [] {
    SimulatedTarget target({3, 2, 2, {}});
    run_all(target, 1);
    return std::pair(target.now(), target.events());
  };
  EXPECT_EQ(run(), run());
}

TEST(Suite, SeveralRunsShareOneServer) {
  SimulatedTarget target({});
  expect_all_pass(run_all(target, 1));
  expect_all_pass(run_all(target, 2));
}

TEST(Suite, ATargetThatCannotRestartIsUnsupportedThere) {
  const TestFolder folder;
  host::ServerOptions options = local_server(folder);
  options.data.clear();  // in memory
  for (const CaseResult& result : over_sockets(options)) {
    const bool lacks = result.id.starts_with("conf/durable/") || is_of_choice(result.id);
    EXPECT_EQ(result.grade, lacks ? Grade::kUnsupported : Grade::kPass) << result.id << ": " << result.detail;
  }
}

TEST(Suite, NobodyThereIsInconclusive) {
  SocketTarget target(host::Endpoint{"127.0.0.1", 1}, "");
  const CaseResult result = run_case(all_cases().front(), target, 1);
  EXPECT_EQ(result.grade, Grade::kInconclusive);
  EXPECT_FALSE(result.detail.empty());
}

TEST(Suite, AServerThatAsksForNoTokenIsUnsupportedThere) {
  SocketTarget target(host::ServerOptions{});
  const auto results = run_all(target, 1, "conf/connect/CON-AUTH-001/");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].grade, Grade::kUnsupported) << results[0].detail;
}

// A wrong server fails the case made for its mistake, on both drivers alike.
struct SeededMistake {
  Defect defect;
  std::string_view caught_by;
};
class WrongServer : public testing::TestWithParam<SeededMistake> {};

TEST_P(WrongServer, FailsAlikeOnBothDrivers) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are not compiled in";
  DefectSet defects;
  defects.enable(GetParam().defect);
  // The cases of its area; the first mistake meets all of them.
  const std::string_view id = GetParam().caught_by;
  const bool meets_all = GetParam().defect == Defect::kConflictAcceptedAsDuplicate;
  const std::string_view area = meets_all ? std::string_view() : id.substr(0, id.find('/', 5) + 1);
  const auto socket = grades(over_sockets(defects, area));
  const auto simulated = grades(over_simulation(defects, area));
  EXPECT_EQ(socket, simulated);
  EXPECT_EQ(socket.at(id), Grade::kFail);
}

INSTANTIATE_TEST_SUITE_P(
    Defects, WrongServer,
    testing::Values(
        SeededMistake{Defect::kConflictAcceptedAsDuplicate, "conf/send/SND-IDEM-003/conflict-is-rejected"},
        SeededMistake{Defect::kConflictOverwritesPayload, "conf/send/SND-IDEM-003/conflict-is-rejected"},
        SeededMistake{Defect::kDedupWithoutDevice, "conf/send/SND-IDEM-001/key-is-per-device"},
        SeededMistake{Defect::kSenderFromClientFrame, "conf/send/DLV-INTEGRITY-001/sender-is-the-session"},
        SeededMistake{Defect::kPageDropsFirstRow, "conf/range/FET-COVER-001/pages-are-dense"},
        SeededMistake{Defect::kPageRepeatsLastRow, "conf/range/FET-COVER-001/pages-are-dense"},
        SeededMistake{Defect::kStaleDeviceLowersRead, "conf/receipt/RD-USER-001/read-is-the-maximum"},
        SeededMistake{Defect::kDeliveredBelowRead, "conf/receipt/RD-LEQ-001/read-moves-delivered"},
        SeededMistake{Defect::kOwnMessagesUnread, "conf/receipt/RD-UNREAD-001/unread-counts-others-messages"},
        SeededMistake{Defect::kJoinSeesEntryBefore, "conf/member/ACL-BOUNDARY-002/join-boundary"},
        SeededMistake{Defect::kFormerMemberKeepsFeed, "conf/member/FET-FORMER-001/leave-boundary"},
        SeededMistake{Defect::kTypingToFormerMembers,
                      "conf/typing/TYP-MEMBER-001/outsiders-neither-say-nor-see"},
        SeededMistake{Defect::kTypingKeptAndReplayed, "conf/typing/TYP-STORE-001/not-told-later"},
        SeededMistake{Defect::kDedupLostAtRestart, "conf/durable/DUR-ACKED-001/acked-entry-survives"},
        SeededMistake{Defect::kLimitResetByReconnect, "conf/limit/LIM-SEND-001/above-the-burst-is-refused"},
        SeededMistake{Defect::kRetryAfterTooShort, "conf/limit/LIM-RETRY-001/who-waits-is-let-in-once"},
        SeededMistake{Defect::kLimitSharedByUser, "conf/limit/LIM-SEND-001/above-the-burst-is-refused"},
        SeededMistake{Defect::kPushQueueUnbounded,
                      "conf/push/BP-QUEUE-001/who-does-not-acknowledge-is-pushed-so-much"},
        SeededMistake{Defect::kPushGapUnmarked,
                      "conf/push/BP-QUEUE-001/who-does-not-acknowledge-is-pushed-so-much"},
        SeededMistake{Defect::kSlowConsumerKept, "conf/push/BP-CLOSE-001/who-makes-no-room-is-closed"},
        SeededMistake{Defect::kUnnamedFeaturesServed, "conf/connect/VER-FEATURE-002/nothing-unnamed-is-told"},
        SeededMistake{Defect::kUnnamedFeaturesServed,
                      "conf/connect/VER-FEATURE-002/nothing-unnamed-is-taken"},
        SeededMistake{Defect::kNewestVersionTaken, "conf/connect/VER-NEGOTIATE-002/unsupported-version"},
        SeededMistake{Defect::kFloorForgotten, "conf/retention/FET-OLD-002/floor-never-falls"},
        SeededMistake{Defect::kDropsTooEarly, "conf/retention/FET-OLD-001/old-range-names-the-floor"},
        SeededMistake{Defect::kOldRangeServedEmpty, "conf/retention/FET-OLD-001/old-range-names-the-floor"},
        SeededMistake{Defect::kUnreadCountsDropped,
                      "conf/retention/RD-UNREAD-001/unread-counts-what-is-kept"},
        SeededMistake{Defect::kSnapshotNumberAfterPages,
                      "conf/retention/SYN-SNAP-001/snapshot-has-every-conversation"},
        SeededMistake{Defect::kSnapshotPageSkipsOne,
                      "conf/retention/SYN-SNAP-001/snapshot-has-every-conversation"},
        SeededMistake{Defect::kDroppedChangesUnfolded,
                      "conf/retention/SYN-SNAP-001/snapshot-has-every-conversation"},
        SeededMistake{Defect::kRevokedUntilSocketCloses,
                      "conf/credential/AUT-CLOSE-001/removed-device-is-closed"},
        SeededMistake{Defect::kRemovalNotStored, "conf/credential/AUT-LOGIN-001/removed-device-is-refused"},
        SeededMistake{Defect::kRenewalNotStored, "conf/credential/AUT-RENEW-001/renewal-keeps-the-session"}));

}  // namespace
}  // namespace wavetank::conformance
