// The last two phases of a world: all that is alive converges, then every user's log is read again from its
// beginning.
#include <algorithm>
#include <utility>

#include "sim/world/world.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

constexpr DurationNs kPollEvery = kSecond;
// Whose reading starts when: the auditors of a big world do not all dial in one instant.
constexpr DurationNs kAuditRamp = 10 * kSecond;

}  // namespace

bool World::all_converged() {
  bool have_all = true;
  for (std::uint32_t device = 0; device < devices_.size() && have_all; ++device)
    have_all = devices_[device].machine.is_converged() || is_removed(devices_[device]);
  return meet(have_all);
}

void World::liveness_phase() {
  facts_.quiesced = scheduler_.now();
  draining_ = true;
  if (scheduler_.keeps(kDeviceLane)) behaviour_->quiesce();
  meet();
  if (hostile_) hostile_->quiesce();
  injector_->end_all();
  change_phase();
  const DurationNs bound = scenario_.checks().converge_bound_s() * kSecond;
  Record quiesce;
  quiesce.kind = Kind::kQuiesce;
  quiesce.value = static_cast<std::uint64_t>(bound);
  history_->write_once(quiesce);
  for (std::uint32_t device = 0; device < devices_added_; ++device) {
    if (scheduler_.keeps(kDeviceLane)) open_app(device);
    after_devices(device + 1);
  }
  // Every app is one that renews its token now: in the end everybody has to be there at the same time.
  for (std::uint32_t device = 0; device < devices_.size(); ++device) {
    if (std::exchange(devices_[device].never_renews, false)) devices_[device].machine.set_renewing(true);
  }
  // A lost tail shows at the next heartbeat only, so nobody counts as converged before one has passed.
  const TimeNs start = planned_end();
  TimeNs settled = start + scenario_.protocol().heartbeat_interval_ms() * kMillisecond + 5 * kSecond;
  if (settled > start + bound) settled = start + bound;
  run_until(settled);
  bool has_converged = all_converged();
  for (TimeNs t = settled; !has_converged && t < start + bound; has_converged = all_converged()) {
    t = std::min(t + kPollEvery, start + bound);
    run_until(t);
  }
  if (has_converged) facts_.converged_after = scheduler_.now() - facts_.quiesced;
}

// Who has been read and reported makes room for the next wave, so that a big world does not hold every user
// twice.
void World::audit_phase() {
  const auto users = static_cast<std::uint32_t>(script_.users.size());
  const auto size = static_cast<std::uint32_t>(scenario_.checks().audit_wave());
  const std::uint32_t waves = std::max(1U, (users + size - 1) / size);
  for (std::uint32_t wave = 0; wave < waves; ++wave) {
    const std::uint32_t first = wave * size;
    const std::uint32_t end = std::min(users, first + size);
    audit_wave(first, end, kAuditRamp / waves);
    if (wave + 1 < waves) drop_auditors(first, end);
  }
}

void World::audit_wave(std::uint32_t first_user, std::uint32_t end_user, DurationNs ramp) {
  const TimeNs start = scheduler_.now();
  for (std::uint32_t user = first_user; user < end_user; ++user) {
    const std::uint32_t device = directory_->auditor(user);
    add_device(device);
    if (!scheduler_.keeps(kDeviceLane)) continue;
    const auto spread = randomness_.below(static_cast<std::uint64_t>(ramp), Purpose::kSession, device, 9);
    scheduler_.at(start + static_cast<DurationNs>(spread), source_population_, kCue, device, kCueAudit);
  }
  const TimeNs bound = start + ramp + scenario_.checks().converge_bound_s() * kSecond;
  const auto done = [&] {
    if (!scheduler_.keeps(kDeviceLane)) return true;
    for (std::uint32_t user = first_user; user < end_user; ++user) {
      const client::Client& machine = devices_[directory_->auditor(user)].machine;
      if (!machine.is_audit_done() || !machine.is_converged()) return false;
    }
    return true;
  };
  for (TimeNs t = start + ramp; t <= bound; t += kPollEvery) {
    run_until(t);
    if (meet(done())) break;
  }
}

void World::drop_auditors(std::uint32_t first_user, std::uint32_t end_user) {
  for (std::uint32_t user = first_user; user < end_user; ++user) {
    after_devices(user - first_user);
    if (!scheduler_.keeps(kDeviceLane)) continue;
    const std::uint32_t device = directory_->auditor(user);
    report_state(device);
    close_app(device);
    dropped_trace_ = combine_by_id(dropped_trace_, source_devices_ + device, devices_[device].trace.value());
    devices_.drop(device);
  }
  meet();
  for (std::uint32_t user = first_user; user < end_user; ++user)
    history_->device_gone(directory_->auditor(user));
}

void World::report_states() {
  for (std::uint32_t device = 0; device < devices_added_; ++device) {
    if (devices_.holds(device)) report_state(device);
    after_devices(device + 1);
  }
}

void World::report_state(std::uint32_t device) {
  const client::Client& machine = devices_[device].machine;
  if (is_removed(devices_[device])) return;
  Record r;
  r.kind = Kind::kDeviceState;
  r.device = device;
  r.user = directory_->user_of_device(device);
  r.value = machine.user_seq();
  r.value2 = machine.user_head_seq();
  r.flag = machine.is_converged() && (!directory_->is_auditor(device) || machine.is_audit_done());
  r.code = static_cast<std::uint8_t>(machine.pending_reason());
  history_->write(r);
  machine.for_each_conversation([&](const client::Conversation& c) {
    Record state;
    state.kind = Kind::kConversationState;
    state.device = r.device;
    state.user = r.user;
    state.conversation = directory_->number_of(c.id);
    state.seq = c.cur;
    state.value = c.head;
    state.value2 = c.read;
    history_->write(state);
  });
  machine.for_each_setting([&](const client::SettingRow& row) { history_->setting_state(device, row); });
}

}  // namespace wavetank::sim
