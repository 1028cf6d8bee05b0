#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/community.hpp"
#include "sim/population/people.hpp"

namespace wavetank::sim {
namespace {

// What happens at one time stays in its order.
void sort_by_time(std::vector<Action>& actions) {
  std::vector<std::uint32_t> order(actions.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return actions[a].at != actions[b].at ? actions[a].at < actions[b].at : a < b;
  });
  std::vector<Action> sorted;
  sorted.reserve(order.size());
  for (const std::uint32_t i : order) sorted.push_back(actions[i]);
  actions = std::move(sorted);
}

}  // namespace

Script make_crowd(const scenarios::Scenario& scenario, Randomness randomness) {
  const scenarios::Population& population = scenario.population();
  const auto users = static_cast<std::uint32_t>(population.users());
  const TimeNs run = scenario.run_s() * kSecond;
  const TimeNs ramp = population.ramp_s() * kSecond;
  const TimeNs end = run - run / 20;
  Script script;
  add_people(scenario, users, randomness, script);

  ConversationSpec group;
  group.id = group_conversation(script.users[0].region, 1);
  script.conversations.push_back(group);
  const auto act = [&](std::uint32_t user, TimeNs at, protocol::EntryKind kind, std::uint32_t size) {
    Action action;
    action.at = at;
    action.device = script.users[user].first_device;
    action.kind = kind;
    action.size = size;
    script.actions.push_back(action);
  };
  act(0, ramp / 10, protocol::EntryKind::kJoin, 0);
  const auto leavers = static_cast<std::uint64_t>(population.early_leave_percent());
  for (std::uint32_t user = 1; user < users; ++user) {
    act(user, randomness.between(ramp / 5, ramp, Purpose::kMembership, user, 0), protocol::EntryKind::kJoin,
        0);
    if (ramp >= end || !randomness.chance(leavers, 100, Purpose::kMembership, user, 1)) continue;
    const TimeNs leaves = randomness.between(ramp, ramp + (end - ramp) / 2, Purpose::kMembership, user, 2);
    act(user, leaves, protocol::EntryKind::kLeave, 0);
    act(user, randomness.between(leaves, end, Purpose::kMembership, user, 3), protocol::EntryKind::kJoin, 0);
  }
  std::uint64_t messages = 0;
  for (TimeNs at = ramp;; ++messages) {
    at += exponential(population.send_interval_ms() * kMillisecond,
                      randomness.bits(Purpose::kArrival, messages, 0));
    if (at >= end) break;
    act(0, at, protocol::EntryKind::kMessage, static_cast<std::uint32_t>(population.payload_bytes()));
  }
  sort_by_time(script.actions);
  add_synthetic_sessions(scenario, randomness, script);
  script.factors.push_back({"messages", fmt::format("{}, of one writer", messages),
                            fmt::format("exponential gaps around {} ms", population.send_interval_ms())});
  return script;
}

}  // namespace wavetank::sim
