// A slice of a region's day. Nothing is planned: whoever is on writes, reads, goes and comes back by keyed
// draws, and what two people have between them exists from their first message on.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/behaviour.hpp"
#include "sim/population/community.hpp"
#include "sim/population/people.hpp"
#include "sim/population/region_draws.hpp"

namespace wavetank::sim {
namespace {

constexpr DurationNs kTypes = 3 * kSecond;  // shorter than a client says it again (client.typing_refresh_ms)
constexpr DurationNs kTypesUntilPause = 3 * kSecond / 2;

// Members are one of each stratum of the users, so they are distinct without a list; who is on when the slice
// begins is taken before others.
std::uint32_t member_of(const Script& script, const RegionDraws& draws, Randomness randomness,
                        std::uint32_t group, std::uint32_t members, std::uint32_t which) {
  constexpr std::uint64_t kTries = 4;
  const std::uint64_t users = script.users.size();
  const std::uint64_t first = users * which / members;
  const std::uint64_t last = users * (which + 1) / members;  // above first: members <= users
  std::uint32_t user = 0;
  for (std::uint64_t attempt = 1; attempt <= kTries; ++attempt) {
    user = static_cast<std::uint32_t>(
        first + randomness.below(last - first, Purpose::kRegionGroup, group, which + 1, attempt));
    if (draws.is_on_at_start(script.users[user].first_device)) break;
  }
  return user;
}

std::uint32_t members_of(const scenarios::Population& population, const RegionDraws& draws,
                         std::uint32_t group, std::uint32_t groups, std::uint32_t users) {
  if (group < groups) return draws.group_members(group, users);
  return std::min(static_cast<std::uint32_t>(population.channel_members()), users);
}

class Region final : public Behaviour {
 public:
  Region(const scenarios::Scenario& scenario, const Script& script, Randomness randomness, Stage& stage)
      : population_(scenario.population()),
        script_(script),
        randomness_(randomness),
        stage_(stage),
        draws_(population_, randomness),
        contacts_(population_, static_cast<std::uint32_t>(script.users.size()), randomness),
        ramp_(population_.ramp_s() * kSecond),
        groups_(draws_.groups_of(static_cast<std::uint32_t>(script.users.size()))),
        direct_gap_(draws_.direct_gap()),
        group_gap_(draws_.group_gap(static_cast<std::uint64_t>(scenario.devices()), groups_)),
        channel_gap_(draws_.channel_gap(static_cast<std::uint64_t>(scenario.devices()))),
        devices_(script.devices.size()),
        group_messages_(script.conversations.size()) {}

  // Those who are on connect in the first half of the ramp, groups are founded in the second; sessions end,
  // and people write, from its end on.
  void begin() override {
    for (std::uint32_t device = 0; device < devices_.size(); ++device) {
      const TimeNs comes = draws_.is_on_at_start(device)
                               ? randomness_.between(0, ramp_ / 2, Purpose::kRegionSession, device, 0, kComes)
                               : ramp_ + draws_.away_time(device, 0);
      stage_.cue_at(comes, kCome, device);
      next_write(device, ramp_);
    }
    for (std::uint32_t group = 0; group < group_messages_.size(); ++group) {
      const std::uint32_t members = members_of_group(group);
      for (std::uint32_t which = 0; which < members; ++which) {
        const TimeNs from = which == 0 ? ramp_ * 50 / 100 : ramp_ * 60 / 100;
        const TimeNs to = which == 0 ? ramp_ * 58 / 100 : ramp_ * 90 / 100;
        stage_.cue_at(randomness_.between(from, to, Purpose::kRegionGroup, group, which + 1, kJoins),
                      code_of(kJoin, which), group);
      }
      next_group_write(group, ramp_);
    }
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (quiet_) return;
    const std::uint32_t about = code >> kActBits;
    switch (static_cast<Act>(code & kActMask)) {
      case kCome:
        come(index);
        break;
      case kGo:
        go(index);
        break;
      case kWrite:
        write(index);
        break;
      case kGroupWrite:
        write_to_group(index);
        break;
      case kJoin:
        join(index, about);
        break;
      case kPause:
        if (stage_.app_is_open(index)) stage_.type(index, about, false);
        break;
      case kSend:
        send(index, about);
        break;
      case kRead:
        read(index, about);
        break;
      case kShut:
        if (devices_[index].chat == about && stage_.now() >= devices_[index].chat_until) shut_chat(index);
        break;
    }
  }

  // People read on their first device.
  void shown(std::uint32_t device, std::uint32_t conversation, std::uint32_t sender,
             std::uint32_t /*counter*/, std::uint64_t seq) override {
    const std::uint32_t user = script_.devices[device].user;
    if (quiet_ || stage_.now() < ramp_ || user == script_.devices[sender].user) return;
    if (is_direct(conversation)) devices_[device].last_direct = conversation;
    if (device != script_.users[user].first_device) return;
    stage_.cue_at(stage_.now() + draws_.read_delay(device, conversation, seq), code_of(kRead, conversation),
                  device);
  }

  void quiesce() override { quiet_ = true; }

