#include "sim/world/disk_thread.hpp"

namespace wavetank::sim {

namespace {

constexpr int kSpins = 2000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Until `number` is at least `wanted`.
void await(const std::atomic<std::uint64_t>& number, std::uint64_t wanted) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (number.load(std::memory_order_acquire) >= wanted) return;
    relax();
  }
  for (std::uint64_t seen = number.load(std::memory_order_acquire); seen < wanted;
       seen = number.load(std::memory_order_acquire)) {
    number.wait(seen, std::memory_order_acquire);
  }
}

}  // namespace

DiskThread::DiskThread() : thread_([this] { work(); }) {}

DiskThread::~DiskThread() {
  submit({});
  thread_.join();
}

store::WriteRunner::Ticket DiskThread::submit(Task task) {
  const Ticket ticket = submitted_.load(std::memory_order_relaxed) + 1;
  if (ticket > kQueue) await(done_, ticket - kQueue);
  queue_.push(task);
  submitted_.store(ticket, std::memory_order_release);
  submitted_.notify_one();
  return ticket;
}

void DiskThread::finish(Ticket ticket) noexcept { await(done_, ticket); }

void DiskThread::wait(Ticket ticket) {
  await(done_, ticket);
  const Ticket failed = failed_.load(std::memory_order_acquire);
  if (failed != 0 && failed <= ticket) std::rethrow_exception(failure_);
}

// The empty task ends it.
void DiskThread::work() {
  for (Ticket next = 1;; ++next) {
    await(submitted_, next);
    Task task;
    queue_.pop(task);
    const bool last = !task;
    if (!last && failed_.load(std::memory_order_relaxed) == 0) {
      try {
        task();
      } catch (...) {
        failure_ = std::current_exception();
        failed_.store(next, std::memory_order_release);
      }
    }
    done_.store(next, std::memory_order_release);
    done_.notify_one();
    if (last) return;
  }
}

}  // namespace wavetank::sim
