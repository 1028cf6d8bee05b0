// The durable state of one device, as the client machine sees it.
//
// The commit rule: the client stages what one input changed and commits once, at the end of that input,
// before the driver may carry out any effect of it. So no cursor is durable before its entry is, and nothing
// is transmitted before its outbox row is. What was staged becomes durable together or not at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "reference/protocol/frames.hpp"

namespace wavetank::client {

// The marks of one conversation.
struct ConversationMarks {
  ConversationId id;
  std::uint32_t epoch = 0;
  std::uint64_t cur_seq = 0;  // every visible entry up to here is stored
  std::uint64_t known_head_seq =
      0;                       // the highest entry known to exist; a gap above cur_seq survives a restart
  std::uint64_t read_seq = 0;  // the user's read mark as this device knows it
  std::uint64_t delivered_acked = 0;  // the server holds this device's delivered mark up to here
  std::uint64_t read_acked = 0;       // the server holds the user's read mark up to here
  friend bool operator==(const ConversationMarks&, const ConversationMarks&) = default;
};

// One message that waits for its acknowledgement.
struct OutboxRow {
  ConversationId conversation;
  ClientMessageId client_msg_id;
  UserId target_user = 0;
  std::uint64_t reply_to_seq = 0;
  std::uint64_t client_time_ms = 0;
  Slice payload;
  protocol::EntryKind kind = protocol::EntryKind::kMessage;
  std::uint32_t attempts = 0;  // transmissions so far
  // Its place when it was acknowledged LOCAL and is kept for a fork (CLI-EPOCH-002); epoch 0: it waits.
  std::uint32_t acked_epoch = 0;
  std::uint64_t acked_seq = 0;
  std::uint32_t reply_epoch = 0;  // of the conversation, when reply_to_seq was written
  friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

// One setting of a conversation as the user's feed told it: what counts unless this device has put another.
struct SettingRow {
  ConversationId conversation;
  protocol::Setting value;
  std::uint64_t revision = 0;
  friend bool operator==(const SettingRow&, const SettingRow&) = default;
};

// A conversation from which this device lacks entries for ever: (held_seq, floor_seq) was no longer kept when
// it asked. Of several such the last.
struct FloorRow {
  ConversationId conversation;
  std::uint64_t held_seq = 0;
  std::uint64_t floor_seq = 0;
  friend bool operator==(const FloorRow&, const FloorRow&) = default;
};

// The user has read the conversation from here on privately only; 0: no part of it.
struct HiddenRow {
  ConversationId conversation;
  std::uint64_t hidden_from = 0;
  friend bool operator==(const HiddenRow&, const HiddenRow&) = default;
};

// Entries of the epochs up to old_epoch above fork_seq are void.
struct ForkRow {
  ConversationId conversation;
  std::uint32_t old_epoch = 0;
  std::uint64_t fork_seq = 0;
  friend bool operator==(const ForkRow&, const ForkRow&) = default;
};

// The snapshot that a device is paging through, and the last conversation that it has of it.
struct SnapshotProgress {
  SnapshotToken token;  // {0, 0}: none
  ConversationId after;
  friend bool operator==(const SnapshotProgress&, const SnapshotProgress&) = default;
};

// Everything a device knows after a restart.
struct DeviceState {
  std::uint32_t user_epoch = 0;  // 0 = never synced
  std::uint64_t user_seq = 0;    // every feed change up to here is stored
  std::uint32_t next_counter = 1;
  std::vector<ConversationMarks> conversations;  // in the order of their first staging
  std::vector<OutboxRow> outbox;                 // in the order of their first staging (oldest first)
  std::vector<ForkRow> forks;                    // in the order of their staging
  std::vector<HiddenRow> hidden;                 // in the order of their first staging
  std::vector<SettingRow> settings;              // by (conversation, kind)
  std::vector<protocol::PutSetting> puts;        // unacknowledged, by op
  std::uint64_t last_op = 0;                     // the highest that was ever staged
  std::vector<FloorRow> floors;                  // by conversation
  SnapshotProgress snapshot;
};

// Inserts or replaces by conversation, in their order. O(rows).
inline void put_floor_row(std::vector<FloorRow>& rows, const FloorRow& row) {
  const auto at = std::lower_bound(
      rows.begin(), rows.end(), row.conversation,
      [](const FloorRow& stored, const ConversationId& id) { return stored.conversation < id; });
  if (at != rows.end() && at->conversation == row.conversation) {
    *at = row;
  } else {
    rows.insert(at, row);
  }
}

// Inserts or replaces by conversation, or takes out what hides nothing. O(rows).
inline void put_hidden_row(std::vector<HiddenRow>& rows, const HiddenRow& row) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const HiddenRow& stored) {
    return stored.conversation == row.conversation;
  });
  if (row.hidden_from == 0) {
    if (at != rows.end()) rows.erase(at);
  } else if (at != rows.end()) {
    *at = row;
  } else {
    rows.push_back(row);
  }
}

