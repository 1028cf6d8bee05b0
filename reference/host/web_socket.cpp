#include "reference/host/web_socket.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "reference/host/loop_core.hpp"

namespace wavetank::host {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using tcp = boost::asio::ip::tcp;
using Failure = boost::system::error_code;

namespace {

struct Message {
  std::string bytes;
  bool binary = true;
};

// Why it ended, from the transport's error and the peer's close code.
CloseReason reason_of(const Failure& error, std::uint16_t code) {
  if (error == boost::asio::error::connection_refused) return CloseReason::kRefused;
  if (error == beast::error::timeout || error == boost::asio::error::timed_out) return CloseReason::kTimeout;
  if (code != kCloseAbnormal) {
    const bool proper = code == kCloseNormal || code == kCloseGoingAway;
    return proper ? CloseReason::kNormal : CloseReason::kProtocolError;
  }
  const bool protocol_error = error.category() == make_error_code(websocket::error::closed).category();
  return protocol_error ? CloseReason::kProtocolError : CloseReason::kReset;
}

}  // namespace

struct WebSocket::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, const SocketOptions& chosen)
      : stream(context), resolver(context), closing_timer(context), options(chosen) {}
  State(tcp::socket&& socket, boost::asio::io_context& context, const SocketOptions& chosen)
      : stream(std::move(socket)), resolver(context), closing_timer(context), options(chosen) {}

  void prepare() {
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = std::chrono::nanoseconds(options.handshake_timeout);
    timeouts.idle_timeout = websocket::stream_base::none();  // the protocol has heartbeats of its own
    timeouts.keep_alive_pings = false;
    stream.set_option(timeouts);
    stream.read_message_max(options.max_message_bytes);
    stream.auto_fragment(false);
    Failure ignored;
    stream.next_layer().set_option(tcp::no_delay(true), ignored);
  }

  // ---- the dialling side
  void resolve(const std::string& host, std::uint16_t port) {
    host_name = fmt::format("{}:{}", host, port);
    // The websocket's own timeouts begin with its handshake.
    give_up_after(options.handshake_timeout, beast::error::timeout);
    resolver.async_resolve(host, fmt::format("{}", port),
                           [self = shared_from_this()](const Failure& error, const auto& found) {
                             if (error || self->ended) return self->end(error);
                             self->connect(found.begin()->endpoint());
                           });
  }

  void connect(const tcp::endpoint& endpoint) {
    stream.next_layer().async_connect(endpoint, [self = shared_from_this()](const Failure& error) {
      if (error || self->ended) return self->end(error);
      self->prepare();
      self->stream.async_handshake(self->host_name, "/", [self](const Failure& refused) {
        if (refused || self->ended) return self->end(refused);
        self->closing_timer.cancel();
        self->open = true;
        if (self->events != nullptr) self->events->socket_opened();
        self->read();
        self->write();
      });
    });
  }

  // ---- messages
  void read() {
    if (ended) return;
    stream.async_read(buffer, [self = shared_from_this()](const Failure& error, std::size_t) {
      if (error) return self->end(error);
      if (self->events != nullptr) {
        const std::string_view bytes(static_cast<const char*>(self->buffer.cdata().data()),
                                     self->buffer.size());
        self->events->socket_message(bytes, self->stream.got_binary());
      }
      self->buffer.consume(self->buffer.size());
      self->read();
    });
  }

  void write() {
    if (writing || ended || !open) return;
    if (queue.empty()) {
      if (close_code) shake_hands();
      return;
    }
    writing = true;
    stream.binary(queue.front().binary);
    stream.async_write(boost::asio::buffer(queue.front().bytes),
                       [self = shared_from_this()](const Failure& error, std::size_t) {
                         self->writing = false;
                         // The read beside it fails too, and first gets what the peer may have said at the
                         // end.
                         if (error) return;
                         self->queued_bytes -= self->queue.front().bytes.size();
                         self->queue.pop_front();
                         self->write();
                       });
  }

  // ---- the end
  void close(std::uint16_t code) {
    if (close_code || ended) return;
    events = nullptr;
    close_code = code;
    if (!open) return cut();
    give_up_after(options.closing_timeout, beast::error::timeout);
    write();
  }

  void shake_hands() {
    if (std::exchange(shaking_hands, true)) return;
    stream.async_close(websocket::close_reason(*close_code),
                       [self = shared_from_this()](const Failure& error) {
                         // The read that runs beside it ends too and finds the state ended.
                         self->end(error ? error : make_error_code(websocket::error::closed));
                       });
  }

  void give_up_after(DurationNs time, beast::error why) {
    closing_timer.expires_after(std::chrono::nanoseconds(time));
    closing_timer.async_wait([self = shared_from_this(), why](const Failure& error) {
      if (error || self->ended) return;
      self->cut();
      self->end(make_error_code(why));
    });
  }

  // Ends the transport at once. Pending operations come back with an error.
  void cut() {
    Failure ignored;
    resolver.cancel();
    tcp::socket& socket = stream.next_layer();
    if (!socket.is_open()) return;
    socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

  void end(const Failure& error) {
    if (std::exchange(ended, true)) return;
    closing_timer.cancel();
    Failure ignored;
    stream.next_layer().close(ignored);
    std::uint16_t code = kCloseAbnormal;
    // A peer that failed the connection may reset it right behind its close frame.
    if (stream.reason().code != websocket::close_code::none) code = stream.reason().code;
    if (error == websocket::error::message_too_big) code = kCloseTooBig;
    SocketEvents* const listener = std::exchange(events, nullptr);
    if (listener != nullptr) listener->socket_closed(reason_of(error, code), code);
  }

  void abort() {
    events = nullptr;
    ended = true;
    closing_timer.cancel();
    cut();
  }

  websocket::stream<tcp::socket> stream;
  tcp::resolver resolver;
  boost::asio::steady_timer closing_timer;
  SocketOptions options;
  SocketEvents* events = nullptr;
  std::string host_name;
  beast::flat_buffer buffer;
  std::deque<Message> queue;
  std::size_t queued_bytes = 0;
  std::optional<std::uint16_t> close_code;  // set once the owner has closed
  bool open = false;
  bool writing = false;
  bool shaking_hands = false;
  bool ended = false;
};

