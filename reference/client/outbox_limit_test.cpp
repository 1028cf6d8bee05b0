// The outbox of a device that the limit of sends has refused.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

TEST(Outbox, TheLimitIsNotFinalAndHoldsTheWholeDevice) {
  Online online;
  const auto refuse = [&](std::uint32_t retry_after_ms) {
    protocol::SendAck refusal;
    refusal.status = protocol::SendStatus::kRejected;
    refusal.error = protocol::ErrorCode::kRateLimited;
    refusal.retry_after_ms = retry_after_ms;
    const std::uint64_t request = online.request_id_of_first<protocol::SendMessage>();
    online.to_server.pop_front();
    online.receive(protocol::make_frame(refusal, request));
  };
  const auto first = online.send(kDirect, "first");
  const auto second = online.send(kGroup, "second");
  ASSERT_EQ(online.waiting<protocol::SendMessage>().size(), 2U);
  refuse(1'000);
  refuse(1'000);
  EXPECT_TRUE(online.recorder.resolved.empty());
  ASSERT_EQ(online.recorder.refused.size(), 2U);
  EXPECT_EQ(online.recorder.refused[0].client_msg_id, first);
  EXPECT_EQ(online.recorder.refused[0].retry_after_ms, 1'000U);
  const auto third = online.send(group_conversation(0, 99), "third");  // another conversation waits too
  online.advance(1'000 * kMillisecond - 1);
  EXPECT_TRUE(online.waiting<protocol::SendMessage>().empty());
  online.advance(250 * kMillisecond + 1);
  ASSERT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);  // asks with one, the oldest
  EXPECT_EQ(online.waiting<protocol::SendMessage>()[0].client_msg_id, first);
  refuse(500);
  online.advance(625 * kMillisecond);
  ASSERT_EQ(online.waiting<protocol::SendMessage>().size(), 1U);
  EXPECT_EQ(online.waiting<protocol::SendMessage>()[0].client_msg_id, first);
  online.answer_everything();
  ASSERT_EQ(online.recorder.resolved.size(), 3U);
  EXPECT_EQ(online.recorder.resolved[0].client_msg_id, first);
  EXPECT_EQ(online.recorder.resolved[1].client_msg_id, second);
  EXPECT_EQ(online.recorder.resolved[2].client_msg_id, third);
  for (const ConversationId& id : {kDirect, kGroup, group_conversation(0, 99)})
    EXPECT_EQ(online.server.conversations[id].log.size(), 1U);  // once
}

}  // namespace
}  // namespace wavetank::client::test
