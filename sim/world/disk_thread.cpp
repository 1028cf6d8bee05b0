#include "sim/world/disk_thread.hpp"

namespace wavetank::sim {

namespace {

// Some tens of microseconds: longer than most tasks, shorter than a sleep is worth.
constexpr int kSpins = 2000;
// Tasks that lie before the thread is woken: waking it costs the simulation about as much as running one.
constexpr std::uint64_t kWake = 16;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

DiskThread::DiskThread() : thread_([this] { work(); }) {}

DiskThread::~DiskThread() {
  finish(submitted_.load(std::memory_order_relaxed));
  ends_.store(true, std::memory_order_relaxed);
  submit([] {});
  submitted_.notify_one();
  thread_.join();
}

store::WriteRunner::Ticket DiskThread::submit(Task task) {
  const Ticket ticket = submitted_.load(std::memory_order_relaxed) + 1;
  if (ticket > kQueue) finish(ticket - kQueue);
  queue_.push(task);
  submitted_.store(ticket, std::memory_order_release);
  if (ticket - done_.load(std::memory_order_relaxed) >= kWake) submitted_.notify_one();
  return ticket;
}

void DiskThread::wait(Ticket ticket) {
  finish(ticket);
  const Ticket failed = failed_.load(std::memory_order_acquire);
  if (failed != 0 && failed <= ticket) std::rethrow_exception(failure_);
}

void DiskThread::finish(Ticket ticket) noexcept {
  for (int spin = 0; done_.load(std::memory_order_acquire) < ticket; ++spin) {
    if (const std::unique_lock<std::mutex> lock(at_work_, std::try_to_lock); lock) {  // house: see at_work_
      while (done_.load(std::memory_order_relaxed) < ticket) run_one();
    } else if (spin < kSpins) {
      relax();
    } else {
      std::this_thread::yield();  // house: the other is in the middle of a task and not running
    }
  }
}

void DiskThread::work() {
  while (!ends_.load(std::memory_order_relaxed)) {
    const Ticket seen = done_.load(std::memory_order_acquire);
    for (int spin = 0; spin < kSpins && submitted_.load(std::memory_order_acquire) <= seen; ++spin) relax();
    submitted_.wait(seen, std::memory_order_acquire);
    const std::unique_lock<std::mutex> lock(at_work_);  // house: see at_work_
    if (done_.load(std::memory_order_relaxed) < submitted_.load(std::memory_order_acquire)) run_one();
  }
}

void DiskThread::run_one() {
  Task task;
  queue_.pop(task);
  const Ticket ticket = done_.load(std::memory_order_relaxed) + 1;
  if (failed_.load(std::memory_order_relaxed) == 0) {
    try {
      task();
    } catch (...) {
      failure_ = std::current_exception();
      failed_.store(ticket, std::memory_order_release);
    }
  }
  done_.store(ticket, std::memory_order_release);
}

}  // namespace wavetank::sim
