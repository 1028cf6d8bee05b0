// The client store of a simulated device: in memory, no entry bodies, a few dozen bytes per conversation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "reference/client/store.hpp"
#include "reference/environment/compact_vector.hpp"

namespace wavetank::client {

// Where a step's changes wait for their commit. One object serves all devices that run on one thread, since
// every client commits within the step that staged; it keeps its memory, so staging allocates nothing in the
// long run.
class StagingArea {
 private:
  friend class CompactStore;
  struct StagedMarks {
    ConversationMarks marks;
    std::uint32_t hint;
  };
  const void* owner_ = nullptr;  // the store with staged changes
  std::vector<StagedMarks> conversations_;
  std::vector<OutboxRow> outbox_;
  std::vector<ClientMessageId> erased_;
  std::vector<SettingRow> settings_;
  std::vector<protocol::PutSetting> puts_;
  std::vector<std::uint64_t> erased_puts_;
  std::vector<FloorRow> floors_;
  std::vector<ForkRow> forks_;
  std::vector<HiddenRow> hidden_;
  SnapshotProgress snapshot_;
  std::uint64_t user_seq_ = 0;
  std::uint32_t user_epoch_ = 0;
  std::uint32_t next_counter_ = 0;  // 0 = not staged
  bool feed_staged_ = false;
  bool snapshot_staged_ = false;
};

// At most 56 bytes when empty, 40 bytes per conversation. Holds numbers of entries in 32 bits (see
// conversation.hpp).
class CompactStore final : public ClientStore {
 public:
  // `staging` must outlive the store; only one store at a time may have staged changes in it.
  explicit CompactStore(StagingArea& staging) : staging_(staging) {}

  void load(DeviceState& state) override;
  void stage_entry(const protocol::Event& event) override;
  void stage_conversation(const ConversationMarks& marks, std::uint32_t hint) override;
  void stage_feed(std::uint32_t user_epoch, std::uint64_t user_seq) override;
  void stage_outbox(const OutboxRow& row) override;
  void erase_outbox(const ClientMessageId& client_msg_id) override;
  void stage_setting(const SettingRow& row) override;
  void stage_put(const protocol::PutSetting& put) override;
  void erase_put(std::uint64_t op) override;
  void stage_floor(const FloorRow& row) override;
  void stage_fork(const ForkRow& row) override;
  void stage_hidden(const HiddenRow& row) override;
  void stage_snapshot(const SnapshotProgress& snapshot) override;
  void stage_counter(std::uint32_t next_counter) override;
  void commit() override;
  void discard() override;

  // Bytes on the heap, payloads excluded.
  std::size_t heap_bytes() const;

 private:
  struct Record {
    ConversationId id;
    std::uint32_t epoch;
    std::uint32_t cur;
    std::uint32_t known_head;
    std::uint32_t read;
    std::uint32_t delivered_acked;
    std::uint32_t read_acked;
  };
  static_assert(sizeof(Record) == 40);

  // What most devices do not have most of the time.
  struct Rare {
    std::vector<OutboxRow> outbox;
    std::vector<SettingRow> settings;
    std::vector<protocol::PutSetting> puts;
    std::uint64_t last_op = 0;
    std::vector<FloorRow> floors;
    std::vector<ForkRow> forks;
    std::vector<HiddenRow> hidden;
    SnapshotProgress snapshot;
    bool is_empty() const {
      return outbox.empty() && last_op == 0 && settings.empty() && floors.empty() && forks.empty() &&
             hidden.empty() && snapshot == SnapshotProgress();
    }
  };

  void own_staging();
  Rare& rare();
  void put(const ConversationMarks& marks, std::uint32_t hint);

  StagingArea& staging_;
  CompactVector<Record> records_;
  std::unique_ptr<Rare> rare_;  // exists only while it holds something
  std::uint64_t user_seq_ = 0;
  std::uint32_t user_epoch_ = 0;
  std::uint32_t next_counter_ = 1;
};
static_assert(sizeof(CompactStore) <= 56);

}  // namespace wavetank::client
