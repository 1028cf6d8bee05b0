#include "reference/host/client_driver.hpp"

#include <utility>

#include "reference/protocol/codec.hpp"

namespace wavetank::host {

ClientDriver::ClientDriver(EventLoop& loop, Endpoint endpoint, const client::ClientShared& shared,
                           UserId user, DeviceIndex device, DeviceTag tag, Slice access_token,
                           client::ClientStore& store)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      client_(shared, user, device, tag, std::move(access_token), store),
      timer_(loop, [this] {
        client_.timer_fired(0, loop_.now(), effects_);
        carry_out();
      }) {}

void ClientDriver::start() {
  client_.start(loop_.now(), effects_);
  carry_out();
}

void ClientDriver::stop() {
  client_.stop(loop_.now(), effects_);
  carry_out();
}

ClientMessageId ClientDriver::send(const ConversationId& conversation, Slice payload,
                                   protocol::EntryKind kind, UserId target) {
  const ClientMessageId id =
      client_.send(conversation, kind, target, 0, std::move(payload), loop_.now(), effects_);
  carry_out();
  return id;
}

void ClientDriver::read(const ConversationId& conversation, std::uint64_t seq) {
  client_.read(conversation, seq, loop_.now(), effects_);
  carry_out();
}

void ClientDriver::audit() {
  client_.audit(loop_.now(), effects_);
  carry_out();
}

void ClientDriver::carry_out() {
  for (Effect& effect : effects_.list()) {
    switch (effect.kind) {
      case Effect::Kind::kSend: {
        std::string bytes;
        protocol::encode(effect.frame, bytes);
        if (socket_ != nullptr) socket_->send(std::move(bytes));
        break;
      }
      case Effect::Kind::kClose:
        hang_up(effect.reason);
        break;
      case Effect::Kind::kArmTimer:
        timer_.arm(effect.at);
        break;
      case Effect::Kind::kDial:
        dial();
        break;
      case Effect::Kind::kSendPeer:
        break;  // server nodes only
    }
  }
  effects_.clear();
}

void ClientDriver::dial() {
  SocketOptions options;
  options.max_message_bytes = protocol::kMaxFrameBytes;
  socket_ = WebSocket::dial(loop_, endpoint_.host, endpoint_.port, *this, options);
}

void ClientDriver::hang_up(CloseReason reason) {
  if (socket_ == nullptr) return;
  socket_->close(reason == CloseReason::kProtocolError ? kCloseProtocolError : kCloseNormal);
  socket_.reset();
}

void ClientDriver::socket_opened() {
  client_.connected(loop_.now(), effects_);
  carry_out();
}

void ClientDriver::socket_message(std::string_view bytes, bool binary) {
  auto frame = protocol::decode(bytes);
  if (!binary || !frame) {
    hang_up(CloseReason::kProtocolError);
    client_.closed(CloseReason::kProtocolError, loop_.now(), effects_);
  } else {
    client_.frame_received(std::move(*frame), loop_.now(), effects_);
  }
  carry_out();
}

void ClientDriver::socket_closed(CloseReason reason, std::uint16_t) {
  socket_.reset();
  client_.closed(reason, loop_.now(), effects_);
  carry_out();
}

}  // namespace wavetank::host
