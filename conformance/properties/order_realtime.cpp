// ORD-REALTIME: an entry that anybody had seen before a message was invoked stands before that message.
#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class OrderRealtime final : public Monitor {
 public:
  explicit OrderRealtime(Truth& truth) : Monitor("ORD-REALTIME", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kSendAcked); }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (seen.is_forked || seen.send == nullptr || seen.send->conversation != record.conversation) return;
    const Send& send = *seen.send;
    if (send.has(Send::kKeyReused)) return;  // which invocation is answered cannot be told
    fired();
    if (record.seq > send.head_before) return;
    violate(record, "{} was sent to conversation {} when its entry {} had been seen, and got number {}",
            name_of(record.key), record.conversation, send.head_before, record.seq);
  }
};

}  // namespace

std::unique_ptr<Monitor> make_order_realtime(Truth& truth) { return std::make_unique<OrderRealtime>(truth); }

}  // namespace wavetank::conformance
