#include "sim/population/community_builder.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace wavetank::sim {
namespace {

using protocol::EntryKind;

// Who comes back within less does not leave at all.
constexpr DurationNs kShortestAbsence = 4 * kSecond;

class Builder {
 public:
  Builder(const scenarios::Scenario& scenario, const std::vector<Utterance>& utterances,
          Randomness randomness, Script& script)
      : scenario_(scenario), utterances_(utterances), randomness_(randomness), script_(script) {
    const TimeNs run = scenario.run_s() * kSecond;
    start_ = std::min(scenario.population().ramp_s() * kSecond * 2, run / 10);
    end_ = run - run / 20;
    first_ = utterances.front().at;
    span_ = std::max<std::int64_t>(1, utterances.back().at - first_);
  }

  void build() {
    for (const Utterance& utterance : utterances_) add(utterance);
    add_departures();
    sort_actions();
  }

 private:
  // A person's stay in a group: where its posts stand in `actions`.
  struct Stay {
    std::uint32_t user;
    std::uint32_t conversation;
    std::vector<std::uint32_t> posts;
  };

  TimeNs virtual_time(std::int64_t at) const {
    const auto run = static_cast<Uint128>(end_ - start_) * static_cast<std::uint64_t>(at - first_);
    return start_ + static_cast<TimeNs>(run / static_cast<std::uint64_t>(span_));
  }

  std::uint32_t conversation_of(const Utterance& u) {
    const bool group = u.to_group != kNoIndex;
    ConversationSpec spec;
    spec.first_user = u.user;
    if (group) {
      const auto known = groups_.find(u.to_group);
      if (known != groups_.end()) return known->second;
      spec.id = group_conversation(script_.users[u.user].region, u.to_group + 1);
    } else {
      spec.second_user = u.to_user;
      spec.id = direct_conversation(script_.users[u.user].id, script_.users[u.to_user].id);
    }
    const auto [place, fresh] =
        conversations_.try_emplace(spec.id, static_cast<std::uint32_t>(script_.conversations.size()));
    if (fresh) {
      script_.conversations.push_back(spec);
      last_action_.push_back(kNoIndex);
    }
    if (group) groups_.emplace(u.to_group, place->second);
    return place->second;
  }

  // People write mostly on their first device; what concerns a group stays on one device, so that nobody
  // posts from a second device before the first has joined.
  std::uint32_t device_of(std::uint32_t user, bool group, std::uint64_t key) const {
    const UserSpec& spec = script_.users[user];
    if (group || spec.devices == 1 || !randomness_.chance(1, 4, Purpose::kSend, user, key))
      return spec.first_device;
    return spec.first_device + 1 +
           static_cast<std::uint32_t>(randomness_.below(spec.devices - 1, Purpose::kSend, user, key, 1));
  }

  void add(const Utterance& u) {
    const std::uint32_t conversation = conversation_of(u);
    const bool group = u.to_group != kNoIndex;
    const TimeNs at = virtual_time(u.at);
    const auto number = static_cast<std::uint32_t>(script_.actions.size());
    if (group) {
      const std::uint64_t key = static_cast<std::uint64_t>(conversation) << 32 | u.user;
      const auto [place, fresh] = stay_of_.try_emplace(key, static_cast<std::uint32_t>(stays_.size()));
      if (fresh) {
        stays_.push_back({u.user, conversation, {}});
        membership(at, u.user, conversation, EntryKind::kJoin);
      }
      stays_[place->second].posts.push_back(static_cast<std::uint32_t>(script_.actions.size()));
    }
    Action action;
    action.at = at;
    action.device = device_of(u.user, group, number);
    action.conversation = conversation;
    action.size = u.size;
    const std::uint32_t before = last_action_[conversation];
    if (before != kNoIndex && script_.devices[script_.actions[before].device].user != u.user)
      action.antecedent = before;
    last_action_[conversation] = static_cast<std::uint32_t>(script_.actions.size());
    script_.actions.push_back(action);
  }

