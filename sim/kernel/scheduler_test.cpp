#include "sim/kernel/scheduler.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

namespace wavetank::sim {
namespace {

constexpr DurationNs kPassage = kMillisecond;

// Entities 0 to 9, the even ones devices and the odd ones servers, that write down what happens to them and
// make new events of what they have seen so far: the next of their own at once or later, one for another lane
// a passage later.
class Story {
 public:
  // Of all of them, or of those of one lane.
  explicit Story(std::uint64_t seed, Lane only = kLanes) : seed_(seed), seen_(10) {
    if (only != kLanes) scheduler.keep_only(only);
    scheduler.expect_sources(10);
    for (std::uint32_t entity = 0; entity < 10; ++entity)
      if (only == kLanes || only == lane_of(kind_of(entity)))
        scheduler.at(mix(entity) % kPassage, entity, kind_of(entity), entity, 0);
  }

  void handle(const Event& event) {
    const std::uint32_t self = event.target();
    seen_[self].push_back(event);
    if (seen_[self].size() > 200) return;
    const std::uint64_t draw = mix(self * 1000 + seen_[self].size());
    const auto later = static_cast<DurationNs>(draw >> 8) % (kPassage / 2);
    scheduler.at(scheduler.now() + later, self, kind_of(self), self, 0);
    if (draw % 3 == 0) {
      const auto other = static_cast<std::uint32_t>(draw % 10);
      const bool is_near = other % 2 == self % 2;
      if (is_near && other != self) return;  // of one lane, but another source's own business
      scheduler.at(scheduler.now() + kPassage + later, self, kind_of(other), other, 0);
    }
  }

  void run_alone() {
    while (!scheduler.empty()) handle(scheduler.next());
  }
  void run_beside() {
    while (!scheduler.empty()) {
      const TimeNs end = (scheduler.next_time() / kPassage + 1) * kPassage;
      scheduler.begin_beside(end);
      const auto work = [&](Lane lane) {
        working_lane = lane;
        for (Event event; scheduler.next_beside(event);) handle(event);
      };
      std::thread servers(work, kServerLane);
      work(kDeviceLane);
      servers.join();
      scheduler.end_beside();
    }
  }

  void run_window(TimeNs end) {
    scheduler.begin_beside(end);
    for (Event event; scheduler.next_beside(event);) handle(event);
    scheduler.end_beside();
  }

  const std::vector<std::vector<Event>>& seen() const { return seen_; }

  Scheduler scheduler;

 private:
  static std::uint32_t kind_of(std::uint32_t entity) { return entity % 2 == 0 ? kDeviceTimer : kNodeTimer; }
  std::uint64_t mix(std::uint64_t value) const {
    value = (value + seed_) * 0x9e3779b97f4a7c15;
    return value ^ value >> 29;
  }

