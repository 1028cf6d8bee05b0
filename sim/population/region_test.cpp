// A region's people on a stage that carries their messages at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "sim/population/region_draws.hpp"
#include "sim/population/test_stage.hpp"

namespace wavetank::sim {
namespace {

using protocol::EntryKind;

constexpr TimeNs kRamp = 60 * kSecond;
constexpr TimeNs kRegionRun = 660 * kSecond;

struct Message {
  TimeNs at;
  std::uint32_t device;
  std::uint32_t conversation;
  std::uint32_t size;
  bool is_typed;
  bool is_answer;  // to the last direct message that the device has shown
};

// Shows each message to all devices of its conversation's users whose app is open, and counts what people do.
class Town : public TestStage {
 public:
  explicit Town(const scenarios::Scenario& scenario)
      : script(make_region_script(scenario, Randomness(1))),
        behaviour(make_region(scenario, script, Randomness(1), *this)),
        shown_last(script.devices.size(), kNoIndex) {
    for (std::uint32_t group = 0; group < script.conversations.size(); ++group) users_of.emplace_back();
    run(*behaviour, scenario.run_s() * kSecond);
  }

  void open_app(std::uint32_t device) override {
    EXPECT_FALSE(app_is_open(device));
    TestStage::open_app(device);
    settle();
    ++open;
    if (now() >= kRamp) ++logins;
  }
  void close_app(std::uint32_t device) override {
    EXPECT_TRUE(app_is_open(device));
    EXPECT_GE(now(), kRamp);
    EXPECT_FALSE(chats.contains(device));
    TestStage::close_app(device);
    settle();
    --open;
  }
  std::uint32_t direct(std::uint32_t user, std::uint32_t other) override {
    EXPECT_NE(user, other);
    const auto [place, fresh] = directs.try_emplace(std::minmax(user, other), users_of.size());
    if (fresh) users_of.push_back({user, other});
    return static_cast<std::uint32_t>(place->second);
  }
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, EntryKind kind,
                     std::uint32_t size) override {
    EXPECT_TRUE(app_is_open(device));
    EXPECT_FALSE(is_quiet());
    const std::uint32_t user = script.devices[device].user;
    if (kind == EntryKind::kJoin) {
      EXPECT_LT(now(), kRamp);
      EXPECT_TRUE(users_of[conversation].insert(user).second) << "joins twice";
      const bool is_founder = users_of[conversation].size() == 1;
      EXPECT_EQ(user == script.conversations[conversation].first_user, is_founder);
    } else {
      EXPECT_GE(now(), kRamp);
      EXPECT_TRUE(users_of[conversation].contains(user)) << "no member";
      const auto typed = typing.find({device, conversation});
      messages.push_back(
          {now(), device, conversation, size, typed != typing.end(), shown_last[device] == conversation});
      if (typed != typing.end()) typing.erase(typed);
      recipients += users_of[conversation].size() - 1;
      for (const std::uint32_t reader : users_of[conversation]) show(device, conversation, reader);
    }
    return TestStage::send(device, conversation, kind, size);
  }
  void read(std::uint32_t device, std::uint32_t conversation) override {
    EXPECT_TRUE(app_is_open(device));
    EXPECT_FALSE(is_quiet());
    EXPECT_EQ(script.users[script.devices[device].user].first_device, device);
    const auto unread = unread_since.find({device, conversation});
    if (unread == unread_since.end()) return;
    for (const TimeNs since : unread->second) read_after.push_back(now() - since);
    unread_since.erase(unread);
  }
  void watch(std::uint32_t device, std::uint32_t conversation, bool is_open) override {
    EXPECT_TRUE(app_is_open(device));
    EXPECT_GE(conversation, script.conversations.size()) << "a group";
    if (is_open) {
      EXPECT_TRUE(chats.try_emplace(device, conversation).second) << "two chats at once";
      ++looks;
    } else {
      const auto chat = chats.find(device);
      ASSERT_NE(chat, chats.end());
      EXPECT_EQ(chat->second, conversation);
      chats.erase(chat);
    }
  }
  void type(std::uint32_t device, std::uint32_t conversation, bool is_typing) override {
    EXPECT_TRUE(app_is_open(device));
    ++signals;
    if (is_typing) typing.insert({device, conversation});
  }

  bool is_group(const Message& message) const { return message.conversation < script.conversations.size(); }
  std::size_t to_groups() const {
    return static_cast<std::size_t>(
        std::count_if(messages.begin(), messages.end(), [&](const Message& m) { return is_group(m); }));
  }
  double mean_open() {
    settle();
    return static_cast<double>(open_time) / static_cast<double>(kRegionRun - kRamp);
  }

