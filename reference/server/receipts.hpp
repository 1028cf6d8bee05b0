// Delivered and read marks of a shard's conversations: stored per device, merged by maximum, told to those
// they concern.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// One receipt on its way: who is told, and what.
struct ReceiptNotice {
  std::vector<UserId> recipients;  // ascending
  protocol::Change change;
};

// RD-*. A device's marks only rise and never exceed the user's last visible entry. The user's read mark is
// the maximum over his devices; read implies delivered. Others are told the highest mark that a device has
// set otherwise than privately, whatever was read privately above it.
//
// Unread numbers. unread = countable entries of (read, head] that the user may see and did not send. Up to
// ConversationLog::kRecentMax entries behind the head they are counted in the recent window. Further behind,
// a counter is kept for that user: it is extended by the entries that came since and reduced by those that
// were read, so an entry is looked at at most twice for each user, amortised O(1) for each (entry, member) as
// the fan-out is; only its first use after a restart reads the whole distance once. No helper row is stored:
// what can be derived is not written.
class Receipts {
 public:
  Receipts(const ServerConfig& config, store::LogStore& store, ConversationLog& log);

  // Both return the stored marks, and append to `notices` when marks moved.
  protocol::CursorAck delivered(const protocol::Route& from, const protocol::DeliveredCursor& cursor,
                                std::vector<ReceiptNotice>& notices);
  protocol::CursorAck read(const protocol::Route& from, const protocol::ReadWatermark& watermark,
                           std::vector<ReceiptNotice>& notices);

  // TKO-MARK-001. The log goes on in a new epoch above this entry: no mark stays above it.
  void cut(const ConversationId& id, std::uint64_t fork_seq);
  // TKO-FEED-002. The marks of all users as if all of them had just moved: what was told of them may be lost.
  // Of what was read privately its user alone is told (TKO-PRIVATE-001).
  void tell_again(const ConversationId& id, std::vector<ReceiptNotice>& notices);

  void bound_cache();
  void clear_cache() { cache_.clear(); }
  // O(conversations cached).
  std::size_t cache_bytes() const;

 private:
  struct UnreadCounter {
    std::uint64_t read_seq = 0;  // count is of (read_seq, counted_to]
    std::uint64_t counted_to = 0;
    std::uint64_t count = 0;
  };
  struct Marks {
    std::vector<store::MarkRow> rows;  // by (user, device)
    boost::unordered_flat_map<UserId, UnreadCounter, IdHash> counters;
  };
  struct UserMarks {
    std::uint64_t delivered_seq = 0;
    std::uint64_t read_seq = 0;
    std::uint64_t shown_seq = 0;  // of read_seq what others may know
    std::uint64_t hidden_from() const { return shown_seq < read_seq ? shown_seq + 1 : 0; }
  };
  struct Wish {
    ConversationId conversation;
    std::uint32_t conv_epoch = 0;
    std::uint64_t delivered_seq = 0;
    std::uint64_t read_seq = 0;
    bool is_read = false;
    bool is_private = false;
  };

  protocol::CursorAck move(const protocol::Route& from, const Wish& wish,
                           std::vector<ReceiptNotice>& notices);
  Marks& load(const ConversationId& id);
  static UserMarks user_marks(const Marks& marks, UserId user);
  store::MarkRow& mark_of(Marks& marks, UserId user, DeviceIndex device);
  void merge(store::MarkRow& mark, const Wish& wish, const Visibility& seen) const;
  void notify(const ConversationId& id, UserId user, const UserMarks& before, const UserMarks& after,
              std::vector<ReceiptNotice>& notices);
  // Adds to users_ the authors of the newest entries of (after, to].
  void authors(const ConversationId& id, Conversation& conversation, UserId reader, std::uint64_t after,
               std::uint64_t to);
  std::uint64_t unread(const ConversationId& id, Marks& marks, UserId user, std::uint64_t head_seq,
                       std::uint64_t read_seq);
  // Countable entries of (after, to] that the user may see and did not send; a scan.
  std::uint64_t count(const ConversationId& id, UserId user, std::uint64_t after, std::uint64_t to);

  const ServerConfig& config_;
  store::LogStore& store_;
  ConversationLog& log_;
  boost::unordered_flat_map<ConversationId, Marks, IdHash> cache_;
  std::vector<UserId> users_;
  std::vector<ConversationLog::Interval> intervals_;
};

}  // namespace wavetank::server
