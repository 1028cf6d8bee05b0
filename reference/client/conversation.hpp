// What a device holds in memory per conversation, and the table of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "reference/environment/compact_vector.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::client {

// Numbers of entries in memory. On the wire they have 64 bits; they are dense, so a conversation that would
// overflow 32 bits cannot be held by a device anyway. Greater numbers in a frame are a protocol error.
using Sequence = std::uint32_t;
inline constexpr std::uint64_t kMaxSequence = 0xffff'ffffULL;

// 48 bytes. Invariants: cur <= head; delivered_acked <= cur.
struct Conversation {
  ConversationId id;
  std::uint32_t epoch = 0;
  Sequence cur = 0;              // every visible entry up to here was shown, in order
  Sequence head = 0;             // the highest entry known to exist
  Sequence read = 0;             // the user's read mark, from this device or another
  Sequence delivered_acked = 0;  // marks that the server has acknowledged
  Sequence read_acked = 0;
  std::uint32_t flushed_at_ms = 0;  // device clock modulo 2^32 ms; valid with kFlushed
  std::uint32_t flags = 0;

  enum Flag : std::uint32_t {
    kFlushed = 1,            // flushed_at_ms is valid: receipts were sent, or a group's marks began to rest
    kReceiptsQueued = 2,     // stands in the client's list of conversations to flush
    kDeliveredInFlight = 4,  // a DeliveredCursor waits for its CursorAck
    kReadInFlight = 8,       // a ReadWatermark waits for its CursorAck
    kGap = 16,               // has a Gap
    kOutboxSeen = 32,        // scratch of the outbox's pass: an older row of this conversation is not settled
    kFreshlyQueued = 64      // queued for a flush in this very step
  };
  bool has(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag) { flags |= flag; }
  void clear(Flag flag) { flags &= ~static_cast<std::uint32_t>(flag); }
};
static_assert(sizeof(Conversation) <= 48);

// Conversations in insertion order; an index by id exists only above kScanLimit conversations, below it a
// scan of one or two kilobytes is as fast and costs nothing.
class ConversationTable {
 public:
  static constexpr std::uint32_t kScanLimit = 32;
  static constexpr std::uint32_t kMissing = 0xffff'ffff;

  // Index of `id`, or kMissing. O(1) above kScanLimit, else a scan.
  std::uint32_t find(const ConversationId& id) const;
  // Index of `id`, added when missing. Invalidates references.
  std::uint32_t find_or_add(const ConversationId& id);
  void reserve(std::size_t count);
  void clear();

  std::uint32_t size() const { return static_cast<std::uint32_t>(rows_.size()); }
  Conversation& operator[](std::uint32_t index) { return rows_[index]; }
  const Conversation& operator[](std::uint32_t index) const { return rows_[index]; }
  auto begin() { return rows_.begin(); }
  auto end() { return rows_.end(); }
  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }
  // Bytes on the heap.
  std::size_t heap_bytes() const;

 private:
  void insert_slot(std::uint32_t index);
  void rebuild_index();

  CompactVector<Conversation> rows_;
  // Open addressing over a power of two of slots; index + 1 in each slot, 0 = free.
  std::unique_ptr<std::vector<std::uint32_t>> slots_;
};

}  // namespace wavetank::client
