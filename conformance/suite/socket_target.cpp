#include "conformance/suite/socket_target.hpp"

#include <fmt/format.h>

#include <utility>

#include "conformance/suite/mailbox.hpp"
#include "reference/host/authenticators.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {
namespace {}  // namespace

struct SocketTarget::Connection final : host::SocketEvents {
  explicit Connection(WireFaults& target_faults) : faults(target_faults) {}
  void socket_opened() override { opened = true; }
  void socket_message(std::string_view bytes, bool binary) override {
    if (binary) {
      mail.receive(bytes, faults);
    } else {
      ++faults.undecodable;
    }
  }
  void socket_closed(CloseReason, std::uint16_t) override { mail.closed = true; }

  WireFaults& faults;
  Mailbox mail;
  bool opened = false;
  std::unique_ptr<host::WebSocket> socket;
};

SocketTarget::SocketTarget(host::Endpoint endpoint, std::string token_key)
    : endpoint_(std::move(endpoint)), token_key_(std::move(token_key)) {}

SocketTarget::SocketTarget(host::ServerOptions options)
    : token_key_(options.token_key), options_(std::move(options)) {
  server_ = std::make_unique<host::Server>(loop_, options_);
  options_.port = server_->port();
  endpoint_ = {options_.address, options_.port};
}

SocketTarget::~SocketTarget() = default;

std::string SocketTarget::name() const { return fmt::format("ws://{}:{}", endpoint_.host, endpoint_.port); }

std::optional<ConnectionHandle> SocketTarget::open() {
  const ConnectionHandle handle = ++last_connection_;
  Connection& connection = *(connections_[handle] = std::make_unique<Connection>(wire_faults_));
  host::SocketOptions options;
  options.max_message_bytes = protocol::kMaxFrameBytes;
  connection.socket = host::WebSocket::dial(loop_, endpoint_.host, endpoint_.port, connection, options);
  loop_.run_until([&] { return connection.opened || connection.mail.closed; }, kOpenTime);
  if (connection.opened) return handle;
  connections_.erase(handle);
  return std::nullopt;
}

void SocketTarget::send(ConnectionHandle connection, const protocol::Frame& frame) {
  std::string bytes;
  protocol::encode(frame, bytes);
  send_raw(connection, std::move(bytes));
}

void SocketTarget::send_raw(ConnectionHandle connection, std::string bytes) {
  const auto found = connections_.find(connection);
  if (found != connections_.end()) found->second->socket->send(std::move(bytes));
}

std::optional<protocol::Frame> SocketTarget::wait_for(ConnectionHandle connection,
                                                      const FramePredicate& matches, DurationNs within) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return std::nullopt;
  Mailbox& mail = found->second->mail;
  mail.looked_at = 0;
  std::optional<protocol::Frame> frame;
  loop_.run_until(
      [&] {
        frame = mail.take(matches);
        return frame.has_value() || mail.closed;
      },
      within);
  return frame;
}

bool SocketTarget::wait_closed(ConnectionHandle connection, DurationNs within) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return true;
  return loop_.run_until([&] { return found->second->mail.closed; }, within);
}

void SocketTarget::close(ConnectionHandle connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  found->second->socket->close(host::kCloseNormal);
  connections_.erase(found);
}

void SocketTarget::pass(DurationNs time) {
  loop_.run_until([] { return false; }, time);
}

bool SocketTarget::restart_server() {
  if (server_ == nullptr || options_.data.empty()) return false;
  server_.reset();
  server_ = std::make_unique<host::Server>(loop_, options_);
  return true;
}

Slice SocketTarget::token(UserId user, DeviceIndex device) {
  return token_key_.empty() ? Slice() : Slice(host::make_token(token_key_, user, device));
}

}  // namespace wavetank::conformance
