// What waits for a standby, and in which order it leaves.
#include "reference/server/standby.hpp"

#include <gtest/gtest.h>

#include <optional>

#include <vector>

#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

constexpr NodeId kCopyOwner = 1;
constexpr NodeId kItsStandby = 2;
constexpr NodeId kListener = 9;

// An owner whose standby has the whole, empty copy.
struct Followed : testing::Test {
  Followed() : tapped(store), placement(Placement::even(1, 2, {{kCopyOwner, kItsStandby}})) {
    config.self = kCopyOwner;
    config.standby_copies = 1;
    standby.emplace(config, placement, tapped, observer);
    standby->begin_batch();
    standby->peer_up(kItsStandby);
    standby->step(effects);
    confirm();
    standby->step(effects);
    next_batch();
  }
  void next_batch() {
    effects.clear();
    standby->begin_batch();
  }
  // One input: a row, and a frame that tells of it.
  void tell(std::uint64_t number) {
    UserId other = 2;
    while (placement.home(direct_conversation(1, other)) != kCopyOwner) ++other;
    tapped.put_conversation(direct_conversation(1, other), {1, number, number});
    effects.send_peer(kListener, protocol::make_frame(protocol::Detach{number, 1}));
    standby->step(effects);
  }
  void confirm() {
    standby->received(kItsStandby, {protocol::MoveStep::kCopied, 0, 0, ++confirmed, {}}, effects);
  }
  std::vector<std::uint64_t> told() const {
    std::vector<std::uint64_t> numbers;
    for (const Effect& effect : effects.list()) {
      if (const auto* word = std::get_if<protocol::Detach>(&effect.frame.body))
        numbers.push_back(word->session);
    }
    return numbers;
  }

  ServerConfig config;
  store::MemoryStore store;
  TappedStore tapped;
  Placement placement;
  test::CountingObserver observer;
  std::optional<Standby> standby;
  Effects effects;
  std::uint64_t confirmed = 0;
};

using ListenerWords = std::vector<std::uint64_t>;

TEST_F(Followed, WhatIsLetGoInABatchStaysBeforeWhatWaits) {
  tell(1);
  tell(2);
  EXPECT_EQ(told(), ListenerWords{});
  next_batch();
  confirm();
  standby->step(effects);
  EXPECT_EQ(told(), ListenerWords{1});
  tell(3);  // in the same batch: 1 does not go back behind 2
  EXPECT_EQ(told(), ListenerWords{1});
  next_batch();
  confirm();
  confirm();
  standby->step(effects);
  EXPECT_EQ(told(), (ListenerWords{2, 3}));
}

TEST_F(Followed, WhatTellsOfNothingNewWaitsForNothing) {
  effects.send_peer(kListener, protocol::make_frame(protocol::Detach{7, 1}));
  standby->step(effects);
  EXPECT_EQ(told(), ListenerWords{7});
}

TEST_F(Followed, WhatWaitsForAPeerIsLostWithItsLink) {
  tell(1);
  standby->peer_down(kListener);
  confirm();
  standby->step(effects);
  EXPECT_EQ(told(), ListenerWords{});
}

TEST_F(Followed, WithoutItsStandbyNothingWaitsButAcknowledgementsOfEffects) {
  tell(1);
  effects.send_peer(kListener, protocol::make_frame(protocol::OutboxAck{5, 0}));
  standby->step(effects);
  standby->peer_down(kItsStandby);
  standby->step(effects);
  EXPECT_EQ(told(), ListenerWords{1});
  const auto has_ack = [&] {
    for (const Effect& effect : effects.list()) {
      if (std::holds_alternative<protocol::OutboxAck>(effect.frame.body)) return true;
    }
    return false;
  };
  EXPECT_FALSE(has_ack());
  next_batch();
  standby->peer_up(kItsStandby);
  standby->step(effects);
  confirmed = 0;
  for (const Effect& effect : std::vector<Effect>(effects.list())) {
    if (std::holds_alternative<protocol::BucketMove>(effect.frame.body)) confirm();
  }
  standby->step(effects);
  EXPECT_TRUE(has_ack());
}

TEST_F(Followed, WhatHasWaitedLeavesBeforeWhatIsNew) {
  tell(1);
  tell(2);
  standby->peer_down(kItsStandby);
  tell(3);
  EXPECT_EQ(told(), (ListenerWords{1, 2, 3}));
}

using StandbyDefects = Followed;

TEST_F(StandbyDefects, WaitedLeavesLastTurnsTheOrder) {
  config.defects.enable(Defect::kWaitedLeavesLast);
  tell(1);
  standby->peer_down(kItsStandby);
  tell(2);
  EXPECT_EQ(told(), kDefectsCompiled ? (ListenerWords{2, 1}) : (ListenerWords{1, 2}));
}

}  // namespace
}  // namespace wavetank::server
