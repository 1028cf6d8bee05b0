// A server node as its driver sees it: a pure, single-threaded machine. The same code runs under the
// simulator's world and under the host's sockets.
//
// Contract with the driver
// - The driver calls one method at a time. `now` is the node's own clock in nanoseconds since the Unix epoch
// of that
//   clock; it never goes back while the node runs and may be off by an offset and a drift.
// - Inputs come in batches: begin_batch(), any number of inputs, end_batch(). Everything a batch changed in
// the store
//   is one transaction. Effects of a batch may leave only when the transaction is durable; until then the
//   node gets no further input (durable before visible). A batch that wrote nothing needs no sync.
// - A crash destroys the machine. A new one is built over the same store and gets start().
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/environment/effects.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank {

// How much a batch wrote: what the driver's commit time is computed from; and what it has read of logs.
struct WriteVolume {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;          // logical bytes: the same for every store engine
  std::uint64_t log_reads = 0;      // times that entries were asked for
  std::uint64_t log_rows_read = 0;  // and how many came
};

// Where a node's memory is, in bytes on the heap. Durable rows are the store's.
struct NodeMemory {
  std::size_t sessions = 0;  // of connected devices
  std::size_t caches = 0;    // of rows that are in the store too; bounded (ServerConfig::cache_limit)
};

class Node {
 public:
  virtual ~Node() = default;

  virtual void start(TimeNs now, Effects& effects) = 0;

  virtual void begin_batch() {}
  // Commits what the batch wrote; the driver makes it durable.
  virtual WriteVolume end_batch() { return {}; }

  // A client connection (gateways only; shards never get these).
  virtual void connection_opened(ConnectionId, TimeNs, Effects&) {}
  virtual void connection_closed(ConnectionId, CloseReason, TimeNs, Effects&) {}
  virtual void frame_received(ConnectionId, protocol::Frame&&, TimeNs, Effects&) {}

  // The link to another server node. Frames of one link arrive in order; what was under way when it went down
  // may be lost. peer_up is called for every peer that is reachable after start().
  virtual void peer_up(NodeId, TimeNs, Effects&) = 0;
  virtual void peer_down(NodeId, TimeNs, Effects&) = 0;
  virtual void peer_frame_received(NodeId, protocol::Frame&&, TimeNs, Effects&) = 0;

  virtual void timer_fired(TimerId, TimeNs, Effects&) {}

  // A planned restart begins: the clients are to be sent away within `window` (gateways only).
  virtual void drain(DurationNs /*window*/, TimeNs, Effects&) {}

  // O(what is cached).
  virtual NodeMemory memory() const = 0;
};

}  // namespace wavetank
