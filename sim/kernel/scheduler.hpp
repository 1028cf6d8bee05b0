// The kernel's face to everything that lives in the world: what time it is, and "tell me later".
#pragma once

#include <cstdint>
#include <vector>

#include "reference/environment/footprint.hpp"
#include "sim/kernel/event_queue.hpp"

namespace wavetank::sim {

// Everything that schedules has a dense source number; its events are numbered in the order it makes them, so
// that the order of the world is a function of its content (event.hpp).
class Scheduler {
 public:
  TimeNs now() const { return now_; }

  // An event at `time` (raised to now when it lies in the past) in the name of `source`.
  void at(TimeNs time, std::uint32_t source, std::uint32_t kind, std::uint32_t target,
          std::uint32_t payload) {
    grow_to(numbers_, source + std::size_t{1});
    queue_.push(Event::make(time < now_ ? now_ : time, source, numbers_[source]++, kind, target, payload));
  }

  // Room for sources below `count`, so that it need not be made while the world is largest.
  void expect_sources(std::size_t count) { numbers_.reserve(count); }

  bool empty() const { return queue_.empty(); }
  TimeNs next_time() { return queue_.peek().time; }
  // Takes the next event; its time becomes now.
  Event next() {
    const Event event = queue_.pop();
    now_ = event.time;
    return event;
  }
  const Event* lookahead(std::size_t n) const { return queue_.lookahead(n); }
  std::size_t pending() const { return queue_.size(); }
  std::size_t bytes() const { return queue_.bytes() + numbers_.capacity() * sizeof(numbers_[0]); }

 private:
  EventQueue queue_;
  std::vector<std::uint32_t> numbers_;
  TimeNs now_ = 0;
};

}  // namespace wavetank::sim
