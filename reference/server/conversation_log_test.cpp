#include "reference/server/conversation_log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "reference/server/receipts.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::EntryKind;
using protocol::ErrorCode;
using protocol::SendStatus;

constexpr std::uint64_t kUsers = 4;
constexpr std::uint32_t kDevices = 2;

// What a conversation is, said in the plainest way: a list of entries with the members after each of them.
struct Model {
  struct Entry {
    UserId sender = 0;
    EntryKind kind = EntryKind::kMessage;
    UserId target = 0;
    std::string payload;
    std::set<UserId> before;
    std::set<UserId> after;
  };
  struct Key {
    std::uint64_t seq = 0;
    std::string content;
  };
  std::vector<Entry> entries;
  std::set<UserId> members;
  std::map<std::pair<UserId, std::uint64_t>, Key> keys;  // by (user, low part of the id)
  std::map<std::pair<UserId, DeviceIndex>, std::pair<std::uint64_t, std::uint64_t>> marks;

  bool sees(UserId user, std::uint64_t seq) const {
    const Entry& entry = entries[seq - 1];
    return entry.before.contains(user) || entry.after.contains(user);
  }
  std::uint64_t last_visible(UserId user) const {
    for (std::uint64_t seq = entries.size(); seq > 0; --seq) {
      if (sees(user, seq)) return seq;
    }
    return 0;
  }
  std::uint64_t msg_no(std::uint64_t seq) const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 1; i <= seq; ++i) count += entries[i - 1].kind == EntryKind::kMessage;
    return count;
  }
  std::uint64_t user_read(UserId user) const {
    std::uint64_t result = 0;
    for (const auto& [who, mark] : marks) {
      if (who.first == user) result = std::max(result, mark.second);
    }
    return result;
  }
  std::uint64_t unread(UserId user) const {
    std::uint64_t count = 0;
    for (std::uint64_t seq = user_read(user) + 1; seq <= last_visible(user); ++seq) {
      const Entry& entry = entries[seq - 1];
      count += entry.kind == EntryKind::kMessage && entry.sender != user && sees(user, seq);
    }
    return count;
  }
};

// The machine over its store beside the model, driven by random steps.
class Pair {
 public:
  explicit Pair(const ConversationId& id) : id_(id) {
    if (!is_group(id)) model_.members = {id.hi, id.lo};
    durable_ = model_;
    restart();
  }

  void send(UserId user, DeviceIndex device, EntryKind kind, UserId target, std::uint32_t counter,
            bool alter) {
    const ClientMessageId key = test::key(user, device, counter);
    // The text is a function of the key, so that a repeated key is a true repeat unless it is altered.
    const std::string payload = "text " + std::to_string(counter) + (alter ? "!" : "");
    protocol::SendMessage message = test::text(id_, key, payload);
    message.kind = kind;
    message.target_user = kind == EntryKind::kMessage ? 0 : target;
    const std::string content =
        payload + std::to_string(static_cast<int>(kind)) + ":" + std::to_string(message.target_user);
    const SendOutcome outcome = log_->send({9, user, device}, message, now_ += kSecond, recipients_);
    store_.commit();

    const auto known = model_.keys.find({user, key.lo});
    if (known != model_.keys.end()) {
      RC_ASSERT(!outcome.appended);
      if (known->second.content == content && known->second.seq == 0) {
        RC_ASSERT(outcome.ack.status == SendStatus::kRejected);
        RC_ASSERT(outcome.ack.error == ErrorCode::kForbidden);
      } else if (known->second.content == content) {
        RC_ASSERT(outcome.ack.status == SendStatus::kDuplicate);
        RC_ASSERT(outcome.ack.conv_seq == known->second.seq);
        RC_ASSERT(outcome.ack.msg_no == (kind == EntryKind::kMessage ? model_.msg_no(known->second.seq) : 0));
      } else {
        RC_ASSERT(outcome.ack.status == SendStatus::kRejected);
        RC_ASSERT(outcome.ack.error == ErrorCode::kIdempotencyConflict);
      }
      return;
    }
    if (!allowed(user, kind, target)) {
      RC_ASSERT(!outcome.appended);
      RC_ASSERT(outcome.ack.error == ErrorCode::kForbidden);
      if (is_group(id_)) model_.keys[{user, key.lo}] = {0, content};  // for good
      return;
    }
    Model::Entry entry{user, kind, target, payload, model_.members, {}};
    if (kind == EntryKind::kJoin) model_.members.insert(target);
    if (kind == EntryKind::kLeave) model_.members.erase(target);
    entry.after = model_.members;
    std::set<UserId> told = entry.before;
    told.insert(entry.after.begin(), entry.after.end());
    model_.entries.push_back(entry);
    model_.keys[{user, key.lo}] = {model_.entries.size(), content};
    RC_ASSERT(outcome.appended);
    RC_ASSERT(outcome.ack.status == SendStatus::kAccepted);
    RC_ASSERT(outcome.ack.conv_seq == model_.entries.size());
    RC_ASSERT(recipients_ == std::vector<UserId>(told.begin(), told.end()));
  }

