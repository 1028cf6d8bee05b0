// The judge on a thread of its own, beside the one that simulates.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/properties/judge.hpp"

namespace wavetank::sim {

// Nobody in a world asks what the judge thinks, so he may be behind. He hears every record, in the order in
// which it was told, in the same batches however the threads are scheduled: his verdict is that of one
// thread. At most kBatches batches wait for him; who tells more than that helps.
class JudgeThread final : public history::Sink {
 public:
  // `judge` must outlive this object, and is its own until finish(). While `is_crowded`, asked by whoever
  // tells, says that no core is free for him, his thread sleeps and others have to help.
  explicit JudgeThread(conformance::Judge& judge, std::function<bool()> is_crowded = {});
  // Ends the thread; what it has not heard by then is lost.
  ~JudgeThread() override;
  JudgeThread(const JudgeThread&) = delete;
  JudgeThread& operator=(const JudgeThread&) = delete;

  void on(const history::Record& record) override {
    std::vector<history::Record>& batch = batches_[told_ % kBatches];
    batch.push_back(record);
    if (batch.size() == kBatch) hand_over();
  }

  // Any thread: lets the judge hear the batch that waits longest. False when there is none, or somebody is at
  // it.
  bool help();

  // The judge has heard everything and belongs to the caller again, who tells nothing more. Throws what he
  // threw.
  void finish();

  // As of a batch that he has heard lately.
  std::uint64_t violations() const { return violations_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kBatch = 256;  // records; 24 KiB, and some tens of microseconds
  static constexpr std::uint32_t kBatches = 128;

  void hand_over();
  // Helps until no more than so many batches wait.
  void help_until(std::uint32_t waiting);
  void work();

  conformance::Judge& judge_;
  std::function<bool()> is_crowded_;
  std::vector<std::vector<history::Record>> batches_;  // a ring; [heard, told) are the judge's
  std::uint32_t told_ = 0;                             // batches; this and the next wrap
  std::atomic<std::uint32_t> handed_ = 0;              // told_ as the judge sees it
  std::atomic<std::uint32_t> heard_ = 0;
  std::atomic_flag is_at_work_;  // somebody lets the judge hear
  std::atomic<std::uint64_t> violations_ = 0;
  std::exception_ptr failure_;  // by whoever is at work; written before heard_ passes its batch
  std::atomic<bool> ends_ = false;
  std::thread thread_;  // house: listens only; last, it uses the others
};

}  // namespace wavetank::sim
