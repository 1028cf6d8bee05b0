// The script player and the star on a stage that writes down what they do.
#include "sim/population/behaviour.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <tuple>

#include "sim/population/community.hpp"

namespace wavetank::sim {
namespace {

using protocol::EntryKind;
using scenarios::Population;

struct Sent {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  EntryKind kind;
  std::uint32_t size;
};

// Cues in time order. A message is shown to those who `hears` says, `delay` later, when their app is open.
class FakeStage : public Stage {
 public:
  using Hears = std::function<std::vector<std::uint32_t>(const Sent&)>;

  void run(Behaviour& behaviour, TimeNs end) {
    while (!cues.empty() && std::get<0>(cues.top()) <= end) {
      const auto [time, number, code, index, shows] = cues.top();
      cues.pop();
      ASSERT_GE(time, now_);
      now_ = time;
      if (shows) {
        const auto& [listener, message, number_of_sender] = showings[index];
        if (open.contains(listener)) {
          behaviour.shown(listener, message.conversation, message.device, number_of_sender, index + 1);
        }
      } else {
        ASSERT_LT(index, 1u << 26);
        behaviour.cue(code, index);
      }
    }
    now_ = end;
  }

  TimeNs now() const override { return now_; }
  void cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) override {
    cues.push({std::max(time, now_), number_++, code, index, false});
  }
  void open_app(std::uint32_t device) override { broken = broken || !open.insert(device).second; }
  void close_app(std::uint32_t device) override {
    broken = broken || open.erase(device) == 0;
    closed_at[device] = now_;
  }
  bool app_is_open(std::uint32_t device) const override { return open.contains(device); }
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, EntryKind kind,
                     std::uint32_t size) override {
    broken = broken || !open.contains(device);
    if (refuses) return 0;
    sent.push_back({now_, device, conversation, kind, size});
    ++counter[device];
    if (hears) {
      for (const std::uint32_t listener : hears(sent.back())) {
        showings.push_back({listener, sent.back(), counter[device]});
        cues.push({now_ + delay, number_++, 0, static_cast<std::uint32_t>(showings.size() - 1), true});
      }
    }
    return counter[device];
  }
  std::uint32_t reply(std::uint32_t device, std::uint32_t conversation, std::uint32_t size,
                      std::uint64_t seq) override {
    answered.push_back(seq);
    return send(device, conversation, EntryKind::kMessage, size);
  }
  std::uint32_t direct(std::uint32_t user, std::uint32_t other) override {
    directs.insert({std::min(user, other), std::max(user, other)});
    return user * 1000 + other;
  }
  void read(std::uint32_t device, std::uint32_t conversation) override {
    broken = broken || !open.contains(device);
    reads.push_back({now_, device, conversation, EntryKind::kMessage, 0});
  }

  Hears hears;
  DurationNs delay = kSecond;
  bool refuses = false;
  bool broken = false;
  std::vector<Sent> sent;
  std::vector<Sent> reads;
  std::vector<std::uint64_t> answered;
  std::set<std::uint32_t> open;
  std::map<std::uint32_t, TimeNs> closed_at;
  std::map<std::uint32_t, std::uint32_t> counter;
  std::set<std::pair<std::uint32_t, std::uint32_t>> directs;

 private:
  using Cue = std::tuple<TimeNs, std::uint64_t, std::uint32_t, std::uint32_t, bool>;
  std::priority_queue<Cue, std::vector<Cue>, std::greater<>> cues;
  std::vector<std::tuple<std::uint32_t, Sent, std::uint32_t>> showings;
  std::uint64_t number_ = 0;
  TimeNs now_ = 0;
};

// Two users of one device each, always on, in one conversation.
Script two_people(bool always_on = true) {
  Script script;
  for (std::uint32_t user = 0; user < 2; ++user) {
    script.users.push_back({user + 1, user, 0, 1});
    script.devices.push_back({user, 0, always_on});
  }
  script.conversations.push_back({direct_conversation(1, 2), 0, 1});
  return script;
}

Action says(TimeNs at, std::uint32_t device, std::uint32_t antecedent = kNoIndex) {
  return {at, device, 0, EntryKind::kMessage, 10, antecedent};
}

FakeStage::Hears other_of_two() {
  return [](const Sent& s) { return std::vector{1 - s.device}; };
}

struct Play {
  explicit Play(Script s, std::int64_t ramp_s = 1) : script(std::move(s)) {
    population.set_ramp_s(ramp_s);
    behaviour = make_script_player(population, script, Randomness(3), stage);
  }
  void run(TimeNs end) {
    behaviour->begin();
    stage.run(*behaviour, end);
    EXPECT_FALSE(stage.broken);
  }
  Population population;
  Script script;
  FakeStage stage;
  std::unique_ptr<Behaviour> behaviour;
};