  // Reads the user's whole view in pages and compares entry by entry.
  void fetch(UserId user, std::uint32_t limit) {
    const std::uint64_t head = model_.last_visible(user);
    const bool ever = !is_group(id_) ? model_.members.contains(user) : head != 0;
    std::uint64_t next = 1;
    for (;;) {
      const protocol::RangeResult result = log_->fetch(user, {id_, 0, next, 0, limit});
      if (!ever) {
        RC_ASSERT(result.error == ErrorCode::kForbidden);
        RC_ASSERT(result.events.empty() && result.tombstones.empty());
        return;
      }
      RC_ASSERT(result.error == ErrorCode::kNone);
      RC_ASSERT(result.head_seq == head);
      RC_ASSERT(result.events.size() <= limit);
      check_page(user, next, result);
      next = result.covered_to_seq + 1;
      if (!result.more) break;
    }
    RC_ASSERT(next == head + 1);
  }

  void mark(UserId user, DeviceIndex device, std::uint64_t seq, bool is_read) {
    std::vector<ReceiptNotice> notices;
    const protocol::Route from{9, user, device};
    const protocol::CursorAck ack = is_read ? receipts_->read(from, {id_, 0, seq, false}, notices)
                                            : receipts_->delivered(from, {id_, 0, seq}, notices);
    store_.commit();
    const std::uint64_t head = model_.last_visible(user);
    if (head == 0 && (is_group(id_) || !model_.members.contains(user))) {
      RC_ASSERT(ack.error == ErrorCode::kForbidden);
      return;
    }
    auto& [delivered, read] = model_.marks[{user, device}];
    const std::uint64_t read_before = model_.user_read(user);
    if (is_read) read = std::max(read, std::min(seq, head));
    delivered = std::max({delivered, read, is_read ? 0 : std::min(seq, head)});
    RC_ASSERT(ack.delivered_seq == delivered);
    RC_ASSERT(ack.read_seq == model_.user_read(user));
    RC_ASSERT(ack.head_seq == head);
    RC_ASSERT(ack.unread == model_.unread(user));
    check_notices(user, read_before, notices);
  }

  void make_durable() {
    store_.mark_durable();
    durable_ = model_;
  }
  void crash() {
    store_.roll_back();
    model_ = durable_;
    restart();
  }
  void restart() {
    receipts_.reset();
    log_.emplace(config_, store_, observer_);
    receipts_.emplace(config_, store_, *log_);
  }

  const Model& model() const { return model_; }

 private:
  bool allowed(UserId user, EntryKind kind, UserId target) const {
    const bool member = model_.members.contains(user);
    if (kind == EntryKind::kMessage) return member;
    if (!is_group(id_)) return false;
    if (kind == EntryKind::kJoin) return (member || target == user) && !model_.members.contains(target);
    return member && model_.members.contains(target);
  }

