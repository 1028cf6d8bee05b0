// Known bytes, limits and the shapes of hostile input that the wire format allows.
#include "reference/protocol/codec.hpp"

#include <gtest/gtest.h>

#include <string>

#include "reference/protocol/print.hpp"

namespace wavetank::protocol {
namespace {

std::string bytes_of(const Frame& frame) {
  std::string bytes;
  encode(frame, bytes);
  return bytes;
}

SendMessage sample_send() {
  SendMessage send;
  send.conversation = {0x0100000000000005ULL, 0x0200000000000007ULL};
  send.client_msg_id = {0x0192f0a1b2c37001ULL, 0x8000000000000001ULL};
  send.client_time_ms = 1'700'000'000'000ULL;
  send.payload = Slice("hello");
  return send;
}

TEST(CodecTest, RoundTripsASend) {
  Frame frame = make_frame(sample_send(), 7);
  frame.frame_seq = 300;
  frame.route = Route{11, 12, 1};
  const std::string bytes = bytes_of(frame);
  EXPECT_EQ(bytes.size(), encoded_size(frame));
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, frame) << to_string(*decoded);
  EXPECT_EQ(digest(*decoded), digest(frame));
}

}  // namespace
}  // namespace wavetank::protocol