TEST(ScriptPlayer, RepliesAfterReadingAndThinking) {
  Script script = two_people();
  script.actions = {says(60 * kSecond, 0), says(60 * kSecond, 1, 0), says(300 * kSecond, 0, 1)};
  Play play(script);
  play.stage.hears = other_of_two();
  play.run(400 * kSecond);
  ASSERT_EQ(play.stage.sent.size(), 3u);
  EXPECT_EQ(play.stage.sent[0].at, 60 * kSecond);
  EXPECT_GE(play.stage.sent[1].at, 62 * kSecond);  // shown after one second, one to ten to think
  EXPECT_LE(play.stage.sent[1].at, 71 * kSecond);
  EXPECT_EQ(play.stage.sent[2].at, 300 * kSecond);  // long read by then: at its own time
}

TEST(ScriptPlayer, RepliesLateWhenNothingWasShown) {
  Script script = two_people();
  script.actions = {says(60 * kSecond, 0), says(60 * kSecond, 1, 0)};
  Play play(script);
  play.run(400 * kSecond);
  ASSERT_EQ(play.stage.sent.size(), 2u);
  EXPECT_EQ(play.stage.sent[1].at, 90 * kSecond);
}

TEST(ScriptPlayer, OpensTheAppBeforeSendingAndClosesItAMinuteLater) {
  Script script = two_people(false);
  script.actions = {says(60 * kSecond, 0), says(90 * kSecond, 0)};
  script.sessions = {{100 * kSecond, 120 * kSecond, 0}, {200 * kSecond, 300 * kSecond, 1}};
  Play play(script);
  play.run(kSecond * 250);
  EXPECT_EQ(play.stage.closed_at.at(0), 150 * kSecond);
  EXPECT_EQ(play.stage.open, std::set<std::uint32_t>{1});
}

TEST(ScriptPlayer, SendsFromDevicesThatAreAlwaysOnEvenWithinTheRamp) {
  Script script = two_people();
  script.actions = {says(0, 0), says(1, 1)};
  Play play(script, 20);
  play.run(60 * kSecond);
  EXPECT_EQ(play.stage.sent.size(), 2u);
  EXPECT_EQ(play.stage.open.size(), 2u);
}

TEST(ScriptPlayer, ReadsWhatTheFirstDeviceShows) {
  Script script = two_people();
  script.actions = {says(60 * kSecond, 0)};
  Play play(script);
  play.stage.hears = other_of_two();
  play.run(100 * kSecond);
  ASSERT_EQ(play.stage.reads.size(), 1u);
  EXPECT_EQ(play.stage.reads[0].device, 1u);
  EXPECT_GE(play.stage.reads[0].at, 62 * kSecond);
  EXPECT_LE(play.stage.reads[0].at, 71 * kSecond);
}

TEST(ScriptPlayer, StartsNothingOnceQuiet) {
  Script script = two_people(false);
  script.actions = {says(60 * kSecond, 0), says(61 * kSecond, 1, 0), says(200 * kSecond, 0)};
  script.sessions = {{150 * kSecond, 160 * kSecond, 1}};
  Play play(script);
  play.run(70 * kSecond);
  play.behaviour->quiesce();
  play.stage.run(*play.behaviour, 1000 * kSecond);
  EXPECT_EQ(play.stage.sent.size(), 1u);
  EXPECT_FALSE(play.stage.broken);
  EXPECT_TRUE(play.stage.open.contains(1));  // nor does it close what the world wants to ask
}

TEST(ScriptPlayer, NamesWhatItAnswersWhereAnswersAreNamed) {
  for (const bool are_named : {false, true}) {
    Script script = two_people();
    script.actions = {says(60 * kSecond, 0), says(61 * kSecond, 1, 0), says(100 * kSecond, 0)};
    Play play(script);
    play.population.set_reply_references(are_named);
    play.stage.hears = other_of_two();
    play.run(200 * kSecond);
    EXPECT_EQ(play.stage.sent.size(), 3u);
    // The first message is entry 1; the third answers nothing.
    EXPECT_EQ(play.stage.answered, are_named ? std::vector<std::uint64_t>{1} : std::vector<std::uint64_t>{});
  }
}

TEST(ScriptPlayer, BearsMessagesThatAreNotOfTheScript) {
  Script script = two_people();
  script.actions = {says(60 * kSecond, 0), says(60 * kSecond, 1, 0)};
  Play play(script);
  play.stage.counter[0] = 5;  // this device has sent before
  play.run(70 * kSecond);
  for (const std::uint32_t counter : {0u, 1u, 5u, 7u, 1000u}) play.behaviour->shown(1, 0, 0, counter, 1);
  play.behaviour->shown(1, 0, 0, 6, 1);
  play.stage.run(*play.behaviour, 85 * kSecond);
  EXPECT_EQ(play.stage.sent.size(), 2u);
}

TEST(ScriptPlayer, BearsADeviceThatTakesNothing) {
  Script script = two_people();
  script.actions = {says(60 * kSecond, 0), says(60 * kSecond, 1, 0)};
  Play play(script);
  play.stage.refuses = true;
  play.run(200 * kSecond);
  EXPECT_TRUE(play.stage.sent.empty());
}