WebSocket::WebSocket(std::shared_ptr<State> state) : state_(std::move(state)) {}

WebSocket::~WebSocket() {
  if (!state_->close_code) state_->abort();
}

std::unique_ptr<WebSocket> WebSocket::dial(EventLoop& loop, const std::string& host, std::uint16_t port,
                                           SocketEvents& events, const SocketOptions& options) {
  auto state = std::make_shared<State>(loop.core().context, options);
  state->events = &events;
  state->resolve(host, port);
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(state)));
}

void WebSocket::send(std::string bytes, bool binary) {
  if (state_->close_code || state_->ended) return;
  state_->queued_bytes += bytes.size();
  state_->queue.push_back({std::move(bytes), binary});
  state_->write();
}

std::size_t WebSocket::queued_bytes() const { return state_->queued_bytes; }
std::size_t WebSocket::queued_messages() const { return state_->queue.size(); }

void WebSocket::drop_queued() {
  while (state_->queue.size() > (state_->writing ? 1 : 0)) {
    state_->queued_bytes -= state_->queue.back().bytes.size();
    state_->queue.pop_back();
  }
}

void WebSocket::close(std::uint16_t code) { state_->close(code); }
void WebSocket::abort() { state_->abort(); }

struct Listener::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io_context, const SocketOptions& chosen, Accepted callback)
      : context(io_context),
        acceptor(io_context),
        retry(io_context),
        options(chosen),
        accepted(std::move(callback)) {}

  void open(const std::string& address, std::uint16_t port) {
    Failure error;
    const auto numeric = boost::asio::ip::make_address(address, error);
    if (error) throw ListenFailure(fmt::format("{}: not a numeric address", address));
    const tcp::endpoint endpoint(numeric, port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
    if (error) throw ListenFailure(fmt::format("{}:{}: {}", address, port, error.message()));
    accept();
  }

  void accept() {
    acceptor.async_accept([self = shared_from_this()](const Failure& error, tcp::socket socket) {
      if (self->ended) return;
      if (error) return self->accept_later();
      auto state = std::make_shared<WebSocket::State>(std::move(socket), self->context, self->options);
      state->prepare();
      state->stream.async_accept([self, state](const Failure& refused) {
        if (refused || self->ended) return state->end(refused);
        state->open = true;
        SocketEvents& events = self->accepted(std::unique_ptr<WebSocket>(new WebSocket(state)));
        if (!state->ended && !state->close_code) state->events = &events;
        state->read();
      });
      self->accept();
    });
  }

  // Out of descriptors, most likely: the queue of the system keeps the others waiting.
  void accept_later() {
    retry.expires_after(std::chrono::milliseconds(50));
    retry.async_wait([self = shared_from_this()](const Failure& error) {
      if (!error && !self->ended) self->accept();
    });
  }

  boost::asio::io_context& context;
  tcp::acceptor acceptor;
  boost::asio::steady_timer retry;
  SocketOptions options;
  Accepted accepted;
  bool ended = false;
};

Listener::Listener(EventLoop& loop, const std::string& address, std::uint16_t port,
                   const SocketOptions& options, Accepted accepted)
    : state_(std::make_shared<State>(loop.core().context, options, std::move(accepted))) {
  state_->open(address, port);
}

Listener::~Listener() {
  state_->ended = true;
  state_->retry.cancel();
  Failure ignored;
  state_->acceptor.close(ignored);
}

std::uint16_t Listener::port() const {
  Failure ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

}  // namespace wavetank::host
