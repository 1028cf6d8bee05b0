#include "sim/runner/judge_thread.hpp"

namespace wavetank::sim {

JudgeThread::JudgeThread(conformance::Judge& judge) : judge_(judge), batches_(kBatches) {
  for (auto& batch : batches_) batch.reserve(kBatch);
  thread_ = std::thread([this] { work(); });  // house: see thread_
}

JudgeThread::~JudgeThread() {
  ends_.store(true, std::memory_order_relaxed);
  handed_.fetch_add(1, std::memory_order_release);
  handed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void JudgeThread::hand_over() {
  ++told_;
  handed_.store(told_, std::memory_order_release);
  handed_.notify_one();
  // The next batch of the ring must have been heard.
  for (std::uint32_t heard = heard_.load(std::memory_order_acquire); told_ - heard >= kBatches;
       heard = heard_.load(std::memory_order_acquire))
    heard_.wait(heard, std::memory_order_acquire);
  batches_[told_ % kBatches].clear();
}

void JudgeThread::finish() {
  hand_over();
  for (std::uint32_t heard = heard_.load(std::memory_order_acquire); heard != told_;
       heard = heard_.load(std::memory_order_acquire))
    heard_.wait(heard, std::memory_order_acquire);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void JudgeThread::work() {
  std::uint32_t heard = 0;
  while (true) {
    handed_.wait(heard, std::memory_order_acquire);
    if (ends_.load(std::memory_order_relaxed)) return;
    while (heard != handed_.load(std::memory_order_acquire)) {
      if (ends_.load(std::memory_order_relaxed)) return;
      if (failure_ == nullptr) {
        try {
          judge_.on(batches_[heard % kBatches]);
          violations_.store(judge_.violations(), std::memory_order_relaxed);
        } catch (...) {
          failure_ = std::current_exception();
        }
      }
      heard_.store(++heard, std::memory_order_release);
      heard_.notify_one();
    }
  }
}

}  // namespace wavetank::sim
