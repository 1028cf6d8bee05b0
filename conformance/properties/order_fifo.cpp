// ORD-FIFO: one device's messages in one conversation keep the order of their transmission.
//
// Judged are pairs that were transmitted once each on the same connection, and messages whose first
// transmission followed the acknowledgement of an earlier one. A repeated message may land later than its
// successors.
#include <algorithm>

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
    Sender& row = senders_.find_or_add(record.key.device, record.conversation);
    if (record.kind == Kind::kSendTransmitted) {
      if (record.value > 1) return;
      row.pending_counter = record.key.counter;
      row.pending_floor = row.seq;
      return;
    }
    if (!seen.send->has(Send::kAcked) && !seen.send->has(Send::kKeyReused)) judge(seen, row);
  }

  std::size_t bytes() const override { return senders_.bytes(); }

 private:
  // The latest place of a device in a conversation.
  struct Sender {
    std::uint32_t first = kNone;   // device
    std::uint32_t second = kNone;  // conversation
    std::uint32_t seq = 0;         // the highest acknowledged, and its message
    std::uint32_t counter = 0;
    std::uint32_t pending_counter = 0;  // transmitted last for the first time
    std::uint32_t pending_floor = 0;    // `seq` at that time
    std::uint16_t connection = 0;
    bool retried = false;
  };

  void judge(const Observation& seen, Sender& row) {
    const Record& record = seen.record;
    const Send& send = *seen.send;
    const std::uint32_t counter = record.key.counter;
    if (row.seq != 0) {
      const bool comparable = !row.retried && !send.has(Send::kRetried) &&
                              row.connection == send.connection && row.counter != counter;
      const bool after_ack = row.pending_counter == counter && row.pending_floor != 0;
      if (comparable || after_ack) fired();
      if ((comparable && (counter > row.counter) != (record.seq > row.seq)) ||
          (after_ack && record.seq <= row.pending_floor)) {
        violate(record,
                "device {} sent its messages {} and {} in this order on one connection, and got {} and {} in "
                "conversation {}",
                record.key.device, std::min(counter, row.counter), std::max(counter, row.counter),
                counter < row.counter ? record.seq : row.seq, counter < row.counter ? row.seq : record.seq,
                record.conversation);
      }
    }
    if (record.seq <= row.seq) return;
    row.seq = narrow(record.seq);
    row.counter = counter;
    row.connection = send.connection;
    row.retried = send.has(Send::kRetried);
  }

  PairTable<Sender> senders_;
};

}  // namespace

std::unique_ptr<Monitor> make_order_fifo(Truth& truth) { return std::make_unique<OrderFifo>(truth); }

}  // namespace wavetank::conformance
