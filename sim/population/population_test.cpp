// The scripts of both communities: what was said is in them, once, in order, by people who are members.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "sim/population/community.hpp"
#include "sim/population/community_builder.hpp"
#include "sim/population/people.hpp"
#include "sim/traces/trace.hpp"

namespace wavetank::sim {
namespace {

using protocol::EntryKind;
using scenarios::Population;

const std::filesystem::path kTraces = std::filesystem::path(WAVETANK_SOURCE_DIR) / "sim/traces";

scenarios::Scenario small_world(Population::Workload workload) {
  scenarios::Scenario scenario;
  scenario.set_run_s(7200);
  for (const char* name : {"a", "b", "c"}) scenario.mutable_topology()->add_region()->set_name(name);
  for (const char* name : {"fibre", "4g"}) scenario.add_cohort()->set_profile(name);
  scenario.mutable_population()->set_workload(workload);
  return scenario;
}

Script college(std::int64_t messages = 0, std::uint64_t seed = 1) {
  auto scenario = small_world(Population::COLLEGE);
  scenario.set_messages(messages);
  auto script = make_college(scenario, kTraces, Randomness(seed));
  EXPECT_TRUE(script) << script.error();
  return std::move(*script);
}

const Script& whole_college() {
  static const Script script = college();
  return script;
}

Script campus(std::uint64_t seed = 1) {
  return make_campus(small_world(Population::CAMPUS), Randomness(seed));
}

// One group, one founder who is also the one writer, and everybody else joins before the first message.
TEST(Crowd, HasOneWriterAndManyReaders) {
  auto scenario = small_world(Population::CROWD);
  scenario.mutable_population()->set_users(300);
  scenario.mutable_population()->set_early_leave_percent(30);
  scenario.mutable_population()->set_send_interval_ms(200);
  const Script script = make_crowd(scenario, Randomness(1));
  ASSERT_EQ(script.conversations.size(), 1u);
  EXPECT_EQ(script.users.size(), 300u);
  std::vector<int> member(300, 0);
  int messages = 0;
  int leaves = 0;
  TimeNs before = 0;
  for (const Action& action : script.actions) {
    EXPECT_GE(action.at, before);
    before = action.at;
    const std::uint32_t user = script.devices[action.device].user;
    if (action.kind == EntryKind::kMessage) {
      EXPECT_EQ(user, 0u);
      ++messages;
    } else {
      member[user] += action.kind == EntryKind::kJoin ? 1 : -1;
      leaves += action.kind == EntryKind::kLeave;
      EXPECT_TRUE(member[user] == 0 || member[user] == 1);
    }
    if (messages == 1 && leaves == 0) {
      EXPECT_EQ(std::count(member.begin(), member.end(), 1), 300);
    }
  }
  EXPECT_EQ(std::count(member.begin(), member.end(), 1), 300);
  EXPECT_GT(messages, 100);
  EXPECT_NEAR(leaves, 90, 30);
}

bool is_group(const ConversationSpec& spec) { return spec.second_user == kNoIndex; }

std::size_t count_kind(const Script& script, EntryKind kind, bool groups) {
  return static_cast<std::size_t>(
      std::count_if(script.actions.begin(), script.actions.end(), [&](const Action& a) {
        return a.kind == kind && is_group(script.conversations[a.conversation]) == groups;
      }));
}

auto fields_of(const Action& a) {
  return std::tuple(a.at, a.device, a.conversation, a.kind, a.size, a.antecedent);
}
auto fields_of(const Session& s) { return std::tuple(s.open, s.close, s.device); }

bool same(const Script& a, const Script& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [](const auto& p, const auto& q) { return fields_of(p) == fields_of(q); });
  };
  return a.users.size() == b.users.size() && a.devices.size() == b.devices.size() &&
         equal(a.actions, b.actions) && equal(a.sessions, b.sessions);
}

// ---- what holds for every script