  void membership(TimeNs at, std::uint32_t user, std::uint32_t conversation, EntryKind kind) {
    Action action;
    action.at = at;
    action.device = script_.users[user].first_device;
    action.conversation = conversation;
    action.kind = kind;
    script_.actions.push_back(action);
  }

  void add_departures() {
    const TimeNs run = scenario_.run_s() * kSecond;
    const auto percent = static_cast<std::uint64_t>(scenario_.population().early_leave_percent());
    for (std::uint32_t s = 0; s < stays_.size(); ++s) {
      const Stay& stay = stays_[s];
      const std::uint64_t who = static_cast<std::uint64_t>(stay.conversation) << 32 | stay.user;
      if (randomness_.chance(percent, 100, Purpose::kMembership, who, 0)) leave_early(stay, who);
      const TimeNs last = script_.actions[stay.posts.back()].at;
      const TimeNs leave = last + randomness_.between(run / 100, run / 2, Purpose::kMembership, who, 2);
      if (leave < end_) membership(leave, stay.user, stay.conversation, EntryKind::kLeave);
    }
  }

  // Leaves half-way between two posts and rejoins in time for the second. A reply that is late may miss the
  // membership: the boundary is there to be run into.
  void leave_early(const Stay& stay, std::uint64_t who) {
    const auto at = [&](std::size_t post) { return script_.actions[stay.posts[post]].at; };
    std::vector<std::size_t> pauses;  // by the post before them
    for (std::size_t i = 0; i + 1 < stay.posts.size(); ++i) {
      if (at(i + 1) - at(i) > kShortestAbsence) pauses.push_back(i);
    }
    if (pauses.empty()) return;
    const std::size_t i = pauses[randomness_.below(pauses.size(), Purpose::kMembership, who, 1)];
    const TimeNs from = at(i);
    const TimeNs to = at(i + 1);
    membership(from + (to - from) / 2, stay.user, stay.conversation, EntryKind::kLeave);
    membership(to - kSecond, stay.user, stay.conversation, EntryKind::kJoin);
  }

  // Sorts by time, keeping what was said at one time in its order, and renames antecedents accordingly.
  void sort_actions() {
    std::vector<std::uint32_t> order(script_.actions.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const TimeNs at = script_.actions[a].at;
      const TimeNs other = script_.actions[b].at;
      return at != other ? at < other : a < b;
    });
    std::vector<std::uint32_t> place(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    std::vector<Action> sorted;
    sorted.reserve(order.size());
    for (const std::uint32_t i : order) {
      sorted.push_back(script_.actions[i]);
      if (sorted.back().antecedent != kNoIndex) sorted.back().antecedent = place[sorted.back().antecedent];
    }
    script_.actions = std::move(sorted);
  }

  const scenarios::Scenario& scenario_;
  const std::vector<Utterance>& utterances_;
  Randomness randomness_;
  Script& script_;
  TimeNs start_ = 0;
  TimeNs end_ = 0;
  std::int64_t first_ = 0;
  std::int64_t span_ = 1;
  boost::unordered_flat_map<ConversationId, std::uint32_t, IdHash> conversations_;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> groups_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t, IdHash> stay_of_;
  std::vector<Stay> stays_;
  std::vector<std::uint32_t> last_action_;  // by conversation
};

}  // namespace

std::int64_t cap_gaps(std::int64_t cap_s, std::vector<Utterance>& utterances) {
  if (utterances.empty()) return 0;
  std::int64_t real_before = utterances.front().at;
  std::int64_t at = 0;
  for (Utterance& u : utterances) {
    at += std::min(cap_s, u.at - real_before);
    real_before = u.at;
    u.at = at;
  }
  return at;
}

void add_utterances(const scenarios::Scenario& scenario, const std::vector<Utterance>& utterances,
                    Randomness randomness, Script& script) {
  if (!utterances.empty()) Builder(scenario, utterances, randomness, script).build();
}

}  // namespace wavetank::sim
