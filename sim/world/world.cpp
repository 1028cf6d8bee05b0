#include "sim/world/world.hpp"

#include <algorithm>

#include "conformance/history/canary.hpp"
#include "faults/plan.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Phase;
using history::Record;

constexpr DurationNs kReconnectWindow = 120 * kSecond;
constexpr DurationNs kSignInAfter = 5 * kSecond;  // and up to three times as long
// The numbers of a client's own requests have 32 bits; those of frames sent past it lie above.
constexpr std::uint64_t kRawRequests = 1ULL << 32;

}  // namespace

// ---- phases and samples

void World::change_phase() {
  Phase phase = Phase::kCalm;
  if (draining_) {
    phase = Phase::kDrain;
  } else if (injector_->any_outage()) {
    phase = Phase::kFault;
  } else if (scheduler_.now() < recovery_until_) {
    phase = Phase::kRecovery;
  }
  if (phase == phase_ && scheduler_.now() > 0) return;
  if (scheduler_.now() > phase_since_) phases_.push_back({phase_, phase_since_, scheduler_.now()});
  phase_ = phase;
  phase_since_ = scheduler_.now();
  Record r;
  r.kind = Kind::kPhase;
  r.code = static_cast<std::uint8_t>(phase);
  history_->write_once(r);
}

void World::fault_changed(std::uint32_t fault, bool active) {
  Record r;
  r.kind = active ? Kind::kFault : Kind::kHeal;
  r.value = fault;
  r.code = static_cast<std::uint8_t>(plan_.fault(static_cast<int>(fault)).kind());
  if (active) r.value2 = injector_->regions_touched(fault);
  history_->write_once(r);
  if (faults::is_planned(plan_.fault(static_cast<int>(fault)).kind())) return;
  if (!active) {
    recovery_until_ = scheduler_.now() + scenario_.checks().recovery_s() * kSecond;
    scheduler_.at(recovery_until_, source_faults_, kPhaseChange, 0, 0);
  } else if (plan_.fault(static_cast<int>(fault)).kind() == faults::MASS_DISCONNECT) {
    reconnects_.push_back({kSecond, {}});
    connected_before_.push_back(history_->connections_open());
    scheduler_.at(scheduler_.now(), source_faults_, kSample, kSampleReconnect,
                  static_cast<std::uint32_t>(reconnects_.size() - 1));
  }
  change_phase();
}

void World::sample() {
  scheduler_.at(scheduler_.now() + series_.interval, source_faults_, kSample, kSampleSeries, 0);
  if (!scheduler_.keeps(kServerLane)) return;
  Sample s;
  s.connections = history_->connections_open();
  s.sends = history_->sends();
  s.acks = history_->acks();
  s.deliveries = history_->deliveries();
  std::uint64_t gateways = 0;
  DurationNs busy[2] = {0, 0};
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const ServerNode& node = *nodes_[n];
    const bool gateway = node.is_gateway();
    gateways += gateway ? 1 : 0;
    RoleLoad& load = facts_.load[gateway ? 0 : 1];
    const auto share = (node.busy_total() - busy_before_[n]) * 1'000'000 / series_.interval;
    load.busy_peak_ppm = std::max(load.busy_peak_ppm, static_cast<std::uint64_t>(share));
    std::uint64_t& queue = gateway ? s.queue_gateways : s.queue_shards;
    queue = std::max<std::uint64_t>(queue, node.queue_length());
    busy[gateway ? 0 : 1] += node.busy_total() - busy_before_[n];
    busy_before_[n] = node.busy_total();
  }
  s.busy_gateways_permille =
      static_cast<std::uint64_t>(busy[0] * 1000 / series_.interval) / std::max<std::uint64_t>(1, gateways);
  s.busy_shards_permille = static_cast<std::uint64_t>(busy[1] * 1000 / series_.interval) /
                           std::max<std::uint64_t>(1, nodes_.size() - gateways);
  series_.samples.push_back(s);
}

void World::sample_reconnect(std::uint32_t curve) {
  Sample s;
  s.connections = history_->connections_open();
  reconnects_[curve].samples.push_back(s);
  std::uint64_t& before = connected_before_[curve];
  // The first sample may stand before the connections are reset.
  if (before != 0 && reconnects_[curve].samples.size() > 1 && s.connections >= before) {
    if (scheduler_.keeps(kServerLane)) probe(Probe::kMassReconnect);
    before = 0;
  }
  if (static_cast<DurationNs>(reconnects_[curve].samples.size()) * kSecond <= kReconnectWindow) {
    scheduler_.at(scheduler_.now() + kSecond, source_faults_, kSample, kSampleReconnect, curve);
  }
}

// ---- devices

