#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

void speak(Trial& trial, Device& speaker, int count) {
  for (int i = 1; i <= count; ++i) speaker.say(trial.chat(), "x");
}

void expect_marks(Trial& trial, const CursorAck& ack, std::uint64_t delivered, std::uint64_t read) {
  trial.expect_equal("error", ack.error, ErrorCode::kNone);
  trial.expect_equal("delivered_seq", ack.delivered_seq, delivered);
  trial.expect_equal("read_seq", ack.read_seq, read);
}

void read_is_the_maximum(Trial& trial) {
  Device speaker(trial, trial.user(1));
  speak(trial, speaker, 5);
  Device phone(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  expect_marks(trial, phone.read(trial.chat(), 4), 4, 4);
  // The desk is behind: the user's mark stays, its own delivered mark is its own.
  expect_marks(trial, desk.read(trial.chat(), 2), 2, 4);
  expect_marks(trial, phone.read(trial.chat(), 1), 4, 4);
  expect_marks(trial, desk.read(trial.chat(), 5), 5, 5);
  expect_marks(trial, phone.delivered(trial.chat(), 1), 4, 5);
}

void marks_are_clamped(Trial& trial) {
  Device speaker(trial, trial.user(1));
  speak(trial, speaker, 3);
  Device reader(trial, trial.user(2));
  const CursorAck delivered = reader.delivered(trial.chat(), 1000);
  expect_marks(trial, delivered, 3, 0);
  trial.expect_equal("head_seq", delivered.head_seq, std::uint64_t{3});
  expect_marks(trial, reader.read(trial.chat(), 1ULL << 60), 3, 3);
  // The next entry is above the mark.
  speak(trial, speaker, 1);
  expect_marks(trial, reader.delivered(trial.chat(), 0), 3, 3);
}

void read_moves_delivered(Trial& trial) {
  Device speaker(trial, trial.user(1));
  speak(trial, speaker, 3);
  Device reader(trial, trial.user(2));
  expect_marks(trial, reader.delivered(trial.chat(), 1), 1, 0);
  expect_marks(trial, reader.read(trial.chat(), 3), 3, 3);
}

void unread_counts_others_messages(Trial& trial) {
  Device owner(trial, trial.user(1));
  owner.add(trial.group(1), trial.user(1));  // 1
  owner.add(trial.group(1), trial.user(2));  // 2
  Device other(trial, trial.user(2));
  owner.say(trial.group(1), "a");            // 3
  other.say(trial.group(1), "b");            // 4
  owner.say(trial.group(1), "c");            // 5
  owner.add(trial.group(1), trial.user(3));  // 6
  trial.expect_equal("unread of 1 to 6", other.delivered(trial.group(1), 6).unread, std::uint64_t{2});
  trial.expect_equal("unread after reading 3", other.read(trial.group(1), 3).unread, std::uint64_t{1});
  trial.expect_equal("unread after reading all", other.read(trial.group(1), 6).unread, std::uint64_t{0});
  trial.expect_equal("the owner's unread", owner.delivered(trial.group(1), 1).unread, std::uint64_t{1});
  Device late(trial, trial.user(3));
  trial.expect_equal("unread of one who joined last", late.delivered(trial.group(1), 6).unread,
                     std::uint64_t{0});
}

void marks_reach_the_author(Trial& trial) {
  Device author(trial, trial.user(1));
  speak(trial, author, 3);
  Device reader(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  reader.delivered(trial.chat(), 2);
  author.pushed_receipt(trial.chat(), reader.user(), 2, 0);
  reader.read(trial.chat(), 3);
  const Change seen = author.pushed_receipt(trial.chat(), reader.user(), 3, 3);
  trial.expect_equal("the delivered mark shown", seen.delivered_seq, std::uint64_t{3});
  desk.pushed_receipt(trial.chat(), reader.user(), 0, 3);
}

void private_marks_stay_private(Trial& trial) {
  Device author(trial, trial.user(1));
  speak(trial, author, 3);
  Device reader(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  expect_marks(trial, reader.read(trial.chat(), 3, true), 3, 3);
  desk.pushed_receipt(trial.chat(), reader.user(), 0, 3);
  for (const Change& change : author.pushes_until_quiet()) {
    trial.expect(change.subject != reader.user() || change.read_seq == 0,
                 "the author was shown a private mark");
  }
}

void outsider_has_no_marks(Trial& trial) {
  Device author(trial, trial.user(1));
  speak(trial, author, 3);
  Device outsider(trial, trial.user(3));
  trial.expect_equal("a delivered mark", outsider.delivered(trial.chat(), 2).error, ErrorCode::kForbidden);
  const CursorAck refused = outsider.read(trial.chat(), 2);
  trial.expect_equal("a read mark", refused.error, ErrorCode::kForbidden);
  trial.expect_equal("the head that a stranger is told", refused.head_seq, std::uint64_t{0});
}

void the_furthest_device_is_shown(Trial& trial) {
  Device author(trial, trial.user(1));
  speak(trial, author, 3);
  Device phone(trial, trial.user(2), 0);
  Device desk(trial, trial.user(2), 1);
  desk.delivered(trial.chat(), 1);
  author.pushed_receipt(trial.chat(), phone.user(), 1, 0);
  phone.delivered(trial.chat(), 3);
  author.pushed_receipt(trial.chat(), phone.user(), 3, 0);
  desk.delivered(trial.chat(), 2);
  std::uint64_t shown = 0;
  for (const Change& change : author.pushes_until_quiet()) {
    if (change.kind != ChangeKind::kReceipt) continue;
    trial.expect(change.delivered_seq >= shown, "the mark shown to others falls");
    shown = change.delivered_seq;
  }
}

void groups_are_spared_deliveries(Trial& trial) {
  Device owner(trial, trial.user(1));
  Device member(trial, trial.user(2));
  Device third(trial, trial.user(3));
  for (const Device* device : {&owner, &member, &third}) owner.add(trial.group(1), device->user());  // 1 to 3
  owner.say(trial.group(1), "to all");                                                               // 4
  member.delivered(trial.group(1), 4);
  third.delivered(trial.group(1), 4);
  // What a read mark brings comes after all that the delivered marks would have brought.
  member.read(trial.group(1), 4);
  owner.pushed_receipt(trial.group(1), member.user(), 0, 4);
  for (Device* device : {&owner, &member, &third}) {
    for (const Change& change : device->pushes_until_quiet()) {
      trial.expect(change.kind != ChangeKind::kReceipt || change.read_seq != 0,
                   "a delivery in a group is told");
    }
  }
}

constexpr Case kReceiptCases[] = {
    {"conf/receipt/RD-USER-001/read-is-the-maximum", "Move the read marks of two devices up and down.",
     "The user's mark is the maximum and never falls; delivered marks are each device's own.",
     read_is_the_maximum},
    {"conf/receipt/RCP-CLAMP-001/marks-are-clamped", "Set marks far above the head; then one more entry.",
     "They are stored as the head of that time.", marks_are_clamped},
    {"conf/receipt/RD-LEQ-001/read-moves-delivered", "Read more than was delivered.",
     "The device's delivered mark moves with it.", read_moves_delivered},
    {"conf/receipt/RD-UNREAD-001/unread-counts-others-messages",
     "Ask for the unread number in a group with own messages, others' messages and joins.",
     "Only others' visible messages above the mark count.", unread_counts_others_messages},
    {"conf/receipt/RCP-FANOUT-002/marks-reach-the-author",
     "Move delivered and read marks in a direct conversation.",
     "The author and the reader's other device are pushed them.", marks_reach_the_author},
    {"conf/receipt/RD-PRIVATE-001/private-marks-stay-private", "Read privately.",
     "The own other device is pushed the mark, the author never.", private_marks_stay_private},
    {"conf/receipt/RD-FORMER-001/outsider-has-no-marks", "Set marks in others' conversation.",
     "FORBIDDEN, without the head.", outsider_has_no_marks},
    {"conf/receipt/RCP-FANOUT-003/the-furthest-device-is-shown",
     "Move the delivered marks of two devices; the author watches.",
     "The author is shown the higher of the two, and it never falls.", the_furthest_device_is_shown},
    {"conf/receipt/RCP-FANOUT-004/groups-are-spared-deliveries",
     "Move delivered marks in a group, then one read mark.",
     "The author is told of the read mark; of a delivery alone nobody is told.",
     groups_are_spared_deliveries},
};

}  // namespace

std::span<const Case> receipt_cases() { return kReceiptCases; }

}  // namespace wavetank::conformance