void expect_numbers_valid(const Script& script) {
  std::uint32_t device = 0;
  for (std::uint32_t user = 0; user < script.users.size(); ++user) {
    const UserSpec& spec = script.users[user];
    ASSERT_EQ(spec.first_device, device);
    ASSERT_GE(spec.devices, 1u);
    ASSERT_LE(spec.devices, 3u);
    ASSERT_LT(spec.region, 3u);
    for (std::uint32_t d = 0; d < spec.devices; ++d, ++device) {
      ASSERT_EQ(script.devices.at(device).user, user);
      ASSERT_LT(script.devices[device].cohort, 2u);
    }
  }
  ASSERT_EQ(device, script.devices.size());
  std::set<UserId> ids;
  for (const UserSpec& user : script.users) ids.insert(user.id);
  EXPECT_EQ(ids.size(), script.users.size());
  std::set<std::pair<std::uint64_t, std::uint64_t>> conversations;
  for (const ConversationSpec& spec : script.conversations) {
    conversations.insert({spec.id.hi, spec.id.lo});
    ASSERT_LT(spec.first_user, script.users.size());
    ASSERT_TRUE(is_group(spec) || spec.second_user < script.users.size());
    ASSERT_NE(spec.first_user, spec.second_user);
  }
  EXPECT_EQ(conversations.size(), script.conversations.size());
}

void expect_actions_in_order(const Script& script, TimeNs end) {
  for (std::size_t i = 0; i < script.actions.size(); ++i) {
    const Action& action = script.actions[i];
    ASSERT_GE(action.at, i == 0 ? 0 : script.actions[i - 1].at);
    ASSERT_LT(action.at, end);
    ASSERT_LT(action.device, script.devices.size());
    const ConversationSpec& spec = script.conversations.at(action.conversation);
    const std::uint32_t user = script.devices[action.device].user;
    ASSERT_TRUE(is_group(spec) || user == spec.first_user || user == spec.second_user);
    if (action.antecedent == kNoIndex) continue;
    const Action& before = script.actions.at(action.antecedent);
    ASSERT_LT(action.antecedent, i);
    ASSERT_EQ(action.kind, EntryKind::kMessage);
    ASSERT_EQ(before.kind, EntryKind::kMessage);
    ASSERT_EQ(before.conversation, action.conversation);
    ASSERT_NE(script.devices[before.device].user, user);
  }
}

// A member is in when it posts, on the device it joined from, and never joins twice or leaves when it is out.
void expect_members_only(const Script& script) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> in;  // (conversation, user)
  for (const Action& action : script.actions) {
    const ConversationSpec& spec = script.conversations[action.conversation];
    if (!is_group(spec)) {
      ASSERT_EQ(action.kind, EntryKind::kMessage);
      continue;
    }
    const std::uint32_t user = script.devices[action.device].user;
    ASSERT_EQ(action.device, script.users[user].first_device);
    bool& member = in[{action.conversation, user}];
    ASSERT_EQ(member, action.kind != EntryKind::kJoin);
    member = action.kind != EntryKind::kLeave;
  }
}

void expect_sessions_apart(const Script& script, TimeNs end) {
  std::vector<TimeNs> free_from(script.devices.size(), 0);
  std::vector<bool> has(script.devices.size(), false);
  TimeNs before = 0;
  for (const Session& session : script.sessions) {
    ASSERT_GE(session.open, before);
    before = session.open;
    ASSERT_FALSE(script.devices.at(session.device).always_on);
    ASSERT_GE(session.open, free_from[session.device]);
    ASSERT_GT(session.close, session.open);
    ASSERT_LE(session.close, end);
    free_from[session.device] = session.close + 1;
    has[session.device] = true;
  }
  for (std::size_t device = 0; device < has.size(); ++device) {
    ASSERT_NE(has[device], script.devices[device].always_on);
  }
}

void expect_sound(const Script& script, TimeNs end = 7200 * kSecond) {
  expect_numbers_valid(script);
  expect_actions_in_order(script, end);
  expect_members_only(script);
  expect_sessions_apart(script, end);
}

