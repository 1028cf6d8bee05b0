#include "sim/world/disk_thread.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

TEST(DiskThread, RunsTasksInTheirOrderAndShowsWhatTheyWrote) {
  std::vector<int> done;
  DiskThread thread;
  store::WriteRunner::Ticket last = 0;
  for (int i = 0; i < 10'000; ++i) last = thread.submit([&done, i] { done.push_back(i); });
  EXPECT_EQ(last, 10'000u);
  thread.wait(last);
  ASSERT_EQ(done.size(), 10'000u);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(DiskThread, WaitsForNoMoreThanItsTicket) {
  std::atomic<bool> open = false;
  int first = 0;
  DiskThread thread;
  const auto ticket = thread.submit([&first] { first = 1; });
  thread.submit([&open] { open.wait(false); });
  thread.wait(ticket);
  EXPECT_EQ(first, 1);
  thread.wait(0);
  open = true;
  open.notify_all();
}

TEST(DiskThread, RunsAtItsEndWhatWasSubmitted) {
  int done = 0;
  {
    DiskThread thread;
    for (int i = 0; i < 3000; ++i) thread.submit([&done] { ++done; });
  }
  EXPECT_EQ(done, 3000);
}

TEST(DiskThread, AFailureEndsItAndIsThrownByWhoWaitsForIt) {
  int done = 0;
  DiskThread thread;
  const auto good = thread.submit([&done] { ++done; });
  const auto bad = thread.submit([] { throw std::runtime_error("the disk is gone"); });
  const auto later = thread.submit([&done] { ++done; });
  EXPECT_THROW(thread.wait(later), std::runtime_error);
  EXPECT_THROW(thread.wait(bad), std::runtime_error);
  EXPECT_NO_THROW(thread.wait(good));
  thread.finish(later);  // says nothing of it
  EXPECT_EQ(done, 1);
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
