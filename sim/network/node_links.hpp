// Links between server nodes: one byte stream for each pair, with states. A link is up, or down until a
// redial finds both ends alive and the path open. What is under way when it goes down is lost.
//
// What a node sends to one peer at one moment, the frames of one batch, is one write to its socket and
// travels as one burst: one draw of the delay, one event, and the peer finds all of it when it looks.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "sim/kernel/event_kind.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/kernel/slab.hpp"
#include "sim/network/frame_counts.hpp"
#include "sim/network/packet.hpp"
#include "sim/network/reachability.hpp"

namespace wavetank::sim {

struct NodeLinkConfig {
  DurationNs timeout = 10 * kSecond;  // a link whose path is cut for so long goes down at both ends
  DurationNs redial = 1 * kSecond;
};

class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual bool node_alive(std::uint32_t node) = 0;
  virtual void link_up(std::uint32_t node, std::uint32_t peer) = 0;
  virtual void link_down(std::uint32_t node, std::uint32_t peer) = 0;
  virtual void link_packet(std::uint32_t node, std::uint32_t peer, Packet&& packet) = 0;
  // The packets of one burst have been handed over, if any still counted.
  virtual void burst_ended(std::uint32_t node) = 0;
};

// Nodes are dense from 0; there are tens of them, so pairs may be a table. A node has no link to itself.
class NodeLinks {
 public:
  NodeLinks(Scheduler& scheduler, Reachability& reachability, Randomness randomness, NodeLinkConfig config,
            LinkListener& listener);

  void add_node(Place place);
  // Which pairs have a link at all; call once after all nodes were added. wanted(a, b) must be symmetric.
  template <class Wanted>
  void connect(Wanted&& wanted) {
    const auto count = static_cast<std::uint32_t>(places_.size());
    links_.assign(static_cast<std::size_t>(count) * count, Link{});
    for (std::uint32_t a = 0; a < count; ++a) {
      for (std::uint32_t b = 0; b < count; ++b) at(a, b).wanted = a != b && wanted(a, b);
    }
  }

  // The node's process runs (again): its links come up one by one, starting now.
  void node_started(std::uint32_t node);
  // The node's process is gone: each peer learns it after one passage, behind everything sent before, or by
  // the timeout when the path is cut.
  void node_died(std::uint32_t node);
  // Dropped silently when the link is down.
  void send(std::uint32_t from, std::uint32_t to, Packet&& packet, TimeNs departs);
  // A path fault began or ended. What a cut held back goes on at once where it may. O(nodes^2).
  void paths_changed();

  bool handle(const Event& event);
  std::size_t memory() const { return packets_.bytes(); }
  // Asks for the memory of a packet under way.
  void prefetch_packet(std::uint32_t packet) const { packets_.prefetch(packet); }
  // Down as soon as one end has learned that it is.
  bool is_up(std::uint32_t a, std::uint32_t b) const { return link(a, b).up; }
  std::size_t packets_under_way() const { return packets_.size(); }
  std::uint64_t packets() const { return packets_sent_; }  // bursts
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  const FrameCounts& frames_sent() const { return frames_; }

 private:
  // State of the pair lives with (low, high); what is per direction with (from, to).
  struct Link {
    bool wanted = false;
    bool up = false;
    bool redialling = false;
    bool broken = false;  // still up for one end: the news of the other's death is under way
    std::uint32_t epoch = 0;
    TimeNs cut_since = kNever;
    TimeNs last_arrival = 0;          // per direction
    std::uint32_t sent = 0;           // per direction: bursts, the key of their draws
    std::vector<std::uint32_t> held;  // per direction
    // Per direction: the burst sent last, while it can still grow.
    TimeNs burst_departs = kNever;
    std::uint32_t burst_first = kNoPacket;
    std::uint32_t burst_last = kNoPacket;
  };

  Link& at(std::uint32_t a, std::uint32_t b) {
    return links_[static_cast<std::size_t>(a) * places_.size() + b];
  }
  Link& pair(std::uint32_t a, std::uint32_t b) { return a < b ? at(a, b) : at(b, a); }
  const Link& link(std::uint32_t a, std::uint32_t b) const {
    return links_[static_cast<std::size_t>(a < b ? a : b) * places_.size() + (a < b ? b : a)];
  }
  bool is_cut(std::uint32_t a, std::uint32_t b) const {
    return reachability_.has_faults() && reachability_.is_cut(places_[a], places_[b]);
  }
  DurationNs delay(std::uint32_t from, std::uint32_t to, std::uint64_t number) const;
  void go_up(std::uint32_t a, std::uint32_t b);
  // Tells a, when it lives, and b too if asked.
  void go_down(std::uint32_t a, std::uint32_t b, bool tell_b);
  void redial_later(std::uint32_t a, std::uint32_t b);
  void redial(std::uint32_t a, std::uint32_t b);
  void link_check(std::uint32_t a, std::uint32_t b);
  void burst_arrives(std::uint32_t to, std::uint32_t first);
  void packet_arrives(std::uint32_t to, std::uint32_t packet);
  void deliver(std::uint32_t from, std::uint32_t to, std::uint32_t packet);
  void release(std::uint32_t from, std::uint32_t to);
  void drop_held(std::uint32_t from, std::uint32_t to);
  std::uint32_t pair_number(std::uint32_t a, std::uint32_t b) const {
    return static_cast<std::uint32_t>((a < b ? a : b) * places_.size() + (a < b ? b : a));
  }

  Scheduler& scheduler_;
  Reachability& reachability_;
  Randomness randomness_;
  NodeLinkConfig config_;
  LinkListener& listener_;
  std::vector<Place> places_;
  std::vector<Link> links_;
  Slab<Packet> packets_;
  std::uint64_t packets_sent_ = 0;
  std::uint64_t bytes_sent_ = 0;
  FrameCounts frames_;
};

}  // namespace wavetank::sim
