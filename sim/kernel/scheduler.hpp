// The kernel's face to everything that lives in the world: what time it is, and "tell me later".
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reference/environment/footprint.hpp"
#include "sim/kernel/event_kind.hpp"
#include "sim/kernel/event_queue.hpp"

namespace wavetank::sim {

// The lane for which a thread works while two of them are worked on beside each other.
inline thread_local Lane working_lane = kDeviceLane;

// Everything that schedules has a dense source number; its events are numbered in the order it makes them, so
// that the order of the world is a function of its content (event.hpp).
//
// Events wait by lane. One thread takes them in their total order, whatever their lanes; or, between
// begin_beside() and end_beside(), two threads take those of the device lane and of the server lane, each in
// the total order of its own. That comes to the same when nothing that a lane does within such a window
// touches the other before the window's end: what it schedules for the other comes later, and a source is of
// one lane.
//
// Or the two lanes are apart, in a process each (keep_only()): both have the events of the world's lane, and
// each hands the other, between windows, what it has scheduled for it.
class Scheduler {
 public:
  TimeNs now() const { return lanes_[working_lane].now; }

  // An event at `time` (raised to now when it lies in the past) in the name of `source`. Beside: of the other
  // lane no sooner than the window's end, and of the world's none (std::logic_error).
  void at(TimeNs time, std::uint32_t source, std::uint32_t kind, std::uint32_t target,
          std::uint32_t payload) {
    PerLane& mine = lanes_[working_lane];
    if (source >= numbers_.size()) make_source(source);
    const Event event =
        Event::make(std::max(time, mine.now), source, numbers_[source]++, kind, target, payload);
    const Lane to = lane_of(kind);
    if (keeps(to) && (!is_beside_ || to == working_lane)) {
      lanes_[to].queue.push(event);
    } else {
      if (is_beside_ && (to == kWorldLane || event.time < end_))
        throw std::logic_error("scheduler: an event of another lane within the window");
      mine.outbox.push_back(event);
    }
  }

  // Sources below `count` are there: they need not be made while the world is largest, or beside.
  void expect_sources(std::size_t count) { grow_to(numbers_, count); }

  bool empty() const {
    return std::all_of(std::begin(lanes_), std::end(lanes_),
                       [](const PerLane& l) { return l.queue.empty(); });
  }
  // kNever when there is none.
  TimeNs next_time() { return next_time(first_lane()); }
  TimeNs next_time(Lane lane) { return lanes_[lane].queue.empty() ? kNever : lanes_[lane].queue.peek().time; }
  // Takes the next event; its time becomes now, in all lanes.
  Event next() {
    const Event event = lanes_[first_lane()].queue.pop();
    for (PerLane& lane : lanes_) lane.now = event.time;
    lanes_[working_lane].current = event;
    return event;
  }

  // ---- beside

  // Until end_beside() each lane but the world's is worked on by a thread of its own, whose working_lane says
  // so, and nothing but what follows, at() and now() is called.
  void begin_beside(TimeNs end) {
    is_beside_ = true;
    end_ = end;
  }
  bool is_beside() const { return is_beside_; }
  // Takes the working lane's next event, when it comes before the window's end and, apart, before the world's
  // next one.
  bool next_beside(Event& event) {
    PerLane& mine = lanes_[working_lane];
    if (mine.queue.empty() || mine.queue.peek().time >= end_) return false;
    if (is_apart() && !lanes_[kWorldLane].queue.empty() &&
        before(lanes_[kWorldLane].queue.peek(), mine.queue.peek()))
      return false;
    event = mine.current = mine.queue.pop();
    mine.now = event.time;
    return true;
  }
  // The event that the working lane is at, beside or apart.
  const Event& current() const { return lanes_[working_lane].current; }
  // By one thread, when the others have come to rest.
  void end_beside() {
    is_beside_ = false;
    TimeNs latest = 0;
    for (PerLane& lane : lanes_) {
      latest = std::max(latest, lane.now);
      if (is_apart()) continue;
      for (const Event& event : lane.outbox) lanes_[lane_of(event.kind())].queue.push(event);
      lane.outbox.clear();
    }
    catch_up(latest);
  }

  // ---- apart

  // Before anything is scheduled: of devices' and servers' lanes this process keeps one. Its thread works on
  // that lane (working_lane), in windows as above.
  void keep_only(Lane lane) { kept_ = lane; }
  bool is_apart() const { return kept_ != kLanes; }
  // Whether the events of this lane happen in this process.
  bool keeps(Lane lane) const { return !is_apart() || lane == kept_ || lane == kWorldLane; }
  // Of what happens here or was scheduled here for the other process: when the first of it comes. kNever when
  // there is none. What both have, the world's lane, is left out.
  TimeNs next_time_apart() {
    TimeNs next = next_time(kept_);
    for (const Event& event : lanes_[kept_].outbox) next = std::min(next, event.time);
    return next;
  }
  // Takes what has been scheduled for the other process since the last call, in that order.
  std::vector<Event> take_outbox() { return std::exchange(lanes_[kept_].outbox, {}); }
  // Adds an event that the other process has handed over.
  void receive(const Event& event) { lanes_[kept_].queue.push(event); }
  // No lane is further back than `time`.
  void catch_up(TimeNs time) {
    for (PerLane& lane : lanes_) lane.now = std::max(lane.now, time);
  }

  const Event* lookahead(Lane lane, std::size_t n) const { return lanes_[lane].queue.lookahead(n); }
  std::size_t pending() const {
    std::size_t sum = 0;
    for (const PerLane& lane : lanes_) sum += lane.queue.size();
    return sum;
  }
  std::size_t bytes() const {
    std::size_t sum = numbers_.capacity() * sizeof(numbers_[0]);
    for (const PerLane& lane : lanes_) sum += lane.queue.bytes() + vector_bytes(lane.outbox);
    return sum;
  }

 private:
  struct alignas(64) PerLane {
    EventQueue queue;
    std::vector<Event> outbox;  // beside: for the other lane
    Event current = {};
    TimeNs now = 0;
  };

  void make_source(std::uint32_t source) {
    if (is_beside_) throw std::logic_error("scheduler: a new source within the window");
    grow_to(numbers_, source + std::size_t{1});
  }

  Lane first_lane() {
    Lane first = kDeviceLane;
    for (const Lane lane : {kServerLane, kWorldLane}) {
      if (lanes_[lane].queue.empty()) continue;
      if (lanes_[first].queue.empty() || before(lanes_[lane].queue.peek(), lanes_[first].queue.peek()))
        first = lane;
    }
    return first;
  }

  PerLane lanes_[kLanes];
  std::vector<std::uint32_t> numbers_;
  bool is_beside_ = false;
  TimeNs end_ = 0;
  Lane kept_ = kLanes;  // kLanes: all
};

}  // namespace wavetank::sim
