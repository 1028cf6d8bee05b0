#include "sim/kernel/event_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <queue>
#include <stdexcept>
#include <vector>

#include "reference/environment/randomness.hpp"

namespace wavetank::sim {
namespace {

struct Later {
  bool operator()(const Event& a, const Event& b) const { return before(b, a); }
};
using Oracle = std::priority_queue<Event, std::vector<Event>, Later>;

Event event_at(TimeNs time, std::uint32_t source = 0, std::uint32_t number = 0) {
  return Event::make(time, source, number, 1, 2, 3);
}

// The queue and a binary heap, fed alike; every answer of the one is held against the other.
class Pair {
 public:
  explicit Pair(unsigned slot_width_bits) : queue_(slot_width_bits) {}

  void push(TimeNs delay, std::uint32_t source) {
    // Sources differ, numbers do not repeat, and both fall as often as they rise against the order of
    // insertion.
    const auto number = (static_cast<std::uint32_t>(pushed_++) * 0x9e3779b1u) ^ 0x5bd1e995u;
    const Event event = Event::make(queue_.now() + delay, source, number, 5, number & 0xffff, ~number);
    queue_.push(event);
    oracle_.push(event);
  }

  // Whether the two agree on the next event.
  bool peek() {
    if (oracle_.empty()) return queue_.empty();
    return queue_.peek() == oracle_.top() && queue_.size() == oracle_.size();
  }

  bool pop() {
    if (oracle_.empty()) return queue_.empty();
    const Event expected = oracle_.top();
    oracle_.pop();
    return queue_.pop() == expected && queue_.now() == expected.time && queue_.size() == oracle_.size();
  }

  // What can be seen ahead is sorted and does not lie before the next event.
  bool lookahead_is_sorted() {
    if (oracle_.empty()) return queue_.empty();
    const Event* last = &queue_.peek();
    for (std::size_t n = 0; const Event* ahead = queue_.lookahead(n); ++n) {
      if (before(*ahead, *last)) return false;
      last = ahead;
    }
    return true;
  }

  bool drain() {
    while (!oracle_.empty()) {
      if (!pop()) return false;
    }
    return queue_.empty();
  }

  bool empty() const { return oracle_.empty(); }