// The order of settings: by conversation, then by kind.
inline bool setting_before(const SettingRow& row, const ConversationId& conversation,
                           protocol::SettingKind kind) {
  return row.conversation != conversation ? row.conversation < conversation : row.value.kind < kind;
}
// The row of (conversation, kind) in a list in that order, or the place where it belongs.
inline std::vector<SettingRow>::iterator find_setting(std::vector<SettingRow>& rows,
                                                      const ConversationId& conversation,
                                                      protocol::SettingKind kind) {
  return std::lower_bound(rows.begin(), rows.end(), kind,
                          [&](const SettingRow& row, protocol::SettingKind wanted) {
                            return setting_before(row, conversation, wanted);
                          });
}
inline bool is_setting(std::vector<SettingRow>::const_iterator at, const std::vector<SettingRow>& rows,
                       const ConversationId& conversation, protocol::SettingKind kind) {
  return at != rows.end() && at->conversation == conversation && at->value.kind == kind;
}
// Inserts or replaces. O(rows).
inline void put_setting_row(std::vector<SettingRow>& rows, const SettingRow& row) {
  const auto at = find_setting(rows, row.conversation, row.value.kind);
  if (is_setting(at, rows, row.conversation, row.value.kind)) {
    *at = row;
  } else {
    rows.insert(at, row);
  }
}
// The same for puts, in the order of their ops.
inline void add_put(std::vector<protocol::PutSetting>& puts, const protocol::PutSetting& put) {
  std::erase_if(puts, [&](const protocol::PutSetting& older) {
    return older.conversation == put.conversation && older.kind == put.kind;
  });
  puts.push_back(put);
}

class ClientStore {
 public:
  virtual ~ClientStore() = default;

  // The last committed state.
  virtual void load(DeviceState& state) = 0;

  // ---- staging; nothing of it is visible to load() before commit()
  // The next entry of its conversation (at or below the cur_seq staged in the same commit).
  virtual void stage_entry(const protocol::Event& event) = 0;
  // Inserts or replaces by id. `hint` is the client's index of the conversation, equal to the store's own in
  // the common case; only a hint.
  virtual void stage_conversation(const ConversationMarks& marks, std::uint32_t hint) = 0;
  virtual void stage_feed(std::uint32_t user_epoch, std::uint64_t user_seq) = 0;
  // Inserts or replaces by client_msg_id; a replaced row keeps its place.
  virtual void stage_outbox(const OutboxRow& row) = 0;
  virtual void erase_outbox(const ClientMessageId& client_msg_id) = 0;
  // Inserts or replaces by (conversation, kind).
  virtual void stage_setting(const SettingRow& row) = 0;
  // Takes the place of an older put of the same (conversation, kind); its op is above all others so far.
  virtual void stage_put(const protocol::PutSetting& put) = 0;
  virtual void erase_put(std::uint64_t op) = 0;
  // Inserts or replaces by conversation.
  virtual void stage_floor(const FloorRow& row) = 0;
  // Added; nothing is replaced.
  virtual void stage_fork(const ForkRow& row) = 0;
  // As put_hidden_row().
  virtual void stage_hidden(const HiddenRow& row) = 0;
  virtual void stage_snapshot(const SnapshotProgress& snapshot) = 0;
  // The counter of the next message; never goes back.
  virtual void stage_counter(std::uint32_t next_counter) = 0;

  // Makes everything staged durable, in one step. Cheap when nothing is staged.
  virtual void commit() = 0;
  // Drops everything staged: what a crash before commit() does.
  virtual void discard() = 0;
};

}  // namespace wavetank::client
