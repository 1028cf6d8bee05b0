#include "sim/world/lane_thread.hpp"

#include <utility>

namespace wavetank::sim {
namespace {

// Longer than most windows take: to wake a thread that sleeps costs as much as many of them.
constexpr int kSpins = 10000;

}  // namespace

LaneThread::LaneThread(std::function<void()> work, std::function<bool()> idle)
    : work_(std::move(work)), idle_(std::move(idle)) {
  thread_ = std::thread([this] { loop(); });  // house: see thread_
}

void LaneThread::wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    if (idle_ && idle_()) continue;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

LaneThread::~LaneThread() {
  ends_ = true;
  start();
  thread_.join();
}

void LaneThread::start() {
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_one();
}

void LaneThread::join() {
  const std::uint32_t started = started_.load(std::memory_order_relaxed);
  while (done_.load(std::memory_order_acquire) != started) wait_for_change(done_, started - 1);
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void LaneThread::loop() {
  for (std::uint32_t round = 0;; ++round) {
    wait_for_change(started_, round);
    if (ends_) return;
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
    done_.store(round + 1, std::memory_order_release);
    done_.notify_one();
  }
}

}  // namespace wavetank::sim
