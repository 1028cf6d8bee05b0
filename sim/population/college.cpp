#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/population/community.hpp"
#include "sim/population/community_builder.hpp"
#include "sim/population/people.hpp"
#include "sim/traces/trace.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint32_t kCollegeUsers = 1899;

// An injection of forum people into the message network's people: which of the 899 is which of the 1,899 is
// not published, so it is invented, by keyed draw without repetition.
std::vector<std::uint32_t> invent_forum_mapping(std::uint32_t forum_users, Randomness randomness) {
  std::vector<std::uint32_t> users(kCollegeUsers);
  for (std::uint32_t i = 0; i < kCollegeUsers; ++i) users[i] = i;
  std::sort(users.begin(), users.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto x = randomness.bits(Purpose::kUserMapping, a, 0);
    const auto y = randomness.bits(Purpose::kUserMapping, b, 0);
    return x != y ? x < y : a < b;
  });
  users.resize(std::min(forum_users, kCollegeUsers));
  return users;
}

// Keeps `count` utterances in a row, from the first post on or, when too few follow, the last ones: the forum
// opened a month after the network, and a cut of the first thousands would hold no group at all.
void keep_from_first_post(std::size_t count, std::vector<Utterance>& utterances) {
  const auto post = std::find_if(utterances.begin(), utterances.end(),
                                 [](const Utterance& u) { return u.to_group != kNoIndex; });
  const auto most = utterances.end() - static_cast<std::ptrdiff_t>(count);
  utterances.erase(utterances.begin(), std::min(post, most));
  utterances.resize(count);
}

// Numbers the people who say or hear anything from 0, in the order of their trace numbers.
std::uint32_t renumber(std::vector<Utterance>& utterances) {
  std::vector<std::uint32_t> number(kCollegeUsers, kNoIndex);
  for (const Utterance& u : utterances) {
    number[u.user] = 0;
    if (u.to_user != kNoIndex) number[u.to_user] = 0;
  }
  std::uint32_t count = 0;
  for (std::uint32_t& n : number) {
    if (n == 0) n = count++;
  }
  for (Utterance& u : utterances) {
    u.user = number[u.user];
    if (u.to_user != kNoIndex) u.to_user = number[u.to_user];
  }
  return count;
}

}  // namespace

std::expected<Script, std::string> make_college(const scenarios::Scenario& scenario,
                                                const std::filesystem::path& traces, Randomness randomness) {
  const auto messages = load_messages(traces / kMessagesFile);
  if (!messages) return std::unexpected(messages.error());
  const auto posts = load_forum(traces / kForumFile);
  if (!posts) return std::unexpected(posts.error());
  const auto sessions = load_sessions(traces / kSessionsFile);
  if (!sessions) return std::unexpected(sessions.error());
  std::uint32_t forum_users = 0;
  for (const ForumPost& post : *posts) forum_users = std::max(forum_users, post.user);
  const auto mapping = invent_forum_mapping(forum_users, randomness);

  std::vector<Utterance> said;
  said.reserve(messages->size());
  for (const TraceMessage& m : *messages) {
    said.push_back({m.unix_s, m.source - 1, m.destination - 1, kNoIndex, m.characters});
  }
  std::vector<Utterance> posted;
  posted.reserve(posts->size());
  for (std::size_t i = 0; i < posts->size(); ++i) {
    const ForumPost& post = (*posts)[i];
    // The forum trace has no lengths: each post takes that of a private message, by keyed draw.
    const auto model = randomness.below(messages->size(), Purpose::kMessageSize, i, 0);
    posted.push_back(
        {post.unix_s, mapping[post.user - 1], kNoIndex, post.topic, (*messages)[model].characters});
  }
  // Both ascend in time; of one second the private messages come first.
  std::vector<Utterance> utterances;
  utterances.reserve(said.size() + posted.size());
  std::merge(said.begin(), said.end(), posted.begin(), posted.end(), std::back_inserter(utterances),
             [](const Utterance& a, const Utterance& b) { return a.at < b.at; });
  const auto cut = static_cast<std::size_t>(scenario.messages());
  if (cut > 0 && cut < utterances.size()) keep_from_first_post(cut, utterances);
  const std::int64_t cap = scenario.population().gap_cap_s();
  const std::int64_t span = cap_gaps(cap, utterances);

  Script script;
  add_people(scenario, renumber(utterances), randomness, script);
  add_utterances(scenario, utterances, randomness, script);
  add_sessions(scenario, *sessions, randomness, script);
  script.factors.insert(
      script.factors.begin(),
      {{"gaps between human actions", fmt::format("at most {} s", cap),
        "CollegeMsg and its forum; longer silences are cut"},
       {"time between human actions", fmt::format("1:{}", span / scenario.run_s()),
        "what the cut gaps come to, over the run"},
       {"protocol timers, links, retries", "1:1", "never compressed"},
       {"forum people",
        fmt::format("{} of 899 mapped into {}", std::min<std::size_t>(forum_users, mapping.size()),
                    kCollegeUsers),
        "invented by keyed injection: the mapping is not published"},
       {"forum post lengths", "drawn", "lengths of the private messages: the forum trace has none"}});
  return script;
}

}  // namespace wavetank::sim
