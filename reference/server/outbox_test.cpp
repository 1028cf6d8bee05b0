#include "reference/server/outbox.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <deque>
#include <optional>

#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

constexpr NodeId kSource = 1;
constexpr NodeId kDestination = 2;

// A source and a destination with a link between them that loses what is under way when it fails. What the
// destination applies is kept beside its store and rolled back with it.
class Lane {
 public:
  Lane() {
    source_config_.self = kSource;
    source_config_.outbox_window = 5;
    source_config_.outbox_batch = 3;
    destination_config_.self = kDestination;
    source_.emplace(source_config_, source_store_, observer_);
    inbox_.emplace(destination_config_, destination_store_, observer_);
  }

  void append() {
    Effects effects;
    protocol::Change change;
    change.head_seq = ++appended_;
    source_->append(kDestination, {appended_}, change, effects);
    leave(source_store_, effects, to_destination_);
  }
  void up() {
    if (std::exchange(up_, true)) return;
    Effects effects;
    source_->link_up(kDestination, effects);
    leave(source_store_, effects, to_destination_);
  }
  // The source may learn of it later: until then it sends into the void.
  void down() {
    up_ = false;
    to_destination_.clear();
    to_source_.clear();
    source_->link_down(kDestination);
  }
  void flap_unnoticed() {
    to_destination_.clear();
    to_source_.clear();
    needs_up_ = up_;
  }
  void notice() {
    if (!std::exchange(needs_up_, false)) return;
    source_->link_down(kDestination);
    up_ = false;
    up();
  }
  void deliver() {
    if (!to_destination_.empty()) {
      const auto batch = std::get<protocol::OutboxBatch>(to_destination_.front().body);
      to_destination_.pop_front();
      RC_ASSERT(batch.items.size() <= source_config_.outbox_batch);
      Effects effects;
      for (const protocol::OutboxItem& item : batch.items) {
        RC_ASSERT(item.change.head_seq == item.recipients.at(0));
        if (inbox_->accept(batch.source, item.number)) applied_.push_back(item.change.head_seq);
      }
      inbox_->finish(batch.source, 0, effects);
      if (crash_destination_next_) {
        crash_destination_next_ = false;
        destination_store_.roll_back();
        applied_.resize(applied_durable_);
        inbox_.emplace(destination_config_, destination_store_, observer_);
        down();
        return;
      }
      applied_durable_ = applied_.size();
      leave(destination_store_, effects, to_source_);
    }
    if (!to_source_.empty()) {
      const auto ack = std::get<protocol::OutboxAck>(to_source_.front().body);
      to_source_.pop_front();
      Effects effects;
      source_->acknowledged(kDestination, ack.number, effects);
      leave(source_store_, effects, to_destination_);
    }
  }
  void restart_source() {
    down();
    source_.emplace(source_config_, source_store_, observer_);
  }
  void crash_destination() { crash_destination_next_ = true; }

  void settle() {
    notice();
    up();
    for (int i = 0; i < 10'000 && (!to_destination_.empty() || !to_source_.empty() || !up_); ++i) {
      up();
      deliver();
    }
    RC_ASSERT(source_->pending(kDestination) == 0);
    RC_ASSERT(applied_.size() == appended_);
    for (std::uint64_t i = 0; i < appended_; ++i) RC_ASSERT(applied_[i] == i + 1);
  }

 private:
  void leave(store::MemoryStore& store, Effects& effects, std::deque<protocol::Frame>& link) {
    store.commit();
    store.mark_durable();
    for (Effect& effect : effects.list()) {
      if (up_) link.push_back(std::move(effect.frame));
    }
    // Twice: what left after a flap that the source has not noticed yet is sent again when it does.
    RC_ASSERT(under_way() <= 2 * source_config_.outbox_window);
  }
  std::size_t under_way() const {
    std::size_t count = 0;
    for (const protocol::Frame& frame : to_destination_) {
      count += std::get<protocol::OutboxBatch>(frame.body).items.size();
    }
    return count;
  }

  ServerConfig source_config_;
  ServerConfig destination_config_;
  store::MemoryStore source_store_;
  store::MemoryStore destination_store_;
  test::CountingObserver observer_;
  std::optional<OutboxSource> source_;
  std::optional<OutboxInbox> inbox_;
  std::deque<protocol::Frame> to_destination_;
  std::deque<protocol::Frame> to_source_;
  std::vector<std::uint64_t> applied_;
  std::size_t applied_durable_ = 0;
  std::uint64_t appended_ = 0;
  bool up_ = false;
  bool needs_up_ = false;
  bool crash_destination_next_ = false;
};

