#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// The user's joins and leaves that the page shows, by their places.
std::vector<const Event*> stays_in(const RangeResult& page, UserId user) {
  std::vector<const Event*> stays;
  for (const Event& event : page.events) {
    if (event.kind != EntryKind::kMessage && event.target_user == user) stays.push_back(&event);
  }
  return stays;
}

Mistake sees_the_last_stay_only() {
  return tells<RangeResult>([](Line& line, RangeResult& page) {
    std::uint64_t joined = 0;
    for (const Event* event : stays_in(page, line.user())) {
      if (event->kind == EntryKind::kJoin) joined = event->conv_seq;
    }
    if (joined <= page.from_seq) return;
    std::erase_if(page.events, [&](const Event& event) { return event.conv_seq < joined; });
    std::erase_if(page.tombstones, [&](const Tombstone& run) { return run.from_seq < joined; });
    page.tombstones.insert(page.tombstones.begin(),
                           {page.from_seq, joined - 1, TombstoneReason::kNotVisible});
  });
}

// Whoever has come back is shown what was said meanwhile.
Mistake sees_the_time_between() {
  auto log = std::make_shared<std::map<std::pair<ConversationId, std::uint64_t>, Event>>();
  Mistake mistake =
      tells_events([=](Line&, const Event& event) { (*log)[{event.conversation, event.conv_seq}] = event; });
  const Mistake::Frames learn = mistake.down;
  mistake.down = [=](Line& line, Frame& frame) {
    learn(line, frame);
    auto* page = std::get_if<RangeResult>(&frame.body);
    if (page == nullptr || page->events.empty()) return true;
    std::vector<Tombstone> rest;
    for (const Tombstone& run : page->tombstones) {
      const bool between = run.from_seq > page->events.front().conv_seq;
      if (!between || !log->contains({page->conversation, run.from_seq})) {
        rest.push_back(run);
        continue;
      }
      for (std::uint64_t seq = run.from_seq; seq <= run.to_seq; ++seq) {
        page->events.push_back((*log)[{page->conversation, seq}]);
      }
    }
    page->tombstones = rest;
    std::sort(page->events.begin(), page->events.end(),
              [](const Event& a, const Event& b) { return a.conv_seq < b.conv_seq; });
    return true;
  };
  return mistake;
}

// Who leaves is taken to have left at the second of the clock in which the leave came.
Mistake decides_by_the_clock() {
  return tells<RangeResult>([](Line& line, RangeResult& page) {
    std::set<std::uint64_t> left_at;
    for (const Event* event : stays_in(page, line.user())) {
      if (event->kind == EntryKind::kLeave) left_at.insert(event->server_time_ms / 1000);
    }
    hide_events(page, [&](const Event& event) {
      return event.kind == EntryKind::kMessage && left_at.contains(event.server_time_ms / 1000);
    });
  });
}

constexpr Mutant kMembershipMutants[] = {
    {"own-join-is-hidden",
     "A membership begins behind the join.",
     {"ACL-BOUNDARY-002"},
     [] {
       return tells<RangeResult>([](Line& line, RangeResult& page) {
         const UserId user = line.user();
         hide_events(page, [&](const Event& event) {
           return event.kind == EntryKind::kJoin && event.target_user == user && event.sender != user;
         });
       });
     }},
    {"rejoin-forgets-the-first-stay",
     "Who has come back sees only what follows the last join.",
     {"ACL-BOUNDARY-003"},
     sees_the_last_stay_only},
    {"rejoin-opens-what-was-between",
     "Who has come back sees what was said in the absence.",
     {"ACL-BOUNDARY-003"},
     sees_the_time_between},
    {"membership-by-the-clock",
     "What was said in the second in which the user left is hidden.",
     {"ACL-BOUNDARY-004"},
     decides_by_the_clock},
    {"memberships-are-counted",
     "Joins and leaves take message numbers.",
     {"ORD-DENSE-002"},
     [] {
       Mistake mistake = tells_events([](Line&, Event& event) { event.msg_no = event.conv_seq; });
       const Mistake::Frames events = mistake.down;
       mistake.down = [=](Line& line, Frame& frame) {
         auto* ack = std::get_if<SendAck>(&frame.body);
         if (ack != nullptr && ack->status != SendStatus::kRejected) ack->msg_no = ack->conv_seq;
         return events(line, frame);
       };
       return mistake;
     }},
};

}  // namespace

std::span<const Mutant> membership_mutants() { return kMembershipMutants; }

}  // namespace wavetank::conformance
