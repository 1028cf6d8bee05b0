// The codec against the classes that protoc generates from messages.proto, on arbitrary frames.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/generators.hpp"
#include "reference/protocol/messages.pb.h"
#include "reference/protocol/test_support.hpp"

namespace wavetank::protocol {
namespace {

RC_GTEST_PROP(DifferentialTest, GeneratedClassReadsOurBytesAndWritesTheSame, (const Frame& frame)) {
  const std::string bytes = bytes_of(frame);
  v1::Frame generated;
  RC_ASSERT(generated.ParseFromString(bytes));
  RC_ASSERT(generated.SerializeAsString() == bytes);
  RC_ASSERT(generated.body_case() == (frame.body.index() == 0 ? 0 : body_field(frame.body.index())));
}

RC_GTEST_PROP(DifferentialTest, WeReadTheGeneratedBytes, (const Frame& frame)) {
  v1::Frame generated;
  RC_ASSERT(generated.ParseFromString(bytes_of(frame)));
  const auto decoded = decode(generated.SerializeAsString());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == frame);
}

RC_GTEST_PROP(DifferentialTest, SizeIsExactAndTheRoundTripLosesNothing, (const Frame& frame)) {
  std::string bytes = "prefix";
  encode(frame, bytes);
  RC_ASSERT(bytes.starts_with("prefix"));
  bytes.erase(0, 6);
  RC_ASSERT(encoded_size(frame) == bytes.size());
  const auto decoded = decode(bytes);
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == frame);
  RC_ASSERT(digest(*decoded) == digest(frame));
  RC_ASSERT(bytes_of(*decoded) == bytes);
}

RC_GTEST_PROP(DifferentialTest, TheFieldsMayComeInAnyOrder, (const Frame& original)) {
  Frame frame = original;
  frame.unknown = {};  // only unknown fields keep the order they came in
  // The body first, the header's fields after it from the last to the first: legal protobuf.
  Frame body, route, request, ack, seq;
  body.body = frame.body;
  route.route = frame.route;
  request.request_id = frame.request_id;
  ack.ack_frame_seq = frame.ack_frame_seq;
  seq.frame_seq = frame.frame_seq;
  const auto decoded =
      decode(bytes_of(body) + bytes_of(route) + bytes_of(request) + bytes_of(ack) + bytes_of(seq));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == frame);
}

RC_GTEST_PROP(DifferentialTest, StoredPartsRoundTrip, (const Event& event)) {
  Change change;
  change.user_seq = event.conv_seq;
  change.event = event;
  OutboxItem item{event.msg_no, {event.sender, 0, event.target_user}, change};
  std::string event_bytes, change_bytes, item_bytes;
  encode(event, event_bytes);
  encode(change, change_bytes);
  encode(item, item_bytes);
  RC_ASSERT(event_bytes.size() == encoded_size(event));
  RC_ASSERT(change_bytes.size() == encoded_size(change));
  RC_ASSERT(item_bytes.size() == encoded_size(item));
  RC_ASSERT(*decode_event(event_bytes) == event);
  RC_ASSERT(*decode_change(change_bytes) == change);
  RC_ASSERT(*decode_outbox_item(item_bytes) == item);
}

// The same agreement without RapidCheck's small first cases, over many large frames of every body.
TEST(DifferentialTest, ManyFrames) {
  std::size_t bodies[std::variant_size_v<Body>] = {};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const Frame frame = frame_from_seed(seed, 400);
    ++bodies[frame.body.index()];
    const std::string bytes = bytes_of(frame);
    ASSERT_EQ(bytes.size(), encoded_size(frame));
    v1::Frame generated;
    ASSERT_TRUE(generated.ParseFromString(bytes));
    ASSERT_EQ(generated.SerializeAsString(), bytes);
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(*decoded, frame);
    ASSERT_EQ(digest(*decoded), digest(frame));
  }
  for (const std::size_t count : bodies) EXPECT_GT(count, 200u);
}

// Equal digests exactly where the bytes are equal, over many frames and over small changes of each.
TEST(DigestTest, TellsDifferentFramesApart) {
  std::map<std::uint64_t, std::string> seen;
  const auto check = [&seen](const Frame& frame) {
    const std::string bytes = bytes_of(frame);
    const auto [entry, fresh] = seen.try_emplace(digest(frame), bytes);
    EXPECT_TRUE(fresh || entry->second == bytes);
  };
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Frame frame = frame_from_seed(seed, 40);
    check(frame);
    const std::uint32_t kept = frame.frame_seq;
    frame.frame_seq ^= 1u << (seed % 32);
    check(frame);
    frame.frame_seq = kept;
    std::swap(frame.frame_seq, frame.ack_frame_seq);
    check(frame);
  }
  EXPECT_GT(seen.size(), 40'000u);
}

// Every single bit of a payload counts, at every length that the word-wise hash treats differently.
TEST(DigestTest, SeesEveryBitOfAPayload) {
  for (std::size_t size = 1; size <= 40; ++size) {
    SendMessage send;
    send.payload = Slice(std::string(size, 'a'));
    const std::uint64_t original = digest(make_frame(send));
    std::map<std::uint64_t, std::size_t> seen{{original, size * 8}};
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      std::string changed(size, 'a');
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      send.payload = Slice(changed);
      EXPECT_TRUE(seen.emplace(digest(make_frame(send)), bit).second) << size << " bytes, bit " << bit;
    }
  }
}

// The same on every compiler and machine.
TEST(DigestTest, IsFixed) {
  std::uint64_t sum = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) sum = sum * 31 + digest(frame_from_seed(seed));
  EXPECT_EQ(sum, 4785677108078410789u);
}

TEST(DigestTest, KeepsNeighboursApart) {
  SyncResult first, second;
  first.changes.resize(2);
  second.changes.resize(2);
  first.changes[0].user_seq = 5;
  second.changes[1].user_seq = 5;
  EXPECT_NE(digest(make_frame(first)), digest(make_frame(second)));
  EXPECT_NE(digest(make_frame(Heartbeat{})), digest(make_frame(HeartbeatAck{})));
  EXPECT_NE(digest(make_frame(Heartbeat{})), digest(Frame{}));
  Frame routed;
  routed.route.emplace();
  EXPECT_NE(digest(routed), digest(Frame{}));
}

}  // namespace
}  // namespace wavetank::protocol
