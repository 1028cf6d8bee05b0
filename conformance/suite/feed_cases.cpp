#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// Waits until the user's feed has this head.
void await_head(Trial& trial, Device& device, std::uint64_t head) {
  for (int i = 0; i < 50; ++i) {
    if (device.sync(head).head_user_seq >= head) return;
    trial.target().pass(100 * kMillisecond);
  }
  trial.fail(fmt::format("the feed did not reach {}", head));
}

void pages_touch(Trial& trial) {
  Device speaker(trial, trial.user(1));
  for (int i = 1; i <= 5; ++i) speaker.say(trial.chat(), fmt::format("{}", i));
  Device reader(trial, trial.user(2));
  await_head(trial, reader, 5);
  const SyncResult first = reader.sync(0, 2);
  trial.expect(!first.changes.empty() && first.changes.size() <= 2, "a page of two has another length");
  trial.expect_equal("more", first.more, true);
  trial.expect_equal("head_user_seq", first.head_user_seq, std::uint64_t{5});
  // The whole feed, page by page; sync_all checks that every page touches the one before.
  const std::vector<Change> changes = reader.sync_all(0, 2);
  trial.expect_equal("changes of the feed", changes.size(), std::size_t{5});
  for (std::size_t i = 0; i < changes.size(); ++i) {
    trial.expect(changes[i].event && changes[i].event->conv_seq == i + 1,
                 "the feed is not in the log's order");
  }
}

void same_cursor_same_answer(Trial& trial) {
  Device speaker(trial, trial.user(1));
  for (int i = 1; i <= 4; ++i) speaker.say(trial.chat(), "x");
  Device reader(trial, trial.user(2));
  await_head(trial, reader, 4);
  const SyncResult once = reader.sync(1, 2);
  trial.expect(reader.sync(1, 2) == once, "two answers for one cursor");
  reader.reconnect();
  trial.expect(reader.sync(1, 2) == once, "another answer on another connection");
}

void cursor_ahead(Trial& trial) {
  Device speaker(trial, trial.user(1));
  speaker.say(trial.chat(), "x");
  Device reader(trial, trial.user(2));
  await_head(trial, reader, 1);
  const SyncResult page = reader.sync(1000);
  trial.expect_equal("changes", page.changes.size(), std::size_t{0});
  trial.expect(page.next_user_seq <= 1000, "the cursor moves forward");
  trial.expect_equal("head_user_seq", page.head_user_seq, std::uint64_t{1});
}

void epoch_mismatch(Trial& trial) {
  Device reader(trial, trial.user(1));
  const std::uint32_t living = reader.welcome().user_epoch;
  const auto page = reader.ask<SyncResult>(Sync{living + 7, 0, 10});
  trial.expect_equal("error", page.error, ErrorCode::kEpochMismatch);
  trial.expect_equal("the epoch named", page.user_epoch, living);
  trial.expect_equal("changes", page.changes.size(), std::size_t{0});
}

void every_device_once(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  Device peer(trial, trial.user(2), 0);
  for (int i = 1; i <= 3; ++i) peer.say(trial.chat(), "x");
  for (Device* device : {&phone, &desk, &peer}) {
    device->pushed(trial.chat(), 3);
    const std::vector<Change>& changes = device->pushes_until_quiet();
    trial.expect_equal("changes pushed", changes.size(), std::size_t{3});
    for (std::size_t i = 0; i < changes.size(); ++i) {
      trial.expect_equal("user_seq", changes[i].user_seq, std::uint64_t{i + 1});
      trial.expect_equal("prev_user_seq", changes[i].prev_user_seq, std::uint64_t{i});
    }
  }
}

void members_get_everything_once(Trial& trial) {
  Device owner(trial, trial.user(1));
  owner.add(trial.group(1), trial.user(1));
  for (std::uint32_t n = 2; n <= 6; ++n) owner.add(trial.group(1), trial.user(n));
  owner.say(trial.group(1), "to all");
  for (std::uint32_t n = 2; n <= 6; ++n) {
    Device member(trial, trial.user(n));
    // From the own join (entry n) on: the joins after it, and the message.
    const std::uint64_t count = 7 - n + 1;
    await_head(trial, member, count);
    const std::vector<Change> changes = member.sync_all(0);
    trial.expect_equal("changes of a member", std::uint64_t{changes.size()}, count);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      trial.expect(changes[i].event && changes[i].event->conv_seq == n + i,
                   "an entry is missing or came twice");
    }
  }
}

void one_receipt_each(Trial& trial) {
  Device author(trial, trial.user(1));
  Device reader(trial, trial.user(2));
  for (int i = 1; i <= 4; ++i) author.say(trial.chat(), "x");
  for (std::uint64_t seq = 1; seq <= 4; ++seq) {
    reader.delivered(trial.chat(), seq);
    if (seq > 1) reader.read(trial.chat(), seq - 1);
  }
  author.pushed_receipt(trial.chat(), reader.user(), 4, 3);
  std::uint64_t receipts = 0;
  std::uint64_t entries = 0;
  for (const Change& change : author.sync_all(0)) {
    entries += change.event.has_value();
    if (change.kind != ChangeKind::kReceipt || change.subject != reader.user()) continue;
    ++receipts;
    trial.expect_equal("entries before the receipt", entries, std::uint64_t{4});
    trial.expect_equal("the delivered mark", change.delivered_seq, std::uint64_t{4});
    trial.expect_equal("the read mark", change.read_seq, std::uint64_t{3});
  }
  trial.expect_equal("receipts in the feed", receipts, std::uint64_t{1});
}

constexpr Case kFeedCases[] = {
    {"conf/feed/SYN-RANGE-001/pages-touch", "Read a feed of five changes in pages of two.",
     "Each page begins where the one before ended; `more` is right; the order is the log's.", pages_touch},
    {"conf/feed/SYN-CURSOR-001/same-cursor-same-answer",
     "Sync twice from one cursor, and again after a reconnect.", "Three equal answers.",
     same_cursor_same_answer},
    {"conf/feed/SYN-AHEAD-001/cursor-ahead", "Sync from a cursor above the head.",
     "No changes, the true head, no step forward.", cursor_ahead},
    {"conf/feed/SYN-EPOCH-001/epoch-mismatch", "Sync with another epoch.",
     "EPOCH_MISMATCH and the living epoch.", epoch_mismatch},
    {"conf/feed/DLV-PUSH-003/every-device-once", "Three entries while two devices of the user are connected.",
     "Each device is pushed each change once, in order, without a gap.", every_device_once},
    {"conf/feed/DLV-FANOUT-001/members-get-everything-once", "A group grows to six members; then a message.",
     "Each member's feed has every entry from the own join on, once.", members_get_everything_once},
    {"conf/feed/SYN-COALESCE-001/one-receipt-each", "Move delivered and read marks step by step.",
     "The author's feed has one receipt of the reader, the newest change, with the highest marks.",
     one_receipt_each},
};

}  // namespace

std::span<const Case> feed_cases() { return kFeedCases; }

}  // namespace wavetank::conformance
