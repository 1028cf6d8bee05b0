#include "sim/world/hostile_peers.hpp"

#include <algorithm>
#include <utility>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/damage.hpp"

namespace wavetank::sim {

using history::Attack;
using history::AttackEnd;
using history::AttackStep;
using history::Kind;
using history::ProbeEnd;
using history::Record;

namespace {

// For a connection and a Welcome, before an attack; and for the probe after it.
constexpr DurationNs kPatience = 10 * kSecond;
// An attack is refused within this, unless it must be waited for.
constexpr DurationNs kRefusedWithin = 10 * kSecond;
// A mebibyte takes its time, and is lost in part.
constexpr DurationNs kLongFrameWithin = 40 * kSecond;
constexpr DurationNs kHelloMargin = 3 * kSecond;
// What comes bit by bit.
constexpr DurationNs kDribble = 500 * kMillisecond;
constexpr DurationNs kBetweenParts = 150 * kMillisecond;
constexpr std::uint32_t kDribbled = 4096;         // announced of a first frame that never gets whole
constexpr std::uint32_t kFarTooLong = 16U << 20;  // announced of a message above the limit
constexpr std::size_t kFirstPart = 8192;          // of it
constexpr std::size_t kCaptured = 64;
// Counters of forged messages lie above those of any device in a run of hostile peers.
constexpr std::uint32_t kForgedCounters = 1'000'000;

// Indices of draws; hostile_frames.cpp has those below and above.
enum HostileIndex : std::uint64_t {
  kFirstGap = 1,
  kGap = 2,
  kGateway = 3,
  kWhichAttack = 4,
  kInSession = 5,
  kWhichCaptured = 6
};

bool needs_capture(Attack attack) {
  return attack == Attack::kBeforeHello || attack == Attack::kInvalid || attack == Attack::kReplay;
}

bool is_refused_without_end(Attack attack) { return attack == Attack::kInvalid || attack == Attack::kReplay; }

std::string encoded(const protocol::Frame& frame) {
  std::string bytes;
  protocol::encode(frame, bytes);
  return bytes;
}

}  // namespace

HostilePeers::HostilePeers(HostileSetup setup, Scheduler& scheduler, AccessNetwork& access, Wire wire,
                           Randomness randomness, HistoryWriter& history)
    : setup_(std::move(setup)),
      scheduler_(scheduler),
      access_(access),
      wire_(wire),
      randomness_(randomness),
      history_(history),
      peers_(setup_.peers) {
  for (std::uint32_t p = 0; p < setup_.peers; ++p) {
    Peer& peer = peers_[p];
    peer.region = p % static_cast<std::uint32_t>(setup_.gateways.size());
    peer.user = static_cast<UserId>(peer.region) << kRegionShift | (setup_.first_user + p + 1);
    for (std::uint32_t part = 0; part < kHostileParts; ++part) {
      const std::uint32_t device = setup_.first_device + p * kHostileParts + part;
      access_.add_device(device, {Role::kDevice, static_cast<std::uint8_t>(peer.region), 0, device});
    }
  }
}

HostileDraw HostilePeers::draw_of(const Peer& peer) const {
  return {randomness_, number_of(peer), peer.attack_number};
}

std::uint64_t HostilePeers::trace() const {
  std::uint64_t sum = 0;
  for (const Peer& peer : peers_) sum = combine_by_id(sum, number_of(peer), peer.trace.value());
  return sum;
}

// `at` is one of the peer's own.
void HostilePeers::wake(Peer& peer, TimeNs& at, DurationNs after) {
  at = scheduler_.now() + after;
  scheduler_.at(at, setup_.event_source, kCue, number_of(peer), setup_.cue);
}

void HostilePeers::begin() {
  for (Peer& peer : peers_) {
    const auto first = draw_of(peer).below(static_cast<std::uint64_t>(setup_.gap), kFirstGap);
    wake(peer, peer.due, static_cast<DurationNs>(first));
  }
}

void HostilePeers::quiesce() {
  is_quiet_ = true;
  for (Peer& peer : peers_) {
    for (const Part part : {kAttacker, kBystander, kFresh}) hang_up(peer, part);
    peer.stage = Stage::kIdle;
  }
}

void HostilePeers::overhear(std::uint32_t device, UserId user, DeviceIndex index,
                            const protocol::Frame& frame) {
  const auto* message = std::get_if<protocol::SendMessage>(&frame.body);
  if (message == nullptr || message->kind != protocol::EntryKind::kMessage) return;
  Captured captured{device, {0, user, index}, *message};
  if (captured_.size() < kCaptured) {
    captured_.push_back(std::move(captured));
  } else {
    captured_[overheard_ % kCaptured] = std::move(captured);
  }
  ++overheard_;
}

void HostilePeers::cue(std::uint32_t number) {
  Peer& peer = peers_[number];
  if (is_quiet_) return;
  const TimeNs now = scheduler_.now();
  if (peer.step <= now) {
    peer.step = kNever;
    go_on(peer);
  }
  if (peer.due <= now) {
    peer.due = kNever;
    run_out(peer);
  }
}

// ---- an attack from its beginning to its end

void HostilePeers::start(Peer& peer) {
  ++peer.attack_number;
  const HostileDraw draw = draw_of(peer);
  peer.attack = static_cast<Attack>(draw.below(history::kAttacks, kWhichAttack));
  // Nobody has said anything yet.
  if (captured_.empty() && needs_capture(peer.attack)) peer.attack = Attack::kDamaged;
  switch (peer.attack) {
    case Attack::kDamaged:
    case Attack::kOversized:
      peer.needs_session = draw.below(2, kInSession) == 0;
      break;
    case Attack::kInterleaved:
    case Attack::kBeforeHello:
    case Attack::kSilence:
    case Attack::kDribble:
      peer.needs_session = false;
      break;
    default:
      peer.needs_session = true;
      break;
  }
  const std::vector<std::uint32_t>& gateways = setup_.gateways[peer.region];
  peer.gateway = gateways[draw.below(gateways.size(), kGateway)];
  peer.attack_rest.clear();
  peer.fresh_rest.clear();
  peer.fresh.reset();
  peer.bystander_answers = peer.bystander_lost = peer.is_stalled = false;
  peer.stage = Stage::kSettling;
  wake(peer, peer.due, kPatience);
  dial(peer, kBystander);
}

void HostilePeers::arm(Peer& peer) {
  peer.stage = Stage::kArming;
  wake(peer, peer.due, kPatience);
  dial(peer, kAttacker);
}

void HostilePeers::strike(Peer& peer) {
  const HostileDraw draw = draw_of(peer);
  peer.id = ++attacks_;
  peer.stage = Stage::kStruck;
  peer.announced = 0;
  const Captured* captured =
      captured_.empty() ? nullptr : &captured_[draw.below(captured_.size(), kWhichCaptured)];
  Record r;
  r.kind = Kind::kAttack;
  r.seq = peer.id;
  r.code = static_cast<std::uint8_t>(peer.attack);
  r.value = peer.gateway;
  DurationNs bound = kRefusedWithin;
  std::string bytes;
  switch (peer.attack) {
    case Attack::kDamaged:
      bytes = damaged_frame(draw);
      break;
    case Attack::kOversized:
      bytes = protocol::oversized_frame();
      bound = kLongFrameWithin;
      break;
    case Attack::kAnnounced:
      peer.announced = kFarTooLong;
      bytes.assign(kFirstPart, 'x');
      break;
    case Attack::kInterleaved:
      bytes = damaged_frame(draw);
      bytes += '\xff';  // no frame ends so, and there is something to part
      peer.announced = static_cast<std::uint32_t>(bytes.size());
      peer.attack_rest = bytes.substr(bytes.size() / 2);
      bytes.resize(bytes.size() / 2);
      break;
    case Attack::kBeforeHello: {
      const protocol::SendMessage forged =
          forged_message(captured->message, kForgedCounters + static_cast<std::uint32_t>(peer.id));
      r.key = {captured->device, message_counter(forged.client_msg_id)};
      bytes = encoded(replayed_frame(forged, captured->route));
      break;
    }
    case Attack::kSecondHello:
      bytes = encoded(hello_of(peer, kAttacker));
      break;
    case Attack::kInternal:
      bytes = encoded(internal_frame(draw, peer.user));
      break;
    case Attack::kInvalid:
      bytes = encoded(invalid_request(draw, peer.user, captured->message));
      break;
    case Attack::kReplay:
      bytes = encoded(replayed_frame(captured->message, captured->route));
      break;
    case Attack::kDribble:
      peer.announced = kDribbled;
      bytes = "\x8a";
      bound = setup_.hello_within + kHelloMargin;
      break;
    default:  // silence
      bound = setup_.hello_within + kHelloMargin;
      break;
  }
  r.value2 = static_cast<std::uint64_t>(bound);
  history_.write(r);
  wake(peer, peer.due, bound);
  if (!bytes.empty()) send(peer, kAttacker, Wire::pack_raw(std::move(bytes), peer.announced));
  if (peer.attack == Attack::kInterleaved) {
    dial(peer, kFresh);
  } else if (peer.announced != 0) {
    wake(peer, peer.step, kDribble);
  }
}

// The next bit of what comes in parts.
void HostilePeers::go_on(Peer& peer) {
  if (peer.stage == Stage::kStruck && peer.attack != Attack::kInterleaved) {
    const std::size_t size = peer.attack == Attack::kAnnounced ? kFirstPart : 1;
    send(peer, kAttacker, Wire::pack_raw(std::string(size, '\x01'), peer.announced));
    return wake(peer, peer.step, kDribble);
  }
  if (!peer.attack_rest.empty()) {
    send(peer, kAttacker, Wire::pack_raw(std::exchange(peer.attack_rest, {}), peer.announced));
    return wake(peer, peer.step, kBetweenParts);
  }
  if (peer.fresh_rest.empty()) return;
  const auto announced = static_cast<std::uint32_t>(encoded(hello_of(peer, kFresh)).size());
  send(peer, kFresh, Wire::pack_raw(std::exchange(peer.fresh_rest, {}), announced));
}

void HostilePeers::attack_is_over(Peer& peer, AttackEnd end) {
  tell(peer, AttackStep::kConnection, static_cast<std::uint8_t>(end), false);
  probe(peer);
}

void HostilePeers::probe(Peer& peer) {
  hang_up(peer, kAttacker);
  peer.stage = Stage::kProbing;
  // A dribble has ended; what the fresh connection has still to say has not.
  if (peer.attack != Attack::kInterleaved) peer.step = kNever;
  wake(peer, peer.due, kPatience);
  send(peer, kBystander, wire_.pack(protocol::make_frame(protocol::Heartbeat{peer.id}, peer.id)));
  if (peer.attack != Attack::kInterleaved) dial(peer, kFresh);
  report_when_known(peer);
}

void HostilePeers::report_when_known(Peer& peer) {
  const bool is_known = peer.fresh && (peer.bystander_answers || peer.bystander_lost);
  if (peer.stage == Stage::kProbing && is_known) report(peer);
}

void HostilePeers::report(Peer& peer) {
  if (peer.is_stalled) {
    tell(peer, AttackStep::kConnection, static_cast<std::uint8_t>(AttackEnd::kVoid), false);
  } else {
    tell(peer, AttackStep::kProbe, static_cast<std::uint8_t>(peer.fresh.value_or(ProbeEnd::kSilent)),
         peer.bystander_answers);
  }
  rest(peer);
}

void HostilePeers::rest(Peer& peer) {
  for (const Part part : {kAttacker, kBystander, kFresh}) hang_up(peer, part);
  peer.stage = Stage::kIdle;
  peer.step = kNever;
  const auto gap = static_cast<std::uint64_t>(setup_.gap);
  wake(peer, peer.due, static_cast<DurationNs>(gap / 2 + draw_of(peer).below(gap, kGap)));
}

void HostilePeers::run_out(Peer& peer) {
  switch (peer.stage) {
    case Stage::kIdle:
      return start(peer);
    case Stage::kStruck:
      if (!peer.is_stalled) return probe(peer);
      tell(peer, AttackStep::kConnection, static_cast<std::uint8_t>(AttackEnd::kVoid), false);
      return rest(peer);
    case Stage::kProbing:
      return report(peer);
    default:  // a gateway that does not let anybody in; others judge that
      return rest(peer);
  }
}

// ---- what comes

void HostilePeers::connected(std::uint32_t device) {
  Peer& peer = peer_of(device);
  const Part part = part_of(setup_, device);
  peer.lines[part].is_open = true;
  peer.trace.add(static_cast<std::uint64_t>(scheduler_.now()));
  if (part == kFresh) {
    std::string hello = encoded(hello_of(peer, part));
    const auto announced = static_cast<std::uint32_t>(hello.size());
    peer.fresh_rest = hello.substr(hello.size() / 2);
    hello.resize(hello.size() / 2);
    send(peer, part, Wire::pack_raw(std::move(hello), announced));
    wake(peer, peer.step, kBetweenParts);
  } else if (part == kBystander || peer.needs_session) {
    send(peer, part, wire_.pack(hello_of(peer, part)));
  } else {
    strike(peer);
  }
}

void HostilePeers::closed(std::uint32_t device, CloseReason reason) {
  Peer& peer = peer_of(device);
  const Part part = part_of(setup_, device);
  peer.lines[part].connection = kNoConnection;
  peer.lines[part].is_open = false;
  peer.trace.add(static_cast<std::uint64_t>(scheduler_.now()));
  peer.trace.add(static_cast<std::uint64_t>(reason));
  const bool is_preparing = peer.stage == Stage::kSettling || peer.stage == Stage::kArming;
  if (is_preparing && part != kFresh) return rest(peer);
  if (part == kBystander) {
    peer.bystander_lost = true;
  } else if (part == kAttacker && peer.stage == Stage::kStruck) {
    return attack_is_over(peer, reason == CloseReason::kReset ? AttackEnd::kReset : AttackEnd::kClosed);
  } else if (part == kFresh && !peer.fresh) {
    peer.fresh = reason == CloseReason::kRefused ? ProbeEnd::kRefused : ProbeEnd::kLost;
  }
  report_when_known(peer);
}

void HostilePeers::packet(std::uint32_t device, Packet&& packet) {
  Peer& peer = peer_of(device);
  const Part part = part_of(setup_, device);
  peer.trace.add(packet.digest);
  const protocol::Frame* frame = wire_.unpack(packet);
  if (!frame) return;
  const bool is_welcome = std::holds_alternative<protocol::Welcome>(frame->body);
  if (part == kFresh) return fresh_answer(peer, *frame);
  if (part == kBystander) {
    if (is_welcome && peer.stage == Stage::kSettling) return arm(peer);
    if (!std::holds_alternative<protocol::HeartbeatAck>(frame->body)) return;
    peer.bystander_answers = true;
    return report_when_known(peer);
  }
  if (peer.stage == Stage::kArming && is_welcome) return strike(peer);
  if (peer.stage == Stage::kStruck) judge_answer(peer, *frame);
}

void HostilePeers::judge_answer(Peer& peer, const protocol::Frame& frame) {
  const Answer answer = answer_in(frame);
  if (!answer.is_answer) return;
  if (answer.error == protocol::ErrorCode::kNone) {
    attack_is_over(peer, AttackEnd::kServed);
  } else if (is_refused_without_end(peer.attack)) {
    attack_is_over(peer, AttackEnd::kRefused);
  }
  // Otherwise it is told why its connection ends; the end must come, too.
}

void HostilePeers::fresh_answer(Peer& peer, const protocol::Frame& frame) {
  if (peer.fresh) return;
  const auto* error = std::get_if<protocol::Error>(&frame.body);
  if (std::holds_alternative<protocol::Welcome>(frame.body)) {
    peer.fresh = ProbeEnd::kWelcomed;
  } else if (error != nullptr) {
    peer.fresh = error->code == protocol::ErrorCode::kBusy ? ProbeEnd::kBusy : ProbeEnd::kRefused;
  } else if (std::holds_alternative<protocol::GoAway>(frame.body)) {
    peer.fresh = ProbeEnd::kSentAway;
  }
  report_when_known(peer);
}

// ---- connections

protocol::Frame HostilePeers::hello_of(const Peer& peer, Part part) const {
  protocol::Hello hello;
  hello.user = peer.user;
  hello.device = part;
  return protocol::make_frame(hello, 1);
}

void HostilePeers::dial(Peer& peer, Part part) {
  const std::uint32_t device = setup_.first_device + number_of(peer) * kHostileParts + part;
  Line& line = peer.lines[part];
  line.is_open = false;
  line.connection = access_.dial(device, peer.gateway, ++line.dials);
}

void HostilePeers::hang_up(Peer& peer, Part part) {
  Line& line = peer.lines[part];
  line.is_open = false;
  if (line.connection == kNoConnection) return;
  access_.close_from_device(std::exchange(line.connection, kNoConnection), CloseReason::kNormal,
                            scheduler_.now());
}

void HostilePeers::send(Peer& peer, Part part, Packet&& packet) {
  const Line& line = peer.lines[part];
  if (!line.is_open) return;
  peer.trace.add(packet.digest);
  access_.send_up(line.connection, std::move(packet), scheduler_.now());
}

void HostilePeers::tell(const Peer& peer, AttackStep step, std::uint8_t code, bool flag) {
  Record r;
  r.kind = Kind::kAttackOutcome;
  r.seq = peer.id;
  r.value = peer.gateway;
  r.entry_kind = static_cast<std::uint8_t>(step);
  r.code = code;
  r.flag = flag;
  history_.write(r);
}

}  // namespace wavetank::sim
