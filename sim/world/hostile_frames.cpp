#include "sim/world/hostile_frames.hpp"

#include <utility>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/damage.hpp"

namespace wavetank::sim {

using protocol::Frame;
using protocol::make_frame;

namespace {

// Indices of the draws; those of damage begin above them.
enum FrameIndex : std::uint64_t { kWhichBody = 40, kWhichDamage = 41, kTry = 1'000 };

constexpr std::uint64_t kRequest = 7;

}  // namespace

std::string damaged_frame(const HostileDraw& draw) {
  std::string sound;
  protocol::encode(make_frame(protocol::Heartbeat{draw.attack}, draw.attack + 1), sound);
  // Some are sound all the same: the next try.
  for (std::uint64_t t = 1;; ++t) {
    const auto at = [&](std::uint64_t bound, std::uint64_t index) {
      return draw.below(bound, t * kTry + index);
    };
    const auto kind =
        static_cast<protocol::Damage>(at(static_cast<std::uint64_t>(protocol::Damage::kCount), kWhichDamage));
    std::string bytes = protocol::damaged(sound, kind, at);
    if (!protocol::decode(bytes)) return bytes;
  }
}

Frame internal_frame(const HostileDraw& draw, UserId own) {
  switch (draw.below(5, kWhichBody)) {
    case 0:
      return make_frame(protocol::Attach{1, own, 0}, kRequest);
    case 1:
      return make_frame(protocol::Detach{1, own}, kRequest);
    case 2:
      return make_frame(protocol::OutboxAck{~0ULL}, kRequest);
    case 3:
      return make_frame(protocol::PlacementUpdate{}, kRequest);
    default:
      return make_frame(protocol::CredentialLease{1}, kRequest);
  }
}

Frame invalid_request(const HostileDraw& draw, UserId own, const protocol::SendMessage& captured) {
  switch (draw.below(5, kWhichBody)) {
    case 0: {  // to where nobody lives
      protocol::SendMessage message = captured;
      message.conversation = {~0ULL, ~0ULL};
      return make_frame(std::move(message), kRequest);
    }
    case 1: {  // of a kind that nobody knows, to where it is no member
      protocol::SendMessage message = captured;
      message.kind = static_cast<protocol::EntryKind>(4'000'000'000U);
      return make_frame(std::move(message), kRequest);
    }
    case 2:
      return make_frame(protocol::FetchRange{captured.conversation, 0, 1, 0, 0}, kRequest);
    case 3: {
      protocol::PutSetting put;
      put.conversation = direct_conversation(own, own + 1);
      put.kind = protocol::SettingKind::kNone;
      put.op = 1;
      return make_frame(std::move(put), kRequest);
    }
    default: {
      protocol::PutSetting put;
      put.conversation = direct_conversation(own, own + 1);
      put.kind = static_cast<protocol::SettingKind>(70'000);
      put.op = 1;
      return make_frame(std::move(put), kRequest);
    }
  }
}

Frame replayed_frame(const protocol::SendMessage& captured, const protocol::Route& victim) {
  Frame frame = make_frame(captured, kRequest);
  frame.route = victim;
  return frame;
}

protocol::SendMessage forged_message(const protocol::SendMessage& captured, std::uint32_t counter) {
  protocol::SendMessage message = captured;
  message.client_msg_id.lo = (message.client_msg_id.lo & ~0xffffffffULL) | counter;
  return message;
}

Answer answer_in(const Frame& frame) {
  using namespace protocol;
  if (const auto* error = std::get_if<Error>(&frame.body)) return {true, error->code};
  if (const auto* ack = std::get_if<SendAck>(&frame.body)) return {true, ack->error};
  if (const auto* page = std::get_if<RangeResult>(&frame.body)) return {true, page->error};
  if (const auto* page = std::get_if<SyncResult>(&frame.body)) return {true, page->error};
  if (const auto* ack = std::get_if<CursorAck>(&frame.body)) return {true, ack->error};
  if (const auto* ack = std::get_if<SettingAck>(&frame.body)) return {true, ack->error};
  if (std::holds_alternative<Welcome>(frame.body)) return {true, ErrorCode::kNone};
  return {};
}

}  // namespace wavetank::sim