  void check_page(UserId user, std::uint64_t from, const protocol::RangeResult& result) const {
    std::map<std::uint64_t, const protocol::Event*> events;
    for (const protocol::Event& event : result.events) events[event.conv_seq] = &event;
    std::set<std::uint64_t> hidden;
    for (const protocol::Tombstone& run : result.tombstones) {
      for (std::uint64_t seq = run.from_seq; seq <= run.to_seq; ++seq) RC_ASSERT(hidden.insert(seq).second);
    }
    RC_ASSERT(events.size() == result.events.size());
    RC_ASSERT(events.size() + hidden.size() == result.covered_to_seq + 1 - from);
    for (std::uint64_t seq = from; seq <= result.covered_to_seq; ++seq) {
      RC_ASSERT(hidden.contains(seq) == !model_.sees(user, seq));
      if (hidden.contains(seq)) continue;
      RC_ASSERT(events.contains(seq));
      const Model::Entry& entry = model_.entries[seq - 1];
      RC_ASSERT(events[seq]->sender == entry.sender);
      RC_ASSERT(events[seq]->payload.view() == entry.payload);
      RC_ASSERT(events[seq]->msg_no == (entry.kind == EntryKind::kMessage ? model_.msg_no(seq) : 0));
    }
  }

  void check_notices(UserId user, std::uint64_t read_before,
                     const std::vector<ReceiptNotice>& notices) const {
    bool own = false;
    for (const ReceiptNotice& notice : notices) {
      RC_ASSERT(notice.change.subject == user);
      for (const UserId recipient : notice.recipients) {
        own = own || recipient == user;
        RC_ASSERT(model_.members.contains(recipient) || recipient == user);
      }
    }
    RC_ASSERT(own == (model_.user_read(user) > read_before));
  }

  ConversationId id_;
  ServerConfig config_;
  store::MemoryStore store_;
  test::CountingObserver observer_;
  std::optional<ConversationLog> log_;
  std::optional<Receipts> receipts_;
  std::vector<UserId> recipients_;
  TimeNs now_ = 0;
  Model model_;
  Model durable_;
};

void random_steps(const ConversationId& id) {
  Pair pair(id);
  const auto user = rc::gen::inRange<UserId>(1, kUsers + 1);
  const auto device = rc::gen::inRange<DeviceIndex>(0, kDevices);
  const int steps = *rc::gen::inRange(0, 150);
  for (int step = 0; step < steps; ++step) {
    const UserId who = *user;
    const DeviceIndex on = *device;
    const auto counter = *rc::gen::inRange<std::uint32_t>(1, 25);
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
      case 1:
      case 2:
        pair.send(who, on, EntryKind::kMessage, 0, counter, *rc::gen::inRange(0, 6) == 0);
        break;
      case 3:
      case 4:
        pair.send(who, on, EntryKind::kJoin, *rc::gen::inRange(0, 3) ? who : *user, counter, false);
        break;
      case 5:
        pair.send(who, on, EntryKind::kLeave, *rc::gen::inRange(0, 2) ? who : *user, counter, false);
        break;
      case 6:
        pair.fetch(who, *rc::gen::inRange<std::uint32_t>(1, 9));
        break;
      case 7:
        pair.mark(who, on, *rc::gen::inRange<std::uint64_t>(0, 60), false);
        break;
      case 8:
        pair.mark(who, on, *rc::gen::inRange<std::uint64_t>(0, 60), true);
        break;
      case 9:
        pair.make_durable();
        break;
      case 10:
        pair.crash();
        break;
      default:
        pair.restart();
        break;
    }
  }
  for (UserId who = 1; who <= kUsers; ++who) pair.fetch(who, 3);
}

TEST(ConversationLog, GroupAgreesWithTheModel) {
  EXPECT_TRUE(rc::check("group", [] { random_steps(kGroup); }));
}

TEST(ConversationLog, DirectConversationAgreesWithTheModel) {
  EXPECT_TRUE(rc::check("direct", [] { random_steps(kDirect); }));
}

