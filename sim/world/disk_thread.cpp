#include "sim/world/disk_thread.hpp"

namespace wavetank::sim {

namespace {

// How often one looks for the other's progress before it yields: some tens of microseconds, longer than most
// tasks.
constexpr int kSpinsForTask = 2000;
// And for work before it sleeps, ten times as long: to wake it costs the simulation as much as to run a task.
constexpr int kSpinsForWork = 20'000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

DiskThread::DiskThread(std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; ++i) lanes_.push_back(std::make_unique<Lane>(*this));
  thread_ = std::thread([this] { work(); });  // house: see thread_
}

DiskThread::~DiskThread() {
  for (const auto& lane : lanes_) lane->finish_all();
  ends_.store(true, std::memory_order_relaxed);
  tasks_.fetch_add(1, std::memory_order_release);
  tasks_.notify_one();
  thread_.join();
}

store::WriteRunner& DiskThread::lane(std::size_t index) { return *lanes_.at(index); }

void DiskThread::task_submitted() {
  const std::uint32_t tasks = tasks_.load(std::memory_order_relaxed) + 1;
  tasks_.store(tasks, std::memory_order_release);
  tasks_.notify_one();
}

void DiskThread::work() {
  while (!ends_.load(std::memory_order_relaxed)) {
    const std::uint32_t seen = tasks_.load(std::memory_order_acquire);
    bool found = false;
    for (const auto& lane : lanes_) found = lane->run_queued() || found;
    if (found) continue;
    for (int spin = 0; spin < kSpinsForWork && tasks_.load(std::memory_order_acquire) == seen; ++spin)
      relax();
    tasks_.wait(seen, std::memory_order_acquire);
  }
}

// ---- a lane

store::WriteRunner::Ticket DiskThread::Lane::submit(Task task) {
  const Ticket ticket = submitted_.load(std::memory_order_relaxed) + 1;
  if (ticket > kQueue) finish(ticket - kQueue);
  queue_.push(task);
  submitted_.store(ticket, std::memory_order_release);
  thread_.task_submitted();
  return ticket;
}

void DiskThread::Lane::wait(Ticket ticket) {
  finish(ticket);
  const Ticket failed = failed_.load(std::memory_order_acquire);
  if (failed != 0 && failed <= ticket) std::rethrow_exception(failure_);
}

void DiskThread::Lane::finish(Ticket ticket) noexcept {
  for (int spin = 0; done_.load(std::memory_order_acquire) < ticket; ++spin) {
    if (const std::unique_lock<std::mutex> lock(at_work_, std::try_to_lock); lock) {  // house: see at_work_
      while (done_.load(std::memory_order_relaxed) < ticket) run_one();
    } else if (spin < kSpinsForTask) {
      relax();
    } else {
      std::this_thread::yield();  // house: the other is in the middle of a task and not running
    }
  }
}

bool DiskThread::Lane::run_queued() {
  if (done_.load(std::memory_order_relaxed) == submitted_.load(std::memory_order_acquire)) return false;
  const std::unique_lock<std::mutex> lock(at_work_, std::try_to_lock);  // house: see at_work_
  if (!lock) return false;
  while (done_.load(std::memory_order_relaxed) < submitted_.load(std::memory_order_acquire)) run_one();
  return true;
}

void DiskThread::Lane::run_one() {
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
