// The suite's target over real sockets: a server somewhere, or one that is started here.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "conformance/suite/target.hpp"
#include "reference/host/client_driver.hpp"
#include "reference/host/event_loop.hpp"
#include "reference/host/server.hpp"
#include "reference/host/web_socket.hpp"

namespace wavetank::conformance {

// Real time. Everything, a local server included, runs on the caller's thread, within the calls.
class SocketTarget final : public Target {
 public:
  // A server that is running already. It cannot be restarted. `token_key` signs tokens; empty: tokens are
  // empty.
  SocketTarget(host::Endpoint endpoint, std::string token_key);
  // Starts a server. restart_server() destroys it between two batches, as a kill would, and starts another
  // over the same data, which must therefore be a file. Throws what host::Server's constructor throws.
  explicit SocketTarget(host::ServerOptions options);
  ~SocketTarget() override;

  std::string name() const override;
  std::optional<ConnectionHandle> open() override;
  void send(ConnectionHandle connection, const protocol::Frame& frame) override;
  void send_raw(ConnectionHandle connection, std::string bytes) override;
  std::optional<protocol::Frame> wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                          DurationNs within) override;
  bool wait_closed(ConnectionHandle connection, DurationNs within) override;
  void close(ConnectionHandle connection) override;
  void pass(DurationNs time) override;
  bool restart_server() override;
  Slice token(UserId user, DeviceIndex device) override;
  TimeNs now() const override { return loop_.now(); }
  WireFaults wire_faults() const override { return wire_faults_; }

 private:
  struct Connection;

  host::EventLoop loop_;
  host::Endpoint endpoint_;
  std::string token_key_;
  host::ServerOptions options_;
  std::unique_ptr<host::Server> server_;  // of a local target
  WireFaults wire_faults_;
  std::map<ConnectionHandle, std::unique_ptr<Connection>> connections_;
  ConnectionHandle last_connection_ = 0;
};

}  // namespace wavetank::conformance
