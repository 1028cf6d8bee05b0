// Apps that crash on some messages: the same ones every time, whoever delivers them.
#include "conformance/history/canary.hpp"
#include "sim/world/world.hpp"

namespace wavetank::sim {

bool World::is_poisonous(const protocol::Event& event, UserId reader) const {
  if (event.kind != protocol::EntryKind::kMessage || event.payload.empty() || event.sender == reader)
    return false;
  const auto share = static_cast<std::uint64_t>(scenario_.population().poison_permille());
  const std::uint64_t digest = history::content_digest(0, history::kNone, event.payload.view());
  return randomness_.chance(share, 1000, Purpose::kPoison, digest, 0);
}

// It dies while it reads the frame: nothing of it is kept.
bool World::crash_on(std::uint32_t number, const protocol::Frame& frame) {
  const UserId reader = devices_[number].machine.user();
  const protocol::Event* poison = nullptr;
  Via via = Via::kLive;
  const auto look = [&](const protocol::Event& event, Via by) {
    if (poison != nullptr || !is_poisonous(event, reader)) return;
    poison = &event;
    via = by;
  };
  if (const auto* push = std::get_if<protocol::ChangePush>(&frame.body)) {
    for (const protocol::Change& change : push->changes) {
      if (change.event) look(*change.event, Via::kLive);
    }
  } else if (const auto* sync = std::get_if<protocol::SyncResult>(&frame.body)) {
    for (const protocol::Change& change : sync->changes) {
      if (change.event) look(*change.event, Via::kSync);
    }
  } else if (const auto* range = std::get_if<protocol::RangeResult>(&frame.body)) {
    for (const protocol::Event& event : range->events) look(event, Via::kFetch);
  }
  if (poison == nullptr || !devices_[number].machine.is_running()) return false;
  probe(Probe::kPoisonDelivered);
  history_->app_crashes(number, *poison, via);
  kill_app(number);
  reopen_soon(number);
  return true;
}

void World::reopen_soon(std::uint32_t number) {
  Device& device = devices_[number];
  device.has_crashed = true;
  const auto spread = randomness_.below(kSecond, Purpose::kPoisonedApp, number, device.connections, 1);
  scheduler_.at(scheduler_.now() + kSecond / 2 + static_cast<DurationNs>(spread), source_population_, kCue,
                number, kCueReopen);
}

}  // namespace wavetank::sim
