#include <algorithm>

#include "sim/kernel/distribution.hpp"
#include "sim/population/community.hpp"
#include "sim/population/community_builder.hpp"
#include "sim/population/people.hpp"

namespace wavetank::sim {
namespace {

// Text lengths: log-normal with median 18 characters and sigma 1.15, fitted to 474,562 messages
// (process-one.net, "How Many Letters Are in Messages?").
constexpr std::int64_t kMedianCharacters = 18;
constexpr std::uint32_t kSigmaMilli = 1150;
constexpr std::int64_t kLongestMessage = 8000;

}  // namespace

Script make_campus(const scenarios::Scenario& scenario, Randomness randomness) {
  const scenarios::Population& population = scenario.population();
  const auto users = static_cast<std::uint32_t>(population.users());
  const auto groups = static_cast<std::uint32_t>(population.groups());
  std::int64_t count = population.campus_messages();
  if (scenario.messages() > 0) count = std::min(count, scenario.messages());

  const Zipf talkers(users, 800);
  const Zipf topics(std::max(1u, groups), 900);
  std::vector<Utterance> utterances;
  std::int64_t at = 0;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    Utterance u;
    at += exponential(kSecond, randomness.bits(Purpose::kArrival, i, 0));
    u.at = at;
    u.size = static_cast<std::uint32_t>(
        std::min(kLongestMessage,
                 log_normal(kMedianCharacters, kSigmaMilli, randomness.bits(Purpose::kMessageSize, i, 0))));
    u.user = talkers.rank(randomness.bits(Purpose::kContact, i, 0));
    if (groups > 0 && randomness.chance(static_cast<std::uint64_t>(population.group_share_percent()), 100,
                                        Purpose::kContact, i, 1)) {
      u.to_group = topics.rank(randomness.bits(Purpose::kContact, i, 2));
      // A group is a circle of its own: whoever talks there is one of at most so many.
      const auto seat =
          randomness.below(static_cast<std::uint64_t>(population.group_circle()), Purpose::kContact, i, 6);
      u.user =
          static_cast<std::uint32_t>(randomness.below(users, Purpose::kContact, u.to_group, 7, seat + 1));
    } else if (i > 0 && utterances.back().to_user == u.user &&
               randomness.chance(1, 2, Purpose::kContact, i, 3)) {
      u.to_user = utterances.back().user;
    } else {
      // Everybody writes to a few people again and again: contact k of user u is a keyed draw of its own.
      const auto contact = randomness.below(8, Purpose::kContact, i, 4);
      u.to_user =
          static_cast<std::uint32_t>(randomness.below(users - 1, Purpose::kContact, u.user, 5, contact + 1));
      if (u.to_user >= u.user) ++u.to_user;
    }
    utterances.push_back(u);
  }
  Script script;
  add_people(scenario, users, randomness, script);
  add_utterances(scenario, utterances, randomness, script);
  add_synthetic_sessions(scenario, randomness, script);
  script.factors.push_back({"messages", std::to_string(count),
                            "keyed draws: Zipf talkers, eight contacts each, log-normal lengths"});
  return script;
}

}  // namespace wavetank::sim
