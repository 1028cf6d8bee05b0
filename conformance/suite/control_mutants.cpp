// Servers that are as they should be and yet not as the reference: what they do may be done, and every case
// must let it pass. They hold the cases to the requirements instead of to one server's habits.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/suite/mistakes.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// Field 1000, which no message has.
constexpr std::string_view kNewerField("\xc2\x3e\x05hello", 8);
constexpr std::string_view kNewerBody("\xc2\x3e\x00", 3);

Mistake adds_fields() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    frame.unknown = Slice(kNewerField);
    for_events(line, frame, [](Line&, Event& event) { event.unknown = Slice(kNewerField); });
    return true;
  };
  return mistake;
}

Mistake says_more_between() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (std::holds_alternative<Welcome>(frame.body) || !line.is_welcomed()) return true;
    Frame newer;
    newer.unknown = Slice(kNewerBody);
    line.tell(newer);
    return true;
  };
  return mistake;
}

// Frames of which is_one(frame) is true come so much later.
template <class IsOne>
Mistake delays(IsOne is_one, DurationNs by) {
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    if (!is_one(frame)) return true;
    line.tell(std::move(frame), by);
    return false;
  };
  return mistake;
}

bool is_answer(const Frame& frame) {
  return frame.request_id != 0 && !std::holds_alternative<Welcome>(frame.body) &&
         !std::holds_alternative<Error>(frame.body);
}

Mistake makes_pages_of_two() {
  const auto at_most = [](std::uint32_t limit) { return limit == 1 ? limit : std::uint32_t{2}; };
  Mistake mistake;
  mistake.up = [=](Line&, Frame& frame) {
    if (auto* fetch = std::get_if<FetchRange>(&frame.body)) fetch->limit = at_most(fetch->limit);
    if (auto* sync = std::get_if<Sync>(&frame.body)) sync->limit = at_most(sync->limit);
    return true;
  };
  return mistake;
}

Mistake says_what_was_malformed() {
  Mistake mistake;
  mistake.raw = [](Line& line, std::string& bytes) {
    if (!decode(bytes)) line.tell(make_frame(Error{ErrorCode::kMalformed, 0}));
    return true;
  };
  return mistake;
}

Mistake announces_a_drain() {
  return tells<Welcome>([](Line& line, Welcome&) {
    line.tell(make_frame(GoAway{GoAwayReason::kShutdown, 600'000, 600'000}), kMillisecond);
  });
}

// As if every feed and every log had begun anew before.
Mistake has_other_epochs() {
  constexpr std::uint32_t kUser = 40;
  constexpr std::uint32_t kLog = 9;
  const auto changes = [](std::vector<Change>& list) {
    for (Change& change : list) {
      change.conv_epoch += kLog;
      if (change.event) change.event->conv_epoch += kLog;
    }
  };
  Mistake mistake;
  mistake.up = [](Line&, Frame& frame) {
    auto* sync = std::get_if<Sync>(&frame.body);
    if (sync != nullptr && sync->user_epoch >= kUser) sync->user_epoch -= kUser;
    return true;
  };
  mistake.down = [=](Line&, Frame& frame) {
    if (auto* welcome = std::get_if<Welcome>(&frame.body)) welcome->user_epoch += kUser;
    if (auto* ack = std::get_if<SettingAck>(&frame.body)) ack->user_epoch += kUser;
    if (auto* ack = std::get_if<SendAck>(&frame.body)) ack->conv_epoch += kLog;
    if (auto* ack = std::get_if<CursorAck>(&frame.body)) ack->conv_epoch += kLog;
    if (auto* push = std::get_if<ChangePush>(&frame.body)) {
      push->user_epoch += kUser;
      changes(push->changes);
    }
    if (auto* page = std::get_if<SyncResult>(&frame.body)) {
      page->user_epoch += kUser;
      changes(page->changes);
    }
    if (auto* page = std::get_if<RangeResult>(&frame.body)) {
      page->conv_epoch += kLog;
      for (Event& event : page->events) event.conv_epoch += kLog;
    }
    return true;
  };
  return mistake;
}

constexpr Mutant kControlMutants[] = {
    {"newer-fields",
     "Every frame and every entry has a field that the client does not know.",
     {},
     adds_fields},
    {"newer-bodies",
     "Before every frame comes one whose body the client does not know.",
     {},
     says_more_between},
    {"slow-answers",
     "Answers take 300 ms longer, and pushes overtake them.",
     {},
     [] { return delays(is_answer, 300 * kMillisecond); }},
    {"slow-pushes",
     "Pushes take 500 ms longer, and answers overtake them.",
     {},
     [] {
       return delays([](const Frame& frame) { return std::holds_alternative<ChangePush>(frame.body); },
                     500 * kMillisecond);
     }},
    {"echo-before-the-ack",
     "The sender is pushed its own entry before it is acknowledged.",
     {},
     [] {
       return delays([](const Frame& frame) { return std::holds_alternative<SendAck>(frame.body); },
                     60 * kMillisecond);
     }},
    {"pages-of-two", "No page has more than two entries or changes.", {}, makes_pages_of_two},
    {"malformed-frames-are-named",
     "Before a connection ends for bytes that are no frame it is told so.",
     {},
     says_what_was_malformed},
    {"scattered-session-numbers",
     "Session numbers do not count.",
     {},
     [] { return tells<Welcome>([](Line&, Welcome& w) { w.session = IdHash::mix(w.session); }); }},
    {"other-timings",
     "Welcome tells other waits and another time of day.",
     {},
     [] {
       return tells<Welcome>([](Line&, Welcome& w) {
         w.reconnect_min_ms = 1;
         w.reconnect_jitter_ms = 7;
         w.server_time_ms += 86'400'000;
       });
     }},
    {"drain-is-announced", "Every session is told GoAway, ten minutes ahead.", {}, announces_a_drain},
    {"higher-durability",
     "SendAck names a quorum of the region.",
     {},
     [] { return tells<SendAck>([](Line&, SendAck& ack) { ack.durability = Durability::kRegionQuorum; }); }},
    {"other-epochs", "Feeds and logs have begun anew before.", {}, has_other_epochs},
    {"late-ends",
     "A connection that the server ends ends for the client 700 ms later.",
     {},
     [] {
       Mistake mistake;
       mistake.ended = [](Line& line) {
         line.end(700 * kMillisecond);
         return false;
       };
       return mistake;
     }},
};

}  // namespace

std::span<const Mutant> control_mutants() { return kControlMutants; }

}  // namespace wavetank::conformance
