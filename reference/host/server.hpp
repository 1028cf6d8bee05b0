// The reference server on real sockets: gateways and shards in one process, on one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/host/deployment.hpp"
#include "reference/host/event_loop.hpp"
#include "reference/host/node_runner.hpp"
#include "reference/host/web_socket.hpp"
#include "reference/server/authenticator.hpp"
#include "reference/server/config.hpp"
#include "reference/server/placement.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::host {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;             // 0 = any free one
  // The first shard's SQLite file; the others and FILE.deployment stand beside it. Empty: everything is kept
  // in memory and lost at the end.
  std::filesystem::path data;
  std::uint32_t gateways = 1;
  std::uint32_t shards = 1;
  std::string token_key;               // empty: every token is accepted
  server::ServerConfig config;         // `self` is the server's to set
  ServerObserver* observer = nullptr;  // must outlive the server
  // A connection with more than this waiting to be taken by its client is told GoAway(SLOW_CONSUMER) and
  // closed. Room for the pages that a client may ask for at once, and for the answers to all of
  // max_in_flight with a push each.
  std::size_t out_queue_bytes = 8 << 20;
  std::size_t out_queue_messages = 1024;
};

// What the sockets have seen.
struct ServerCounters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t malformed_messages = 0;     // no frame: closed with 1002
  std::uint64_t unacceptable_messages = 0;  // text: closed with 1003
  std::uint64_t oversized_messages = 0;     // closed with 1009
  std::uint64_t slow_consumers = 0;
  std::uint64_t oversized_replies = 0;  // answered as INTERNAL instead, or left out when nobody asked
};

// One binary WebSocket message is one encoded frame. Inside the process a link between nodes hands the frame
// over, in order, and never goes down. Nodes: shards are 0 .. shards-1, gateways follow; a connection is
// dealt to the gateways in turn.
class Server final : private NodeOutputs {
 public:
  // Opens the data and listens. Throws StartFailure, ListenFailure or store::StoreFailure.
  Server(EventLoop& loop, const ServerOptions& options);
  // Without shut_down() before, as if the process had been killed: every connection is reset.
  ~Server() override;

  std::uint16_t port() const { return listener_->port(); }
  std::size_t connection_count() const { return connections_.size(); }
  const ServerCounters& counters() const { return counters_; }
  // Transactions written by all shards.
  std::uint64_t commits() const;

  // A planned restart (CON-DRAIN-001 to 003): the sessions are told GoAway(SHUTDOWN) at an even pace over
  // `window`, whoever comes meanwhile at once, and who stays is closed a little later (drain_grace_ms).
  // `done` is called once, when nobody is connected any more. Again, or after shut_down(): does nothing.
  void drain(DurationNs window, std::function<void()> done);
  // Listens no more, tells every connection GoAway(SHUTDOWN) and closes it; `done` is called once when all
  // are closed, after two seconds at the latest. Ends a drain, whose own `done` is then never called.
  void shut_down(std::function<void()> done);

 private:
  class Connection;

  void start_nodes(std::uint32_t boot);
  void open_stores(const ServerOptions& options);
  SocketEvents& accept(std::unique_ptr<WebSocket> socket);
  void message_received(Connection& connection, std::string_view bytes, bool binary);
  void connection_ended(Connection& connection, CloseReason reason, std::uint16_t code);
  void transmit(Connection& connection, const protocol::Frame& frame);
  void say_go_away(Connection& connection, protocol::GoAwayReason reason);
  // Closes from our side; the gateway is told when it does not know.
  void drop(Connection& connection, CloseReason reason, std::uint16_t code);
  void check_left();
  void check_closed();

  void send_client(NodeId from, ConnectionId connection, protocol::Frame&& frame) override;
  void send_peer(NodeId from, NodeId to, protocol::Frame&& frame) override;
  void close_client(NodeId from, ConnectionId connection, CloseReason reason) override;

  EventLoop& loop_;
  ServerOptions options_;
  ServerObserver silent_;
  std::unique_ptr<server::Authenticator> authenticator_;
  server::Placement placement_;
  std::vector<std::unique_ptr<store::LogStore>> stores_;
  std::vector<std::unique_ptr<NodeRunner>> nodes_;  // by NodeId
  std::map<ConnectionId, std::unique_ptr<Connection>> connections_;
  ConnectionId next_connection_ = 1;
  ServerCounters counters_;
  std::shared_ptr<int> sockets_alive_;  // held by every socket, those that are closing included
  std::function<void()> drain_done_;
  std::function<void()> shut_down_done_;
  TimeNs shut_down_deadline_ = kNever;
  std::unique_ptr<LoopTimer> end_timer_;
  std::unique_ptr<Listener> listener_;  // ends first
};

}  // namespace wavetank::host
