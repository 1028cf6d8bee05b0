// The thread on which the shards of a world write their databases, beside the one that simulates.
#pragma once

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "reference/store/write_runner.hpp"

namespace wavetank::sim {

// Half of a run on SQLite is statements whose outcome nobody waits for: what a shard decides, and how long
// its disk takes, follows from rows in memory and from what was counted, not from SQLite. So these statements
// run here while the world goes on.
//
// It decides nothing. Each disk has a lane: its tasks run in the order in which they were submitted, and
// whoever wants to see the disk waits for them first. So what a database holds, and what a crash leaves of
// it, is the same as with store::RunAtOnce, however the two threads are scheduled. Lanes know no order among
// each other; the one thing disks share is SQLite's generator of chance, which gives the logs their salts:
// those may differ, and a log's older frames match none of its later salts, whichever they are (SQLite file
// format, 4.3).
//
// Who waits helps: he runs what is queued in the lane before his ticket himself unless this thread is at it,
// so a machine with something else to do costs the overlap, not a sleep for each wait. At most kQueue tasks
// are queued in a lane; with no room left submit() helps too.
class DiskThread {
 public:
  explicit DiskThread(std::size_t lanes);
  // Runs what was submitted, then ends the thread.
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  // Lives as long as this object. All lanes are used by one thread.
  store::WriteRunner& lane(std::size_t index);

 private:
  static constexpr std::size_t kQueue = 1024;

  class Lane final : public store::WriteRunner {
   public:
    explicit Lane(DiskThread& thread) : thread_(thread) {}
    Ticket submit(Task task) override;
    void wait(Ticket ticket) override;
    void finish(Ticket ticket) noexcept override;

    void finish_all() noexcept { finish(submitted_.load(std::memory_order_relaxed)); }
    // Runs what is queued unless the other thread is at it; false when there was nothing to do.
    bool run_queued();

   private:
    // Runs the next task. By who holds at_work_, when one is queued.
    void run_one();

    DiskThread& thread_;
    boost::lockfree::spsc_queue<Task, boost::lockfree::capacity<kQueue>> queue_;
    std::atomic<Ticket> submitted_ = 0;
    std::atomic<Ticket> done_ = 0;
    std::mutex at_work_;  // house: held by who takes tasks from the queue, so that there is one at a time
    std::exception_ptr failure_;  // of the task failed_; written before done_ reaches it
    std::atomic<Ticket> failed_ = 0;
  };

  void work();
  // One task more lies in some lane.
  void task_submitted();

  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::uint32_t> tasks_ = 0;  // submitted in all lanes; wraps
  std::atomic<bool> ends_ = false;
  std::thread thread_;  // house: writes what nobody waits for, in each lane's order; last, it uses the others
};

}  // namespace wavetank::sim