// Far behind the head the unread number comes from the counter; it must equal the plain count at every step.
TEST(ConversationLog, UnreadFarBehindTheHead) {
  EXPECT_TRUE(rc::check("unread", [] {
    Pair pair(kGroup);
    std::uint32_t counter = 1000;
    for (UserId user = 1; user <= 3; ++user) pair.send(user, 0, EntryKind::kJoin, user, ++counter, false);
    const int steps = *rc::gen::inRange(1, 25);
    for (int step = 0; step < steps; ++step) {
      const UserId user = *rc::gen::inRange<UserId>(1, 4);
      const std::uint64_t head = pair.model().entries.size();
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
        case 1:
          for (int i = 0; i < 90; ++i) pair.send(user, 0, EntryKind::kMessage, 0, ++counter, false);
          break;
        case 2:
          pair.mark(user, 0, *rc::gen::inRange<std::uint64_t>(0, head + 1), true);
          break;
        case 3:
          pair.mark(user, 1, 0, false);
          break;
        default:
          pair.send(user, 0, EntryKind::kLeave, user, ++counter, false);
          pair.send(user, 0, EntryKind::kJoin, user, ++counter, false);
          break;
      }
      if (*rc::gen::inRange(0, 8) == 0) pair.restart();
    }
    for (UserId user = 1; user <= 3; ++user) pair.mark(user, 0, 0, false);
  }));
}

class Plain : public testing::Test {
 protected:
  SendOutcome send(UserId user, const protocol::SendMessage& message) {
    return log.send({9, user, 0}, message, kSecond, recipients);
  }
  ServerConfig config;
  store::MemoryStore store;
  test::CountingObserver observer;
  ConversationLog log{config, store, observer};
  Receipts receipts{config, store, log};
  std::vector<UserId> recipients;
};

TEST_F(Plain, RepeatAfterLeavingIsADuplicate) {
  send(1, test::membership(kGroup, test::key(1, 0, 1), EntryKind::kJoin));
  send(2, test::membership(kGroup, test::key(2, 0, 1), EntryKind::kJoin));
  const auto message = test::text(kGroup, test::key(1, 0, 2), "hello");
  EXPECT_EQ(send(1, message).ack.conv_seq, 3u);
  send(1, test::membership(kGroup, test::key(1, 0, 3), EntryKind::kLeave));
  const SendOutcome again = send(1, message);
  EXPECT_EQ(again.ack.status, SendStatus::kDuplicate);
  EXPECT_EQ(again.ack.conv_seq, 3u);
  EXPECT_EQ(send(1, test::text(kGroup, test::key(1, 0, 4), "x")).ack.error, ErrorCode::kForbidden);
}

// An attempt that was held up somewhere comes when its sender is a member again, or the log as long as it
// says.
TEST_F(Plain, ARefusalIsForGood) {
  send(1, test::membership(kGroup, test::key(1, 0, 1), EntryKind::kJoin));
  const auto message = test::text(kGroup, test::key(2, 0, 1), "hello");
  EXPECT_EQ(send(2, message).ack.error, ErrorCode::kForbidden);
  send(2, test::membership(kGroup, test::key(2, 0, 2), EntryKind::kJoin));
  const SendOutcome again = send(2, message);
  EXPECT_FALSE(again.appended);
  EXPECT_EQ(again.ack.status, SendStatus::kRejected);
  EXPECT_EQ(again.ack.error, ErrorCode::kForbidden);
  EXPECT_EQ(send(2, test::text(kGroup, test::key(2, 0, 1), "else")).ack.error,
            ErrorCode::kIdempotencyConflict);
  EXPECT_EQ(send(2, test::text(kGroup, test::key(2, 0, 3), "hello")).ack.conv_seq, 3u);

  auto ahead = test::text(kGroup, test::key(1, 0, 2), "yes");
  ahead.reply_to_seq = 4;
  EXPECT_EQ(send(1, ahead).ack.error, ErrorCode::kMalformed);
  EXPECT_EQ(send(2, test::text(kGroup, test::key(2, 0, 4), "is it?")).ack.conv_seq, 4u);
  EXPECT_EQ(send(1, ahead).ack.error, ErrorCode::kMalformed);
}

