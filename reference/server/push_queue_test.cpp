#include "reference/server/push_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace wavetank::server {
namespace {

TEST(PushQueue, IsBoundedInNumberAndInBytesButForOneAlone) {
  const PushQueue::Limits limits{3, 100};
  PushQueue queue;
  EXPECT_TRUE(queue.fits(5000, limits));
  queue.sent(1, 40);
  EXPECT_TRUE(queue.fits(60, limits));
  EXPECT_FALSE(queue.fits(61, limits));
  queue.sent(2, 30);
  queue.sent(3, 10);
  EXPECT_FALSE(queue.fits(1, limits));
  queue.acknowledge(1);
  EXPECT_EQ(queue.frames(), 2U);
  EXPECT_EQ(queue.bytes(), 40U);
  EXPECT_TRUE(queue.fits(60, limits));
}

TEST(PushQueue, AgreesWithAListOfWhatWasSent) {
  EXPECT_TRUE(rc::check("model", [] {
    PushQueue queue;
    std::deque<std::pair<std::uint32_t, std::uint32_t>> model;
    std::uint32_t number = 0;
    const int steps = *rc::gen::inRange(0, 100);
    for (int step = 0; step < steps; ++step) {
      if (*rc::gen::inRange(0, 3) != 0) {
        number += *rc::gen::inRange<std::uint32_t>(1, 4);  // answers have numbers too
        const auto bytes = *rc::gen::inRange<std::uint32_t>(1, 1000);
        queue.sent(number, bytes);
        model.emplace_back(number, bytes);
      } else {
        const auto up_to = *rc::gen::inRange<std::uint32_t>(0, number + 2);
        queue.acknowledge(up_to);
        while (!model.empty() && model.front().first <= up_to) model.pop_front();
      }
      std::uint64_t bytes = 0;
      for (const auto& [sent, size] : model) bytes += size;
      RC_ASSERT(queue.frames() == model.size());
      RC_ASSERT(queue.bytes() == bytes);
    }
  }));
}

}  // namespace
}  // namespace wavetank::server
