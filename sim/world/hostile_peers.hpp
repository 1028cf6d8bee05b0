// Peers that mean harm, beside the population: a few connections that send what no client may, one attack
// after the other, and say what became of each (kAttack, kAttackOutcome; FRM-ROBUST judges it).
//
//   a connection that is there before ----Hello, Welcome --------------------- Heartbeat, answer
//   the attack's own connection              ---- (Hello, Welcome) attack ... refused, or over
//   a fresh connection, the probe                                              ---- Hello in two parts,
//   Welcome
//
// All three go to the same gateway. Peers are users of their own, whom nobody knows and who are in no
// conversation; they are no devices of the history. They live at the first access network of the scenario,
// and faults that look for connections do not see theirs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/history/hostile.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/frames.hpp"
#include "sim/kernel/hash.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/network/access_network.hpp"
#include "sim/world/history_writer.hpp"
#include "sim/world/hostile_frames.hpp"
#include "sim/world/wire.hpp"

namespace wavetank::sim {

struct HostileSetup {
  std::uint32_t peers = 0;
  DurationNs gap = 0;              // between two attacks of one peer; drawn from half to one and a half of it
  DurationNs hello_within = 0;     // after that a connection without a Hello must be over
  std::uint32_t first_device = 0;  // their numbers in the access network: kHostileParts for each peer
  std::uint32_t first_user = 0;    // their numbers among users
  std::uint32_t event_source = 0;  // of their cues
  std::uint32_t cue = 0;           // and its code; the target is the peer
  std::vector<std::vector<std::uint32_t>> gateways;  // by region; peers live in the regions in turn
};

inline constexpr std::uint32_t kHostileParts = 3;

class HostilePeers {
 public:
  // All references must outlive the peers. Gives them their places in the access network.
  HostilePeers(HostileSetup setup, Scheduler& scheduler, AccessNetwork& access, Wire wire,
               Randomness randomness, HistoryWriter& history);

  void begin();
  // No attack any more; what is under way is over at once, unjudged.
  void quiesce();
  bool owns(std::uint32_t device) const {
    return device >= setup_.first_device && device < setup_.first_device + setup_.peers * kHostileParts;
  }
  // A message of somebody's device on its way: what can be replayed and forged.
  void overhear(std::uint32_t device, UserId user, DeviceIndex index, const protocol::Frame& frame);

  void cue(std::uint32_t peer);
  void connected(std::uint32_t device);
  void closed(std::uint32_t device, CloseReason reason);
  void packet(std::uint32_t device, Packet&& packet);
  // What the device's link carries comes so late that nothing can be said of the attack.
  void link_stalled(std::uint32_t device) { peer_of(device).is_stalled = true; }

  std::uint64_t attacks() const { return attacks_; }
  // Of all that the peer of this device has sent and got.
  std::uint64_t trace_of(std::uint32_t device) const {
    return peers_[(device - setup_.first_device) / kHostileParts].trace.value();
  }
  std::uint64_t trace() const;

 private:
  enum Part : std::uint32_t { kAttacker, kBystander, kFresh };
  enum class Stage : std::uint8_t {
    kIdle,
    kSettling,  // the bystander connects
    kArming,    // the attacker does
    kStruck,    // the attack is out
    kProbing
  };
  struct Line {
    std::uint32_t connection = kNoConnection;
    std::uint32_t dials = 0;
    bool is_open = false;
  };
  struct Captured {
    std::uint32_t device = 0;
    protocol::Route route;
    protocol::SendMessage message;
  };
  struct Peer {
    std::array<Line, kHostileParts> lines;
    UserId user = 0;
    std::uint32_t region = 0;
    Stage stage = Stage::kIdle;
    std::uint32_t attack_number = 0;  // of this peer
    std::uint64_t id = 0;             // of the attack in the history
    history::Attack attack = history::Attack::kDamaged;
    bool needs_session = false;
    std::uint32_t gateway = 0;
    TimeNs due = kNever;   // the stage's end, whatever comes
    TimeNs step = kNever;  // the next bit of what is sent bit by bit
    std::string attack_rest;
    std::string fresh_rest;
    std::uint32_t announced = 0;  // of the attack's message
    std::optional<history::ProbeEnd> fresh;
    bool bystander_answers = false;
    bool bystander_lost = false;
    bool is_stalled = false;
    RollingHash trace;
  };

  Peer& peer_of(std::uint32_t device) { return peers_[(device - setup_.first_device) / kHostileParts]; }
  static Part part_of(const HostileSetup& setup, std::uint32_t device) {
    return static_cast<Part>((device - setup.first_device) % kHostileParts);
  }
  std::uint32_t number_of(const Peer& peer) const {
    return static_cast<std::uint32_t>(&peer - peers_.data());
  }
  HostileDraw draw_of(const Peer& peer) const;
  void wake(Peer& peer, TimeNs& at, DurationNs after);
  void start(Peer& peer);
  void arm(Peer& peer);
  void strike(Peer& peer);
  void attack_is_over(Peer& peer, history::AttackEnd end);
  void probe(Peer& peer);
  void report_when_known(Peer& peer);
  void report(Peer& peer);
  void rest(Peer& peer);
  void run_out(Peer& peer);
  void go_on(Peer& peer);
  void judge_answer(Peer& peer, const protocol::Frame& frame);
  void fresh_answer(Peer& peer, const protocol::Frame& frame);
  void dial(Peer& peer, Part part);
  void hang_up(Peer& peer, Part part);
  void send(Peer& peer, Part part, Packet&& packet);
  protocol::Frame hello_of(const Peer& peer, Part part) const;
  void tell(const Peer& peer, history::AttackStep step, std::uint8_t code, bool flag);

  HostileSetup setup_;
  Scheduler& scheduler_;
  AccessNetwork& access_;
  Wire wire_;
  Randomness randomness_;
  HistoryWriter& history_;
  std::vector<Peer> peers_;
  std::vector<Captured> captured_;  // the last ones, in a ring
  std::uint64_t overheard_ = 0;
  std::uint64_t attacks_ = 0;
  bool is_quiet_ = false;
};

}  // namespace wavetank::sim
