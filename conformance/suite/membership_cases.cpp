#include <algorithm>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;
using Numbers = std::vector<std::uint64_t>;

// What the device can fetch is exactly these entries, the rest being tombstones, and no other payload came
// any other way.
void expect_visible(Trial& trial, Device& device, const Numbers& expected, std::uint64_t head) {
  const RangeResult page = device.fetch(trial.group(1));
  trial.expect_equal("error", page.error, ErrorCode::kNone);
  trial.expect(numbers_of(page) == expected,
               fmt::format("fetched entries: expected {}, came {}", fmt::join(expected, " "),
                           fmt::join(numbers_of(page), " ")));
  trial.expect_equal("head_seq", page.head_seq, head);
  trial.expect(covers_densely(page) && page.covered_to_seq == head, "the page does not cover the log");
  for (const Tombstone& run : page.tombstones) {
    trial.expect(run.reason == TombstoneReason::kNotVisible, "a tombstone of another kind");
  }
  for (const Change& change : device.sync_all(0)) {
    if (!change.event) continue;
    trial.expect(std::find(expected.begin(), expected.end(), change.event->conv_seq) != expected.end(),
                 fmt::format("entry {} is in the feed", change.event->conv_seq));
  }
}

void join_boundary(Trial& trial) {
  Device owner(trial, trial.user(1));
  owner.add(trial.group(1), trial.user(1));  // 1
  owner.say(trial.group(1), "before");       // 2
  Device joiner(trial, trial.user(2));
  trial.expect_equal("before the join", joiner.fetch(trial.group(1)).error, ErrorCode::kForbidden);
  owner.add(trial.group(1), trial.user(2));  // 3
  owner.say(trial.group(1), "after");        // 4
  joiner.pushed(trial.group(1), 4);
  expect_visible(trial, joiner, {3, 4}, 4);
}

void leave_boundary(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device leaver(trial, trial.user(2));
  owner.add(trial.group(1), trial.user(1));      // 1
  owner.add(trial.group(1), trial.user(2));      // 2
  owner.say(trial.group(1), "seen");             // 3
  leaver.remove(trial.group(1), trial.user(2));  // 4
  owner.say(trial.group(1), "not seen");         // 5
  owner.pushed(trial.group(1), 5);
  leaver.pushed(trial.group(1), 4);
  leaver.pushes_until_quiet();
  expect_visible(trial, leaver, {2, 3, 4}, 4);
  trial.expect_equal("the head of a mark of one who left", leaver.read(trial.group(1), 100).head_seq,
                     std::uint64_t{4});
  trial.expect_equal("a send of one who left", leaver.send(leaver.message(trial.group(1), "x")).error,
                     ErrorCode::kForbidden);
}

void rejoin_is_a_union(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device guest(trial, trial.user(2));
  owner.add(trial.group(1), trial.user(1));     // 1
  guest.add(trial.group(1), trial.user(2));     // 2
  owner.say(trial.group(1), "first stay");      // 3
  owner.remove(trial.group(1), trial.user(2));  // 4
  owner.say(trial.group(1), "between");         // 5
  owner.say(trial.group(1), "between");         // 6
  guest.add(trial.group(1), trial.user(2));     // 7
  owner.say(trial.group(1), "second stay");     // 8
  guest.pushed(trial.group(1), 8);
  expect_visible(trial, guest, {2, 3, 4, 7, 8}, 8);
}

// Everything within a moment on one socket: only the order of the log can tell.
void membership_by_log_order(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device guest(trial, trial.user(2));
  owner.add(trial.group(1), trial.user(1));  // 1
  std::vector<std::uint64_t> requests;
  Numbers visible;
  for (std::uint64_t round = 0; round < 5; ++round) {
    const std::uint64_t base = 1 + round * 4;
    requests.push_back(owner.post(owner.membership(trial.group(1), EntryKind::kJoin, guest.user())));
    requests.push_back(owner.post(owner.message(trial.group(1), "for the guest")));
    requests.push_back(owner.post(owner.membership(trial.group(1), EntryKind::kLeave, guest.user())));
    requests.push_back(owner.post(owner.message(trial.group(1), "not for the guest")));
    for (std::uint64_t i = 1; i <= 3; ++i) visible.push_back(base + i);
  }
  std::uint64_t expected = 1;
  for (const std::uint64_t request : requests) {
    trial.expect_equal("the place of a send", owner.expect_body<SendAck>(owner.answer(request)).conv_seq,
                       ++expected);
  }
  guest.pushed(trial.group(1), visible.back());
  guest.pushes_until_quiet();
  expect_visible(trial, guest, visible, visible.back());
}

