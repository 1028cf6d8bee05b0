#include "reference/host/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "reference/host/authenticators.hpp"
#include "reference/protocol/codec.hpp"
#include "reference/server/gateway.hpp"
#include "reference/server/shard.hpp"
#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"

namespace wavetank::host {
namespace {

constexpr std::uint32_t kBucketsPerRegion = 64;
constexpr DurationNs kCloseTime = 2 * kSecond;
constexpr DurationNs kEndStep = 20 * kMillisecond;

// All shards serve the one region that a single process is.
server::Placement make_placement(std::uint32_t shards) {
  std::vector<NodeId> nodes;
  for (NodeId shard = 0; shard < shards; ++shard) nodes.push_back(shard);
  return server::Placement::even(1, kBucketsPerRegion, {nodes});
}

std::uint16_t close_code_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNormal:
      return kCloseNormal;
    case CloseReason::kProtocolError:
      return kCloseProtocolError;
    default:
      return kCloseGoingAway;
  }
}

}  // namespace

class Server::Connection final : public SocketEvents {
 public:
  Connection(Server& server, ConnectionId number, NodeId at, std::unique_ptr<WebSocket> accepted)
      : id(number), gateway(at), socket(std::move(accepted)), server_(server) {}

  void socket_message(std::string_view bytes, bool binary) override {
    server_.message_received(*this, bytes, binary);
  }
  void socket_closed(CloseReason reason, std::uint16_t code) override {
    server_.connection_ended(*this, reason, code);
  }

  const ConnectionId id;
  const NodeId gateway;
  const std::unique_ptr<WebSocket> socket;
  std::uint32_t last_frame_seq = 0;

 private:
  Server& server_;
};

Server::Server(EventLoop& loop, const ServerOptions& options)
    : loop_(loop),
      options_(options),
      placement_(make_placement(options.shards == 0 ? 1 : options.shards)),
      sockets_alive_(std::make_shared<int>(0)) {
  if (options_.gateways == 0 || options_.shards == 0)
    throw StartFailure("at least one gateway and one shard");
  if (options_.observer == nullptr) options_.observer = &silent_;
  if (options_.token_key.empty()) {
    authenticator_ = std::make_unique<OpenDoor>();
  } else {
    authenticator_ = std::make_unique<SignedTokens>(options_.token_key);
  }
  const std::uint32_t boot =
      options_.data.empty() ? 1 : enter_deployment(options_.data, options_.shards).boots;
  open_stores(options_);
  start_nodes(boot);
  SocketOptions socket_options;
  socket_options.max_message_bytes = protocol::kMaxFrameBytes;
  socket_options.token = sockets_alive_;
  listener_ = std::make_unique<Listener>(
      loop_, options_.address, options_.port, socket_options,
      [this](std::unique_ptr<WebSocket> socket) -> SocketEvents& { return accept(std::move(socket)); });
}

Server::~Server() = default;

void Server::open_stores(const ServerOptions& options) {
  for (std::uint32_t shard = 0; shard < options.shards; ++shard) {
    if (options.data.empty()) {
      stores_.push_back(std::make_unique<store::MemoryStore>());
    } else {
      stores_.push_back(std::make_unique<store::SqliteStore>(shard_file(options.data, shard)));
    }
  }
}

void Server::start_nodes(std::uint32_t boot) {
  const NodeId count = options_.shards + options_.gateways;
  NodeOutputs& outputs = *this;
  for (NodeId id = 0; id < count; ++id) {
    server::ServerConfig config = options_.config;
    config.self = id;
    std::unique_ptr<Node> machine;
    std::function<void()> committed;
    if (id < options_.shards) {
      machine = std::make_unique<server::Shard>(config, placement_, *stores_[id], *options_.observer);
      // Its commits are as durable as they will ever be: without this it would keep its undo journal.
      if (auto* memory = dynamic_cast<store::MemoryStore*>(stores_[id].get())) {
        committed = [memory] { memory->mark_durable(); };
      }
    } else {
      machine =
          std::make_unique<server::Gateway>(config, placement_, *authenticator_, *options_.observer, boot);
    }
    nodes_.push_back(
        std::make_unique<NodeRunner>(loop_, id, std::move(machine), outputs, std::move(committed)));
  }
  for (const auto& node : nodes_) node->start();
  for (NodeId a = 0; a < count; ++a) {
    for (NodeId b = 0; b < count; ++b) {
      const bool linked = a != b && (a < options_.shards || b < options_.shards);
      if (linked) nodes_[a]->enqueue({NodeInput::Kind::kPeerUp, CloseReason::kNormal, b, {}});
    }
  }
}

std::uint64_t Server::commits() const {
  std::uint64_t sum = 0;
  for (const auto& node : nodes_) sum += node->commits();
  return sum;
}

// ---- connections

SocketEvents& Server::accept(std::unique_ptr<WebSocket> socket) {
  ++counters_.connections_accepted;
  const ConnectionId id = next_connection_++;
  const NodeId gateway = options_.shards + id % options_.gateways;
  auto& place = connections_[id];
  place = std::make_unique<Connection>(*this, id, gateway, std::move(socket));
  nodes_[gateway]->enqueue({NodeInput::Kind::kOpened, CloseReason::kNormal, id, {}});
  return *place;
}