template <class Fn>
void World::with_device(std::uint32_t number, Fn&& fn) {
  Device& device = devices_[number];
  device.trace.add(static_cast<std::uint64_t>(scheduler_.now()));
  fn(device, device.clock.local(scheduler_.now()));
  // Carrying out an effect never comes back to a device within the same event, so one list serves them all.
  for (Effect& effect : device_effects_.list()) carry_out(number, effect);
  device_effects_.clear();
}

void World::carry_out(std::uint32_t number, Effect& effect) {
  Device& device = devices_[number];
  switch (effect.kind) {
    case Effect::Kind::kSend:
      if (device.connection != kNoConnection) {
        if (hostile_)
          hostile_->overhear(number, device.machine.user(), directory_->index_of(number), effect.frame);
        Packet packet = services_->wire.pack(std::move(effect.frame));
        device.trace.add(packet.digest);
        access_->send_up(device.connection, std::move(packet), scheduler_.now());
      }
      break;
    case Effect::Kind::kClose:
      if (device.connection != kNoConnection)
        access_->close_from_device(std::exchange(device.connection, kNoConnection), effect.reason,
                                   scheduler_.now());
      break;
    case Effect::Kind::kDial:
      dial(number);
      break;
    case Effect::Kind::kArmTimer: {
      const TimeNs at = device.clock.virtual_time(effect.at);
      device.timer_at = at;
      if (at != kNever) scheduler_.at(at, source_devices_ + number, kDeviceTimer, number, 0);
      break;
    }
    case Effect::Kind::kSendPeer:
      break;  // nodes only
  }
}

void World::device_timer(std::uint32_t number) {
  if (!devices_.holds(number)) return;  // an auditor's of an earlier wave
  Device& device = devices_[number];
  if (device.timer_at > scheduler_.now()) return;  // an earlier arming; the valid one comes later
  device.timer_at = kNever;
  with_device(number, [&](Device& d, TimeNs now) { d.machine.timer_fired(0, now, device_effects_); });
}

void World::begin_audit(std::uint32_t number) {
  open_app(number);
  with_device(number, [&](Device& d, TimeNs now) { d.machine.audit(now, device_effects_); });
}

// Devices dial the gateway that keeps their session, or one of their region; after three failures in a row
// any region will do.
std::uint32_t World::choose_gateway(std::uint32_t number) {
  const Device& device = devices_[number];
  if (device.machine.is_resuming() && !nodes_[device.gateway]->is_draining()) return device.gateway;
  std::uint32_t region = home_region(device.machine.user());
  if (device.failed_dials >= 3 && region_names_.size() > 1) {
    region = static_cast<std::uint32_t>(
        randomness_.below(region_names_.size(), Purpose::kGatewayChoice, number, device.connections, 1));
  }
  std::vector<std::uint32_t> gateways = gateways_by_region_[region];
  // Whoever hands out addresses knows of planned restarts; when all of them drain, any will have to refuse.
  std::erase_if(gateways, [&](std::uint32_t node) { return nodes_[node]->is_draining(); });
  if (gateways.empty()) gateways = gateways_by_region_[region];
  return gateways[randomness_.below(gateways.size(), Purpose::kGatewayChoice, number, device.connections)];
}

void World::dial(std::uint32_t number) {
  Device& device = devices_[number];
  ++device.connections;
  device.gateway = choose_gateway(number);
  device.connection = access_->dial(number, device.gateway, device.connections);
  ++device.failed_dials;
}

void World::device_connected(std::uint32_t number) {
  if (is_hostile(number)) return hostile_->connected(number);
  devices_[number].failed_dials = 0;
  with_device(number, [&](Device& d, TimeNs now) { d.machine.connected(now, device_effects_); });
}

void World::device_closed(std::uint32_t number, CloseReason reason) {
  if (is_hostile(number)) return hostile_->closed(number, reason);
  devices_[number].connection = kNoConnection;
  with_device(number, [&](Device& d, TimeNs now) { d.machine.closed(reason, now, device_effects_); });
}

void World::device_packet(std::uint32_t number, Packet&& packet) {
  if (is_hostile(number)) return hostile_->packet(number, std::move(packet));
  devices_[number].trace.add(packet.digest);
  protocol::Frame* frame = services_->wire.unpack(packet);
  if (!frame) {  // the app closes what it cannot read
    access_->close_from_device(std::exchange(devices_[number].connection, kNoConnection),
                               CloseReason::kProtocolError, scheduler_.now());
    device_closed(number, CloseReason::kProtocolError);
    return;
  }
  if (devices_[number].crashes_on_poison && crash_on(number, *frame)) return;
  if (!used_keys_.empty()) watch_answer(number, *frame);
  with_device(number, [&](Device& d, TimeNs now) {
    d.machine.frame_received(std::move(*frame), now, device_effects_);
  });
  if (devices_[number].machine.is_signed_out()) see_sign_out(number);
}

