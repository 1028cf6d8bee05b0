#include "sim/runner/judge_thread.hpp"

#include <utility>

namespace wavetank::sim {

JudgeThread::JudgeThread(conformance::Judge& judge, std::function<bool()> is_crowded)
    : judge_(judge), is_crowded_(std::move(is_crowded)), batches_(kBatches) {
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
  if (!is_crowded_ || !is_crowded_()) handed_.notify_one();
  // The next batch of the ring must have been heard.
  help_until(kBatches - 1);
  batches_[told_ % kBatches].clear();
}

void JudgeThread::finish() {
  hand_over();
  help_until(0);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void JudgeThread::help_until(std::uint32_t waiting) {
  for (std::uint32_t heard = heard_.load(std::memory_order_acquire); told_ - heard > waiting;
       heard = heard_.load(std::memory_order_acquire)) {
    // Whoever is at it may have been through with the last batch a moment ago, and nobody would tell.
    if (!help()) std::this_thread::yield();
  }
}

bool JudgeThread::help() {
  if (is_at_work_.test_and_set(std::memory_order_acquire)) return false;
  const std::uint32_t heard = heard_.load(std::memory_order_relaxed);
  const bool is_waiting = heard != handed_.load(std::memory_order_acquire);
  if (is_waiting) {
    if (failure_ == nullptr) {
      try {
        judge_.on(batches_[heard % kBatches]);
        violations_.store(judge_.violations(), std::memory_order_relaxed);
      } catch (...) {
        failure_ = std::current_exception();
      }
    }
    heard_.store(heard + 1, std::memory_order_release);
  }
  is_at_work_.clear(std::memory_order_release);
  return is_waiting;
}

void JudgeThread::work() {
  std::uint32_t handed = 0;
  while (true) {
    handed_.wait(handed, std::memory_order_acquire);
    handed = handed_.load(std::memory_order_acquire);
    do {
      if (ends_.load(std::memory_order_relaxed)) return;
    } while (help());
  }
}

}  // namespace wavetank::sim
