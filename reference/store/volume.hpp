// How much a batch wrote, in logical rows and bytes. Every engine counts with this one meter, so the time
// that a commit takes in the simulator does not depend on the engine.
#pragma once

#include <cstdint>
#include <utility>

#include "reference/environment/node.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::store {

// A row costs a fixed number of bytes (its keys and numbers at full width, as a table with 64-bit columns
// would hold them) and the payload it carries. Exact, cheap, and the same for every encoding.
//
// For the writer of an engine: call the function of the same name once in each write of LogStore, after the
// row is written; return take() from commit(). Reads count nothing. A write that changes nothing (trim_outbox
// of no row) counts nothing; a put that replaces a row counts as a put.
class VolumeMeter {
 public:
  void put_conversation() { add(1, kKey + 24); }
  void append_entry(const protocol::Event& event) { add(1, event_bytes(event)); }
  void put_send_key() { add(1, kKey + 32 + 32); }
  void put_membership() { add(1, kKey + 24); }
  void put_mark() { add(1, kKey + 32); }
  // The feed's row, which names the head too.
  void append_change(const protocol::Change& change) { add(1, change_bytes(change) + 16); }
  void append_outbox(const protocol::OutboxItem& item) {
    add(1, 16 + 8 * item.recipients.size() + change_bytes(item.change));
  }
  // `count` neighbouring rows were deleted: one range.
  void trim_outbox(std::uint64_t count) { add(count > 0 ? 1 : 0, 16 * count); }
  void put_inbox() { add(1, 16); }
  void put_setting_op() { add(1, 24); }
  void put_device() { add(1, 32); }
  void put_last_seen() { add(1, 16); }
  void put_failure() { add(1, kKey + 48); }
  void put_owed_fanout() { add(1, kKey + 8); }
  void erase_owed_fanout() { add(1, kKey); }
  // `count` neighbouring rows were deleted, one range, and a floor was put.
  void drop_entries(std::uint64_t count) { add(2, kKey + 8 + 16 * count); }
  void drop_changes(std::uint64_t count) { add(2, 16 + 16 * count); }
  void put_feed_state() { add(1, 8 + kKey + 48); }
  void put_bucket() { add(1, 32); }
  void append_parked(const protocol::OutboxItem& item) {
    add(1, 16 + 8 * item.recipients.size() + change_bytes(item.change));
  }
  void erase_parked() { add(1, 16); }
  // One range in each table that may hold something of it.
  void erase_conversation() { add(5, 5 * kKey); }
  // Six numbers of a user; the row of last seen is counted only where there is one.
  void erase_user() { add(6, 48); }
  void erase_last_seen() { add(1, 8); }
  void erase_send_key() { add(1, kKey + 32); }

  // What was counted since the last call.
  WriteVolume take() { return std::exchange(volume_, {}); }

  static std::uint64_t event_bytes(const protocol::Event& event) {
    return 96 + event.payload.size() + event.unknown.size();
  }
  static std::uint64_t change_bytes(const protocol::Change& change) {
    return 64 + (change.event ? event_bytes(*change.event) : 0) +
           (change.setting ? 32 + change.setting->text.size() : 0);
  }

 private:
  static constexpr std::uint64_t kKey = 16;
  void add(std::uint64_t rows, std::uint64_t bytes) {
    volume_.rows += rows;
    volume_.bytes += bytes;
  }

  WriteVolume volume_;
};

}  // namespace wavetank::store
