// A world in two processes: one has the devices and their people, one the servers and everybody who listens.
//
//   process with the devices                          process with the servers
//   a window of devices' events                       the same window of servers' events
//        packets, dials, ends, records ------------------>
//        <------------------ packets, answers, ends
//   an event of the world's lane                      the same event
//
// The windows are those of two threads (world_loop.cpp), for the same reason, and what happens in them comes
// to the same. What may touch both lanes happens in both processes: each does its own part, and the history
// is told by the servers' process. Between windows, outside of events, at most one of the two tells the
// history of its own, until they meet.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "sim/world/world.hpp"

namespace wavetank::sim {
// Of the faults only those are left that are over in one event and touch no more than connections.
std::expected<void, std::string> World::may_be_apart() const {
  if (options_.tap || hostile_ || access_->shortest_passage() < kSettleEvery)
    return std::unexpected(
        "in two processes there may be no hostile peers, no access network with passages of less than 1 ms, "
        "and "
        "nobody who looks at each event; simulate this world in one");
  for (const faults::Fault& fault : plan_.fault()) {
    if (fault.kind() == faults::MASS_DISCONNECT && fault.trigger() != faults::COMMIT_PENDING) continue;
    return std::unexpected(
        fmt::format("fault '{}': in two processes there may be no fault but MASS_DISCONNECT at its time; "
                    "simulate this world in "
                    "one",
                    fault.name()));
  }
  return {};
}

void World::run_until_apart(TimeNs end) {
  meet();
  while (next_apart_ != kNever && next_apart_ <= end) {
    const TimeNs time = next_apart_;
    turn_to(time);
    const TimeNs until = std::min({access_->window_end(), next_tick_, end + 1});
    access_->begin_beside();
    scheduler_.begin_beside(until);
    run_lane(options_.lane);
    scheduler_.end_beside();
    access_->end_beside();
    count_events_beside();
    exchange_news();
    if (scheduler_.next_time(kWorldLane) >= until) continue;
    // Both have come to an event of the world's.
    steps_ = 0;
    history_->set_gathering(true);
    step();
    next_apart_ = scheduler_.now();
  }
}

bool World::meet(bool mine) { return scheduler_.is_apart() ? exchange_news(mine) : mine; }

void World::next_step() {
  if (!scheduler_.is_apart()) return;
  if (++steps_ % options_.devices_at_once == 0) {
    exchange_news();
    history_->set_gathering(true);
  }
  history_->next_step();
}

void World::after_devices(std::uint32_t count) {
  if (count % options_.devices_at_once == 0) meet();
}

bool World::exchange_news(bool mine) {
  Parcel out;
  const TimeNs next = scheduler_.next_time_apart();
  const TimeNs next_of_world = scheduler_.next_time(kWorldLane);
  out.put(next_of_world);
  out.put(mine);
  out.put(scheduler_.now());
  out.put(next);
  out.put(facts_.events);
  access_->put_news(out, scheduler_.take_outbox());
  if (scheduler_.keeps(kDeviceLane)) history_->put_news(out);

  const std::string news = options_.partner->exchange(out.bytes());
  Unpacker in(news);
  if (in.take<TimeNs>() != next_of_world)
    throw std::runtime_error("the two processes do not simulate the same world");
  const bool theirs = in.take<bool>();
  scheduler_.catch_up(in.take<TimeNs>());
  next_apart_ = std::min({next, in.take<TimeNs>(), next_of_world});
  events_elsewhere_ = in.take<std::uint64_t>();
  access_->take_news(in);
  if (scheduler_.keeps(kServerLane)) history_->take_news(in);
  if (!in.empty()) throw std::runtime_error("the other process says more than this one understands");
  if (!access_->is_calm()) throw std::logic_error("a world in two processes is cut or stalled");
  // Between windows whoever has the servers passes on at once; there is nobody to listen in the other
  // process.
  history_->set_gathering(!scheduler_.keeps(kServerLane));
  return mine && theirs;
}

// At the end: the servers' process adds what only the other one knows.
void World::exchange_facts() {
  WorldFacts& f = facts_;
  Parcel out;
  out.put(f.trace_hash);
  out.put(f.history_hash);
  out.put(f.events_by_kind);
  out.put(f.access_packets);
  out.put(f.access_bytes);
  out.put(f.access_frames);
  out.put(f.bytes_devices);
  out.put(f.bytes_notes);
  out.put(f.bytes_network);
  out.put(f.bytes_queue);
  history_->put_sums(out);
  const std::string sums = options_.partner->exchange(out.bytes());
  if (!scheduler_.keeps(kServerLane)) return;
  Unpacker in(sums);
  f.trace_hash += in.take<std::uint64_t>();
  f.history_hash = in.take<std::uint64_t>();
  for (std::uint32_t kind = 0; kind < kEventKinds; ++kind) {
    const auto count = in.take<std::uint64_t>();
    if (lane_of(kind) != kDeviceLane) continue;  // the world's are counted here as well
    f.events_by_kind[kind] += count;
    f.events += count;
  }
  events_elsewhere_ = 0;
  f.access_packets += in.take<std::uint64_t>();
  f.access_bytes += in.take<std::uint64_t>();
  f.access_frames += in.take<FrameCounts>();
  f.bytes_devices += in.take<std::size_t>();
  f.bytes_notes += in.take<std::size_t>();
  f.bytes_network += in.take<std::size_t>();
  f.bytes_queue += in.take<std::size_t>();
  history_->take_sums(in);
}

}  // namespace wavetank::sim
