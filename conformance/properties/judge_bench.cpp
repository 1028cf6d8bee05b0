// What judging costs: records per second and memory, all monitors on, at 2, 20 and 200 members per
// conversation.
//
// Measured is the judge alone: records are made in batches beforehand.
#include <benchmark/benchmark.h>
#include <time.h>

#include <utility>
#include <vector>

#include "conformance/properties/crowd.hpp"

namespace wavetank::conformance {
namespace {

// Of this thread: what others take of the machine does not count.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Records that wait for the judge, and the time that it took for them.
class Batches {
 public:
  Batches(Judge& judge, bool looks_ahead) : judge_(judge), looks_ahead_(looks_ahead) {
    batch_.reserve(kBatch);
  }

  void take(const Record& record) {
    batch_.push_back(record);
    if (batch_.size() == kBatch) flush();
  }
  void flush() {
    const double begin = processor_seconds();
    if (looks_ahead_) {
      judge_.on(batch_);
    } else {
      for (const Record& record : batch_) judge_.on(record);
    }
    seconds_ += processor_seconds() - begin;
    batch_.clear();
  }
  // Since the last call.
  double take_seconds() { return std::exchange(seconds_, 0.0); }

 private:
  static constexpr std::size_t kBatch = 8192;
  Judge& judge_;
  bool looks_ahead_;
  std::vector<Record> batch_;
  double seconds_ = 0;
};

// Arguments: devices, members per conversation, conversations per device, whether the judge looks ahead.
void judge_records(benchmark::State& state) {
  const CrowdShape shape{static_cast<std::uint32_t>(state.range(0)),
                         static_cast<std::uint32_t>(state.range(1)),
                         static_cast<std::uint32_t>(state.range(2))};
  Judge judge(crowd_config());
  Batches batches(judge, state.range(3) != 0);
  const auto take = [&](const Record& record) { batches.take(record); };
  Crowd crowd(shape, take);
  crowd.connect();
  crowd.declare();
  crowd.join();
  crowd.round();
  batches.flush();
  batches.take_seconds();
  const std::uint64_t before = crowd.records();
  for (auto _ : state) {
    crowd.round();
    batches.flush();
    state.SetIterationTime(batches.take_seconds());
  }
  if (judge.violations() > 0) state.SkipWithError("a correct history was accused");
  state.SetItemsProcessed(static_cast<std::int64_t>(crowd.records() - before));
  const JudgeMemory memory = judge.memory();
  const auto per_subscription = [&](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(crowd.subscriptions());
  };
  const std::size_t rows = memory.subscriptions.bytes + memory.members.bytes + memory.writers.bytes;
  state.counters["MB"] = static_cast<double>(memory.total()) / 1e6;
  state.counters["subscription"] = memory.subscriptions.each();
  state.counters["rows"] = per_subscription(rows);
  state.counters["all"] = per_subscription(memory.total());
}
BENCHMARK(judge_records)
    ->ArgNames({"devices", "members", "each", "ahead"})
    ->ArgsProduct({{1'000, 100'000, 1'000'000}, {2, 20}, {4}, {0, 1}})
    ->ArgsProduct({{1'000, 100'000, 1'000'000}, {200}, {1}, {0, 1}})
    ->Iterations(2)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wavetank::conformance