void pointless_changes_are_refused(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device outsider(trial, trial.user(3));
  owner.add(trial.group(1), trial.user(1));
  const auto expect_forbidden = [&](Device& device, EntryKind kind, UserId target) {
    const SendAck ack = device.send(device.membership(trial.group(1), kind, target));
    trial.expect_equal("status", ack.status, SendStatus::kRejected);
    trial.expect_equal("error", ack.error, ErrorCode::kForbidden);
  };
  expect_forbidden(owner, EntryKind::kJoin, trial.user(1));
  expect_forbidden(owner, EntryKind::kLeave, trial.user(2));
  expect_forbidden(outsider, EntryKind::kLeave, trial.user(1));
  expect_forbidden(outsider, EntryKind::kJoin, trial.user(2));
  trial.expect_equal("entries in the log", owner.fetch(trial.group(1)).head_seq, std::uint64_t{1});
}

void only_messages_are_counted(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device member(trial, trial.user(2));
  Numbers told;
  told.push_back(owner.add(trial.group(1), trial.user(1)).msg_no);     // 1
  told.push_back(owner.add(trial.group(1), trial.user(2)).msg_no);     // 2
  told.push_back(owner.say(trial.group(1), "first").msg_no);           // 3
  told.push_back(owner.add(trial.group(1), trial.user(3)).msg_no);     // 4
  told.push_back(owner.remove(trial.group(1), trial.user(3)).msg_no);  // 5
  told.push_back(member.say(trial.group(1), "second").msg_no);         // 6
  const Numbers expected = {0, 0, 1, 0, 0, 2};
  Numbers fetched;
  for (const Event& event : owner.fetch(trial.group(1)).events) fetched.push_back(event.msg_no);
  for (const Numbers& numbers : {told, fetched}) {
    trial.expect(numbers == expected, fmt::format("message numbers: expected {}, came {}",
                                                  fmt::join(expected, " "), fmt::join(numbers, " ")));
  }
  for (const std::uint64_t seq : {2, 3, 6}) {
    trial.expect_equal("the msg_no pushed", member.pushed(trial.group(1), seq).msg_no, expected[seq - 1]);
  }
}

constexpr Case kMembershipCases[] = {
    {"conf/member/ACL-BOUNDARY-002/join-boundary", "Join a group that has entries already.",
     "The own join and what follows is seen; earlier entries are tombstones.", join_boundary},
    {"conf/member/FET-FORMER-001/leave-boundary", "Leave a group that goes on.",
     "The own leave is the last entry seen and the head from then on.", leave_boundary},
    {"conf/member/ACL-BOUNDARY-003/rejoin-is-a-union", "Leave and join again.",
     "Both stays are seen, what lay between them is not.", rejoin_is_a_union},
    {"conf/member/ACL-BOUNDARY-004/membership-by-log-order",
     "Add, speak, remove and speak again five times on one socket without waiting.",
     "The guest sees exactly the entries from each join to each leave.", membership_by_log_order},
    {"conf/member/SND-JOIN-003/pointless-changes-are-refused",
     "Add a member again, remove a stranger, and let a stranger add and remove others.",
     "REJECTED FORBIDDEN each time; the log is as before.", pointless_changes_are_refused},
    {"conf/member/ORD-DENSE-002/only-messages-are-counted", "Joins, messages and a leave in one group.",
     "Messages are numbered 1 and 2, in acks, pushes and pages; all else has number 0.",
     only_messages_are_counted},
};

}  // namespace

std::span<const Case> membership_cases() { return kMembershipCases; }

}  // namespace wavetank::conformance
