// The host's one thread: sockets, timers and signals take turns on it. No header of Asio is needed to use it.
#pragma once

#include <functional>
#include <memory>

#include "reference/environment/time.hpp"

namespace wavetank::host {

// Everything that belongs to a loop must end before it. Not for use by several threads, but for post() and
// stop().
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Nanoseconds since the Unix epoch: the system's time when the loop was made plus what a monotonic clock
  // has counted since. Never goes back.
  TimeNs now() const;

  // Runs `task` on the loop's thread, after what was posted before. From any thread.
  void post(std::function<void()> task);
  // Handles events until stop(). What a task or a callback throws comes out here.
  void run();
  // Handles events until `done()` holds, at most for `time`. Returns done().
  bool run_until(const std::function<bool()>& done, DurationNs time);
  // Ends run() after the event in hand. From any thread.
  void stop();
  // `received` is called on the loop's thread with the number of each SIGINT and SIGTERM from now on.
  void on_signals(std::function<void(int)> received);

  // For loop_core.hpp.
  struct Core;
  Core& core() { return *core_; }

 private:
  std::unique_ptr<Core> core_;
};

// One timer. Ends unfired with its object.
class LoopTimer {
 public:
  LoopTimer(EventLoop& loop, std::function<void()> fired);
  ~LoopTimer();
  LoopTimer(LoopTimer&&) noexcept;
  LoopTimer& operator=(LoopTimer&&) noexcept;

  // Fires once at `at` of the loop's clock, at once when that is past; replaces the earlier time. kNever
  // disarms.
  void arm(TimeNs at);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace wavetank::host