TEST_F(Plain, TooLargeAndMalformedIdsAreRefused) {
  config.max_payload_bytes = 10;
  EXPECT_EQ(send(1, test::text(kDirect, test::key(1, 0, 1), std::string(11, 'x'))).ack.error,
            ErrorCode::kTooLarge);
  EXPECT_EQ(send(1, test::text({2, 1}, test::key(1, 0, 1), "x")).ack.error, ErrorCode::kForbidden);
}

TEST_F(Plain, AnAnswerNamesAnEntryThatIsThere) {
  auto message = test::text(kDirect, test::key(1, 0, 1), "x");
  message.reply_to_seq = 1;  // would be itself
  EXPECT_EQ(send(1, message).ack.error, ErrorCode::kMalformed);
  EXPECT_EQ(send(3, message).ack.error, ErrorCode::kForbidden);  // whoever may not know how long the log is
  message.client_msg_id = test::key(1, 0, 2);
  message.reply_to_seq = 0;
  EXPECT_EQ(send(1, message).ack.conv_seq, 1u);
  auto answer = test::text(kDirect, test::key(2, 0, 1), "y");
  answer.reply_to_seq = 1;
  EXPECT_EQ(send(2, answer).event.reply_to_seq, 1u);
}

TEST_F(Plain, UnknownKindsAreStoredAndDoNotCount) {
  auto message = test::text(kDirect, test::key(1, 0, 1), "x");
  message.kind = static_cast<EntryKind>(17);
  const SendOutcome outcome = send(1, message);
  EXPECT_EQ(outcome.ack.status, SendStatus::kAccepted);
  EXPECT_EQ(outcome.ack.msg_no, 0u);
  EXPECT_EQ(static_cast<int>(log.fetch(2, {kDirect, 0, 1, 0, 0}).events[0].kind), 17);
}

TEST_F(Plain, FormerMemberSeesHisOwnHeadOnly) {
  send(1, test::membership(kGroup, test::key(1, 0, 1), EntryKind::kJoin));
  send(2, test::membership(kGroup, test::key(2, 0, 1), EntryKind::kJoin));
  send(1, test::text(kGroup, test::key(1, 0, 2), "x"));
  send(2, test::membership(kGroup, test::key(2, 0, 2), EntryKind::kLeave));
  send(1, test::text(kGroup, test::key(1, 0, 3), "secret"));
  const auto result = log.fetch(2, {kGroup, 0, 1, 0, 0});
  EXPECT_EQ(result.head_seq, 4u);
  EXPECT_EQ(result.head_msg_no, 1u);
  EXPECT_EQ(result.covered_to_seq, 4u);
  EXPECT_EQ(result.events.size(), 3u);
  EXPECT_EQ(log.fetch(2, {kGroup, 0, 5, 9, 0}).covered_to_seq, 4u);
  EXPECT_EQ(log.fetch(2, {kGroup, 2, 1, 0, 0}).error, ErrorCode::kEpochMismatch);
}

TEST_F(Plain, ReceiptsGoToTheAuthorsOfCoveredEntries) {
  for (UserId user = 1; user <= 4; ++user) {
    send(user, test::membership(kGroup, test::key(user, 0, 1), EntryKind::kJoin));
  }
  std::vector<ReceiptNotice> notices;
  receipts.read({9, 4, 0}, {kGroup, 0, 4, false}, notices);
  send(1, test::text(kGroup, test::key(1, 0, 2), "x"));
  send(2, test::text(kGroup, test::key(2, 0, 2), "x"));
  send(2, test::membership(kGroup, test::key(2, 0, 3), EntryKind::kLeave));
  notices.clear();
  receipts.delivered({9, 4, 0}, {kGroup, 0, 7}, notices);
  EXPECT_TRUE(notices.empty());  // in a group a delivery alone is told to nobody
  receipts.read({9, 4, 1}, {kGroup, 0, 7, false}, notices);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].recipients, (std::vector<UserId>{1, 4}));  // the author who is left, and the reader
  EXPECT_EQ(notices[0].change.delivered_seq, 7u);
  EXPECT_EQ(notices[0].change.read_seq, 7u);
}