void World::see_sign_out(std::uint32_t number) {
  Device& device = devices_[number];
  if (scenario_.protocol().revoke_within_ms() == 0 || is_removed(device)) return;
  if (std::exchange(device.is_signing_in, true)) return;
  const auto spread = randomness_.below(static_cast<std::uint64_t>(2 * kSignInAfter), Purpose::kDevices,
                                        number, device.generation, 3);
  scheduler_.at(scheduler_.now() + kSignInAfter + static_cast<DurationNs>(spread), source_population_, kCue,
                number, kCueSignIn);
}

void World::sign_in(std::uint32_t number) {
  if (!devices_.holds(number)) return;
  Device& device = devices_[number];
  device.is_signing_in = false;
  ++device.generation;
  with_device(number,
              [&](Device& d, TimeNs now) { d.machine.sign_in(Slice(), d.generation, now, device_effects_); });
}

// ---- the stage

void World::cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) {
  scheduler_.at(time, source_population_, kCue, index, code);
}

void World::open_app(std::uint32_t number) {
  devices_[number].has_crashed = false;
  if (devices_[number].machine.is_signed_out()) return;
  if (!devices_[number].machine.is_running()) history_->app_opened(number);
  with_device(number, [&](Device& d, TimeNs now) { d.machine.start(now, device_effects_); });
}

void World::close_app(std::uint32_t number) {
  devices_[number].has_crashed = false;
  if (devices_[number].machine.is_signed_out()) return;
  history_->app_closes(number);
  with_device(number, [&](Device& d, TimeNs now) { d.machine.stop(now, device_effects_); });
  history_->app_closed(number);
}

std::uint32_t World::send(std::uint32_t number, std::uint32_t conversation, protocol::EntryKind kind,
                          std::uint32_t size) {
  const UserId target = kind == protocol::EntryKind::kMessage ? 0 : devices_[number].machine.user();
  return send_to(number, conversation, kind, target, size);
}

void World::send_as(std::uint32_t number, std::uint32_t conversation, std::uint32_t claimed,
                    std::uint32_t size) {
  send_to(number, conversation, protocol::EntryKind::kMessage, directory_->user_id(claimed), size);
}

std::uint32_t World::send_to(std::uint32_t number, std::uint32_t conversation, protocol::EntryKind kind,
                             UserId target, std::uint32_t size, std::uint64_t reply_to_seq) {
  ClientMessageId id;
  with_device(number, [&](Device& d, TimeNs now) {
    id = d.machine.send_with(
        directory_->conversation_id(conversation), kind, target, reply_to_seq,
        [&](const ClientMessageId& key) {
          return history::canary_payload({number, message_counter(key)}, conversation, size);
        },
        now, device_effects_);
  });
  return message_counter(id);
}

std::uint32_t World::reply(std::uint32_t number, std::uint32_t conversation, std::uint32_t size,
                           std::uint64_t seq) {
  return send_to(number, conversation, protocol::EntryKind::kMessage, 0, size, seq);
}

// Far enough ahead that nobody else's messages make it true.
void World::reply_ahead(std::uint32_t number, std::uint32_t conversation, std::uint32_t size) {
  constexpr std::uint64_t kAhead = 100'000;
  const client::Conversation* known =
      devices_[number].machine.conversation(directory_->conversation_id(conversation));
  if (known != nullptr)
    send_to(number, conversation, protocol::EntryKind::kMessage, 0, size, known->head + kAhead);
}

// The client would never do this, so the frame goes past it: straight onto the device's connection, and into
// the history as a second invocation of the key. Its answer comes by watch_answer(); the client knows no such
// request and ignores it.
void World::reuse_key(std::uint32_t number, std::uint32_t size) {
  Device& device = devices_[number];
  if (number >= used_keys_.size() || used_keys_[number].id == ClientMessageId()) return;
  if (device.connection == kNoConnection || !device.machine.is_connected()) return;
  const UsedKey key = std::exchange(used_keys_[number], {});  // once: two answers could not be told apart
  protocol::SendMessage message;
  message.conversation = key.conversation;
  message.client_msg_id = key.id;
  // The bytes of a message that nobody sends: counters do not get this far.
  message.payload = history::canary_payload({number, ~message_counter(key.id)},
                                            directory_->number_of(key.conversation), size);
  history_->send_invoked(number, message);
  history_->send_transmitted(number, message, 2);
  Packet packet =
      services_->wire.pack(protocol::make_frame(std::move(message), kRawRequests + ++raw_requests_));
  device.trace.add(packet.digest);
  access_->send_up(device.connection, std::move(packet), scheduler_.now());
}

