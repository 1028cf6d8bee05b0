// ORD-FIFO: one device's messages in one conversation keep the order of their transmission.
//
// Judged are pairs that were transmitted once each on the same connection, and messages whose first
// transmission followed the acknowledgement of an earlier one. A repeated message may land later than its
// successors.
//
// The last place of a device in a conversation is in the truth's row of a writer (WriterRow). Beside it 16
// bytes and an index slot for each (device, conversation) with a message under way that is not the first one.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class OrderFifo final : public Monitor {
 public:
  explicit OrderFifo(Truth& truth) : Monitor("ORD-FIFO", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kSendTransmitted, Kind::kSendAcked); }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.is_forked || seen.send == nullptr) return;
    if (record.kind == Kind::kSendTransmitted) {
      if (record.value <= 1) transmitted(seen);
      return;
    }
    if (!seen.send->has(Send::kAcked) && !seen.send->has(Send::kKeyReused))
      judge(seen, truth().writer(*seen.conversation, record.key.device));
  }

  std::size_t bytes() const override { return table_bytes(pending_); }

 private:
  // The message that a device has last transmitted for the first time.
  struct Pending {
    std::uint32_t counter = 0;
    std::uint32_t floor = 0;  // the device's last place at that time; never 0
  };
  static constexpr std::uint32_t kConnectionMask = 0x7fff;

  static std::uint64_t place_of(const Record& record) {
    return static_cast<std::uint64_t>(record.key.device) << 32 | record.conversation;
  }

  void transmitted(const Observation& seen) {
    const Record& record = seen.record;
    const WriterRow* row = seen.log->writers.find(record.key.device);
    if (row != nullptr && row->seq != 0) pending_[place_of(record)] = {record.key.counter, row->seq};
  }

  void judge(const Observation& seen, WriterRow& row) {
    const Record& record = seen.record;
    const Send& send = *seen.send;
    const std::uint32_t counter = record.key.counter;
    if (row.seq != 0) {
      const bool comparable = row.retried == 0 && !send.has(Send::kRetried) &&
                              row.connection == (send.connection & kConnectionMask) && row.counter != counter;
      const auto pending = pending_.find(place_of(record));
      const bool after_ack = pending != pending_.end() && pending->second.counter == counter;
      const std::uint32_t floor = after_ack ? pending->second.floor : 0;
      // A message is judged once: at its first acknowledgement.
      if (after_ack) pending_.erase(pending);
      if (comparable || after_ack) fired();
      if ((comparable && (counter > row.counter) != (record.seq > row.seq)) ||
          (after_ack && record.seq <= floor)) {
        violate(record,
                "device {} sent its messages {} and {} in this order on one connection, and got {} and {} in "
                "conversation {}",
                record.key.device, std::min<std::uint32_t>(counter, row.counter),
                std::max<std::uint32_t>(counter, row.counter), counter < row.counter ? record.seq : +row.seq,
                counter < row.counter ? +row.seq : record.seq, record.conversation);
      }
    }
    if (record.seq <= row.seq) return;
    row.seq = narrow(record.seq);
    row.counter = counter;
    row.connection = static_cast<std::uint16_t>(send.connection & kConnectionMask);
    row.retried = send.has(Send::kRetried) ? 1U : 0U;
  }

  boost::unordered_flat_map<std::uint64_t, Pending> pending_;  // by (device, conversation)
};

}  // namespace

std::unique_ptr<Monitor> make_order_fifo(Truth& truth) { return std::make_unique<OrderFifo>(truth); }

}  // namespace wavetank::conformance