void Server::message_received(Connection& connection, std::string_view bytes, bool binary) {
  if (!binary) {
    ++counters_.unacceptable_messages;
    return drop(connection, CloseReason::kProtocolError, kCloseUnacceptable);
  }
  auto frame = protocol::decode(bytes);
  if (!frame) {
    ++counters_.malformed_messages;
    return drop(connection, CloseReason::kProtocolError, kCloseProtocolError);
  }
  ++counters_.frames_received;
  nodes_[connection.gateway]->enqueue(
      {NodeInput::Kind::kFrame, CloseReason::kNormal, connection.id, std::move(*frame)});
}

void Server::connection_ended(Connection& connection, CloseReason reason, std::uint16_t code) {
  if (code == kCloseTooBig) ++counters_.oversized_messages;
  nodes_[connection.gateway]->enqueue({NodeInput::Kind::kClosed, reason, connection.id, {}});
  connections_.erase(connection.id);
}

void Server::drop(Connection& connection, CloseReason reason, std::uint16_t code) {
  connection.socket->close(code);
  nodes_[connection.gateway]->enqueue({NodeInput::Kind::kClosed, reason, connection.id, {}});
  connections_.erase(connection.id);
}

void Server::transmit(Connection& connection, const protocol::Frame& frame) {
  connection.last_frame_seq = frame.frame_seq;
  std::string bytes;
  bytes.reserve(protocol::encoded_size(frame));
  protocol::encode(frame, bytes);
  ++counters_.frames_sent;
  connection.socket->send(std::move(bytes));
}

void Server::say_go_away(Connection& connection, protocol::GoAwayReason reason) {
  protocol::GoAway body;
  body.reason = reason;
  body.reconnect_after_ms = options_.config.reconnect_min_ms;
  body.jitter_window_ms = options_.config.reconnect_min_ms;
  protocol::Frame frame = protocol::make_frame(body);
  frame.frame_seq = connection.last_frame_seq + 1;
  transmit(connection, frame);
}

// ---- what the nodes want

void Server::send_client(NodeId, ConnectionId id, protocol::Frame&& frame) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;  // it ended while the batch ran
  Connection& connection = *found->second;
  std::size_t size = protocol::encoded_size(frame);
  if (size > protocol::kMaxFrameBytes) {
    // No client could take it. The number of the frame is kept: the connection has no hole.
    ++counters_.oversized_replies;
    frame.body = protocol::Error{protocol::ErrorCode::kInternal, 0};
    frame.unknown = {};
    if (frame.request_id == 0) frame.body = protocol::ChangePush{};
    size = protocol::encoded_size(frame);
  }
  const bool queue_was_empty = connection.socket->queued_messages() == 0;
  const bool full = connection.socket->queued_bytes() + size > options_.out_queue_bytes ||
                    connection.socket->queued_messages() >= options_.out_queue_messages;
  if (full && !queue_was_empty) {
    ++counters_.slow_consumers;
    connection.socket->drop_queued();
    say_go_away(connection, protocol::GoAwayReason::kSlowConsumer);
    return drop(connection, CloseReason::kTimeout, kClosePolicy);
  }
  transmit(connection, frame);
}

void Server::send_peer(NodeId from, NodeId to, protocol::Frame&& frame) {
  if (to >= nodes_.size()) return;
  nodes_[to]->enqueue({NodeInput::Kind::kPeerFrame, CloseReason::kNormal, from, std::move(frame)});
}

void Server::close_client(NodeId, ConnectionId id, CloseReason reason) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second->socket->close(close_code_of(reason));
  connections_.erase(found);
}

// ---- the end

void Server::drain(DurationNs window, std::function<void()> done) {
  if (end_timer_ != nullptr) return;
  drain_done_ = std::move(done);
  const auto milliseconds = static_cast<std::uint32_t>(std::max<DurationNs>(window, 0) / kMillisecond);
  for (NodeId gateway = options_.shards; gateway < nodes_.size(); ++gateway)
    nodes_[gateway]->enqueue({NodeInput::Kind::kDrain, CloseReason::kNormal, milliseconds, {}});
  end_timer_ = std::make_unique<LoopTimer>(loop_, [this] { check_left(); });
  end_timer_->arm(loop_.now() + kEndStep);
}

void Server::check_left() {
  if (!connections_.empty()) return end_timer_->arm(loop_.now() + kEndStep);
  // May end this object.
  const std::function<void()> done = std::move(drain_done_);
  done();
}

void Server::shut_down(std::function<void()> done) {
  if (shut_down_done_) return;
  shut_down_done_ = std::move(done);
  listener_.reset();
  while (!connections_.empty()) {
    Connection& connection = *connections_.begin()->second;
    say_go_away(connection, protocol::GoAwayReason::kShutdown);
    drop(connection, CloseReason::kNormal, kCloseGoingAway);
  }
  shut_down_deadline_ = loop_.now() + kCloseTime;
  end_timer_ = std::make_unique<LoopTimer>(loop_, [this] { check_closed(); });
  end_timer_->arm(loop_.now());
}

void Server::check_closed() {
  // The listener is gone: what still holds the token is a socket that is closing.
  if (sockets_alive_.use_count() > 1 && loop_.now() < shut_down_deadline_) {
    return end_timer_->arm(loop_.now() + kEndStep);
  }
  // May end this object.
  const std::function<void()> done = std::move(shut_down_done_);
  done();
}

}  // namespace wavetank::host