// Learns keys that are in use, and tells the history the answers to raw requests.
void World::watch_answer(std::uint32_t number, const protocol::Frame& frame) {
  const auto* ack = std::get_if<protocol::SendAck>(&frame.body);
  if (ack == nullptr || number >= used_keys_.size()) return;
  if (frame.request_id > kRawRequests) {
    history_->send_resolved(number, *ack);
  } else if (ack->status != protocol::SendStatus::kRejected) {
    used_keys_[number] = {ack->conversation, ack->client_msg_id};
  }
}

std::uint32_t World::direct(std::uint32_t user, std::uint32_t other) {
  const std::uint32_t before = directory_->conversations();
  const std::uint32_t number =
      directory_->number_of(direct_conversation(directory_->user_id(user), directory_->user_id(other)));
  if (number == before) history_->declare_conversation(number);
  return number;
}

void World::read(std::uint32_t number, std::uint32_t conversation) {
  with_device(number, [&](Device& d, TimeNs now) {
    const client::Conversation* c = d.machine.conversation(directory_->conversation_id(conversation));
    if (c == nullptr) return;
    const auto permille = static_cast<std::uint64_t>(scenario_.population().private_reads_permille());
    const bool is_private = permille != 0 && randomness_.chance(permille, 1000, Purpose::kPrivateRead, number,
                                                                conversation, c->cur);
    if (is_private) {
      d.machine.read_privately(c->id, c->cur, now, device_effects_);
    } else {
      d.machine.read(c->id, c->cur, now, device_effects_);
    }
  });
}

// Every text is another one, so that none can be taken for another.
void World::put_setting(std::uint32_t number, std::uint32_t conversation, protocol::SettingKind kind,
                        std::uint64_t nonce) {
  constexpr std::uint64_t kLongestDraft = 120;
  Slice text;
  std::uint64_t value = nonce & 1;
  if (kind == protocol::SettingKind::kDraft) {
    text = history::canary_payload({number, static_cast<std::uint32_t>(nonce)}, conversation,
                                   nonce % kLongestDraft);
    value = 0;
  } else if (kind == protocol::SettingKind::kMuteUntil) {
    value = nonce;
  } else if (kind == protocol::SettingKind::kPresence) {
    value = nonce % 3;
  }
  with_device(number, [&](Device& d, TimeNs now) {
    d.machine.put_setting(directory_->conversation_id(conversation), kind, text, value, now, device_effects_);
  });
}

void World::remove_device(std::uint32_t number, std::uint32_t other) {
  with_device(number, [&](Device& d, TimeNs now) {
    d.machine.remove_device(directory_->index_of(other), now, device_effects_);
  });
}

void World::type(std::uint32_t number, std::uint32_t conversation, bool is_typing) {
  with_device(number, [&](Device& d, TimeNs now) {
    d.machine.set_typing(directory_->conversation_id(conversation), is_typing, now, device_effects_);
  });
}

void World::watch(std::uint32_t number, std::uint32_t conversation, bool is_open) {
  with_device(number, [&](Device& d, TimeNs now) {
    d.machine.watch_presence(directory_->conversation_id(conversation), is_open, now, device_effects_);
  });
}

std::uint32_t World::react(std::uint32_t number, std::uint32_t conversation, std::uint64_t seq) {
  constexpr std::uint32_t kReactionBytes = 4;
  if (!devices_[number].machine.offers(protocol::kFeatureReactions)) return 0;
  return send_to(number, conversation, protocol::EntryKind::kReaction, 0, kReactionBytes, seq);
}

// ---- gateways' side of connections

bool World::gateway_listens(std::uint32_t node, bool& hangs) {
  hangs = doors_[node].hangs || nodes_[node]->is_paused();
  return nodes_[node]->is_alive() && !doors_[node].refuses && !nodes_[node]->is_deaf();
}

void World::link_stalled(std::uint32_t device, TimeNs until) {
  if (is_hostile(device)) return hostile_->link_stalled(device);
  history_->link_stalled(device, until);
}

void World::gateway_opened(std::uint32_t node, std::uint32_t connection) {
  nodes_[node]->connection_opened(connection);
}

void World::gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason reason) {
  if (nodes_[node]->is_alive()) {
    nodes_[node]->connection_closed(connection, reason);
  } else {
    access_->gateway_forgot(connection);
  }
}

void World::gateway_packet(std::uint32_t node, std::uint32_t connection, Packet&& packet) {
  nodes_[node]->packet_received(connection, std::move(packet));
}

}  // namespace wavetank::sim