TEST_F(Plain, OthersAreShownTheFurthestDevice) {
  for (std::uint32_t counter = 1; counter <= 3; ++counter) {
    send(1, test::text(kDirect, test::key(1, 0, counter), "x"));
  }
  std::vector<ReceiptNotice> notices;
  const auto shown_to_author = [&] {
    const auto at = std::find_if(notices.begin(), notices.end(),
                                 [](const auto& notice) { return notice.recipients.front() == 1; });
    return at == notices.end() ? protocol::Change{} : at->change;
  };
  receipts.delivered({9, 2, 0}, {kDirect, 0, 3}, notices);
  EXPECT_EQ(shown_to_author().delivered_seq, 3u);
  // The other device is behind: that it has two of three says nothing new.
  notices.clear();
  receipts.delivered({9, 2, 1}, {kDirect, 0, 2}, notices);
  EXPECT_TRUE(notices.empty());
  receipts.read({9, 2, 1}, {kDirect, 0, 2, false}, notices);
  EXPECT_EQ(shown_to_author().read_seq, 2u);
  EXPECT_EQ(shown_to_author().delivered_seq, 3u);
}

TEST_F(Plain, MarksAboveAForkAreCutToIt) {
  for (std::uint32_t counter = 1; counter <= 4; ++counter)
    send(1, test::text(kDirect, test::key(1, 0, counter), "x"));
  std::vector<ReceiptNotice> notices;
  receipts.read({9, 2, 0}, {kDirect, 1, 4, false}, notices);
  receipts.delivered({9, 2, 1}, {kDirect, 1, 1}, notices);
  receipts.cut(kDirect, 2);
  receipts.clear_cache();
  const auto first = receipts.delivered({9, 2, 0}, {kDirect, 1, 1}, notices);
  EXPECT_EQ(first.delivered_seq, 2u);
  EXPECT_EQ(first.read_seq, 2u);
  EXPECT_EQ(first.unread, 2u);
  EXPECT_EQ(receipts.delivered({9, 2, 1}, {kDirect, 1, 1}, notices).delivered_seq, 1u);
}

TEST_F(Plain, PrivateReadsStayWithTheReader) {
  send(1, test::text(kDirect, test::key(1, 0, 1), "x"));
  std::vector<ReceiptNotice> notices;
  receipts.read({9, 2, 0}, {kDirect, 0, 1, true}, notices);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].recipients, std::vector<UserId>{2});
  EXPECT_EQ(notices[0].change.read_seq, 1u);
  EXPECT_EQ(notices[1].recipients, std::vector<UserId>{1});  // delivered, which reading implies
  EXPECT_EQ(notices[1].change.read_seq, 0u);
  send(1, test::text(kDirect, test::key(1, 0, 2), "x"));
  notices.clear();
  receipts.delivered({9, 2, 0}, {kDirect, 0, 2}, notices);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].change.read_seq, 0u);
}

TEST_F(Plain, WhatWasReadOtherwiseIsToldWhateverIsPrivateAboveIt) {
  for (std::uint32_t counter = 1; counter <= 4; ++counter)
    send(1, test::text(kDirect, test::key(1, 0, counter), "x"));
  std::vector<ReceiptNotice> notices;
  const auto private_read = receipts.read({9, 2, 0}, {kDirect, 0, 3, true}, notices);
  EXPECT_EQ(private_read.read_seq, 3u);
  EXPECT_EQ(private_read.hidden_from, 1u);
  EXPECT_EQ(notices[0].change.hidden_from, 1u);
  notices.clear();
  const auto open_read = receipts.read({9, 2, 1}, {kDirect, 0, 2, false}, notices);
  EXPECT_EQ(open_read.read_seq, 3u);
  EXPECT_EQ(open_read.hidden_from, 3u);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].recipients, std::vector<UserId>{2});
  EXPECT_EQ(notices[0].change.hidden_from, 3u);
  EXPECT_EQ(notices[1].recipients, std::vector<UserId>{1});
  EXPECT_EQ(notices[1].change.read_seq, 2u);
  EXPECT_EQ(notices[1].change.hidden_from, 0u);
  // The same device reads on, and then no longer in private.
  EXPECT_EQ(receipts.read({9, 2, 0}, {kDirect, 0, 4, true}, notices).hidden_from, 3u);
  receipts.clear_cache();
  EXPECT_EQ(receipts.read({9, 2, 0}, {kDirect, 0, 3, false}, notices).hidden_from, 4u);
  EXPECT_EQ(receipts.read({9, 2, 0}, {kDirect, 0, 4, false}, notices).hidden_from, 0u);
}

