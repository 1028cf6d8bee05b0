// A shard: the owner of some conversations and of some users' feeds, on a disk of its own. It composes the
// machines of one concept each over one store and dispatches the frames of its links to them.
//
//   gateway --SendMessage--> ConversationLog --OutboxItem--> (other shard, or nothing between) --> Feed
//   --ChangePush--> gateway gateway --DeliveredCursor, ReadWatermark--> Receipts --OutboxItem--> ... gateway
//   --Attach, Sync--> Feed
//
// Marks and receipts pass DeferredFrames first. Signals go through Signals and touch neither log nor feed.
// Which buckets are its own is Moves' to know. What is told passes Standby last, where there are standby
// copies.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "reference/environment/node.hpp"
#include "reference/environment/observer.hpp"
#include "reference/server/config.hpp"
#include "reference/server/conversation_log.hpp"
#include "reference/server/credentials.hpp"
#include "reference/server/deferred_frames.hpp"
#include "reference/server/deliveries.hpp"
#include "reference/server/feed.hpp"
#include "reference/server/moves.hpp"
#include "reference/server/outbox.hpp"
#include "reference/server/placement.hpp"
#include "reference/server/pointer_window.hpp"
#include "reference/server/presence.hpp"
#include "reference/server/receipts.hpp"
#include "reference/server/signals.hpp"
#include "reference/server/standby.hpp"
#include "reference/server/tapped_store.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// What the driver must know beyond Node's contract
// - At peer_up a peer's earlier sessions are forgotten; frames of the new link must come after peer_up.
// - Of a request that came with request_id 0 no reply is sent.
// - StoreFailure passes through every method; the shard must then be destroyed.
// Seeded defects that need the driver
// - kAckBeforeSync, kSettingAckedBeforeStored, kPushBeforeSync, kHotWindowServesUncommitted: the driver sends
// some of a batch's frames before the sync (may_leave_early() says which).
// - kHeadAheadOfStore: after a crash the driver plants take_heads() of the dead shard in the new one.
class Shard : public Node, private MoveHost {
 public:
  // `store` and `observer` must outlive the shard. `placement` is what it begins with; what has moved since
  // is in the store.
  Shard(const ServerConfig& config, const Placement& placement, store::LogStore& store,
        ServerObserver& observer);

  void start(TimeNs now, Effects& effects) override;
  void begin_batch() override;
  WriteVolume end_batch() override;
  void peer_up(NodeId peer, TimeNs now, Effects& effects) override;
  void peer_down(NodeId peer, TimeNs now, Effects& effects) override;
  void peer_frame_received(NodeId peer, protocol::Frame&& frame, TimeNs now, Effects& effects) override;
  void timer_fired(TimerId timer, TimeNs now, Effects& effects) override;
  NodeMemory memory() const override {
    return {feed_.session_bytes(), log_.cache_bytes() + receipts_.cache_bytes() + feed_.cache_bytes()};
  }

  // The operator's order to move a bucket (moves.hpp); false when it is not for this shard.
  bool move_bucket(std::uint32_t bucket, NodeId to, TimeNs now, Effects& effects) {
    return moves_.order(bucket, to, now, effects);
  }
  // The operator's order to take over what `lost`, of which this is the standby, has owned (standby.hpp).
  // `lost` must be gone for good with its disk: what it tells after this is void. False, and nothing happens,
  // when this shard does not have a whole copy. One transaction; O(what is taken over).
  bool take_over(NodeId lost, TimeNs now, Effects& effects);
  // Whether it would be true.
  bool can_take_over(NodeId lost) const { return standby_.has_copy_of(lost); }
  // The shard that would have to do it; kNoNode when there is none.
  NodeId standby_of(NodeId shard) const { return standby_.is_on() ? standby_.standby_of(shard) : kNoNode; }

  const Placement& placement() const { return placement_; }

  // Sessions attached here, and items stored for `destination` and not yet acknowledged.
  std::size_t session_count() const { return feed_.session_count(); }
  std::uint64_t pending_outbox(NodeId destination) { return outbox_.pending(destination); }

  // True for an effect that a mistaken shard lets go before its batch is durable.
  bool may_leave_early(const Effect& effect) const;
  // Defect::kHeadAheadOfStore.
  ConversationLog::Heads take_heads() { return log_.take_heads(); }
  void plant_heads(ConversationLog::Heads heads) { log_.plant_heads(std::move(heads)); }

 private:
  static constexpr TimerId kOwnFeedsTimer = 3;  // Defect::kOwnFeedsInMemory; the others are in shard.cpp