  Script script;
  std::unique_ptr<Behaviour> behaviour;
  std::vector<std::set<std::uint32_t>> users_of;  // by conversation
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> directs;
  std::vector<Message> messages;
  std::uint64_t recipients = 0;
  std::uint64_t deliveries = 0;  // to devices of others whose app is open
  std::uint64_t logins = 0;
  std::uint64_t signals = 0;
  std::uint64_t looks = 0;
  std::vector<DurationNs> read_after;

 private:
  bool is_quiet() const { return now() >= kRegionRun; }
  // Connections times time, of the slice.
  void settle() {
    const TimeNs until = std::clamp(now(), kRamp, kRegionRun);
    open_time += open * (until - settled);
    settled = until;
  }
  void show(std::uint32_t sender, std::uint32_t conversation, std::uint32_t reader) {
    const UserSpec& user = script.users[reader];
    for (std::uint32_t device = user.first_device; device < user.first_device + user.devices; ++device) {
      if (device == sender || !app_is_open(device)) continue;
      const bool is_own = script.devices[sender].user == reader;
      deliveries += is_own ? 0 : 1;
      if (conversation >= script.conversations.size() && !is_own) shown_last[device] = conversation;
      if (device == user.first_device && !is_own) unread_since[{device, conversation}].push_back(now());
      behaviour->shown(device, conversation, sender, 1, messages.size());
    }
  }