TEST(Outbox, EveryItemTakesEffectOnceAndInOrder) {
  EXPECT_TRUE(rc::check("outbox", [] {
    Lane lane;
    const int steps = *rc::gen::inRange(0, 200);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 14)) {
        case 0:
        case 1:
        case 2:
        case 3:
          lane.append();
          break;
        case 4:
        case 5:
          lane.up();
          break;
        case 6:
          lane.down();
          break;
        case 7:
          lane.flap_unnoticed();
          break;
        case 8:
          lane.notice();
          break;
        case 9:
          lane.restart_source();
          break;
        case 10:
          lane.crash_destination();
          break;
        default:
          lane.deliver();
          break;
      }
    }
    lane.settle();
  }));
}

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() { config.self = kSource; }
  void append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) source.append(kDestination, {1}, {}, effects);
  }
  ServerConfig config;
  store::MemoryStore store;
  test::CountingObserver observer;
  OutboxSource source{config, store, observer};
  Effects effects;
};

TEST_F(OutboxTest, RowsOfOneBatchShareAFrame) {
  source.link_up(kDestination, effects);
  append(100);
  ASSERT_EQ(effects.list().size(), 2u);
  EXPECT_EQ(std::get<protocol::OutboxBatch>(effects.list()[0].frame.body).items.size(), 64u);
  EXPECT_EQ(std::get<protocol::OutboxBatch>(effects.list()[1].frame.body).items.size(), 36u);
}

TEST_F(OutboxTest, TheWindowBoundsWhatIsUnderWay) {
  source.link_up(kDestination, effects);
  append(1000);
  EXPECT_EQ(effects.list().size(), 4u);
  effects.clear();
  source.acknowledged(kDestination, 10, effects);
  ASSERT_EQ(effects.list().size(), 1u);
  EXPECT_EQ(std::get<protocol::OutboxBatch>(effects.list()[0].frame.body).items.size(), 10u);
  EXPECT_EQ(source.pending(kDestination), 990u);
}

TEST_F(OutboxTest, AcknowledgedRowsAreDeletedByTheBatch) {
  source.link_up(kDestination, effects);
  append(100);
  source.acknowledged(kDestination, 63, effects);
  std::vector<protocol::OutboxItem> rows;
  store.outbox(kDestination, 0, 1000, rows);
  EXPECT_EQ(rows.size(), 100u);
  source.acknowledged(kDestination, 64, effects);
  rows.clear();
  store.outbox(kDestination, 0, 1000, rows);
  EXPECT_EQ(rows.size(), 36u);
  EXPECT_EQ(store.outbox_head(kDestination), 100u);
}

TEST_F(OutboxTest, WhatIsTakenBackIsSentNoMore) {
  append(3);
  const std::vector<protocol::OutboxItem> items = source.take_back(kDestination);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].number, 1U);
  EXPECT_EQ(source.pending(kDestination), 0U);
  EXPECT_TRUE(source.take_back(kDestination).empty());
}

TEST(Outbox, ANewMachineBeginsItsLanesAboveTheOldOnesAndTakesOthersAsTheyAre) {
  test::CountingObserver observer;
  ServerConfig config;
  config.self = kSource;
  config.replacement = 2;
  store::MemoryStore store;
  OutboxSource source(config, store, observer);
  Effects effects;
  source.append(kDestination, {1}, {}, effects);
  source.append(kDestination, {1}, {}, effects);
  const std::uint64_t first = (std::uint64_t{2} << 32) + 1;
  EXPECT_EQ(source.head(kDestination), first + 1);
  std::vector<protocol::OutboxItem> items;
  store.outbox(kDestination, 0, 9, items);
  EXPECT_EQ(items.size(), 2U);
  EXPECT_LT(store.commit().bytes, 1000U) << "what never was is not trimmed";

  ServerConfig old;
  old.self = kDestination;
  store::MemoryStore old_store;
  old_store.put_inbox(kSource, 57);
  OutboxInbox inbox(old, old_store, observer);
  EXPECT_FALSE(inbox.accept(kSource, first + 1)) << "the first of them comes first";
  EXPECT_TRUE(inbox.accept(kSource, first));
  EXPECT_TRUE(inbox.accept(kSource, first + 1));
  EXPECT_FALSE(inbox.accept(kSource, 58));

  store::MemoryStore fresh;
  OutboxInbox taker(config, fresh, observer);
  EXPECT_TRUE(taker.accept(kDestination, 42));
  EXPECT_FALSE(taker.accept(kDestination, 44));
  EXPECT_TRUE(taker.accept(kDestination, 43));
}

TEST_F(OutboxTest, ResendsAreProbed) {
  source.link_up(kDestination, effects);
  append(3);
  EXPECT_EQ(observer.count(Probe::kOutboxResent), 0u);
  source.link_down(kDestination);
  source.link_up(kDestination, effects);
  EXPECT_EQ(observer.count(Probe::kOutboxResent), 3u);
}

}  // namespace
}  // namespace wavetank::server
