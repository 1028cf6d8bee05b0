// Known bytes, limits, and what the wire format allows beyond what encoders write.
#include "reference/protocol/codec.hpp"

#include <gtest/gtest.h>

#include <string>

#include "reference/protocol/print.hpp"
#include "reference/protocol/test_support.hpp"

namespace wavetank::protocol {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// `text` as bytes: pairs of hexadecimal digits, spaces ignored.
std::string raw(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  return out;
}

SendMessage sample_send() {
  SendMessage send;
  send.conversation = {0x0100000000000005ULL, 0x0200000000000007ULL};
  send.client_msg_id = {0x0192f0a1b2c37001ULL, 0x8000000000000001ULL};
  send.client_time_ms = 1'700'000'000'000ULL;
  send.payload = Slice("hello");
  return send;
}

// The expected bytes were made by protoc --encode from text.
void expect_known(const Frame& frame, const std::string& expected) {
  EXPECT_EQ(hex(bytes_of(frame)), expected);
  EXPECT_EQ(encoded_size(frame), expected.size() / 2);
  const auto decoded = decode(raw(expected));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, frame) << to_string(*decoded);
}

TEST(CodecKnownBytesTest, Heartbeat) {
  Frame frame = make_frame(Heartbeat{300});
  frame.frame_seq = 1;
  expect_known(frame, "08019a010308ac02");
}

TEST(CodecKnownBytesTest, RoutedSend) {
  Frame frame = make_frame(sample_send(), 7);
  frame.frame_seq = 300;
  frame.route = Route{11, 72057594037927948ULL, 1};
  expect_known(frame,
               "08ac021807220e080b108c80808080808080011801b20132090500000000000001110700000000000002190170c3b"
               "2a1f0920121"
               "01000000000000804080d095ffbc314a0568656c6c6f");
}

TEST(CodecKnownBytesTest, RefusedSend) {
  SendAck ack;
  ack.conversation.lo = 9;
  ack.client_msg_id.lo = 1;
  ack.status = SendStatus::kRejected;
  ack.error = ErrorCode::kBusy;
  ack.retry_after_ms = 250;
  expect_known(make_frame(ack), "ba01191109000000000000002101000000000000002802580960fa01");
}

TEST(CodecKnownBytesTest, RangeWithAnEntryOfANewKind) {
  RangeResult range;
  range.conversation = {1, 2};
  range.conv_epoch = 1;
  range.from_seq = 1;
  range.covered_to_seq = range.head_seq = 3;
  range.head_msg_no = 1;
  Event event;
  event.conversation = {1, 2};
  event.conv_epoch = 1;
  event.conv_seq = 3;
  event.msg_no = 1;
  event.sender = 5;
  event.kind = static_cast<EntryKind>(0xffffffffu);  // int32 -1 on the wire
  event.payload = Slice(std::string_view("\0\xff", 2));
  range.events.push_back(event);
  range.tombstones.push_back({1, 2, TombstoneReason::kNotVisible});
  expect_known(make_frame(range),
               "ca014f090100000000000000110200000000000000180120012803300338015229090100000000000000110200000"
               "000000000180"
               "120032801300558ffffffffffffffffff01720200ff5a06080110021802");
}

TEST(CodecKnownBytesTest, OutboxBatch) {
  OutboxBatch batch;
  batch.source = 3;
  OutboxItem item;
  item.number = 1;
  item.recipients = {1, 300};
  item.change.user_seq = ~std::uint64_t{0};
  item.change.kind = ChangeKind::kReceipt;
  batch.items.push_back(item);
  expect_known(make_frame(batch), "a2021a080312160801120301ac021a0d10ffffffffffffffffff011802");
}

TEST(CodecKnownBytesTest, WhatIsNoLongerKept) {
  RangeResult refusal;
  refusal.error = ErrorCode::kRangeTooOld;
  refusal.min_seq = 7;
  expect_known(make_frame(refusal), "ca0104480d6007");
  expect_known(make_frame(FetchSnapshot{{1, 2}, {3, 4}, 5}),
               "820326090100000000000000110200000000000000190300000000000000210400000000000000"
               "2805");
}

TEST(CodecKnownBytesTest, EmptyBodyIsStillABody) {
  expect_known(make_frame(Sync{}), "d20100");
  expect_known(Frame{}, "");
}

