#include "sim/kernel/event_queue.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wavetank::sim {
namespace {

// std::push_heap and its kin keep the greatest in front; we want the earliest.
struct Later {
  bool operator()(const Event& a, const Event& b) const { return before(b, a); }
};
struct Before {
  bool operator()(const Event& a, const Event& b) const { return before(a, b); }
};

void push_heap(std::vector<Event>& heap, const Event& event) {
  heap.push_back(event);
  std::push_heap(heap.begin(), heap.end(), Later{});
}

Event pop_heap(std::vector<Event>& heap) {
  std::pop_heap(heap.begin(), heap.end(), Later{});
  const Event event = heap.back();
  heap.pop_back();
  return event;
}

// The side heap may grow this large before stepping back is considered.
constexpr std::size_t kLateTolerated = 64;
// Stepping back moves at most so many events for each one in the side heap.
constexpr std::size_t kMovesPerLate = 16;

}  // namespace

EventQueue::EventQueue(unsigned slot_width_bits)
    : slot_width_bits_(slot_width_bits), levels_(std::make_unique<std::array<Level, kLevels>>()) {
  if (slot_width_bits > kSlotWidthBitsMax) throw std::invalid_argument("event queue: slots too wide");
}

void EventQueue::push(const Event& event) {
  if (event.time < now_) throw std::logic_error("event queue: event pushed into the past");
  ++size_;
  const std::uint64_t slot = slot_of(event);
  if (slot > current_ || !opened_) {
    place(event);
    return;
  }
  push_heap(late_, event);
  if (slot < current_ && late_.size() > kLateTolerated) step_back_if_worthwhile();
}

Event EventQueue::take_late() { return pop_heap(late_); }

// Puts an event of the running or a later slot into its level.
void EventQueue::place(const Event& event) {
  const std::uint64_t slot = slot_of(event);
  const std::uint64_t difference = slot ^ current_;
  unsigned level = 0;
  while (level < kLevels && (difference >> ((level + 1) * kLevelBits)) != 0) ++level;
  if (level == kLevels) {
    push_heap(overflow_, event);
    return;
  }
  const auto index = static_cast<std::uint32_t>(slot >> (level * kLevelBits)) & (kSlots - 1);
  Level& home = (*levels_)[level];
  Slot& chain = home.slots[index];
  if (chain.head == EventPool::kNone || chain.fill == EventPool::Chunk::kCapacity) {
    const std::uint32_t chunk = pool_.allocate();
    pool_.at(chunk).next = chain.head;
    if (chain.head == EventPool::kNone) home.occupied.insert(index);
    chain = {chunk, 0};
  }
  pool_.at(chain.head).events[chain.fill++] = event;
  ++home.size;
}

// Empties a slot, handing its events over as (pointer, count). The chain is detached first, so `receive` may
// place.
template <class Receive>
void EventQueue::drain(unsigned level, std::uint32_t index, Receive receive) {
  Level& home = (*levels_)[level];
  const Slot chain = std::exchange(home.slots[index], Slot{});
  home.occupied.erase(index);
  std::uint32_t count = chain.fill;
  for (std::uint32_t chunk = chain.head; chunk != EventPool::kNone; count = EventPool::Chunk::kCapacity) {
    const EventPool::Chunk& full = pool_.at(chunk);
    const std::uint32_t following = full.next;
    if (following != EventPool::kNone) __builtin_prefetch(&pool_.at(following));
    receive(full.events, count);
    home.size -= count;
    pool_.release(chunk);
    chunk = following;
  }
}

// Moves the present to the earliest occupied slot and sorts that slot into run_. Called when run_ and late_
// are spent.
void EventQueue::open_next_slot() {
  if (size_ == 0) throw std::logic_error("event queue: nothing is pending");
  run_.clear();
  next_ = 0;
  for (;;) {
    unsigned level = 0;
    std::uint32_t index = SlotBitmap<kSlots>::kNone;
    for (; level < kLevels; ++level) {
      const auto digit = static_cast<std::uint32_t>(current_ >> (level * kLevelBits)) & (kSlots - 1);
      // The slot of the present holds something in level 0 only, and only until it is opened.
      index = (*levels_)[level].occupied.next(level == 0 && !opened_ ? digit : digit + 1);
      if (index != SlotBitmap<kSlots>::kNone) break;
    }
    if (level == kLevels) {
      refill_from_overflow();
      continue;
    }
    const unsigned shift = level * kLevelBits;
    current_ = (((current_ >> shift) & ~std::uint64_t{kSlots - 1}) | index) << shift;
    opened_ = level == 0;
    if (opened_) {
      drain(0, index, [this](const Event* events, std::uint32_t count) {
        run_.insert(run_.end(), events, events + count);
      });
      std::sort(run_.begin(), run_.end(), Before{});
      return;
    }
    drain(level, index, [this](const Event* events, std::uint32_t count) {
      for (std::uint32_t i = 0; i < count; ++i) place(events[i]);
    });
  }
}

// The wheel is empty: moves it to the earliest event of the overflow, and in with all that then fit.
void EventQueue::refill_from_overflow() {
  constexpr unsigned kSpanBits = kLevels * kLevelBits;
  current_ = slot_of(overflow_.front()) >> kSpanBits << kSpanBits;
  opened_ = false;
  while (!overflow_.empty() && (slot_of(overflow_.front()) ^ current_) >> kSpanBits == 0) {
    place(pop_heap(overflow_));
  }
}

// peek may have opened a slot far ahead of now(), and pushes in between then pile up in the side heap, which
// would sink the wheel to a binary heap. So when the pile outweighs the cost, the present returns to the slot
// of now(): all that was brought down to lower levels on the way is placed anew, the open slot and the pile
// too.
void EventQueue::step_back_if_worthwhile() {
  const std::uint64_t target = static_cast<std::uint64_t>(now_) >> slot_width_bits_;
  if (target >= current_) return;
  const std::uint64_t difference = target ^ current_;
  std::size_t moves = run_.size();  // none of it popped yet, or now() would stand in the open slot
  unsigned below = 0;
  for (; below < kLevels && (difference >> (below * kLevelBits)) >= kSlots; ++below) {
    moves += (*levels_)[below].size;
  }
  if (moves > late_.size() * kMovesPerLate) return;

  current_ = target;
  opened_ = false;
  // What waits at levels >= below keeps its place: seen from `target`, it still differs first in the same
  // digit.
  for (unsigned level = 0; level < below; ++level) {
    const SlotBitmap<kSlots>& occupied = (*levels_)[level].occupied;
    for (std::uint32_t i = occupied.next(0); i != SlotBitmap<kSlots>::kNone; i = occupied.next(i + 1)) {
      drain(level, i, [this](const Event* events, std::uint32_t count) {
        for (std::uint32_t k = 0; k < count; ++k) place(events[k]);
      });
    }
  }
  for (const Event& event : run_) place(event);
  run_.clear();
  for (const Event& event : late_) place(event);
  late_.clear();
}

std::size_t EventQueue::bytes() const {
  const std::size_t vectors = run_.capacity() + late_.capacity() + overflow_.capacity();
  return sizeof(*this) + sizeof(*levels_) + vectors * sizeof(Event) + pool_.bytes();
}

}  // namespace wavetank::sim
