// The loop that runs a world: one thread that takes every event in its order, or two, one for devices and one
// for servers, window by window.
#include <algorithm>

#include "sim/world/world.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint64_t kProgressEvery = 1 << 16;
// Events ahead of the one at hand whose memory is asked for, in two steps.
constexpr std::size_t kPrefetchFar = 12;
constexpr std::size_t kPrefetchNear = 6;
// The harness looks at its clock.
constexpr DurationNs kTickEvery = kSecond;

}  // namespace

void World::run() {
  if (scheduler_.is_apart()) working_lane = options_.lane;
  history_->set_gathering(!scheduler_.keeps(kServerLane));
  if (scheduler_.keeps(kServerLane)) start_nodes();
  series_.interval = std::max<DurationNs>(kSecond, planned_end() / 720 / kSecond * kSecond);
  scheduler_.at(0, source_faults_, kSample, kSampleSeries, 0);
  injector_->begin();
  if (scheduler_.keeps(kDeviceLane)) behaviour_->begin();
  if (hostile_) hostile_->begin();
  meet();
  change_phase();
  run_until(std::min(planned_end(), options_.target_dies_at));
  if (options_.target_dies_at < planned_end()) let_target_die();
  run_until(planned_end());
  liveness_phase();
  measure_memory();
  audit_phase();
  report_states();
  meet();
  change_phase();
  phases_.push_back({phase_, phase_since_, scheduler_.now()});
  if (scheduler_.keeps(kServerLane)) history_->end();
  collect_facts();
  working_lane = kDeviceLane;
}

void World::start_nodes() {
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) nodes_[node]->boot();
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) tell_versions(node);
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) links_->node_started(node);
}

void World::run_until(TimeNs end) {
  if (scheduler_.is_apart()) return run_until_apart(end);
  for (TimeNs time = scheduler_.next_time(); time != kNever && time <= end; time = scheduler_.next_time()) {
    turn_to(time);
    const TimeNs until = device_thread_ ? beside_until(time, end) : time;
    if (until > time) {
      run_beside(until);
    } else {
      step();
    }
  }
  history_->flush();
}

// What is due before the events of `time`. The harness's look at its clock is no event of its own: the world
// goes as it would without.
void World::turn_to(TimeNs time) {
  access_->settle_before(time);
  if (time < next_tick_) return;
  history_->flush();
  for (; next_tick_ <= time; next_tick_ += kTickEvery)
    if (scheduler_.keeps(kServerLane)) history_->tick(next_tick_, kTickEvery);
}

void World::step() {
  history_->flush();
  const Event event = scheduler_.next();
  prefetch_ahead(lane_of(event.kind()));
  ++facts_.events;
  ++facts_.events_by_kind[event.kind()];
  if (options_.tap) options_.tap(event);
  handle(event);
  if (facts_.events % kProgressEvery == 0 && options_.progress) options_.progress();
}

// ---- beside

TimeNs World::beside_until(TimeNs time, TimeNs end) {
  if (time >= window_end_) {  // how busy the last one was says how busy this one will be
    window_events_ = time < window_end_ + kSettleEvery ? facts_.events - window_began_at_ : 0;
    window_began_at_ = facts_.events;
    window_end_ = access_->window_end();
  }
  if (window_events_ < options_.beside_from || !access_->is_calm() || injector_->is_armed()) return time;
  return std::min({window_end_, scheduler_.next_time(kWorldLane), next_tick_, end + 1});
}

void World::run_beside(TimeNs end) {
  access_->begin_beside();
  scheduler_.begin_beside(end);
  device_thread_->start();
  std::exception_ptr failure;
  try {
    run_lane(kServerLane);
  } catch (...) {
    failure = std::current_exception();
  }
  working_lane = kDeviceLane;
  device_thread_->join();
  if (failure != nullptr) std::rethrow_exception(failure);
  scheduler_.end_beside();
  access_->end_beside();
  history_->end_beside();
  facts_.events_beside += count_events_beside();
}

std::uint64_t World::count_events_beside() {
  const std::uint64_t before = facts_.events;
  for (LaneEvents& lane : beside_) {
    for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
      facts_.events_by_kind[kind] += lane.by_kind[kind];
      facts_.events += lane.by_kind[kind];
    }
    lane = {};
  }
  if (before / kProgressEvery != facts_.events / kProgressEvery && options_.progress) options_.progress();
  return facts_.events - before;
}

void World::run_lane(Lane lane) {
  working_lane = lane;
  // What the servers told in the window before is told of devices as they were then.
  if (lane == kDeviceLane) history_->flush();
  LaneEvents events;
  for (Event event; scheduler_.next_beside(event);) {
    prefetch_ahead(lane);
    ++events.by_kind[event.kind()];
    handle(event);
  }
  beside_[lane] = events;
}

// In a big world nearly all of an event's memory lies outside the caches. What the events a little ahead will
// touch is asked for early, in two steps, since the second address stands in what the first brings. Changes
// nothing but the time it takes.
void World::prefetch_ahead(Lane lane) const {
  if (const Event* far = scheduler_.lookahead(lane, kPrefetchFar)) {
    switch (far->kind()) {
      case kUpstream:
        access_->prefetch_packet(Direction::kUp, far->payload);
        break;
      case kDownstream:
        access_->prefetch_packet(Direction::kDown, far->payload);
        devices_.prefetch(far->target());
        break;
      case kDeviceTimer:
      case kDialAnswered:
        devices_.prefetch(far->target());
        break;
      case kPeerPacket:
        links_->prefetch_packet(far->payload);
        break;
      default:
        break;
    }
  }
  if (const Event* near = scheduler_.lookahead(lane, kPrefetchNear)) {
    switch (near->kind()) {
      case kUpstream:
        access_->prefetch_connection(Direction::kUp, near->payload);
        break;
      case kDownstream:
        access_->prefetch_connection(Direction::kDown, near->payload);
        break;
      default:
        break;
    }
  }
}

void World::handle(const Event& event) {
  switch (event.kind()) {
    case kNodeReady:
      nodes_[event.target()]->ready(event.payload);
      break;
    case kNodeTimer:
      nodes_[event.target()]->timer(event.payload);
      break;
    case kDeviceTimer:
      device_timer(event.target());
      break;
    case kCue:
      if (event.payload == kCueAudit) {
        begin_audit(event.target());
      } else if (event.payload == kCueSignIn) {
        sign_in(event.target());
      } else if (event.payload == kCueHostile) {
        hostile_->cue(event.target());
      } else if (event.payload == kCueReopen) {
        if (devices_.holds(event.target()) && devices_[event.target()].has_crashed) open_app(event.target());
      } else {
        behaviour_->cue(event.payload, event.target());
      }
      break;
    case kSample:
      if (event.target() == kSampleSeries) {
        sample();
      } else {
        sample_reconnect(event.payload);
      }
      break;
    case kPhaseChange:
      change_phase();
      break;
    case kFaultBegins:
    case kFaultEnds:
      injector_->handle(event);
      break;
    default:
      if (!access_->handle(event)) links_->handle(event);
      break;
  }
}

}  // namespace wavetank::sim
