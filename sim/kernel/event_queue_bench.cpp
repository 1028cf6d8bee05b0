// The hold model: n events pending; each step pops the earliest and pushes it back an exponential 10 s later.
// The wheel and a binary heap run in one program, so their ratio is free of the machine's mood:
//
//   kernel_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=5
//   --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <queue>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "sim/kernel/distribution.hpp"
#include "sim/kernel/event_queue.hpp"

namespace wavetank::sim {
namespace {

struct Later {
  bool operator()(const Event& a, const Event& b) const { return before(b, a); }
};

// std::priority_queue with the wheel's interface.
class BinaryHeap {
 public:
  void push(const Event& event) { heap_.push(event); }
  Event pop() {
    const Event event = heap_.top();
    heap_.pop();
    return event;
  }
  std::size_t bytes() const { return heap_.size() * sizeof(Event); }

 private:
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
};

// Delays drawn beforehand: the queue is measured, not the logarithm.
const std::vector<DurationNs>& delays() {
  static const std::vector<DurationNs> kDelays = [] {
    std::vector<DurationNs> values;
    const Randomness draws(1);
    for (std::uint64_t i = 0; i < 65'536; ++i) {
      values.push_back(exponential(10 * kSecond, draws.bits(Purpose::kTest, 0, i)));
    }
    return values;
  }();
  return kDelays;
}

template <class Queue>
void hold(benchmark::State& state) {
  const auto pending = static_cast<std::uint32_t>(state.range(0));
  Queue queue;
  for (std::uint32_t i = 0; i < pending; ++i) {
    queue.push(Event::make(delays()[mix64(i) % 65'536] + i % 1024, i, 0, 1, i % Event::kTargetLimit, i));
  }
  std::uint64_t step = 0;
  const auto one = [&] {
    Event event = queue.pop();
    event.time += delays()[mix64(++step) >> 48];
    ++event.number;
    queue.push(event);
  };
  // Let the shape settle: the set right after the fill is not the one a long run sees. (Of ten million
  // events, all steps together turn over a third.)
  for (std::uint32_t i = 0; i < 1'000'000; ++i) one();
  for (auto _ : state) one();
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_event"] = static_cast<double>(queue.bytes()) / pending;
}

BENCHMARK(hold<EventQueue>)
    ->Name("hold/wheel")
    ->RangeMultiplier(10)
    ->Range(1'000, 10'000'000)
    ->Iterations(2'000'000);
BENCHMARK(hold<BinaryHeap>)
    ->Name("hold/binary_heap")
    ->RangeMultiplier(10)
    ->Range(1'000, 10'000'000)
    ->Iterations(2'000'000);

// Slot widths at a million pending: what the default was chosen by.
void slot_width(benchmark::State& state) {
  EventQueue queue(static_cast<unsigned>(state.range(0)));
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    queue.push(Event::make(delays()[mix64(i) % 65'536] + i % 1024, i, 0, 1, i, i));
  }
  std::uint64_t step = 0;
  for (auto _ : state) {
    Event event = queue.pop();
    event.time += delays()[mix64(++step) >> 48];
    ++event.number;
    queue.push(event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(slot_width)->Name("hold/slot_width_bits_at_1e6")->DenseRange(14, 22, 1)->Iterations(2'000'000);

// A nearly empty world: one event pending, each an hour after the last. The cost of skipping what is empty.
void hour_jumps(benchmark::State& state) {
  EventQueue queue;
  std::uint32_t number = 0;
  queue.push(Event::make(0, 0, number, 1, 0, 0));
  for (auto _ : state) {
    const Event event = queue.pop();
    queue.push(Event::make(event.time + 3'600 * kSecond, 0, ++number, 1, 0, 0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hour_jumps)->Name("jump/one_hour")->Iterations(1'000'000);

// A look at the next event, an hour away, before the time until then is filled: the side heap must not take
// it all.
void fill_after_peek(benchmark::State& state) {
  for (auto _ : state) {
    EventQueue queue;
    queue.push(Event::make(3'600 * kSecond, 0, 0, 1, 0, 0));
    benchmark::DoNotOptimize(queue.peek());
    for (std::uint32_t i = 1; i <= 1'000'000; ++i) {
      queue.push(Event::make(delays()[mix64(i) >> 48] + i % 1024, i, 0, 1, i, i));
    }
    while (!queue.empty()) benchmark::DoNotOptimize(queue.pop());
  }
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(fill_after_peek)->Name("fill_after_peek/1e6")->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wavetank::sim
