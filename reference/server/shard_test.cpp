// What a shard does as a whole: whose requests it takes. Its parts have tests of their own, the way through
// it is in cluster_test.cpp.
#include "reference/server/shard.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

constexpr NodeId kGateway = 0;
constexpr NodeId kOwner = 1;
constexpr NodeId kSelf = 2;

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    config.self = kSelf;
    config.receipt_delay_ms = 0;
    shard.emplace(config, placement, store, observer);
    shard->start(kSecond, effects);
    shard->peer_up(kGateway, kSecond, effects);
  }
  // One batch with this frame alone; the bodies of what it sends.
  std::vector<protocol::Body> take(protocol::Frame frame) {
    effects.clear();
    shard->begin_batch();
    shard->peer_frame_received(kGateway, std::move(frame), kSecond, effects);
    rows += shard->end_batch().rows;
    std::vector<protocol::Body> sent;
    for (const Effect& effect : effects.list()) {
      if (effect.kind == Effect::Kind::kSendPeer) sent.push_back(effect.frame.body);
    }
    return sent;
  }

  ServerConfig config;
  Placement placement = Placement::even(1, 8, {{kOwner}, {kSelf}});
  store::MemoryStore store;
  ServerObserver observer;
  std::optional<Shard> shard;
  Effects effects;
  std::uint64_t rows = 0;
};

TEST_F(ShardTest, WhatIsNotItsOwnIsRefusedAndChangesNothing) {
  ASSERT_EQ(placement.home(kDirect), kOwner);
  ASSERT_EQ(placement.home(UserId{1}), kOwner);
  const std::vector<protocol::Body> requests{
      test::text(kDirect, test::key(1, 0, 1), "x"),
      protocol::FetchRange{kDirect, 0, 1, 0, 0},
      protocol::DeliveredCursor{kDirect, 0, 1},
      protocol::ReadWatermark{kDirect, 0, 1, false},
      protocol::Sync{1, 0, 0},
  };
  for (const protocol::Body& body : requests) {
    protocol::Frame frame;
    frame.request_id = 7;
    frame.route = protocol::Route{9, 1, 0};
    frame.body = body;
    const auto sent = take(std::move(frame));
    ASSERT_EQ(sent.size(), 1u) << body.index();
    const auto* error = std::get_if<protocol::Error>(&sent[0]);
    ASSERT_NE(error, nullptr) << body.index();
    EXPECT_EQ(error->code, protocol::ErrorCode::kWrongHome) << body.index();
    EXPECT_GT(error->retry_after_ms, 0u) << body.index();
  }
  protocol::Attach attach;
  attach.session = 9;
  attach.user = 1;
  const auto sent = take(protocol::make_frame(attach));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(std::get<protocol::AttachResult>(sent[0]).error, protocol::ErrorCode::kWrongHome);
  EXPECT_EQ(shard->session_count(), 0u);
  EXPECT_EQ(rows, 0u);
  EXPECT_FALSE(store.conversation(kDirect));
}

// The same requests for what it owns are taken.
TEST_F(ShardTest, WhatIsItsOwnIsServed) {
  const UserId user = UserId{1} << kRegionShift;
  const ConversationId own = direct_conversation(user, user + 1);
  protocol::Frame frame = protocol::make_frame(test::text(own, test::key(1, 0, 1), "x"), 7);
  frame.route = protocol::Route{9, user, 0};
  bool accepted = false;
  for (const protocol::Body& body : take(std::move(frame))) {
    const auto* ack = std::get_if<protocol::SendAck>(&body);
    accepted = accepted || (ack != nullptr && ack->status == protocol::SendStatus::kAccepted);
  }
  EXPECT_TRUE(accepted);
  EXPECT_GT(rows, 0u);
}

}  // namespace
}  // namespace wavetank::server