 private:
  // A cue's code: what happens, and above it the conversation, or the member, that it is about.
  enum Act : std::uint32_t { kCome, kGo, kWrite, kGroupWrite, kJoin, kPause, kSend, kRead, kShut };
  static constexpr std::uint32_t kActBits = 4;
  static constexpr std::uint32_t kActMask = (1U << kActBits) - 1;
  static std::uint32_t code_of(Act act, std::uint32_t about = 0) { return about << kActBits | act; }

  enum SessionDraw : std::uint64_t { kComes = 3 };
  enum GroupDraw : std::uint64_t { kJoins = 10, kGap, kIsTime, kWriter };
  enum SendDraw : std::uint64_t { kDirectGap = 4, kDirectIsTime, kAnswers, kContact };

  struct Device {
    TimeNs chat_until = 0;
    std::uint32_t attempts = 0;  // times that its user might have written a direct message
    std::uint32_t sends = 0;
    std::uint32_t sessions = 0;
    std::uint32_t last_direct = kNoIndex;  // the last direct conversation that it has shown a message of
    std::uint32_t chat = kNoIndex;         // the direct chat on its screen
  };
  static_assert(sizeof(Device) <= 32, "a region has millions of them");

  bool is_direct(std::uint32_t conversation) const { return conversation >= script_.conversations.size(); }

  std::uint32_t members_of_group(std::uint32_t group) const {
    return members_of(population_, draws_, group, groups_, static_cast<std::uint32_t>(script_.users.size()));
  }

  // Whether somebody writes at one of the times of the peak, now that it may not be the peak.
  bool is_time(std::uint32_t of, std::uint64_t n, Purpose purpose, std::uint64_t index) const {
    const DurationNs into = stage_.now() - ramp_;
    const std::uint32_t rate = day_rate_ppm(DurationNs{60} * population_.slice_start_min() * kSecond + into);
    return randomness_.chance(rate, kDayPeakPpm, purpose, of, n, index);
  }

  void next_write(std::uint32_t device, TimeNs from) {
    if (direct_gap_ == kNever) return;
    stage_.cue_at(from + exponential(direct_gap_, randomness_.bits(Purpose::kRegionSend, device,
                                                                   devices_[device].attempts, kDirectGap)),
                  kWrite, device);
  }

  void next_group_write(std::uint32_t group, TimeNs from) {
    const DurationNs gap = group < groups_ ? group_gap_ : channel_gap_;
    if (gap == kNever) return;
    stage_.cue_at(
        from + exponential(gap, randomness_.bits(Purpose::kRegionGroup, group, group_messages_[group], kGap)),
        kGroupWrite, group);
  }

  // ---- sessions

  void come(std::uint32_t device) {
    if (stage_.app_is_open(device)) return;
    stage_.open_app(device);
    stage_.cue_at(std::max(stage_.now(), ramp_) + draws_.session_time(device, devices_[device].sessions), kGo,
                  device);
    ++devices_[device].sessions;
  }

  void go(std::uint32_t device) {
    if (!stage_.app_is_open(device)) return;
    shut_chat(device);
    stage_.close_app(device);
    stage_.cue_at(stage_.now() + draws_.away_time(device, devices_[device].sessions), kCome, device);
  }

  // ---- writing

  void write(std::uint32_t device) {
    const std::uint32_t n = devices_[device].attempts++;
    next_write(device, stage_.now());
    if (stage_.app_is_open(device) && is_time(device, n, Purpose::kRegionSend, kDirectIsTime))
      type(device, partner(device, n));
  }

  // Where the last message came from, or to a contact.
  std::uint32_t partner(std::uint32_t device, std::uint32_t n) {
    const std::uint32_t last = devices_[device].last_direct;
    const auto answers = static_cast<std::uint64_t>(population_.answers_permille());
    if (last != kNoIndex && randomness_.chance(answers, 1000, Purpose::kRegionSend, device, n, kAnswers))
      return last;
    const std::uint32_t user = script_.devices[device].user;
    const auto which = static_cast<std::uint32_t>(
        randomness_.below(contacts_.degree(user), Purpose::kRegionSend, device, n, kContact));
    return stage_.direct(user, contacts_.contact(user, which));
  }

  // One of the members whose first device is on.
  void write_to_group(std::uint32_t group) {
    constexpr std::uint64_t kTries = 4;
    const std::uint32_t n = group_messages_[group]++;
    next_group_write(group, stage_.now());
    if (!is_time(group, n, Purpose::kRegionGroup, kIsTime)) return;
    const std::uint32_t members = members_of_group(group);
    for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
      const auto which = static_cast<std::uint32_t>(
          randomness_.below(members, Purpose::kRegionGroup, group, n, kWriter + attempt));
      const std::uint32_t user = member_of(script_, draws_, randomness_, group, members, which);
      const std::uint32_t device = script_.users[user].first_device;
      if (!stage_.app_is_open(device)) continue;
      type(device, group);
      return;
    }
  }