TEST_F(Plain, WhoHasReadIsToldAgainAsFarAsOthersMayKnow) {
  for (std::uint32_t counter = 1; counter <= 4; ++counter)
    send(1, test::text(kDirect, test::key(1, 0, counter), "x"));
  std::vector<ReceiptNotice> notices;
  receipts.read({9, 2, 0}, {kDirect, 0, 1, false}, notices);
  receipts.read({9, 2, 0}, {kDirect, 0, 4, true}, notices);
  receipts.clear_cache();
  notices.clear();
  receipts.tell_again(kDirect, notices);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].recipients, std::vector<UserId>{2});
  EXPECT_EQ(notices[0].change.read_seq, 4u);
  EXPECT_EQ(notices[0].change.hidden_from, 2u);
  EXPECT_EQ(notices[1].recipients, std::vector<UserId>{1});
  EXPECT_EQ(notices[1].change.read_seq, 1u);
  EXPECT_EQ(notices[1].change.delivered_seq, 4u);
  // What is above the fork is private no more: it is nothing any more.
  receipts.cut(kDirect, 1);
  notices.clear();
  receipts.tell_again(kDirect, notices);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].recipients, (std::vector<UserId>{1, 2}));
  EXPECT_EQ(notices[0].change.hidden_from, 0u);
}

TEST_F(Plain, AMessageAnswersNoEntryThatAForkMadeVoid) {
  for (std::uint32_t counter = 1; counter <= 3; ++counter)
    send(1, test::text(kDirect, test::key(1, 0, counter), "x"));
  log.fork(kDirect);  // at 3: of what was above it this log knows nothing
  send(1, test::text(kDirect, test::key(1, 0, 4), "x"));
  protocol::SendMessage answer = test::text(kDirect, test::key(2, 0, 1), "yes");
  answer.reply_to_seq = 4;
  answer.reply_epoch = 1;
  EXPECT_EQ(send(2, answer).event.reply_to_seq, 0u);
  EXPECT_EQ(send(2, answer).ack.status, SendStatus::kDuplicate) << "it is the same message";
  answer.client_msg_id = test::key(2, 0, 2);
  answer.reply_to_seq = 3;
  EXPECT_EQ(send(2, answer).event.reply_to_seq, 3u);
  answer.client_msg_id = test::key(2, 0, 3);
  answer.reply_to_seq = 4;
  answer.reply_epoch = 2;
  EXPECT_EQ(send(2, answer).event.reply_to_seq, 4u);
  answer.client_msg_id = test::key(2, 0, 4);
  answer.reply_to_seq = 99;
  answer.reply_epoch = 1;
  EXPECT_EQ(send(2, answer).ack.status, SendStatus::kAccepted) << "not refused for what is lost";
}

TEST_F(Plain, LargeConversationsTellNoAuthors) {
  config.receipt_fanout_limit = 2;
  for (UserId user = 1; user <= 3; ++user) {
    send(user, test::membership(kGroup, test::key(user, 0, 1), EntryKind::kJoin));
  }
  std::vector<ReceiptNotice> notices;
  receipts.read({9, 1, 0}, {kGroup, 0, 3, false}, notices);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].recipients, std::vector<UserId>{1});
}

TEST_F(Plain, PointersAboveTheInlineLimit) {
  config.inline_limit = 2;
  for (UserId user = 1; user <= 3; ++user) {
    const auto outcome = send(user, test::membership(kGroup, test::key(user, 0, 1), EntryKind::kJoin));
    EXPECT_EQ(outcome.by_pointer, user == 3);
  }
}

}  // namespace
}  // namespace wavetank::server