// A whole community: every action once, by its device, opened before; none early, and replies as the scenario
// says.
TEST(ScriptPlayer, ActsOutAWholeCommunity) {
  scenarios::Scenario scenario;
  scenario.set_run_s(1800);
  scenario.mutable_topology()->add_region();
  scenario.add_cohort();
  scenario.mutable_population()->set_workload(Population::CAMPUS);
  const Script script = make_campus(scenario, Randomness(11));
  FakeStage stage;
  // Everybody who has a device open hears everything of his own conversations; groups are open to all.
  stage.hears = [&](const Sent& s) {
    std::vector<std::uint32_t> list;
    const ConversationSpec& spec = script.conversations[s.conversation];
    for (std::uint32_t device = 0; device < script.devices.size(); ++device) {
      const std::uint32_t user = script.devices[device].user;
      const bool member = spec.second_user == kNoIndex || user == spec.first_user || user == spec.second_user;
      if (member && device != s.device && s.kind == EntryKind::kMessage) list.push_back(device);
    }
    return list;
  };
  const auto player = make_script_player(scenario.population(), script, Randomness(11), stage);
  player->begin();
  stage.run(*player, 2000 * kSecond);
  EXPECT_FALSE(stage.broken);
  ASSERT_EQ(stage.sent.size(), script.actions.size());

  // Actions of one device, conversation, kind and size may change places; match them greedily by time.
  using Key = std::tuple<std::uint32_t, std::uint32_t, EntryKind, std::uint32_t>;
  std::map<Key, std::vector<TimeNs>> planned;
  std::map<Key, std::vector<TimeNs>> done;
  for (const Action& a : script.actions) planned[{a.device, a.conversation, a.kind, a.size}].push_back(a.at);
  for (const Sent& s : stage.sent) done[{s.device, s.conversation, s.kind, s.size}].push_back(s.at);
  ASSERT_EQ(planned.size(), done.size());
  std::size_t late = 0;
  for (const auto& [key, times] : planned) {
    const auto& sent = done.at(key);
    ASSERT_EQ(times.size(), sent.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      ASSERT_GE(sent[i], times[i]);
      ASSERT_LE(sent[i], times[i] + 30 * kSecond);
      late += sent[i] == times[i] + 30 * kSecond ? 1 : 0;
    }
  }
  EXPECT_LT(late, script.actions.size() / 2);
  EXPECT_GT(stage.reads.size(), 1000u);
}

// ---- the star

scenarios::Scenario star_world() {
  scenarios::Scenario scenario;
  scenario.mutable_population()->set_ramp_s(20);
  scenario.mutable_population()->set_send_interval_ms(10'000);
  scenario.mutable_population()->set_conversations(20);
  return scenario;
}

TEST(Star, EverybodyWritesAtTheGivenRateToTheSamePartners) {
  const auto scenario = star_world();
  FakeStage stage;
  const auto star = make_star(scenario, 500, Randomness(1), stage);
  star->begin();
  stage.run(*star, 20 * kSecond - 1);
  EXPECT_EQ(stage.open.size(), 500u);
  EXPECT_TRUE(stage.sent.empty());
  stage.run(*star, 220 * kSecond);
  EXPECT_FALSE(stage.broken);
  EXPECT_NEAR(static_cast<double>(stage.sent.size()), 10'000, 350);
  std::map<std::uint32_t, std::set<std::uint32_t>> partners;
  for (const Sent& s : stage.sent) {
    ASSERT_NE(s.conversation / 1000, s.conversation % 1000);
    ASSERT_LT(s.conversation % 1000, 500u);
    ASSERT_EQ(s.conversation / 1000, s.device);
    ASSERT_EQ(s.size, 64u);
    partners[s.device].insert(s.conversation % 1000);
  }
  for (const auto& [device, list] : partners) ASSERT_LE(list.size(), 20u);
}

TEST(Star, OneDeviceMoreChangesNobodysTimes) {
  const auto scenario = star_world();
  const auto times = [&](std::uint32_t devices) {
    FakeStage stage;
    const auto star = make_star(scenario, devices, Randomness(1), stage);
    star->begin();
    stage.run(*star, 60 * kSecond);
    std::vector<std::pair<TimeNs, std::uint32_t>> list;
    for (const Sent& s : stage.sent) {
      if (s.device < 100) list.push_back({s.at, s.device});
    }
    return list;
  };
  EXPECT_EQ(times(100), times(101));
}

TEST(Star, FallsSilentWhenAsked) {
  const auto scenario = star_world();
  FakeStage stage;
  const auto star = make_star(scenario, 50, Randomness(1), stage);
  star->begin();
  stage.run(*star, 60 * kSecond);
  const std::size_t before = stage.sent.size();
  star->quiesce();
  stage.run(*star, 600 * kSecond);
  EXPECT_EQ(stage.sent.size(), before);
}

}  // namespace
}  // namespace wavetank::sim
