#include "sim/population/people.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reference/environment/footprint.hpp"
#include "sim/kernel/distribution.hpp"

namespace wavetank::sim {
namespace {

void sort_sessions(Script& script) {
  std::sort(script.sessions.begin(), script.sessions.end(), [](const Session& a, const Session& b) {
    return a.open != b.open ? a.open < b.open : a.device < b.device;
  });
}

constexpr TimeNs kShortestSession = 5 * kSecond;
constexpr TimeNs kShortestPause = 2 * kSecond;

}  // namespace

void add_people(const scenarios::Scenario& scenario, std::uint32_t count, Randomness randomness,
                Script& script) {
  const scenarios::Population& population = scenario.population();
  make_room(script.users, script.users.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(script.users.size());
    UserSpec user;
    user.region =
        pick_weighted(scenario.topology().region(), randomness.bits(Purpose::kHomeRegion, index, 0));
    user.id = (static_cast<UserId>(user.region) << kRegionShift) | (index + 1);
    user.first_device = static_cast<std::uint32_t>(script.devices.size());
    if (population.workload() != scenarios::Population::STAR) {
      const auto draw = static_cast<std::int32_t>(randomness.below(100, Purpose::kDeviceCount, index, 0));
      user.devices = draw < population.three_devices_percent()                                      ? 3
                     : draw < population.three_devices_percent() + population.two_devices_percent() ? 2
                                                                                                    : 1;
    }
    for (std::uint32_t d = 0; d < user.devices; ++d) {
      DeviceSpec device;
      device.user = index;
      device.cohort = pick_weighted(scenario.cohort(), randomness.bits(Purpose::kDeviceCohort, index, d));
      device.always_on = population.workload() == scenarios::Population::STAR ||
                         randomness.chance(static_cast<std::uint64_t>(population.always_on_percent()), 100,
                                           Purpose::kSession, index, d, 1);
      make_room(script.devices, script.devices.size() + 1);
      script.devices.push_back(device);
    }
    script.users.push_back(user);
  }
}

void add_sessions(const scenarios::Scenario& scenario, std::span<const TraceSession> sessions,
                  Randomness randomness, Script& script) {
  const std::int64_t factor = scenario.population().session_factor();
  const TimeNs end = scenario.run_s() * kSecond;
  const TimeNs ramp = scenario.population().ramp_s() * kSecond;
  // The trace's sessions by person, each in its own order; people seen less than three times are left out.
  std::vector<std::vector<const TraceSession*>> people;
  for (const TraceSession& session : sessions) {
    if (session.user >= people.size()) people.resize(session.user + 1);
    people[session.user].push_back(&session);
  }
  std::erase_if(people, [](const auto& list) { return list.size() < 3; });
  if (people.empty()) return;
  for (std::uint32_t device = 0; device < script.devices.size(); ++device) {
    if (script.devices[device].always_on) continue;
    const auto& person = people[randomness.below(people.size(), Purpose::kSession, device, 2)];
    std::size_t at = randomness.below(person.size(), Purpose::kSession, device, 3);
    TimeNs time = randomness.between(0, ramp, Purpose::kSession, device, 4);
    while (time < end) {
      const TraceSession& real = *person[at];
      const TimeNs length = std::max(kShortestSession, real.duration_s * kSecond / factor);
      script.sessions.push_back({time, std::min(time + length, end), device});
      // A person last seen, or online elsewhere already, pauses as briefly as anybody does.
      const TimeNs pause = std::max(kShortestPause, real.offline_s * kSecond / factor);
      time += length + std::min(pause, end / 4);
      at = (at + 1) % person.size();
    }
  }
  sort_sessions(script);
  script.factors.push_back(
      {"session time", fmt::format("1:{}", factor), "sessions and pauses of the #qtox channel log"});
}

void add_synthetic_sessions(const scenarios::Scenario& scenario, Randomness randomness, Script& script) {
  const std::int64_t factor = scenario.population().session_factor();
  const TimeNs end = scenario.run_s() * kSecond;
  const TimeNs ramp = scenario.population().ramp_s() * kSecond;
  for (std::uint32_t device = 0; device < script.devices.size(); ++device) {
    if (script.devices[device].always_on) continue;
    TimeNs time = randomness.between(0, ramp, Purpose::kSession, device, 4);
    for (std::uint64_t i = 0; time < end; ++i) {
      // Medians of two hours online and ten minutes away, before the factor.
      const TimeNs length =
          log_normal(7200 * kSecond / factor, 900, randomness.bits(Purpose::kSession, device, 5, i));
      const TimeNs pause =
          log_normal(600 * kSecond / factor, 1200, randomness.bits(Purpose::kSession, device, 6, i));
      script.sessions.push_back({time, std::min(time + std::max(kShortestSession, length), end), device});
      time += std::max(kShortestSession, length) + std::max(kShortestPause, std::min(pause, end / 4));
    }
  }
  sort_sessions(script);
  script.factors.push_back({"session time", fmt::format("1:{}", factor),
                            "log-normal draws, median two hours online, ten minutes away"});
}

}  // namespace wavetank::sim
