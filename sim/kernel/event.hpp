// The event of the simulated world: 24 bytes, no pointer, ordered by its content alone.
#pragma once

#include <cstdint>
#include <type_traits>

#include "reference/environment/time.hpp"

namespace wavetank::sim {

// Something that happens at `time`. Its body, if it has one, lives in a Slab and is found by `payload`.
//
// (time, source, number) names an event: `source` is the entity that scheduled it and `number` that entity's
// own running number, so no two pending events are equal and the order never depends on who was inserted
// first. A source may number round past 2^32 as long as its events of one and the same instant do not
// straddle the wrap.
struct Event {
  static constexpr unsigned kTargetBits = 26;
  static constexpr std::uint32_t kKindLimit = 1u << (32 - kTargetBits);  // kinds are 0 .. 63
  static constexpr std::uint32_t kTargetLimit = 1u << kTargetBits;       // targets are 0 .. 67 108 863

  TimeNs time;                // virtual time, >= 0
  std::uint32_t source;       // the entity that scheduled it
  std::uint32_t number;       // that entity's own running number
  std::uint32_t kind_target;  // upper 6 bits: kind; lower 26 bits: the entity it happens to
  std::uint32_t payload;      // the kind's business: a slab index, a timer's number, or nothing

  // Requires kind < kKindLimit and target < kTargetLimit; higher bits are cut off.
  static constexpr Event make(TimeNs time, std::uint32_t source, std::uint32_t number, std::uint32_t kind,
                              std::uint32_t target, std::uint32_t payload) {
    return Event{time, source, number, (kind << kTargetBits) | (target & (kTargetLimit - 1)), payload};
  }

  constexpr std::uint32_t kind() const { return kind_target >> kTargetBits; }
  constexpr std::uint32_t target() const { return kind_target & (kTargetLimit - 1); }

  friend constexpr bool operator==(const Event&, const Event&) = default;
};

static_assert(sizeof(Event) == 24);
// Queues leave their storage uninitialised and copy events as bytes.
static_assert(std::is_trivial_v<Event>);

// The total order of events: time, then source, then number.
constexpr bool before(const Event& a, const Event& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.source != b.source) return a.source < b.source;
  return a.number < b.number;
}

}  // namespace wavetank::sim
