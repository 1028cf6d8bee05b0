// TYP-TTL: typing is shown only while it is so.
//
// Every record that shows it begins a stretch, which ends with the next record of the same display, or with
// the app. At its beginning the user must have said so within the time to live and the margin, and both must
// have been members; it must end before that time is over, and with the first message of the user.
#include <algorithm>
#include <map>
#include <tuple>

#include "conformance/exact/properties.hpp"
#include "conformance/requirements/typing_bounds.hpp"

namespace wavetank::conformance::exact {

namespace {

using Display = std::tuple<DeviceTag, ConversationIndex, UserIndex>;

struct TypingPlaces {
  std::map<UserConversation, std::vector<Index>> said;       // typing, on
  std::map<Display, std::vector<Index>> turns;               // shown and hidden
  std::map<DeviceTag, std::vector<Index>> gone;              // the app was closed or killed
  std::map<Display, std::vector<Index>> messages;            // shown, by their sender
  std::map<DeviceConversation, std::vector<Index>> signals;  // sent by a device
};

TypingPlaces read_places(const Facts& facts) {
  TypingPlaces places;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kTypingSent) {
      places.signals[{r.device, r.conversation}].push_back(i);
      if (r.flag) places.said[{facts.user_of(r.device), r.conversation}].push_back(i);
    }
    if (r.kind == Kind::kTypingShown || r.kind == Kind::kTypingHidden)
      places.turns[{r.device, r.conversation, r.subject}].push_back(i);
    if (r.kind == Kind::kAppClosed || r.kind == Kind::kDeviceRestart) places.gone[r.device].push_back(i);
    if (r.kind == Kind::kReceived && r.flag && r.entry_kind == 0)
      places.messages[{r.device, r.conversation, r.sender}].push_back(i);
  }
  return places;
}

Index first_after(const std::vector<Index>& places, Index at) {
  const auto next = std::upper_bound(places.begin(), places.end(), at);
  return next == places.end() ? kNowhere : *next;
}
const Record* last_before(const Facts& facts, const std::vector<Index>& places, Index at) {
  const auto next = std::lower_bound(places.begin(), places.end(), at);
  return next == places.begin() ? nullptr : facts.records[*(next - 1)];
}

// When every entry up to this one had been witnessed.
TimeNs known_at(const Facts& facts, const Log& log, std::uint64_t seq) {
  Index at = 0;
  for (std::uint64_t s = 1; s <= seq; ++s) at = std::max(at, log.entries.at(s).classified);
  return facts.records[at]->time;
}

enum class Membership { kYes, kNo, kUnknown };

// Whether the user was a member when the record was made or when its signal may have been sent.
Membership membership(const Facts& facts, const Record& shown, UserIndex user, DurationNs lasts) {
  const Log& log = facts.log(shown.conversation);
  if (!log.is_group) return log.is_member(user, 1) ? Membership::kYes : Membership::kNo;
  for (const Interval& interval : value_or_default(log.members, user)) {
    const auto join = facts.messages.find(interval.join);
    const bool was_asked = join == facts.messages.end() || join->second.invoked_at <= shown.time;
    if (!was_asked) continue;
    if (interval.left == 0 || known_at(facts, log, interval.left) >= shown.time - lasts)
      return Membership::kYes;
  }
  return log.known < log.head.last() ? Membership::kUnknown : Membership::kNo;
}

void judge_audience(const Facts& facts, const Record& r, const Record* said, Findings& out) {
  const UserIndex viewer = facts.user_of(r.device);
  if (r.subject == viewer) {
    out.violate(r, "device {} is told that its own user {} types", r.device, viewer);
    return;
  }
  if (said == nullptr) return;
  for (const UserIndex user : {viewer, r.subject}) {
    const Membership found = membership(facts, r, user, typing_lasts(said->value));
    if (found == Membership::kUnknown) ++out.unverified;
    if (found == Membership::kNo) {
      out.violate(r, "device {} shows typing in conversation {}, of which user {} was no member", r.device,
                  r.conversation, user);
    }
  }
}

void judge_stretch(const Facts& facts, const TypingPlaces& places, Index begin, const Record* said,
                   Findings& out) {
  const Record& r = *facts.records[begin];
  const Display display{r.device, r.conversation, r.subject};
  const Index end = std::min(first_after(value_or_default(places.turns, display), begin),
                             first_after(value_or_default(places.gone, r.device), begin));
  const TimeNs ended = end == kNowhere ? facts.end : facts.records[end]->time;
  TimeNs due = kNever;
  if (said == nullptr || r.time > said->time + typing_lasts(said->value)) {
    out.violate(r, "device {} shows that user {} types in conversation {}, who has not said so", r.device,
                r.subject, r.conversation);
  } else {
    due = said->time + typing_lasts(said->value);
  }
  const Index message = first_after(value_or_default(places.messages, display), begin);
  if (message < end) due = std::min(due, facts.records[message]->time);
  if (ended <= due) return;
  out.violate_at(ended, r.conversation, r.device, 0, {},
                 "device {} showed that user {} types in conversation {} for {} ms longer than it was so",
                 r.device, r.subject, r.conversation, (ended - due) / kMillisecond);
}

}  // namespace

Findings typing_ttl(const Facts& facts) {
  Findings out;
  const TypingPlaces places = read_places(facts);
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kTypingShown) continue;
    out.fired();
    const Record* said = last_before(facts, value_or_default(places.said, {r.subject, r.conversation}), i);
    judge_audience(facts, r, said, out);
    judge_stretch(facts, places, i, said, out);
  }
  // Of one run of the app no two signals of a conversation come within a second.
  for (const auto& [place, signals] : places.signals) {
    for (std::size_t n = 1; n < signals.size(); ++n) {
      const Record& r = *facts.records[signals[n]];
      const bool is_new_app =
          first_after(value_or_default(places.gone, r.device), signals[n - 1]) < signals[n];
      if (is_new_app || r.time - facts.records[signals[n - 1]]->time >= kTypingPauseMin) continue;
      out.violate(r, "device {} has said twice within a second whether its user types in conversation {}",
                  r.device, r.conversation);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
