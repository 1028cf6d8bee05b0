#include "sim/world/disk_thread.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <vector>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

TEST(DiskThread, RunsTasksInTheirOrderAndShowsWhatTheyWrote) {
  constexpr int kTasks = 10'000;
  std::array<std::vector<int>, 3> done;
  DiskThread thread(done.size());
  store::WriteRunner::Ticket last = 0;
  for (int i = 0; i < kTasks; ++i) {
    for (std::size_t lane = 0; lane < done.size(); ++lane) {
      last = thread.lane(lane).submit([&own = done[lane], i] { own.push_back(i); });
    }
  }
  EXPECT_EQ(last, 10'000u);
  for (std::size_t lane = 0; lane < done.size(); ++lane) {
    thread.lane(lane).wait(last);
    ASSERT_EQ(done[lane].size(), 10'000u);
    for (int i = 0; i < kTasks; ++i) ASSERT_EQ(done[lane][static_cast<std::size_t>(i)], i);
  }
}

// A disk that stands still keeps nobody waiting but those who look at it.
TEST(DiskThread, LanesDoNotWaitForEachOther) {
  std::atomic<bool> open = false;
  int done = 0;
  DiskThread thread(2);
  store::WriteRunner::Ticket stuck = 0;
  for (int i = 0; i < 10; ++i) stuck = thread.lane(0).submit([&open] { open.wait(false); });
  thread.lane(1).wait(thread.lane(1).submit([&done] { ++done; }));
  EXPECT_EQ(done, 1);
  open = true;
  open.notify_all();
  thread.lane(0).wait(stuck);
}

TEST(DiskThread, WaitsForNoMoreThanItsTicket) {
  std::atomic<bool> open = false;
  int first = 0;
  DiskThread thread(1);
  store::WriteRunner& lane = thread.lane(0);
  const auto ticket = lane.submit([&first] { first = 1; });
  lane.submit([&open] { open.wait(false); });
  lane.wait(ticket);
  EXPECT_EQ(first, 1);
  lane.wait(0);
  open = true;
  open.notify_all();
}

TEST(DiskThread, RunsAtItsEndWhatWasSubmitted) {
  int done = 0;
  {
    DiskThread thread(1);
    for (int i = 0; i < 3000; ++i) thread.lane(0).submit([&done] { ++done; });
  }
  EXPECT_EQ(done, 3000);
}

TEST(DiskThread, AFailureEndsItsLaneAndIsThrownByWhoWaitsForIt) {
  int done = 0;
  DiskThread thread(2);
  store::WriteRunner& lane = thread.lane(0);
  const auto good = lane.submit([&done] { ++done; });
  const auto bad = lane.submit([] { throw std::runtime_error("the disk is gone"); });
  const auto later = lane.submit([&done] { ++done; });
  EXPECT_THROW(lane.wait(later), std::runtime_error);
  EXPECT_THROW(lane.wait(bad), std::runtime_error);
  EXPECT_NO_THROW(lane.wait(good));
  lane.finish(later);  // says nothing of it
  EXPECT_EQ(done, 1);
  EXPECT_NO_THROW(thread.lane(1).wait(thread.lane(1).submit([&done] { ++done; })));
  EXPECT_EQ(done, 2);
}

// Kills, torn commits, restarts and slow disks included.
TEST(DiskThread, ChangesNothingOfARun) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const WorldFacts alone = facts_of(small_campus(), seed);
    const WorldFacts beside = facts_of(small_campus(), seed, 2);
    EXPECT_EQ(alone.trace_hash, beside.trace_hash) << seed;
    EXPECT_EQ(alone.history_hash, beside.history_hash) << seed;
    EXPECT_EQ(alone.bytes_disks, beside.bytes_disks) << seed;
    EXPECT_GT(alone.commits, 100u) << seed;
  }
}

}  // namespace
}  // namespace wavetank::sim
