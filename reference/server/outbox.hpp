// Effects of one shard on others: rows in the source's own transaction, sent in order, re-sent until
// acknowledged, and applied at the destination exactly once.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/server/frame_budget.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// The source's side: numbers the rows of each destination densely from 1, keeps at most outbox_window of them
// under way, sends again from the first unacknowledged one whenever a link comes up, deletes what was
// acknowledged. Rows of one batch of the driver share a frame.
class OutboxSource {
 public:
  OutboxSource(const ServerConfig& config, store::LogStore& store, ServerObserver& observer);

  // Stores one item and sends it when the link is up and the window open. O(1) amortised.
  void append(NodeId destination, std::vector<UserId> recipients, const protocol::Change& change,
              Effects& effects);
  void link_up(NodeId destination, Effects& effects);
  void link_down(NodeId destination);
  void acknowledged(NodeId destination, std::uint64_t number, Effects& effects);
  // The destination could not apply this one and takes none above it: sends again from there on.
  void refused(NodeId destination, std::uint64_t number, Effects& effects);

  // Later rows go into frames of their own. O(lanes).
  void end_frames() {
    for (Lane& lane : lanes_) lane.frame_at = SIZE_MAX;
  }
  // Takes back whatever that destination has not acknowledged, oldest first: it will not be sent there.
  std::vector<protocol::OutboxItem> take_back(NodeId destination);

  // Items stored and not acknowledged.
  std::uint64_t pending(NodeId destination);
  // The highest number given, and the highest acknowledged.
  std::uint64_t head(NodeId destination) { return lane(destination).head; }
  std::uint64_t acknowledged(NodeId destination) { return lane(destination).acked; }

  // Defect::kOutboxInMemory: what was not acknowledged when the process ended is gone. Call it before any
  // other method.
  void forget_all(NodeId destination);

 private:
  struct Lane {
    bool loaded = false;
    bool up = false;
    std::uint64_t head = 0;       // highest number given
    std::uint64_t acked = 0;      // highest number acknowledged
    std::uint64_t trimmed = 0;    // rows up to here are deleted
    std::uint64_t sent = 0;       // highest number sent on the link as it is
    std::uint64_t ever_sent = 0;  // highest number ever sent; of older processes, all they had
    std::size_t frame_at =
        SIZE_MAX;           // where the newest frame stands among the effects, if they are still those
    FrameBudget budget{0};  // of that frame
  };
  Lane& lane(NodeId destination);
  // Sends what the window allows, reading from the store.
  void pump(NodeId destination, Lane& lane, Effects& effects);
  void send(NodeId destination, Lane& lane, protocol::OutboxItem&& item, Effects& effects);

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  std::vector<Lane> lanes_;
  std::vector<protocol::OutboxItem> scratch_;
};

// The destination's side: which numbers of each source are stored here already.
class OutboxInbox {
 public:
  OutboxInbox(const ServerConfig& config, store::LogStore& store, ServerObserver& observer);

  // The upper half of a number counts the machines that have sent as this source (TKO-FEED-001): the first of
  // a new one follows on whatever the machine before it had reached. And a new machine takes a lane as it
  // finds it.
  //
  // True when the item is the next one and must be applied now. Numbers at or below the stored one were
  // applied before. A number beyond the next is refused too: what lies between was lost with a link that
  // failed before the source noticed, and the source will send all of it again.
  bool accept(NodeId source, std::uint64_t number);
  // Whether accept() would be true.
  bool is_next(NodeId source, std::uint64_t number) {
    const std::uint64_t reached = lane(source).number;
    const bool is_new_source = number >> 32 > reached >> 32 && (number & UINT32_MAX) == 1;
    const bool is_new_here = reached == 0 && config_.replacement != 0;
    return number == reached + 1 || is_new_source || is_new_here;
  }
  // As OutboxSource::end_frames().
  void end_frames() {
    for (Lane& lane : lanes_) lane.frame_at = SIZE_MAX;
  }
  // The highest number accepted.
  std::uint64_t number(NodeId source) { return lane(source).number; }
  // Records the highest accepted number in the batch's transaction and acknowledges it, and says that
  // `refused`, the next one, could not be applied; 0: none was.
  void finish(NodeId source, std::uint64_t refused, Effects& effects);

 private:
  struct Lane {
    bool loaded = false;
    std::uint64_t number = 0;  // accepted
    std::uint64_t stored = 0;
    std::size_t frame_at = SIZE_MAX;  // as in OutboxSource
  };
  Lane& lane(NodeId source);

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  std::vector<Lane> lanes_;
};

}  // namespace wavetank::server