  void type(std::uint32_t device, std::uint32_t conversation) {
    const std::uint32_t signals = draws_.typing_signals(device, devices_[device].sends);
    if (is_direct(conversation)) open_chat(device, conversation);
    if (signals == 0) return send(device, conversation);
    stage_.type(device, conversation, true);
    if (signals > 1) stage_.cue_at(stage_.now() + kTypesUntilPause, code_of(kPause, conversation), device);
    stage_.cue_at(stage_.now() + kTypes, code_of(kSend, conversation), device);
  }

  // Who has gone meanwhile has given up.
  void send(std::uint32_t device, std::uint32_t conversation) {
    if (!stage_.app_is_open(device)) return;
    const std::uint32_t size = draws_.payload_bytes(device, devices_[device].sends++);
    stage_.send(device, conversation, protocol::EntryKind::kMessage, size);
  }

  void join(std::uint32_t group, std::uint32_t which) {
    const std::uint32_t user = member_of(script_, draws_, randomness_, group, members_of_group(group), which);
    const std::uint32_t device = script_.users[user].first_device;
    come(device);
    stage_.send(device, group, protocol::EntryKind::kJoin, 0);
  }

  // ---- reading

  void read(std::uint32_t device, std::uint32_t conversation) {
    if (!stage_.app_is_open(device)) return;
    if (is_direct(conversation)) open_chat(device, conversation);
    stage_.read(device, conversation);
  }

  void open_chat(std::uint32_t device, std::uint32_t conversation) {
    if (population_.chat_open_s() == 0) return;
    Device& d = devices_[device];
    if (d.chat != conversation) {
      shut_chat(device);
      d.chat = conversation;
      stage_.watch(device, conversation, true);
    }
    d.chat_until = stage_.now() + population_.chat_open_s() * kSecond;
    stage_.cue_at(d.chat_until, code_of(kShut, conversation), device);
  }

  void shut_chat(std::uint32_t device) {
    Device& d = devices_[device];
    if (d.chat == kNoIndex) return;
    stage_.watch(device, d.chat, false);
    d.chat = kNoIndex;
  }

  const scenarios::Population& population_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  RegionDraws draws_;
  ContactGraph contacts_;
  TimeNs ramp_;
  std::uint32_t groups_;  // channels follow
  DurationNs direct_gap_;
  DurationNs group_gap_;
  DurationNs channel_gap_;
  std::vector<Device> devices_;
  std::vector<std::uint32_t> group_messages_;  // times that somebody of it might have written, by group
  bool quiet_ = false;
};

std::string percent(std::int64_t ppm) { return fmt::format("{}.{:02} %", ppm / 10'000, ppm / 100 % 100); }

}  // namespace

Script make_region_script(const scenarios::Scenario& scenario, Randomness randomness) {
  const scenarios::Population& p = scenario.population();
  const RegionDraws draws(p, randomness);
  Script script;
  add_people(scenario, draws.users_for(draws.devices_for(static_cast<std::uint64_t>(scenario.devices()))),
             randomness, script);
  const auto users = static_cast<std::uint32_t>(script.users.size());
  const std::uint32_t groups = draws.groups_of(users);
  const std::uint32_t all = groups + static_cast<std::uint32_t>(p.channels());
  script.conversations.reserve(all);
  for (std::uint32_t group = 0; group < all; ++group) {
    ConversationSpec spec;
    spec.first_user =
        member_of(script, draws, randomness, group, members_of(p, draws, group, groups, users), 0);
    spec.id = group_conversation(script.users[spec.first_user].region, group + 1);
    script.conversations.push_back(spec);
  }
  const auto add = [&](std::string name, std::string value, std::string source) {
    script.factors.push_back({std::move(name), std::move(value), std::move(source)});
  };
  add("scale",
      fmt::format("{} connections at a time of {} meant, by {} devices", scenario.devices(),
                  p.connections_meant(), script.devices.size()),
      scenario.devices() < p.connections_meant()
          ? "a sample: rates by connection are those of the whole, its queues and its hottest users are not"
          : "the whole");
  add("profile", scenario.profile().empty() ? "none" : scenario.profile(),
      "sim/README.md has each number's source");
  add("slice of the day",
      fmt::format("from {:02}:{:02}, {} s", p.slice_start_min() / 60 % 24, p.slice_start_min() % 60,
                  scenario.run_s() - p.ramp_s()),
      "after a ramp in which all connect and groups are founded");
  add("sends", fmt::format("{} millionths by second and connection at the daily peak", p.send_peak_uhz()),
      "profile");
  add("sends to groups",
      fmt::format("{} of 1,000, to {} groups and {} channels", p.group_sends_permille(), groups,
                  p.channels()),
      "only groups that are written to exist");
  add("media", percent(std::int64_t{p.photo_ppm()} + p.voice_ppm() + p.video_ppm()),
      "a reference each; the media themselves go elsewhere");
  add("time away", fmt::format("{} s in the mean, and the same device comes back", p.away_s()),
      "assumption: a day has more people, who come in its place");
  return script;
}

std::unique_ptr<Behaviour> make_region(const scenarios::Scenario& scenario, const Script& script,
                                       Randomness randomness, Stage& stage) {
  return std::make_unique<Region>(scenario, script, randomness, stage);
}

}  // namespace wavetank::sim
