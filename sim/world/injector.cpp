#include "sim/world/injector.hpp"

#include <algorithm>

#include "faults/plan.hpp"
#include "sim/kernel/event_kind.hpp"

namespace wavetank::sim {
namespace {

// Payload of kFaultBegins: at its time, or (above this) for the node whose commit is pending.
constexpr std::uint32_t kAtItsTime = 0;

}  // namespace

Injector::Injector(const faults::Plan& plan, std::vector<std::string> regions,
                   std::vector<std::string> cohorts, Randomness randomness, Scheduler& scheduler,
                   Reachability& reachability, FaultTargets& targets, std::uint32_t source)
    : plan_(plan),
      regions_(std::move(regions)),
      cohorts_(std::move(cohorts)),
      randomness_(randomness),
      scheduler_(scheduler),
      reachability_(reachability),
      targets_(targets),
      source_(source),
      states_(static_cast<std::size_t>(plan.fault_size())),
      spans_(static_cast<std::size_t>(plan.fault_size())) {
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    const faults::Fault& fault = plan_.fault(static_cast<int>(i));
    for (const faults::Place* place : {&fault.target(), &fault.from(), &fault.to()})
      selector(i, *place, false);
  }
}

Selector Injector::selector(std::uint32_t fault, const faults::Place& place, bool with_share) {
  faults::Place copy = place;
  if (!with_share) copy.set_share_permille(1000);
  return Selector(copy, regions_, cohorts_, fault, randomness_, error_);
}

void Injector::begin() {
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    scheduler_.at(plan_.fault(static_cast<int>(i)).at_ms() * kMillisecond, source_, kFaultBegins, i,
                  kAtItsTime);
  }
}

bool Injector::handle(const Event& event) {
  const std::uint32_t fault = event.target();
  if (event.kind() == kFaultEnds) {
    stop(fault);
    return true;
  }
  if (event.kind() != kFaultBegins) return false;
  if (over_) return true;
  if (event.payload != kAtItsTime) {
    strike(fault, {event.payload - 1});
  } else if (plan_.fault(static_cast<int>(fault)).trigger() == faults::COMMIT_PENDING) {
    states_[fault].armed = true;
    ++armed_;
  } else {
    start(fault);
  }
  return true;
}

void Injector::commit_pending(std::uint32_t node, DurationNs duration) {
  if (armed_ == 0 || over_) return;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].armed) continue;
    const std::vector<std::uint32_t> nodes = choose_nodes(i);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) continue;
    states_[i].armed = false;
    --armed_;
    const auto within = randomness_.below(static_cast<std::uint64_t>(duration), Purpose::kFault, i,
                                          static_cast<std::uint64_t>(scheduler_.now()), 3);
    scheduler_.at(scheduler_.now() + static_cast<DurationNs>(within), source_, kFaultBegins, i, node + 1);
  }
}