  std::uint64_t seed_;
  std::vector<std::vector<Event>> seen_;  // by entity
};

RC_GTEST_PROP(Scheduler, TwoThreadsSeeWhatOneSees, (std::uint64_t seed)) {
  Story alone(seed);
  alone.run_alone();
  Story beside(seed);
  beside.run_beside();
  RC_ASSERT(alone.seen() == beside.seen());
  RC_ASSERT(alone.scheduler.now() == beside.scheduler.now());
}

TEST(Scheduler, TakesAllLanesInOneOrder) {
  Scheduler scheduler;
  scheduler.at(5, 2, kSample, 0, 0);
  scheduler.at(5, 1, kNodeReady, 0, 0);
  scheduler.at(5, 0, kCue, 0, 0);
  scheduler.at(4, 9, kUpstream, 0, 0);
  EXPECT_EQ(scheduler.pending(), 4u);
  EXPECT_EQ(scheduler.next_time(kWorldLane), 5);
  std::vector<std::uint32_t> sources;
  while (!scheduler.empty()) sources.push_back(scheduler.next().source);
  EXPECT_EQ(sources, (std::vector<std::uint32_t>{9, 0, 1, 2}));
  EXPECT_EQ(scheduler.next_time(), kNever);
}

TEST(Scheduler, RefusesWhatTheOtherLaneWouldMissBeside) {
  Scheduler scheduler;
  scheduler.expect_sources(2);
  scheduler.begin_beside(10);
  EXPECT_THROW(scheduler.at(9, 0, kNodeReady, 0, 0), std::logic_error) << "the other lane may be past it";
  EXPECT_THROW(scheduler.at(20, 0, kSample, 0, 0), std::logic_error) << "the world's lane rests";
  EXPECT_THROW(scheduler.at(20, 2, kCue, 0, 0), std::logic_error) << "a new source";
  EXPECT_NO_THROW(scheduler.at(10, 1, kNodeReady, 0, 0));
  Event event;
  EXPECT_FALSE(scheduler.next_beside(event));
  scheduler.end_beside();
  EXPECT_EQ(scheduler.next_time(kServerLane), 10);
}

// Two processes, here two stories of one world one after the other, with a lane each.
RC_GTEST_PROP(Scheduler, TwoProcessesSeeWhatOneSees, (std::uint64_t seed)) {
  Story alone(seed);
  alone.run_alone();
  std::vector<std::unique_ptr<Story>> apart;
  for (const Lane lane : {kDeviceLane, kServerLane}) {
    working_lane = lane;
    apart.push_back(std::make_unique<Story>(seed, lane));
  }
  const auto next_time = [&] {
    return std::min(apart[0]->scheduler.next_time_apart(), apart[1]->scheduler.next_time_apart());
  };
  for (TimeNs next = next_time(); next != kNever; next = next_time()) {
    for (const Lane lane : {kDeviceLane, kServerLane}) {
      working_lane = lane;
      apart[lane]->run_window((next / kPassage + 1) * kPassage);
    }
    for (const Lane lane : {kDeviceLane, kServerLane}) {
      for (const Event& event : apart[1 - lane]->scheduler.take_outbox())
        apart[lane]->scheduler.receive(event);
    }
  }
  working_lane = kDeviceLane;
  for (std::uint32_t entity = 0; entity < 10; ++entity)
    RC_ASSERT(apart[entity % 2]->seen()[entity] == alone.seen()[entity]);
}

TEST(Scheduler, ApartHasTheWorldsEventsAndLeavesTheOthersToTheOther) {
  Scheduler scheduler;
  scheduler.keep_only(kDeviceLane);
  EXPECT_TRUE(scheduler.keeps(kDeviceLane));
  EXPECT_TRUE(scheduler.keeps(kWorldLane));
  EXPECT_FALSE(scheduler.keeps(kServerLane));
  scheduler.at(3, 0, kNodeReady, 0, 0);
  scheduler.at(5, 1, kCue, 0, 0);
  scheduler.at(5, 2, kSample, 0, 0);
  scheduler.at(5, 3, kCue, 0, 0);
  EXPECT_EQ(scheduler.next_time_apart(), 3) << "the other process has it next";
  EXPECT_EQ(scheduler.take_outbox().size(), 1u);
  EXPECT_TRUE(scheduler.take_outbox().empty());
  EXPECT_EQ(scheduler.next_time_apart(), 5);
  scheduler.begin_beside(10);
  Event event;
  ASSERT_TRUE(scheduler.next_beside(event));
  EXPECT_EQ(event.source, 1u);
  EXPECT_EQ(scheduler.current(), event);
  EXPECT_FALSE(scheduler.next_beside(event)) << "the world's comes first";
  scheduler.end_beside();
  EXPECT_EQ(scheduler.next().source, 2u);
  EXPECT_EQ(scheduler.current().source, 2u);
  EXPECT_EQ(scheduler.next().source, 3u);
  scheduler.catch_up(4);
  EXPECT_EQ(scheduler.now(), 5);
  scheduler.catch_up(7);
  EXPECT_EQ(scheduler.now(), 7);
}

}  // namespace
}  // namespace wavetank::sim
