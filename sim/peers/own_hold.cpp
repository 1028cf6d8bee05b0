// The hold model on this project's queue, and on std::priority_queue.  own_hold wheel|heap PENDING STEPS
#include <cstdio>
#include <cstring>
#include <queue>
#include <vector>

#include "sim/kernel/event_queue.hpp"
#include "sim/peers/hold.hpp"

namespace {

using wavetank::sim::Event;

Event event_of(const peers::HoldEvent& event) {
  return Event::make(static_cast<wavetank::TimeNs>(event.time), event.source, event.number, 1, event.source,
                     0);
}
peers::HoldEvent hold_of(const Event& event) {
  return {static_cast<std::uint64_t>(event.time), event.source, event.number};
}

class Wheel {
 public:
  void push(const peers::HoldEvent& event) { queue_.push(event_of(event)); }
  peers::HoldEvent pop() { return hold_of(queue_.pop()); }

 private:
  wavetank::sim::EventQueue queue_;
};

class Heap {
 public:
  void push(const peers::HoldEvent& event) { queue_.push(event_of(event)); }
  peers::HoldEvent pop() {
    const Event event = queue_.top();
    queue_.pop();
    return hold_of(event);
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const { return wavetank::sim::before(b, a); }
  };
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || (std::strcmp(argv[1], "wheel") != 0 && std::strcmp(argv[1], "heap") != 0)) {
    std::fputs("usage: own_hold wheel|heap PENDING STEPS\n", stderr);
    return 64;
  }
  const std::uint32_t pending = peers::count_argument(argv[2]);
  const std::uint32_t steps = peers::count_argument(argv[3]);
  if (std::strcmp(argv[1], "wheel") == 0) {
    Wheel wheel;
    peers::run_hold(wheel, pending, steps);
  } else {
    Heap heap;
    peers::run_hold(heap, pending, steps);
  }
}
