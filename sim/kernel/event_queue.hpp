// The pending events of the world, popped in the exact total order of event.hpp.
//
// A hierarchical timing wheel. Level 0 has slots of one width; a slot of each higher level spans the whole
// level below it. An event waits in the level at which its slot number first differs from that of the
// present:
//
//   level 2   |    |    | #  |    | ...          6.5 days        in 2048 slots of 550 s   (default width,
//   2^17 ns) level 1   |    | ## |    | #  | ...          9 minutes       in 2048 slots of 268 ms level 0
//   |run | #  | ## |    | ...          268 ms          in 2048 slots of 131 us
//              ^ sorted by the total order when it falls due; what lands inside it meanwhile goes to a side
//              heap
//
// Events beyond the top level wait in an overflow heap. Empty slots are skipped by bitmap, so a jump of hours
// costs what a jump of microseconds costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/kernel/event.hpp"
#include "sim/kernel/event_pool.hpp"
#include "sim/kernel/slot_bitmap.hpp"

namespace wavetank::sim {

// A priority queue of events whose time does not run backwards. Whatever the slot width, the events come out
// in the same order; the width decides the speed alone. push is O(1), pop O(log of the events in one slot),
// amortised, while at least the two are interleaved as a simulation does.
class EventQueue {
 public:
  // 2^17 ns = 131 us, best from 10^5 to 10^7 pending timers of some seconds: a slot should hold 10 to 200
  // events.
  static constexpr unsigned kDefaultSlotWidthBits = 17;
  static constexpr unsigned kSlotWidthBitsMax = 40;

  // Slots are 2^slot_width_bits ns wide. Throws std::invalid_argument above kSlotWidthBitsMax.
  explicit EventQueue(unsigned slot_width_bits = kDefaultSlotWidthBits);
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Adds an event. Its time must not lie before now(): std::logic_error otherwise, in every build. An event
  // of the present instant is welcome and takes its place in the order among those still pending.
  void push(const Event& event);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // The earliest pending event, valid until the next push or pop. std::logic_error when empty. now() stays as
  // it is, so earlier events may still be pushed.
  const Event& peek() {
    if (next_ == run_.size() && late_.empty()) open_next_slot();
    return late_is_next() ? late_.front() : run_[next_];
  }

  // Takes the earliest pending event out and sets now() to its time. std::logic_error when empty.
  Event pop() {
    if (next_ == run_.size() && late_.empty()) open_next_slot();
    const Event event = late_is_next() ? take_late() : run_[next_++];
    --size_;
    now_ = event.time;
    return event;
  }

  // The event n places ahead in the sorted slot (0 = the next of it), or nullptr behind its end. A hint of
  // what is to come, made for prefetching: events in the side heap may come in between, and the next slot is
  // not looked into.
  const Event* lookahead(std::size_t n) const {
    return n < run_.size() - next_ ? run_.data() + next_ + n : nullptr;
  }

  // The time of the event popped last; 0 before the first.
  TimeNs now() const { return now_; }

  // Memory held, in bytes: about 25 per pending event when slots are well filled, and never less than at its
  // peak.
  std::size_t bytes() const;

 private:
  static constexpr unsigned kLevels = 3;
  static constexpr unsigned kLevelBits = 11;
  static constexpr std::uint32_t kSlots = 1u << kLevelBits;

  // A chain of chunks; all but the first are full. The fill of the first stands here, where it stays in
  // cache.
  struct Slot {
    std::uint32_t head = EventPool::kNone;
    std::uint32_t fill = 0;
  };
  struct Level {
    std::array<Slot, kSlots> slots;
    SlotBitmap<kSlots> occupied;
    std::size_t size = 0;
  };

  bool late_is_next() const {
    return !late_.empty() && (next_ == run_.size() || before(late_.front(), run_[next_]));
  }
  std::uint64_t slot_of(const Event& event) const {
    return static_cast<std::uint64_t>(event.time) >> slot_width_bits_;
  }

  Event take_late();
  void place(const Event& event);
  template <class Receive>
  void drain(unsigned level, std::uint32_t index, Receive receive);
  void open_next_slot();
  void refill_from_overflow();
  void step_back_if_worthwhile();

  unsigned slot_width_bits_;
  bool opened_ = false;        // whether the slot `current_` has been taken out into run_
  std::uint64_t current_ = 0;  // number of the running slot: time >> slot_width_bits_
  TimeNs now_ = 0;
  std::size_t size_ = 0;
  std::size_t next_ = 0;         // of run_
  std::vector<Event> run_;       // the running slot, sorted
  std::vector<Event> late_;      // heap: pushed at or before the running slot
  std::vector<Event> overflow_;  // heap: beyond the top level
  std::unique_ptr<std::array<Level, kLevels>> levels_;
  EventPool pool_;
};

}  // namespace wavetank::sim
