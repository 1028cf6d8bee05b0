// The judge on a thread of its own, beside the one that simulates.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/properties/judge.hpp"

namespace wavetank::sim {

// Nobody in a world asks what the judge thinks, so he may be behind. He hears every record, in the order in
// which it was told, in the same batches however the two threads are scheduled: his verdict is that of one
// thread. At most kBatches batches wait for him; who tells more waits for room.
class JudgeThread final : public history::Sink {
 public:
  // `judge` must outlive this object, and is its thread's own until finish().
  explicit JudgeThread(conformance::Judge& judge);
  // Ends the thread; what it has not heard by then is lost.
  ~JudgeThread() override;
  JudgeThread(const JudgeThread&) = delete;
  JudgeThread& operator=(const JudgeThread&) = delete;

  void on(const history::Record& record) override {
    std::vector<history::Record>& batch = batches_[told_ % kBatches];
    batch.push_back(record);
    if (batch.size() == kBatch) hand_over();
  }

  // The judge has heard everything and belongs to the caller again, who tells nothing more. Throws what he
  // threw.
  void finish();

  // As of a batch that he has heard lately.
  std::uint64_t violations() const { return violations_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kBatch = 512;  // records; 48 KiB
  static constexpr std::uint32_t kBatches = 64;

  void hand_over();
  void work();

  conformance::Judge& judge_;
  std::vector<std::vector<history::Record>> batches_;  // a ring; [heard, told) are the judge's
  std::uint32_t told_ = 0;                             // batches; this and the next wrap
  std::atomic<std::uint32_t> handed_ = 0;              // told_ as the judge sees it
  std::atomic<std::uint32_t> heard_ = 0;
  std::atomic<std::uint64_t> violations_ = 0;
  std::exception_ptr failure_;  // written before heard_ passes its batch
  std::atomic<bool> ends_ = false;
  std::thread thread_;  // house: listens only; last, it uses the others
};

}  // namespace wavetank::sim
