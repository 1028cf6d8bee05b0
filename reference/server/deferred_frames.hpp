// Frames whose effects nobody waits for: they lie still for a moment, so that many share one transaction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "reference/environment/effects.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"

namespace wavetank::server {

// Marks, and the receipts that tell of them, are most of a shard's writes, and a commit costs the disk
// nearly the same for one row as for thirty (group commit; DeWitt et al. 1984, "Implementation Techniques for
// Main Memory Database Systems"). The shard handles what lies here, in the order of arrival, together with
// the next frame that writes and does not wait, at the latest receipt_delay_ms after the oldest came or when
// receipt_delay_items are together. Reads pass by. Until then such a frame has had no effect at all: a crash
// loses it as if it were still on the wire, and its sender, unanswered, sends it again. RCP-*: a mark is
// acknowledged only when it is stored.
class DeferredFrames {
 public:
  explicit DeferredFrames(const ServerConfig& config) : config_(config) {}

  // Takes the frame if it may wait. Otherwise false, and `frame` is untouched. After true, full() says
  // whether the wait is over. O(items of the frame).
  bool take(NodeId peer, protocol::Frame& frame, TimeNs now, TimerId timer, Effects& effects) {
    if (config_.receipt_delay_ms == 0 || !may_wait(frame)) return false;
    items_ += items_of(frame);
    waiting_.emplace_back(peer, std::move(frame));
    if (!std::exchange(armed_, true)) effects.arm(timer, now + config_.receipt_delay_ms * kMillisecond);
    return true;
  }
  // Whether the transaction of this frame, which may not wait, is one to join.
  static bool joins(const protocol::Frame& frame) {
    return std::holds_alternative<protocol::SendMessage>(frame.body) ||
           std::holds_alternative<protocol::PutSetting>(frame.body) ||
           std::holds_alternative<protocol::OutboxBatch>(frame.body);
  }
  // Never so many that a source's window is full of what waits: what does not wait would stand behind it.
  bool full() const {
    const std::uint32_t within_window = std::max(1U, config_.outbox_window / 2);
    return items_ >= std::min(config_.receipt_delay_items, within_window);
  }
  // The timer has fired; it is armed again by the next frame.
  void timer_fired() { armed_ = false; }

  // Hands out all that lies here, in the order of arrival.
  std::vector<std::pair<NodeId, protocol::Frame>> release() {
    items_ = 0;
    return std::exchange(waiting_, {});
  }

 private:
  static bool may_wait(const protocol::Frame& frame) {
    if (const auto* batch = std::get_if<protocol::OutboxBatch>(&frame.body)) {
      return std::all_of(batch->items.begin(), batch->items.end(), [](const protocol::OutboxItem& item) {
        return item.change.kind == protocol::ChangeKind::kReceipt;
      });
    }
    return frame.route && (std::holds_alternative<protocol::DeliveredCursor>(frame.body) ||
                           std::holds_alternative<protocol::ReadWatermark>(frame.body));
  }
  static std::size_t items_of(const protocol::Frame& frame) {
    const auto* batch = std::get_if<protocol::OutboxBatch>(&frame.body);
    return batch == nullptr ? 1 : batch->items.size();
  }

  const ServerConfig& config_;
  std::vector<std::pair<NodeId, protocol::Frame>> waiting_;
  std::size_t items_ = 0;
  bool armed_ = false;
};

}  // namespace wavetank::server
