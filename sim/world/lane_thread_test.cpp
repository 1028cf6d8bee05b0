#include "sim/world/lane_thread.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace wavetank::sim {
namespace {

TEST(LaneThread, WorksRoundByRound) {
  int sum = 0;  // whose it is changes with start() and join()
  LaneThread thread([&] { sum += 1; }, {});
  for (int round = 1; round <= 10'000; ++round) {
    thread.start();
    thread.join();
    ASSERT_EQ(sum, round);
    sum += 1;
    sum -= 1;
  }
}

TEST(LaneThread, LetsWhoeverWaitsDoSomethingElse) {
  std::atomic<int> idle = 0;
  std::atomic<bool> goes_on = false;
  LaneThread thread([&] { goes_on.wait(false); },
                    [&] {
                      if (idle.fetch_add(1) == 100) {
                        goes_on = true;
                        goes_on.notify_one();
                      }
                      return true;
                    });
  thread.start();
  thread.join();
  EXPECT_GT(idle.load(), 100);
}

TEST(LaneThread, ThrowsWhatTheRoundThrew) {
  int round = 0;
  LaneThread thread(
      [&] {
        if (++round == 2) throw std::runtime_error("the second");
      },
      {});
  thread.start();
  EXPECT_NO_THROW(thread.join());
  thread.start();
  EXPECT_THROW(thread.join(), std::runtime_error);
  thread.start();
  EXPECT_NO_THROW(thread.join());
}

}  // namespace
}  // namespace wavetank::sim