// An absent field is zero, also where the struct has another default for its own use.
TEST(CodecTest, AbsentFieldsAreZero) {
  const auto decoded = decode(raw("8a0100"));
  ASSERT_TRUE(decoded.has_value());
  const Hello& hello = std::get<Hello>(decoded->body);
  EXPECT_EQ(hello.min_version, 0u);
  EXPECT_EQ(hello.features, 0u);
  EXPECT_EQ(std::get<Error>(decode(raw("820200"))->body).code, ErrorCode::kNone);
}

TEST(CodecTest, TheLastValueWins) {
  EXPECT_EQ(decode(raw("08 01 08 02"))->frame_seq, 2u);
  const auto twice = decode(raw("9a010308ac02 9a0100"));  // the body twice: the second one whole
  ASSERT_TRUE(twice.has_value());
  EXPECT_EQ(std::get<Heartbeat>(twice->body).client_time_ms, 0u);
  const auto other = decode(raw("9a010308ac02 d20100"));  // another body after the first
  ASSERT_TRUE(other.has_value());
  EXPECT_TRUE(std::holds_alternative<Sync>(other->body));
}

TEST(CodecTest, LongVarintsAreTruncatedAsProtobufDoes) {
  EXPECT_EQ(decode(raw("08 ffffffffffffffffff01"))->frame_seq, 0xffffffffu);
  EXPECT_EQ(decode(raw("08 8180808000"))->frame_seq, 1u);
  EXPECT_FALSE(decode(raw("08 ffffffffffffffffffff01")).has_value());  // eleven bytes
  EXPECT_TRUE(decode(raw("8880808000 01")).has_value());               // a tag may take five bytes
  EXPECT_FALSE(decode(raw("888080808000 01")).has_value());            // not six
  EXPECT_TRUE(decode(raw("d201 8080808000")).has_value());             // nor may a length
  EXPECT_FALSE(decode(raw("d201 808080808000")).has_value());
}

TEST(CodecTest, PackedAndUnpackedNumbersAreTheSame) {
  const auto packed = decode_outbox_item(raw("12 03 01 ac02"));
  const auto unpacked = decode_outbox_item(raw("10 01 10 ac02"));
  const auto mixed = decode_outbox_item(raw("10 01 12 02 ac02"));
  ASSERT_TRUE(packed && unpacked && mixed);
  EXPECT_EQ(*packed, *unpacked);
  EXPECT_EQ(*packed, *mixed);
}

// A known number with another wire type is an unknown field: kept, not an error, and still unknown after a
// round trip.
TEST(CodecTest, AWrongWireTypeIsAnUnknownField) {
  const std::string bytes = raw("0d 01020304 1801");  // frame_seq as fixed32, then request_id
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->frame_seq, 0u);
  EXPECT_EQ(decoded->request_id, 1u);
  EXPECT_EQ(hex(decoded->unknown.view()), "0d01020304");
  EXPECT_EQ(*decode(bytes_of(*decoded)), *decoded);
}

// VER-UNKNOWN-001: what a newer version adds passes through a frame and an entry untouched.
TEST(CodecTest, UnknownFieldsAndBodiesSurvive) {
  const std::string new_fields = raw("c23e 03 616263 c83e 01");  // 1000: "abc", 1001: 1
  const std::string new_body = raw("c207 02 0801");              // body number 120
  Frame frame = make_frame(sample_send(), 7);
  const auto decoded = decode(new_fields + bytes_of(frame) + new_body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->unknown.view(), new_fields + new_body);
  EXPECT_EQ(decoded->body, frame.body);
  EXPECT_EQ(bytes_of(*decoded), bytes_of(frame) + new_fields + new_body);
  EXPECT_NE(digest(*decoded), digest(frame));

  const auto body_only = decode(new_body);
  ASSERT_TRUE(body_only.has_value());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(body_only->body));
  EXPECT_EQ(bytes_of(*body_only), new_body);
}

TEST(CodecTest, UnknownFieldsOfAnEntrySurviveTheStore) {
  Event event;
  event.conv_seq = 9;
  std::string bytes;
  encode(event, bytes);
  bytes += raw("da0f 0161");
  const auto stored = decode_event(bytes);
  ASSERT_TRUE(stored.has_value());
  Change change;
  change.event = *stored;
  std::string change_bytes;
  encode(change, change_bytes);
  EXPECT_EQ(decode_change(change_bytes)->event->unknown.view(), raw("da0f 0161"));
}

TEST(CodecTest, GroupsArePassedOverAndBounded) {
  EXPECT_TRUE(decode(raw("c33e 0805 c43e")).has_value());
  EXPECT_FALSE(decode(raw("c33e 0805")).has_value());       // never closed
  EXPECT_FALSE(decode(raw("c33e 0805 cc3e")).has_value());  // closed by another number
  EXPECT_FALSE(decode(raw("c43e")).has_value());            // closed, never opened
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += raw("c33e");
  EXPECT_FALSE(decode(deep).has_value());
}

