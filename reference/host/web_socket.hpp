// WebSocket connections (RFC 6455), both sides, plain (no TLS). No header of Asio or Beast is needed to use
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "reference/environment/effects.hpp"
#include "reference/host/event_loop.hpp"

namespace wavetank::host {

// Close codes of RFC 6455, section 7.4.1, as far as this service uses them.
enum CloseCode : std::uint16_t {
  kCloseNormal = 1000,
  kCloseGoingAway = 1001,
  kCloseProtocolError = 1002,
  kCloseUnacceptable = 1003,  // a text message
  kCloseAbnormal = 1006,      // never on the wire: the connection ended without a close frame
  kClosePolicy = 1008,
  kCloseTooBig = 1009,
};

// The address cannot be listened on.
class ListenFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Told by the loop. A call may destroy the WebSocket that it came from.
class SocketEvents {
 public:
  virtual ~SocketEvents() = default;
  // Of a dialled connection: the handshake is done.
  virtual void socket_opened() {}
  // One whole message; `bytes` is valid during the call.
  virtual void socket_message(std::string_view bytes, bool binary) = 0;
  // The end, once, also of a dial that failed. Not after close() or abort().
  virtual void socket_closed(CloseReason reason, std::uint16_t code) = 0;
};

struct SocketOptions {
  std::size_t max_message_bytes = 1 << 20;  // a longer message ends the connection with 1009
  DurationNs handshake_timeout = 10 * kSecond;
  DurationNs closing_timeout = 2 * kSecond;  // to send what waits and to shake hands; then it is cut
  std::shared_ptr<void> token;               // held while anything of the connection exists, closing included
};

// One connection. Pings are answered without notice.
class WebSocket {
 public:
  // Starts to connect to a name or a numeric address; the outcome is socket_opened or socket_closed, never
  // within this call. `events` must outlive the object.
  static std::unique_ptr<WebSocket> dial(EventLoop& loop, const std::string& host, std::uint16_t port,
                                         SocketEvents& events, const SocketOptions& options);
  // abort(), unless close() was called.
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Queues one binary (or text) message. The queue is unbounded: its owner bounds it.
  void send(std::string bytes, bool binary = true);
  // What is queued and not yet with the system, the message being written included.
  std::size_t queued_bytes() const;
  std::size_t queued_messages() const;
  // Forgets queued messages but for the one being written.
  void drop_queued();

  // Closes after everything queued before, at most for the closing timeout. Reports nothing any more and goes
  // on by itself: the object may end.
  void close(std::uint16_t code);
  // Cuts the connection at once (the peer sees a reset). Reports nothing any more.
  void abort();

  struct State;

 private:
  friend class Listener;
  explicit WebSocket(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Accepts connections until its end; those accepted live on.
class Listener {
 public:
  // `accepted` takes each connection whose handshake is done and returns who hears its events.
  using Accepted = std::function<SocketEvents&(std::unique_ptr<WebSocket>)>;

  // `address` is numeric. Port 0 = any free one. Throws ListenFailure.
  Listener(EventLoop& loop, const std::string& address, std::uint16_t port, const SocketOptions& options,
           Accepted accepted);
  ~Listener();

  std::uint16_t port() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace wavetank::host