// ---- college

TEST(College, SaysEverythingThatTheTracesSay) {
  const Script& script = whole_college();
  EXPECT_EQ(script.users.size(), 1899u);
  EXPECT_EQ(count_kind(script, EntryKind::kMessage, false), 59'835u);
  EXPECT_EQ(count_kind(script, EntryKind::kMessage, true), 33'720u);
  EXPECT_EQ(count_kind(script, EntryKind::kJoin, false) + count_kind(script, EntryKind::kLeave, false), 0u);
  expect_sound(script);
}

TEST(College, KeepsTheLengthsOfThePrivateMessages) {
  const auto messages = load_messages(kTraces / kMessagesFile);
  ASSERT_TRUE(messages);
  std::vector<std::uint32_t> real;
  for (const TraceMessage& m : *messages) real.push_back(m.characters);
  std::vector<std::uint32_t> scripted;
  for (const Action& a : whole_college().actions) {
    if (!is_group(whole_college().conversations[a.conversation])) scripted.push_back(a.size);
  }
  EXPECT_EQ(scripted, real);  // in the order of the trace
}

TEST(College, MembershipBoundariesAreVisited) {
  const Script& script = whole_college();
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> joins;
  for (const Action& a : script.actions) {
    if (a.kind == EntryKind::kJoin) ++joins[{a.conversation, script.devices[a.device].user}];
  }
  const auto rejoined =
      std::count_if(joins.begin(), joins.end(), [](const auto& j) { return j.second == 2; });
  EXPECT_GT(joins.size(), 5000u);
  EXPECT_GT(rejoined, 100);
  EXPECT_GT(count_kind(script, EntryKind::kLeave, true), joins.size() / 3);
  for (const auto& [who, times] : joins) ASSERT_LE(times, 2);
}

TEST(College, DrawsFollowTheScenariosShares) {
  const Script& script = whole_college();
  std::array<int, 4> devices{};
  std::array<int, 3> regions{};
  for (const UserSpec& user : script.users) {
    ++devices[user.devices];
    ++regions[user.region];
  }
  EXPECT_NEAR(devices[2], 570, 80);
  EXPECT_NEAR(devices[3], 190, 50);
  for (const int count : regions) EXPECT_NEAR(count, 633, 80);
  const auto always = std::count_if(script.devices.begin(), script.devices.end(),
                                    [](const DeviceSpec& d) { return d.always_on; });
  EXPECT_NEAR(static_cast<int>(always), static_cast<int>(script.devices.size() / 5), 100);
}

TEST(College, CutKeepsOnlyPeopleWhoTakePart) {
  const Script script = college(3000);
  expect_sound(script);
  EXPECT_EQ(count_kind(script, EntryKind::kMessage, false) + count_kind(script, EntryKind::kMessage, true),
            3000u);
  EXPECT_LT(script.users.size(), 1899u);
  // Both kinds are in it, and people who do both.
  EXPECT_GT(count_kind(script, EntryKind::kMessage, true), 500u);
  EXPECT_GT(count_kind(script, EntryKind::kMessage, false), 500u);
  std::set<std::uint32_t> taking_part;
  for (const Action& action : script.actions) {
    taking_part.insert(script.devices[action.device].user);
    const ConversationSpec& spec = script.conversations[action.conversation];
    if (!is_group(spec)) taking_part.insert({spec.first_user, spec.second_user});
  }
  EXPECT_EQ(taking_part.size(), script.users.size());
  // The cut fills the whole run.
  EXPECT_LT(script.actions.front().at, 100 * kSecond);
  EXPECT_GT(script.actions.back().at, 6800 * kSecond);
}

TEST(College, OneMessageIsEnough) { expect_sound(college(1)); }

TEST(College, IsAFunctionOfTheSeed) {
  EXPECT_TRUE(same(college(2000, 5), college(2000, 5)));
  EXPECT_FALSE(same(college(2000, 5), college(2000, 6)));
}

TEST(College, PrintsItsFactors) {
  std::set<std::string> names;
  for (const Factor& factor : whole_college().factors) {
    EXPECT_FALSE(factor.value.empty() || factor.source.empty()) << factor.name;
    names.insert(factor.name);
  }
  for (const char* name : {"gaps between human actions", "time between human actions", "session time",
                           "protocol timers, links, retries", "forum people", "forum post lengths"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(College, MissingTracesAreOneLine) {
  const auto script = make_college(small_world(Population::COLLEGE), "/nowhere", Randomness(1));
  ASSERT_FALSE(script);
  EXPECT_NE(script.error().find("/nowhere"), std::string::npos);
  EXPECT_EQ(script.error().find('\n'), std::string::npos);
}

// ---- campus

TEST(Campus, IsACommunityOfTheSameShape) {
  const Script script = campus();
  expect_sound(script);
  EXPECT_EQ(script.users.size(), 200u);
  const std::size_t posts = count_kind(script, EntryKind::kMessage, true);
  EXPECT_EQ(posts + count_kind(script, EntryKind::kMessage, false), 5000u);
  EXPECT_NEAR(static_cast<double>(posts), 1750, 150);
  const auto replies = std::count_if(script.actions.begin(), script.actions.end(),
                                     [](const Action& a) { return a.antecedent != kNoIndex; });
  EXPECT_GT(replies, 1000);
  // Spread over the run, not in a heap.
  const auto half = std::count_if(script.actions.begin(), script.actions.end(),
                                  [](const Action& a) { return a.at < 3500 * kSecond; });
  EXPECT_NEAR(static_cast<double>(half), static_cast<double>(script.actions.size()) / 2, 300);
}

TEST(Campus, IsAFunctionOfTheSeed) {
  EXPECT_TRUE(same(campus(5), campus(5)));
  EXPECT_FALSE(same(campus(5), campus(6)));
}

TEST(Campus, HoldsAtItsEdges) {
  auto scenario = small_world(Population::CAMPUS);
  scenario.set_run_s(60);
  scenario.mutable_population()->set_users(2);
  scenario.mutable_population()->set_groups(0);
  expect_sound(make_campus(scenario, Randomness(1)), 60 * kSecond);
  scenario.mutable_population()->set_groups(1);
  scenario.mutable_population()->set_group_share_percent(100);
  scenario.set_messages(1);
  expect_sound(make_campus(scenario, Randomness(1)), 60 * kSecond);
  scenario.set_run_s(1'000'000);
  scenario.set_messages(0);
  scenario.mutable_population()->set_campus_messages(20'000);
  expect_sound(make_campus(scenario, Randomness(1)), 1'000'000 * kSecond);
}

// ---- the builder

TEST(CapGaps, CutsLongSilencesOnly) {
  std::vector<Utterance> said(5);
  const std::int64_t times[] = {100, 105, 5000, 5000, 5901};
  for (std::size_t i = 0; i < said.size(); ++i) said[i].at = times[i];
  EXPECT_EQ(cap_gaps(900, said), 5 + 900 + 0 + 900);
  EXPECT_EQ(said.back().at, 1805);
  EXPECT_EQ(said[2].at, 905);
  std::vector<Utterance> none;
  EXPECT_EQ(cap_gaps(900, none), 0);
}

TEST(PickWeighted, GivesEachItsShare) {
  auto scenario = small_world(Population::CAMPUS);
  scenario.mutable_topology()->mutable_region(0)->set_weight(0);
  scenario.mutable_topology()->mutable_region(1)->set_weight(3);
  std::array<int, 3> counts{};
  for (std::uint64_t i = 0; i < 4000; ++i) ++counts[pick_weighted(scenario.topology().region(), mix64(i))];
  EXPECT_EQ(counts[0], 0);
  EXPECT_NEAR(counts[1], 3000, 150);
}

}  // namespace
}  // namespace wavetank::sim