TEST(CodecTest, FieldNumberZeroAndWireTypesSixAndSevenAreMalformed) {
  for (const char* bytes : {"00", "0200", "0e", "0f", "ffffffffff01"}) {
    EXPECT_EQ(decode(raw(bytes)).error(), DecodeError::kMalformed) << bytes;
  }
}

// FRM-LIMIT-*
TEST(CodecLimitTest, PayloadsUpToTheLimit) {
  Change change;
  change.event.emplace().payload = Slice(std::string(kMaxPayloadBytes, 'x'));
  ASSERT_TRUE(decode(bytes_of(make_frame(ChangePush{1, {change}}))).has_value());
  change.event->payload = Slice(std::string(kMaxPayloadBytes + 1, 'x'));
  EXPECT_EQ(decode(bytes_of(make_frame(ChangePush{1, {change}}))).error(), DecodeError::kPayloadTooLarge);
}

// Or nobody could answer that it is too large.
TEST(CodecLimitTest, WhatIsAskedForMayBeAsLongAsTheFrame) {
  const Slice text(std::string(kMaxPayloadBytes + 1, 'x'));
  SendMessage send;
  send.payload = text;
  EXPECT_TRUE(decode(bytes_of(make_frame(send))).has_value());
  PutSetting put;
  put.text = text;
  EXPECT_TRUE(decode(bytes_of(make_frame(put))).has_value());
  Hello hello;
  hello.access_token = text;
  EXPECT_EQ(decode(bytes_of(make_frame(hello))).error(), DecodeError::kPayloadTooLarge);
}

TEST(CodecLimitTest, FramesUpToTheLimit) {
  Frame frame;
  const std::string field =
      raw("c23e") + std::string("\xf4\xff\x3f", 3);  // unknown bytes field, length follows
  const std::size_t length = kMaxFrameBytes - field.size();
  std::string bytes = raw("c23e");
  for (std::size_t rest = length; rest != 0; rest >>= 7)
    bytes += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  bytes += std::string(length, 'x');
  ASSERT_EQ(bytes.size(), kMaxFrameBytes);
  EXPECT_TRUE(decode(bytes).has_value());
  EXPECT_EQ(decode(bytes + "x").error(), DecodeError::kTooLarge);
}

TEST(CodecLimitTest, ListsUpToTheLimit) {
  OutboxBatch batch;
  batch.items.resize(kMaxRepeatedMessages);
  EXPECT_TRUE(decode(bytes_of(make_frame(batch))).has_value());
  batch.items.resize(kMaxRepeatedMessages + 1);
  EXPECT_EQ(decode(bytes_of(make_frame(batch))).error(), DecodeError::kTooLarge);
}

// More nested messages than the encoder keeps sizes for without allocating.
TEST(CodecTest, ManyNestedMessages) {
  SyncResult result;
  result.changes.resize(1000);
  for (std::size_t i = 0; i < result.changes.size(); ++i) {
    result.changes[i].user_seq = i;
    result.changes[i].event.emplace().payload = Slice(std::string(i % 300, 'p'));
  }
  const Frame frame = make_frame(result);
  const auto decoded = decode(bytes_of(frame));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, frame);
}

TEST(PrintTest, OneLineWithWhatIsSet) {
  Frame frame = make_frame(sample_send(), 7);
  frame.frame_seq = 3;
  EXPECT_EQ(
      to_string(frame),
      "SendMessage frame_seq=3 request_id=7 {conversation=0100000000000005:200000000000007 "
      "client_msg_id=0192f0a1b2c37001:8000000000000001 client_time_ms=1700000000000 payload=5B\"hello\"}");
  SendAck ack;
  ack.status = SendStatus::kRejected;
  ack.error = static_cast<ErrorCode>(77);
  EXPECT_EQ(to_string(make_frame(ack)), "SendAck {status=REJECTED error=77}");
  EXPECT_EQ(to_string(Frame{}), "Empty {}");
}

TEST(PrintTest, StaysShortAndPrintable) {
  SyncResult result;
  result.changes.resize(1000);
  for (Change& change : result.changes) change.event.emplace().payload = Slice(std::string(60'000, '\n'));
  const std::string line = to_string(make_frame(result));
  EXPECT_LT(line.size(), 2000u);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace wavetank::protocol
