#include "conformance/history/record_codec.hpp"

#include "reference/environment/randomness.hpp"

namespace wavetank::history {

namespace {

constexpr std::size_t kSlots = 1U << 16;

// Bits of the mask, the most frequent ones first. Those up to kValue stand before what is expected of the
// others.
enum Bit : std::uint32_t {
  kDevice = 1U << 0,
  kConversation = 1U << 1,
  kKey = 1U << 2,
  kSeq = 1U << 3,
  kFlag = 1U << 4,
  kCode = 1U << 5,
  kValue = 1U << 6,
  kValue2 = 1U << 7,
  kUser = 1U << 8,
  kConnection = 1U << 9,
  kSize = 1U << 10,
  kDigest = 1U << 11,
  kSender = 1U << 12,
  kSubject = 1U << 13,
  kEntryKind = 1U << 14,
  kEpoch = 1U << 15,
  kCanary = 1U << 16
};
constexpr std::uint32_t kAllBits = (1U << 17) - 1;

// An index, or that there is none, as a small number.
std::uint32_t shifted(std::uint32_t index) { return index + 1; }
std::uint32_t unshifted(std::uint32_t number) { return number - 1; }

bool is_entry(Kind kind) { return kind == Kind::kReceived || kind == Kind::kSendAcked; }

std::uint32_t mask_of(const Record& r, const Record& expected) {
  std::uint32_t mask = 0;
  const auto mark = [&](Bit bit, bool differs) { mask |= differs ? bit : 0U; };
  mark(kDevice, r.device != kNone);
  mark(kConversation, r.conversation != kNone);
  mark(kKey, r.key != MessageKey());
  mark(kSeq, r.seq != 0);
  mark(kFlag, r.flag);
  mark(kCode, r.code != 0);
  mark(kValue, r.value != 0);
  mark(kValue2, r.value2 != expected.value2);
  mark(kUser, r.user != expected.user);
  mark(kConnection, r.connection != expected.connection);
  mark(kSize, r.size != expected.size);
  mark(kDigest, r.digest != expected.digest);
  mark(kSender, r.sender != expected.sender);
  mark(kSubject, r.subject != expected.subject);
  mark(kEntryKind, r.entry_kind != expected.entry_kind);
  mark(kEpoch, r.epoch != expected.epoch);
  mark(kCanary, r.canary != (r.kind == Kind::kReceived ? r.digest : 0));
  return mask;
}

}  // namespace

// ---- what is expected

Expectation::Expectation() : devices_(kSlots), messages_(kSlots) {}

const Expectation::OfDevice& Expectation::slot_of(DeviceTag device) const {
  static constexpr OfDevice kNothing;
  const OfDevice& slot = devices_[device & (kSlots - 1)];
  return slot.device == device ? slot : kNothing;
}

std::size_t Expectation::place_of(MessageKey key) const {
  return mix64(static_cast<std::uint64_t>(key.device) << 32 | key.counter) & (kSlots - 1);
}

Record Expectation::of(const Record& known) const {
  Record expected = known;
  const OfDevice& device = slot_of(known.device);
  expected.user = device.user;
  expected.connection = device.connection;
  if (is_entry(known.kind)) expected.epoch = 1;
  if (known.kind != Kind::kReceived) return expected;
  expected.sender = slot_of(known.key.device).user;
  const OfMessage& message = messages_[place_of(known.key)];
  if (message.key == known.key) {
    expected.digest = message.digest;
    expected.size = message.size;
  }
  return expected;
}

void Expectation::learn(const Record& record) {
  time_ = record.time;
  if (record.device != kNone)
    devices_[record.device & (kSlots - 1)] = {record.device, record.user, record.connection};
  if (record.digest != 0) messages_[place_of(record.key)] = {record.key, record.digest, record.size};
}

// ---- writing

void RecordEncoder::encode(const Record& r, std::string& out) {
  Record known;
  known.kind = r.kind;
  known.device = r.device;
  known.key = r.key;
  const std::uint32_t mask = mask_of(r, expectation_.of(known));
  out.push_back(static_cast<char>(r.kind));
  // The difference of two times may not fit; its low 64 bits do.
  put_signed(out, static_cast<std::int64_t>(static_cast<std::uint64_t>(r.time) -
                                            static_cast<std::uint64_t>(expectation_.time())));
  put_number(out, mask);
  if ((mask & kDevice) != 0) put_number(out, shifted(r.device));
  if ((mask & kConversation) != 0) put_number(out, shifted(r.conversation));
  if ((mask & kKey) != 0) {
    put_number(out, shifted(r.key.device));
    put_number(out, r.key.counter);
  }
  if ((mask & kSeq) != 0) put_number(out, r.seq);
  if ((mask & kCode) != 0) out.push_back(static_cast<char>(r.code));
  if ((mask & kValue) != 0) put_number(out, r.value);
  if ((mask & kValue2) != 0) put_number(out, r.value2);
  if ((mask & kUser) != 0) put_number(out, shifted(r.user));
  if ((mask & kConnection) != 0) put_number(out, r.connection);
  if ((mask & kSize) != 0) put_number(out, r.size);
  if ((mask & kDigest) != 0) put_word(out, r.digest);
  if ((mask & kSender) != 0) put_number(out, shifted(r.sender));
  if ((mask & kSubject) != 0) put_number(out, shifted(r.subject));
  if ((mask & kEntryKind) != 0) out.push_back(static_cast<char>(r.entry_kind));
  if ((mask & kEpoch) != 0) put_number(out, r.epoch);
  if ((mask & kCanary) != 0) put_word(out, r.canary);
  expectation_.learn(r);
}

// ---- reading

Record RecordDecoder::decode(Kind kind, Unpacker& in) {
  Record known;
  known.kind = kind;
  const auto step = static_cast<std::uint64_t>(in.signed_number());
  known.time = static_cast<TimeNs>(static_cast<std::uint64_t>(expectation_.time()) + step);
  const std::uint64_t mask = in.number();
  if (mask > kAllBits) {
    in.refuse();
    return {};
  }
  known.flag = (mask & kFlag) != 0;
  if ((mask & kDevice) != 0) known.device = unshifted(in.number32());
  if ((mask & kConversation) != 0) known.conversation = unshifted(in.number32());
  if ((mask & kKey) != 0) {
    known.key.device = unshifted(in.number32());
    known.key.counter = in.number32();
  }
  if ((mask & kSeq) != 0) known.seq = in.number();
  if ((mask & kCode) != 0) known.code = in.byte();
  if ((mask & kValue) != 0) known.value = in.number();
  Record r = expectation_.of(known);
  if ((mask & kValue2) != 0) r.value2 = in.number();
  if ((mask & kUser) != 0) r.user = unshifted(in.number32());
  if ((mask & kConnection) != 0) r.connection = in.number32();
  if ((mask & kSize) != 0) r.size = in.number32();
  if ((mask & kDigest) != 0) r.digest = in.word();
  if ((mask & kSender) != 0) r.sender = unshifted(in.number32());
  if ((mask & kSubject) != 0) r.subject = unshifted(in.number32());
  if ((mask & kEntryKind) != 0) r.entry_kind = in.byte();
  if ((mask & kEpoch) != 0) r.epoch = in.number32();
  r.canary = r.kind == Kind::kReceived ? r.digest : 0;
  if ((mask & kCanary) != 0) r.canary = in.word();
  expectation_.learn(r);
  return r;
}

}  // namespace wavetank::history
