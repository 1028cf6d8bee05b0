// A thread that works on one lane of a world, window by window, beside the one that runs the world.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>

namespace wavetank::sim {

class LaneThread {
 public:
  // `work` is one round, and the thread's own between start() and join(). `idle` is asked by whoever waits
  // for the other, the thread for start() or its user in join(), to do a little of something else; false:
  // nothing to do.
  LaneThread(std::function<void()> work, std::function<bool()> idle);
  // Not between start() and join().
  ~LaneThread();
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  // Begins a round. What was written before is seen there.
  void start();
  // Waits for its end, for a while without sleeping; what was written in it is seen afterwards. Throws what
  // the round threw.
  void join();

 private:
  void loop();
  void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old);

  std::function<void()> work_;
  std::function<bool()> idle_;
  std::exception_ptr failure_;  // of the round; written before done_
  // A line of their own each: two threads look at them all the time.
  alignas(64) std::atomic<std::uint32_t> started_ = 0;
  alignas(64) std::atomic<std::uint32_t> done_ = 0;
  bool ends_ = false;   // written before started_
  std::thread thread_;  // house: what it does hangs on its lane's events alone; last, it uses the others
};

}  // namespace wavetank::sim