  std::vector<std::uint32_t> shown_last;  // by device
  std::multiset<std::pair<std::uint32_t, std::uint32_t>> typing;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<TimeNs>> unread_since;
  std::map<std::uint32_t, std::uint32_t> chats;
  std::int64_t open = 0;
  std::int64_t open_time = 0;
  TimeNs settled = kRamp;
};

scenarios::Scenario mission_of(std::int64_t connections) {
  scenarios::Scenario scenario;
  scenario.set_run_s(kRegionRun / kSecond);
  scenario.set_devices(connections);
  scenario.mutable_topology()->add_region()->set_name("us-east-1");
  scenario.add_cohort()->set_profile("fibre");
  scenarios::Population& population = *scenario.mutable_population();
  population.set_workload(scenarios::Population::REGION);
  population.set_ramp_s(kRamp / kSecond);
  population.set_two_devices_percent(30);
  population.set_three_devices_percent(5);
  return scenario;
}

// Ten minutes at the peak; built once, the tests only look.
const Town& peak() {
  static Town town(mission_of(4000));
  return town;
}

TEST(Region, HasItsPeopleAndDevices) {
  const Town& town = peak();
  const double devices = static_cast<double>(town.script.devices.size());
  EXPECT_NEAR(devices, 4000 * 1.08875, 90);
  EXPECT_NEAR(devices / static_cast<double>(town.script.users.size()), 1.4, 0.03);
  EXPECT_EQ(town.script.conversations.size(), town.script.users.size() / 20);
}

TEST(Region, SoManyAreConnectedAtATime) {
  Town town(mission_of(2000));
  EXPECT_NEAR(town.mean_open(), 2000, 45);
}

TEST(Region, PeopleComeAndGoAsOftenAsInTheProfile) {
  const double rate = static_cast<double>(peak().logins) / 600 / 4000;
  EXPECT_NEAR(rate, 1.48e-3, 1.5e-4);  // 0.7 / 480 + 0.3 / 14400
}

// A few have gone before they had typed to the end.
TEST(Region, MessagesAreSentAtTheRateOfTheProfile) {
  const double expected = 4000 * 0.004485 * 600;
  EXPECT_NEAR(static_cast<double>(peak().messages.size()) / expected, 0.98, 0.03);
}

TEST(Region, AShareGoesToGroupsAndTwoPeopleGetEach) {
  const Town& town = peak();
  const auto all = static_cast<double>(town.messages.size());
  EXPECT_NEAR(static_cast<double>(town.to_groups()) / all, 0.15, 0.015);
  EXPECT_NEAR(static_cast<double>(town.recipients) / all, 2.1, 0.3);
}

// 2 M connections get about 26,000 messages of others a second, at once or when they are back.
TEST(Region, DeliveriesAreThoseOfTheMission) {
  EXPECT_NEAR(static_cast<double>(peak().deliveries) / 600 / 4000 * 2e6, 25'500, 3'500);
}

TEST(Region, EveryGroupIsFoundedBeforeTheSlice) {
  const Town& town = peak();
  const scenarios::Scenario mission = mission_of(4000);
  const RegionDraws draws(mission.population(), Randomness(1));
  for (std::uint32_t group = 0; group < town.script.conversations.size(); ++group) {
    EXPECT_EQ(town.users_of[group].size(),
              draws.group_members(group, static_cast<std::uint32_t>(town.script.users.size())));
  }
}

TEST(Region, ConversationsExistFromTheirFirstMessageOn) {
  const Town& town = peak();
  std::set<std::uint32_t> used;
  for (const Message& message : town.messages) used.insert(message.conversation);
  for (std::uint32_t group = 0; group < town.script.conversations.size(); ++group) used.insert(group);
  // Of those that were asked for, only what somebody left before sending has no message.
  EXPECT_GE(used.size() + town.messages.size() / 20, town.users_of.size());
  EXPECT_LT(town.users_of.size(), town.messages.size());
}

TEST(Region, HalfOfTheDirectMessagesAnswerWhereSomethingCame) {
  const Town& town = peak();
  std::uint64_t direct = 0;
  std::uint64_t answers = 0;
  for (const Message& message : town.messages) {
    if (town.is_group(message) || message.at < kRegionRun / 2) continue;
    ++direct;
    answers += message.is_answer ? 1 : 0;
  }
  // Not everybody has been written to yet.
  EXPECT_GT(answers * 1000 / direct, 250U);
  EXPECT_LT(answers * 1000 / direct, 550U);
}

TEST(Region, EveryMessageIsTypedAndHalfOfThemWithAPause) {
  const Town& town = peak();
  for (const Message& message : town.messages) ASSERT_TRUE(message.is_typed);
  EXPECT_NEAR(static_cast<double>(town.signals) / static_cast<double>(town.messages.size()), 1.5, 0.05);
}

TEST(Region, HalfOfWhatIsReadIsReadWithinAboutAMinute) {
  std::vector<DurationNs> delays = peak().read_after;
  ASSERT_GT(delays.size(), 3'000U);
  std::sort(delays.begin(), delays.end());
  // Less than 60 s: what would be read after the end is missing, and one reading reads all.
  EXPECT_GT(delays[delays.size() / 2], 20 * kSecond);
  EXPECT_LT(delays[delays.size() / 2], 60 * kSecond);
}

TEST(Region, ChatsAreOpenedOneAtATime) { EXPECT_GT(peak().looks, peak().messages.size() / 2); }

TEST(Region, AtNightThereIsLess) {
  scenarios::Scenario night = mission_of(4000);
  night.mutable_population()->set_slice_start_min(4 * 60 + 25);
  const Town town(night);
  EXPECT_NEAR(static_cast<double>(town.messages.size()) / static_cast<double>(peak().messages.size()),
              0.4558 / 1.55, 0.02);
  EXPECT_NEAR(static_cast<double>(town.logins) / static_cast<double>(peak().logins), 1, 0.05);
}

TEST(Region, ChannelsAreOffUnlessAskedFor) {
  scenarios::Scenario with = mission_of(2000);
  with.mutable_population()->set_channels(2);
  with.mutable_population()->set_channel_members(300);
  with.mutable_population()->set_channel_sends_ppm(100'000);
  const Town town(with);
  const std::size_t groups = town.script.users.size() / 20;
  ASSERT_EQ(town.script.conversations.size(), groups + 2);
  EXPECT_EQ(town.users_of[groups].size(), 300U);
  EXPECT_EQ(town.users_of[groups + 1].size(), 300U);
  const auto in_channels = std::count_if(town.messages.begin(), town.messages.end(), [&](const Message& m) {
    return m.conversation >= groups && m.conversation < groups + 2;
  });
  EXPECT_NEAR(static_cast<double>(in_channels) / static_cast<double>(town.messages.size()), 0.1, 0.02);
}

TEST(Region, WithoutTypingAndLookingMessagesLeaveAtOnce) {
  scenarios::Scenario plain = mission_of(1000);
  plain.mutable_population()->set_typing_events_permille(0);
  plain.mutable_population()->set_chat_open_s(0);
  const Town town(plain);
  EXPECT_EQ(town.signals, 0U);
  EXPECT_EQ(town.looks, 0U);
  EXPECT_GT(town.messages.size(), 2'000U);
}

TEST(Region, TwoConnectionsAreARegionToo) {
  const Town town(mission_of(2));
  EXPECT_GE(town.script.users.size(), 2U);
  EXPECT_EQ(town.script.conversations.size(), 1U);
}

}  // namespace
}  // namespace wavetank::sim
