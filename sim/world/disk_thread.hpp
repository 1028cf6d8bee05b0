// The thread on which the shards of a world write their databases, beside the one that simulates.
#pragma once

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "reference/store/write_runner.hpp"

namespace wavetank::sim {

// Half of a run on SQLite is statements whose outcome nobody waits for: what a shard decides, and how long
// its disk takes, follows from rows in memory and from what was counted, not from SQLite. So these statements
// run here while the world goes on.
//
// It decides nothing: tasks of all shards run in the one order in which they were submitted, and whoever
// wants to see a disk waits for it first. So databases, disks and everything drawn in between are the same as
// with store::RunAtOnce, however the two threads are scheduled.
//
// Who waits helps: he runs what is queued before his ticket himself unless this thread is at it, so a machine
// with something else to do costs the overlap, not a sleep for each wait. A task nobody waits for may lie
// until some more have come. At most kQueue tasks are queued; with no room left submit() helps too.
class DiskThread final : public store::WriteRunner {
 public:
  DiskThread();
  // Runs what was submitted, then ends the thread.
  ~DiskThread() override;
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  Ticket submit(Task task) override;
  void wait(Ticket ticket) override;
  void finish(Ticket ticket) noexcept override;

 private:
  static constexpr std::size_t kQueue = 1024;

  void work();
  // Runs the next task. By who holds at_work_, when one is queued.
  void run_one();

  boost::lockfree::spsc_queue<Task, boost::lockfree::capacity<kQueue>> queue_;
  std::atomic<Ticket> submitted_ = 0;
  std::atomic<Ticket> done_ = 0;
  std::mutex at_work_;  // house: held by who takes tasks from the queue, so that there is one at a time
  std::exception_ptr failure_;  // of the task failed_; written before done_ reaches it
  std::atomic<Ticket> failed_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread thread_;  // house: writes what nobody waits for, in one order; last, it uses the others
};

}  // namespace wavetank::sim