// A share of nodes is that many of them, the nearest whole number above, by keyed rank: half of two gateways
// is one gateway, never none.
std::vector<std::uint32_t> Injector::choose_nodes(std::uint32_t fault) {
  const faults::Place& place = plan_.fault(static_cast<int>(fault)).target();
  std::vector<std::uint32_t> nodes = targets_.nodes_at(selector(fault, place, false));
  const std::size_t count = (nodes.size() * static_cast<std::size_t>(place.share_permille()) + 999) / 1000;
  const auto rank = [&](std::uint32_t node) { return randomness_.bits(Purpose::kFault, fault, node, 5); };
  std::sort(nodes.begin(), nodes.end(),
            [&](std::uint32_t a, std::uint32_t b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a < b; });
  nodes.resize(count);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

void Injector::activate(std::uint32_t fault) {
  states_[fault].active = true;
  ++active_;
  if (faults::is_planned(plan_.fault(static_cast<int>(fault)).kind())) ++planned_;
  spans_[fault].begin = scheduler_.now();
  targets_.fault_changed(fault, true);
}

void Injector::start(std::uint32_t fault) {
  const faults::Fault& f = plan_.fault(static_cast<int>(fault));
  switch (f.kind()) {
    case faults::NODE_KILL:
    case faults::DISK_DROP_UNSYNCED:
    case faults::NODE_DRAIN:
    case faults::NODE_PAUSE:
    case faults::DISK_SLOW:
    case faults::CONNECT_REFUSED:
    case faults::CONNECT_HANG:
    case faults::MOVE_BUCKET:
    case faults::TAKE_OVER:
      strike(fault, choose_nodes(fault));
      return;
    default:
      break;
  }
  const DurationNs duration = f.duration_ms() * kMillisecond;
  activate(fault);
  switch (f.kind()) {
    case faults::LINK_CUT:
      reachability_.add_cut(fault, selector(fault, f.from(), true), selector(fault, f.to(), true),
                            f.one_way());
      targets_.paths_changed();
      break;
    case faults::LINK_DELAY:
      reachability_.add_delay(fault, selector(fault, f.from(), true), selector(fault, f.to(), true),
                              f.one_way(), f.extra_delay_ms() * kMillisecond, f.jitter_ms() * kMillisecond);
      break;
    case faults::HALF_OPEN:
      for (const std::uint32_t c : targets_.connections_at(selector(fault, f.target(), true)))
        targets_.kill_connection_silently(c);
      break;
    case faults::MASS_DISCONNECT:
      for (const std::uint32_t c : targets_.connections_at(selector(fault, f.target(), true)))
        targets_.reset_connection(c);
      break;
    case faults::STALL:
      for (const std::uint32_t c : targets_.connections_at(selector(fault, f.target(), true))) {
        targets_.stall_connection(c, scheduler_.now() + duration);
      }
      break;
    case faults::READ_STALL:
      for (const std::uint32_t c : targets_.connections_at(selector(fault, f.target(), true)))
        states_[fault].devices.push_back(targets_.stop_reading(c, scheduler_.now() + duration));
      break;
    case faults::DEVICE_RESTART:
      for (const std::uint32_t d : targets_.devices_at(selector(fault, f.target(), true)))
        targets_.restart_device(d);
      break;
    default:
      break;
  }
  scheduler_.at(scheduler_.now() + duration, source_, kFaultEnds, fault, 0);
}

void Injector::strike(std::uint32_t fault, const std::vector<std::uint32_t>& nodes) {
  const faults::Fault& f = plan_.fault(static_cast<int>(fault));
  states_[fault].nodes = nodes;
  activate(fault);
  for (const std::uint32_t node : nodes) {
    switch (f.kind()) {
      case faults::NODE_KILL:
        targets_.kill_node(node, false);
        break;
      case faults::DISK_DROP_UNSYNCED:
        targets_.kill_node(node, true);
        break;
      case faults::TAKE_OVER:
        targets_.lose_node(node);
        break;
      case faults::NODE_DRAIN:
        targets_.drain_node(node, faults::drain_window_ms(f) * kMillisecond);
        break;
      case faults::NODE_PAUSE:
        targets_.pause_node(node);
        break;
      case faults::DISK_SLOW:
        targets_.slow_disk(node, held(node).slow);
        break;
      case faults::CONNECT_REFUSED:
      case faults::CONNECT_HANG:
        targets_.set_door(node, held(node).refuses, held(node).hangs);
        break;
      case faults::MOVE_BUCKET:
        targets_.move_bucket(static_cast<std::uint32_t>(f.bucket()), node);
        break;
      default:
        break;
    }
  }
  scheduler_.at(scheduler_.now() + f.duration_ms() * kMillisecond, source_, kFaultEnds, fault, 0);
}

Injector::Hold Injector::held(std::uint32_t node) const {
  Hold hold;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (!state.active || !std::binary_search(state.nodes.begin(), state.nodes.end(), node)) continue;
    const faults::Fault& fault = plan_.fault(static_cast<int>(i));
    hold.down = hold.down || fault.kind() == faults::NODE_KILL ||
                fault.kind() == faults::DISK_DROP_UNSYNCED || fault.kind() == faults::TAKE_OVER;
    hold.paused = hold.paused || fault.kind() == faults::NODE_PAUSE;
    hold.refuses = hold.refuses || fault.kind() == faults::CONNECT_REFUSED;
    hold.hangs = hold.hangs || fault.kind() == faults::CONNECT_HANG;
    if (fault.kind() == faults::DISK_SLOW) hold.slow = std::max<std::int64_t>(hold.slow, fault.factor());
  }
  return hold;
}

void Injector::stop(std::uint32_t fault) {
  State& state = states_[fault];
  if (!state.active) return;
  state.active = false;
  --active_;
  const faults::Kind kind = plan_.fault(static_cast<int>(fault)).kind();
  if (faults::is_planned(kind)) --planned_;
  spans_[fault].end = scheduler_.now();
  if (plan_.fault(static_cast<int>(fault)).upgrade()) {
    for (const std::uint32_t node : state.nodes) targets_.upgrade_node(node);
  }
  switch (kind) {
    case faults::LINK_CUT:
    case faults::LINK_DELAY:
      reachability_.remove(fault);
      targets_.paths_changed();
      break;
    case faults::NODE_KILL:
    case faults::DISK_DROP_UNSYNCED:
    case faults::TAKE_OVER:
      for (const std::uint32_t node : state.nodes) {
        if (!held(node).down) targets_.restart_node(node);
      }
      break;
    case faults::NODE_DRAIN:
      for (const std::uint32_t node : state.nodes) {
        if (!held(node).down) targets_.replace_node(node);
      }
      break;
    case faults::READ_STALL:
      for (const std::uint32_t device : state.devices) targets_.read_again(device);
      break;
    case faults::NODE_PAUSE:
      for (const std::uint32_t node : state.nodes) {
        if (!held(node).paused) targets_.resume_node(node);
      }
      break;
    case faults::DISK_SLOW:
      for (const std::uint32_t node : state.nodes) targets_.slow_disk(node, held(node).slow);
      break;
    case faults::CONNECT_REFUSED:
    case faults::CONNECT_HANG:
      for (const std::uint32_t node : state.nodes)
        targets_.set_door(node, held(node).refuses, held(node).hangs);
      break;
    default:
      break;
  }
  targets_.fault_changed(fault, false);
}

std::uint64_t Injector::regions_touched(std::uint32_t fault) const {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const faults::Fault& f = plan_.fault(static_cast<int>(fault));
  const auto regions_of = [&](const faults::Place& place) {
    if (!place.has_region()) return kAll;
    const auto at = std::find(regions_.begin(), regions_.end(), place.region()) - regions_.begin();
    return at < 64 ? std::uint64_t{1} << at : kAll;
  };
  const bool is_path = f.kind() == faults::LINK_CUT || f.kind() == faults::LINK_DELAY;
  return is_path ? regions_of(f.from()) | regions_of(f.to()) : regions_of(f.target());
}

void Injector::end_all() {
  over_ = true;
  for (std::uint32_t i = 0; i < states_.size(); ++i) stop(i);
}

std::vector<std::string> Injector::active_names() const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].active) names.push_back(plan_.fault(static_cast<int>(i)).name());
  }
  return names;
}

}  // namespace wavetank::sim
