// Runs one reference client over a real socket: the thin driver that the simulator's devices have a
// counterpart of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "reference/client/client.hpp"
#include "reference/host/event_loop.hpp"
#include "reference/host/web_socket.hpp"

namespace wavetank::host {

struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

// The device's clock is the loop's. Destroying the driver is a crash of the device: nothing is said to the
// server, and the store keeps what was committed. `loop`, `shared` and `store` must outlive the driver.
class ClientDriver final : private SocketEvents {
 public:
  ClientDriver(EventLoop& loop, Endpoint endpoint, const client::ClientShared& shared, UserId user,
               DeviceIndex device, DeviceTag tag, Slice access_token, client::ClientStore& store);

  // The application's side; see client::Client.
  void start();
  void stop();
  ClientMessageId send(const ConversationId& conversation, Slice payload,
                       protocol::EntryKind kind = protocol::EntryKind::kMessage, UserId target = 0);
  void read(const ConversationId& conversation, std::uint64_t seq);
  void audit();

  // Where the next dial goes.
  void set_endpoint(Endpoint endpoint) { endpoint_ = std::move(endpoint); }
  const client::Client& client() const { return client_; }

 private:
  void carry_out();
  void dial();
  void hang_up(CloseReason reason);

  void socket_opened() override;
  void socket_message(std::string_view bytes, bool binary) override;
  void socket_closed(CloseReason reason, std::uint16_t code) override;

  EventLoop& loop_;
  Endpoint endpoint_;
  client::Client client_;
  LoopTimer timer_;
  Effects effects_;
  std::unique_ptr<WebSocket> socket_;  // while one is dialled or open
};

}  // namespace wavetank::host