 private:
  EventQueue queue_;
  Oracle oracle_;
  std::uint64_t pushed_ = 0;
};

TEST(Event, PacksKindAndTarget) {
  const Event event = Event::make(7, 1, 2, 63, Event::kTargetLimit - 1, 9);
  EXPECT_EQ(event.kind(), 63u);
  EXPECT_EQ(event.target(), 67'108'863u);
  EXPECT_EQ(event.payload, 9u);
  EXPECT_EQ(Event::make(7, 1, 2, 5, 0, 9).kind(), 5u);
}

TEST(Event, IsOrderedByTimeThenSourceThenNumber) {
  EXPECT_TRUE(before(event_at(1, 9, 9), event_at(2, 0, 0)));
  EXPECT_TRUE(before(event_at(1, 1, 9), event_at(1, 2, 0)));
  EXPECT_TRUE(before(event_at(1, 1, 1), event_at(1, 1, 2)));
  EXPECT_FALSE(before(event_at(1, 1, 1), event_at(1, 1, 1)));
}

TEST(SlotBitmap, FindsTheNextMember) {
  SlotBitmap<2048> set;
  EXPECT_EQ(set.next(0), set.kNone);
  for (std::uint32_t slot : {0u, 63u, 64u, 1000u, 2047u}) set.insert(slot);
  EXPECT_EQ(set.next(0), 0u);
  EXPECT_EQ(set.next(1), 63u);
  EXPECT_EQ(set.next(64), 64u);
  EXPECT_EQ(set.next(65), 1000u);
  EXPECT_EQ(set.next(1001), 2047u);
  EXPECT_EQ(set.next(2047), 2047u);
  EXPECT_EQ(set.next(2048), set.kNone);
  set.erase(2047);
  EXPECT_EQ(set.next(1001), set.kNone);
  SlotBitmap<4096> large;
  large.insert(4095);
  EXPECT_EQ(large.next(0), 4095u);
  EXPECT_EQ(large.next(4095), 4095u);
}

TEST(EventQueue, RefusesThePastAndTheVoid) {
  EventQueue queue;
  EXPECT_THROW(queue.pop(), std::logic_error);
  EXPECT_THROW(queue.peek(), std::logic_error);
  EXPECT_THROW(queue.push(event_at(-1)), std::logic_error);
  queue.push(event_at(1000));
  queue.pop();
  EXPECT_THROW(queue.push(event_at(999)), std::logic_error);
  EXPECT_TRUE(queue.empty());
  queue.push(event_at(1000));  // the present is allowed
  EXPECT_EQ(queue.pop().time, 1000);
  EXPECT_THROW(EventQueue(EventQueue::kSlotWidthBitsMax + 1), std::invalid_argument);
}

TEST(EventQueue, HoldsTheWholeRangeOfTime) {
  for (unsigned width : {0u, 17u, 40u}) {
    EventQueue queue(width);
    const std::vector<TimeNs> times = {0,          1,     1'000, kSecond, 86'400 * kSecond, INT64_MAX / 2,
                                       kNever - 1, kNever};
    for (std::size_t i = times.size(); i-- > 0;) queue.push(event_at(times[i]));
    for (TimeNs time : times) EXPECT_EQ(queue.pop().time, time);
    queue.push(event_at(kNever));
    EXPECT_EQ(queue.pop().time, kNever);
  }
}

TEST(EventQueue, LooksAheadInTheOpenSlotOnly) {
  EventQueue queue(17);
  EXPECT_EQ(queue.lookahead(0), nullptr);
  for (TimeNs time : {300, 100, 200}) queue.push(event_at(time));
  queue.push(event_at(kSecond));
  EXPECT_EQ(queue.peek().time, 100);
  ASSERT_NE(queue.lookahead(2), nullptr);
  EXPECT_EQ(queue.lookahead(2)->time, 300);
  EXPECT_EQ(queue.lookahead(3), nullptr);
  EXPECT_EQ(queue.lookahead(SIZE_MAX), nullptr);
  EXPECT_EQ(queue.pop().time, 100);
  EXPECT_EQ(queue.lookahead(0)->time, 200);
}

// Peeking far ahead and then filling the time before it: the queue steps back, again and again.
TEST(EventQueue, TakesEarlierEventsAfterAPeek) {
  for (TimeNs far :
       {TimeNs{10 * kMillisecond}, TimeNs{10 * kSecond}, TimeNs{3'600 * kSecond}, TimeNs{1} << 60}) {
    Pair pair(17);
    pair.push(far, 1);
    pair.push(far + 1, 1);
    pair.push(far * 2, 2);
    for (int round = 0; round < 20; ++round) {
      ASSERT_TRUE(pair.peek());
      for (std::uint64_t i = 0; i < 200; ++i) {
        pair.push(static_cast<TimeNs>(mix64(i) % static_cast<std::uint64_t>(far / 10)), 3);
        if (i % 16 == 0) {
          ASSERT_TRUE(pair.peek());
        }
      }
      for (int i = 0; i < 201; ++i) ASSERT_TRUE(pair.pop());
    }
    ASSERT_TRUE(pair.drain());
  }
}

// The far event stands on the very edge of a level, where the digits of the slot number turn over.
TEST(EventQueue, StepsBackOverTheEdgeOfALevel) {
  for (unsigned level : {1u, 2u, 3u}) {
    const TimeNs edge = TimeNs{1} << (17 + 11 * level);
    Pair pair(17);
    for (TimeNs offset : {0, 1, 131'072, 1'000'000}) pair.push(edge + offset, 1);
    ASSERT_TRUE(pair.peek());
    for (std::uint64_t i = 0; i < 300; ++i) {
      pair.push(static_cast<TimeNs>(mix64(i) % static_cast<std::uint64_t>(edge + 2'000'000)), 2);
    }
    ASSERT_TRUE(pair.drain());
  }
}

TEST(EventQueue, BringsInAllThatComesDueFromTheOverflow) {
  Pair pair(17);
  constexpr TimeNs kFar = TimeNs{1} << 51;  // 26 days; the wheel spans 13
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    pair.push(kFar * static_cast<TimeNs>(i % 3 + 1) + static_cast<TimeNs>(mix64(i) % (100 * kSecond)), 1);
  }
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(pair.pop());
    pair.push(static_cast<TimeNs>(mix64(i) % (kFar / 100)), 2);
  }
  ASSERT_TRUE(pair.drain());
}

// The hold model at full size: pop one, push one some seconds ahead, many of them at equal times.
TEST(EventQueue, AgreesWithAHeapOverALongRun) {
  for (unsigned width : {10u, 17u, 24u}) {
    Pair pair(width);
    const Randomness draws(width);
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      pair.push(draws.between(0, 10 * kSecond, Purpose::kTest, 1, i), static_cast<std::uint32_t>(i % 1000));
    }
    for (std::uint64_t i = 0; i < 200'000; ++i) {
      ASSERT_TRUE(pair.pop());
      const std::uint64_t bits = draws.bits(Purpose::kTest, 2, i);
      TimeNs delay = static_cast<TimeNs>(mix64(bits) % (10 * kSecond));
      if (bits % 4 == 0) delay = delay / kMillisecond * kMillisecond;
      if (bits % 16 == 1) delay = static_cast<TimeNs>(bits >> 50);  // mostly inside the running slot
      pair.push(delay, static_cast<std::uint32_t>(bits >> 32) % 1000);
    }
    ASSERT_TRUE(pair.drain());
  }
}

TEST(EventQueue, IsCompactWithAMillionPending) {
  EventQueue queue;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    queue.push(event_at(static_cast<TimeNs>(mix64(i) % (10 * kSecond)), 1, static_cast<std::uint32_t>(i)));
  }
  EXPECT_LT(queue.bytes(), 27u * 1'000'000);
  while (queue.size() > 900'000) queue.pop();
  EXPECT_LT(queue.bytes(), 29u * 1'000'000);
}

// One step of a random story; the delay of a push is chosen by class, so that every path is met often.
struct Step {
  std::uint32_t what;
  std::uint32_t delay_class;
  std::uint64_t bits;
};
void showValue(const Step& step, std::ostream& out) {
  out << '{' << step.what << ", " << step.delay_class << ", " << step.bits << '}';
}

TimeNs delay_of(const Step& step, unsigned width, TimeNs now_in_slot_mask) {
  const unsigned class_bits[] = {0,          1,          width,      width + 4,  width + 11,
                                 width + 15, width + 22, width + 26, width + 33, 58};
  const unsigned size = class_bits[step.delay_class % 10];
  const auto below = static_cast<TimeNs>(step.bits & ((1ULL << (size > 58 ? 58 : size)) - 1));
  // Now and then exactly on a slot's edge.
  return step.bits >> 63 == 0 ? below : below & ~now_in_slot_mask;
}

RC_GTEST_PROP(EventQueueProperty, AgreesWithAHeap, ()) {
  const auto width = *rc::gen::element(0u, 3u, 10u, 17u, 25u);
  const auto steps = *rc::gen::scale(
      8.0, rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
               rc::gen::inRange(0u, 16u), rc::gen::inRange(0u, 10u), rc::gen::arbitrary<std::uint64_t>())));
  Pair pair(width);
  const TimeNs mask = (TimeNs{1} << width) - 1;
  int far_jumps = 0;
  for (const Step& step : steps) {
    if (step.what < 7) {
      // Few enough of the largest jumps to stay inside the range of time.
      Step next = step;
      if (next.delay_class >= 8 && ++far_jumps > 10) next.delay_class = 0;
      pair.push(delay_of(next, width, mask), static_cast<std::uint32_t>(step.bits >> 40) % 4);
    } else if (step.what < 13) {
      RC_ASSERT(pair.pop());
    } else if (step.what == 13) {
      RC_ASSERT(pair.peek());
    } else if (step.what == 14) {
      RC_ASSERT(pair.lookahead_is_sorted());
    } else {
      // A burst, as a mass reconnect makes it: many events close together, equal times among them.
      for (std::uint64_t i = 0; i < 100; ++i) {
        pair.push(delay_of({0, step.delay_class % 6, mix64(step.bits + i / 2)}, width, mask),
                  static_cast<std::uint32_t>(i % 3));
      }
    }
  }
  RC_ASSERT(pair.drain());
}

// Bursts outweigh pops here, and peeks come often: the stepping back after a peek is met under all its
// conditions.
RC_GTEST_PROP(EventQueueProperty, AgreesWithAHeapUnderPeeksAndBursts, ()) {
  const auto width = *rc::gen::element(0u, 6u, 17u);
  const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::construct<Step>(
      rc::gen::inRange(0u, 8u), rc::gen::inRange(0u, 8u), rc::gen::arbitrary<std::uint64_t>()));
  Pair pair(width);
  const TimeNs mask = (TimeNs{1} << width) - 1;
  for (const Step& step : steps) {
    if (step.what < 3) {
      RC_ASSERT(pair.peek());
      for (std::uint64_t i = 0; i < 150; ++i) {
        pair.push(delay_of({0, step.delay_class, mix64(step.bits + i)}, width, mask), 1);
      }
    } else if (step.what < 5) {
      pair.push(delay_of({0, step.delay_class + 2, step.bits}, width, mask), 2);
    } else {
      for (std::uint64_t i = 0; i < step.bits % 200; ++i) RC_ASSERT(pair.pop());
    }
  }
  RC_ASSERT(pair.drain());
}

}  // namespace
}  // namespace wavetank::sim