  void handle(NodeId peer, protocol::Frame&& frame, TimeNs now, Effects& effects);
  void pass_on(Effects& effects);
  void time_passed(TimerId timer, TimeNs now, Effects& effects);
  void attach_received(NodeId gateway, const protocol::Attach& attach, TimeNs now, Effects& effects);
  // The user's home is here.
  void attach_here(NodeId gateway, const protocol::Attach& attach, TimeNs now, Effects& effects);
  // Handles the frames that wait; `joined` is the one whose transaction they join, if any.
  void handle_deferred(TimeNs now, Effects& effects, const protocol::Frame* joined = nullptr);
  bool is_shut_out(const protocol::Frame& mark, const protocol::Frame* send) const;
  void request_received(NodeId gateway, protocol::Frame&& frame, TimeNs now, Effects& effects);
  // Whether the request on something in this bucket may be served here and now; otherwise it is answered.
  bool admits(NodeId gateway, const protocol::Frame& frame, std::uint32_t bucket, bool is_write,
              Effects& effects);
  void tell_served(std::uint32_t bucket) {
    if (config_.tells_buckets) observer_.bucket_served(config_.self, bucket, placement_.version_of(bucket));
  }
  void send_received(NodeId gateway, const protocol::Frame& frame, TimeNs now, Effects& effects);
  void put_received(NodeId gateway, const protocol::Frame& frame, const protocol::PutSetting& put, TimeNs now,
                    Effects& effects);
  void remove_received(NodeId gateway, const protocol::Frame& frame, const protocol::RemoveDevice& request,
                       TimeNs now, Effects& effects);
  void fan_out(const SendOutcome& outcome, TimeNs now, Effects& effects);
  // DLV-WINDOW-*: of an entry that is told by pointers.
  void fan_out_in_window(const protocol::Event& event, TimeNs now, Effects& effects);
  // Tells what the conversation owes, if it does, to its members; `next` is the entry that was appended
  // above it and is not part of it, nullptr: none.
  void pay_fan_out(const ConversationId& id, const protocol::Event* next, TimeNs now, Effects& effects);
  protocol::Change pointer_to(const ConversationId& id, std::uint64_t head_seq, std::uint64_t head_msg_no);
  void read_owed_fanouts(TimeNs now, Effects& effects);
  // Defect::kLastMessageBeforeIdleLost: true when the entry's fan-out waits in memory.
  bool held_back(const protocol::Change& change, TimeNs now, Effects& effects);
  void distribute(const std::vector<UserId>& recipients, const protocol::Change& change, TimeNs now,
                  Effects& effects) override;
  void before_stop(TimeNs now, Effects& effects) override {
    handle_deferred(now, effects);
    presence_.write_all();
    // A successor of an older version would not know what the row says.
    for (const ConversationId& id : pointer_windows_.owing()) pay_fan_out(id, nullptr, now, effects);
  }
  void owner_lost(NodeId lost, TimeNs now, Effects& effects) override;
  // ORD-EPOCH-002, TKO-MARK-001: the answer to a mark that was made in this epoch; nothing: it counts.
  std::optional<protocol::EpochChanged> dead_mark(const ConversationId& id, std::uint32_t epoch);
  bool is_told_already(UserId user, const protocol::Change& change);
  void begin_epoch(const ConversationId& id, NodeId lost, TimeNs now, Effects& effects);
  void bucket_left(std::uint32_t bucket) override;
  void bucket_arrived(std::uint32_t bucket, TimeNs now, Effects& effects) override;
  void batch_received(NodeId source, const protocol::OutboxBatch& batch, TimeNs now, Effects& effects);
  void reply(NodeId gateway, const protocol::Frame& request, protocol::Body body, Effects& effects);
  void reply_error(NodeId gateway, const protocol::Frame& request, protocol::ErrorCode code,
                   Effects& effects);
  bool stalled(NodeId gateway, protocol::Frame& frame, TimeNs now, Effects& effects);
  bool is_outbox_full();

  ServerConfig config_;
  Placement placement_;
  ServerObserver& observer_;
  TappedStore store_;
  ConversationLog log_;
  Receipts receipts_;
  Feed feed_;
  Deliveries deliveries_;
  Credentials credentials_;
  Signals signals_;
  Presence presence_;
  OutboxSource outbox_;
  OutboxInbox inbox_;
  DeferredFrames deferred_;
  Moves moves_;
  Standby standby_;
  PointerWindows pointer_windows_;
  std::vector<std::pair<NodeId, protocol::Attach>> waiting_attaches_;  // of users who are about to be here
  std::vector<UserId> recipients_;
  std::vector<ReceiptNotice> notices_;
  std::vector<std::pair<NodeId, UserId>> by_shard_;
  std::vector<UserId> elsewhere_;

  // State of seeded defects only.
  struct Held {
    TimeNs last_entry = 0;
    std::vector<std::pair<std::vector<UserId>, protocol::Change>> waiting;
  };
  boost::unordered_flat_map<ConversationId, Held, IdHash> held_;
  std::vector<std::pair<NodeId, protocol::Frame>> stalled_;
  std::vector<std::pair<UserId, protocol::Change>> own_later_;
};

}  // namespace wavetank::server
