// The hold model: n events pending; each step takes the earliest out and puts its successor in, 10 s later on
// average. The same logic for every queue, ours and a peer's.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "sim/peers/workload.hpp"

namespace peers {

// What a queue holds: the time, who, and how many times before. (time, source) names a pending event.
struct HoldEvent {
  std::uint64_t time;
  std::uint32_t source;
  std::uint32_t number;
};

// Gaps drawn beforehand, so that the queue is measured and not the logarithm.
class HoldGaps {
 public:
  HoldGaps() : gaps_(65'536) {
    for (std::uint32_t i = 0; i < gaps_.size(); ++i) gaps_[i] = gap_ns(i, 1);
  }
  // A function of the event alone: events of one instant may come in any order.
  std::uint64_t of(const HoldEvent& event) const {
    return gaps_[mix(static_cast<std::uint64_t>(event.source) << 32 | event.number) >> 48] +
           event.source % 1024;
  }

 private:
  std::vector<std::uint64_t> gaps_;
};

inline double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// The sum of the times taken out is equal for all queues that keep the order of time.
inline void report_hold(std::uint64_t steps, double seconds, std::uint64_t time_sum) {
  std::printf("events=%llu seconds=%.6f digest=%016llx\n", static_cast<unsigned long long>(steps), seconds,
              static_cast<unsigned long long>(time_sum));
  std::fflush(stdout);
}

// Fills the queue, lets its shape settle for a million steps, then measures `steps`. The queue has
// push(HoldEvent) and HoldEvent pop().
template <class Queue>
void run_hold(Queue& queue, std::uint32_t pending, std::uint32_t steps) {
  const HoldGaps gaps;
  for (std::uint32_t i = 0; i < pending; ++i) {
    const HoldEvent first{0, i, 0};
    queue.push({gaps.of(first), i, 1});
  }
  std::uint64_t time_sum = 0;
  const auto step = [&] {
    HoldEvent event = queue.pop();
    time_sum += event.time;
    event.time += gaps.of(event);
    ++event.number;
    queue.push(event);
  };
  for (std::uint32_t i = 0; i < 1'000'000; ++i) step();
  const double begin = processor_seconds();
  for (std::uint32_t i = 0; i < steps; ++i) step();
  report_hold(steps, processor_seconds() - begin, time_sum);
}

}  // namespace peers
