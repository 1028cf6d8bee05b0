#include <string>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// Sends the bytes on a connection of its own and expects that it ends and nobody else's does.
void expect_only_that_connection_ends(Trial& trial, const std::string& bytes) {
  Device witness(trial, trial.user(1));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  witness.say(chat, "before");
  Device attacker(trial, trial.user(2));
  trial.target().send_raw(attacker.connection(), bytes);
  trial.expect(trial.target().wait_closed(attacker.connection(), kAnswerTime), "the connection stays open");
  trial.expect_equal("the place of the next entry", witness.say(chat, "after").conv_seq, std::uint64_t{2});
  Device fresh(trial, trial.user(2));
  trial.expect_equal("entries that a fresh connection sees", fresh.fetch(chat).head_seq, std::uint64_t{2});
}

void malformed_frame(Trial& trial) {
  // A length that runs over the end.
  expect_only_that_connection_ends(trial, std::string("\x8a\x01\xff\xff\xff\x7f\x01", 7));
}

void oversized_frame(Trial& trial) {
  // A sound frame but for its size: an unknown field of one megabyte.
  std::string bytes = "\xc2\x3e\x80\x80\x40";  // field 1000, 2^20 bytes
  bytes.append(1 << 20, 'x');
  expect_only_that_connection_ends(trial, bytes);
}

// An unknown string field, number 1000.
const std::string kUnknownField = std::string("\xc2\x3e\x05hello", 8);

// The frame with an unknown field behind its own, and another inside its body. Only for frames without header
// fields.
std::string with_unknown_fields(const Frame& frame) {
  std::string bytes;
  encode(frame, bytes);
  const std::string tag = bytes.substr(0, 2);  // body numbers take two bytes
  std::size_t at = 2;
  while ((static_cast<unsigned char>(bytes[at]) & 0x80) != 0) ++at;
  const std::string content = bytes.substr(at + 1) + kUnknownField;
  std::string out = tag;
  for (std::size_t rest = content.size();; rest >>= 7) {
    out.push_back(static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
    if (rest <= 0x7f) break;
  }
  return out + content + kUnknownField;
}

void unknown_fields_are_tolerated(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  const SendMessage message = speaker.message(chat, "from a newer client");
  trial.target().send_raw(speaker.connection(), with_unknown_fields(make_frame(message)));
  const Event event = listener.pushed(chat, 1);
  trial.expect(event.payload == message.payload, "another payload was pushed");
  trial.expect(event.client_msg_id == message.client_msg_id, "another key was pushed");
  // The known part is what counts: the same request without the unknown fields is a repeat.
  trial.expect_equal("the repeat", speaker.send(message).status, SendStatus::kDuplicate);
}

// A body that nobody knows is no reason to end the session.
void unknown_body_is_tolerated(Trial& trial) {
  Device device(trial, trial.user(1));
  trial.target().send_raw(device.connection(), std::string("\xc2\x3e\x00", 3));
  trial.target().send_raw(device.connection(), std::string("\x18\x63\xc2\x3e\x00", 5));  // with request_id 99
  device.ask<HeartbeatAck>(Heartbeat{1});
}

void frames_are_numbered(Trial& trial) {
  const ConnectionHandle connection = trial.open();
  Target& target = trial.target();
  const auto send = [&](std::uint32_t number, Body body) {
    Frame frame;
    frame.frame_seq = number;
    frame.request_id = number;
    frame.body = std::move(body);
    target.send(connection, frame);
  };
  send(1, Device::hello(trial, trial.user(1)));
  for (std::uint32_t expected = 1; expected <= 4; ++expected) {
    const auto frame = target.wait_for(connection, [](const Frame&) { return true; }, kAnswerTime);
    trial.expect(frame.has_value(), "no answer");
    trial.expect_equal("frame_seq", frame->frame_seq, expected);
    trial.expect(frame->ack_frame_seq <= expected, "acknowledges a frame that was never sent");
    send(expected + 1, Heartbeat{expected});
  }
}

void route_of_a_client_is_ignored(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  Frame frame = make_frame(speaker.message(chat, "who am I?"), 77);
  frame.route = Route{listener.welcome().session, listener.user(), 9};
  trial.target().send(speaker.connection(), frame);
  const auto ack = speaker.expect_body<SendAck>(speaker.answer(77));
  trial.expect_equal("the send", ack.status, SendStatus::kAccepted);
  const Event event = listener.pushed(chat, 1);
  trial.expect_equal("the sender", event.sender, speaker.user());
  trial.expect_equal("the sender's device", event.sender_device, DeviceIndex{0});
}

void payload_is_opaque(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  std::string bytes;
  for (int i = 0; i < 1024; ++i) bytes.push_back(static_cast<char>(i * 7 % 256));
  const std::string payloads[] = {bytes, std::string(), std::string(kMaxPayloadBytes, '\0')};
  std::uint64_t seq = 0;
  for (const std::string& payload : payloads) {
    speaker.say(chat, payload);
    trial.expect(listener.pushed(chat, ++seq).payload.view() == payload, "another payload was pushed");
    const RangeResult page = listener.fetch(chat, seq, seq);
    trial.expect(page.events.size() == 1 && page.events[0].payload.view() == payload,
                 "another payload was fetched");
  }
}

constexpr Case kCases[] = {
    {"conf/frame/FRM-CODEC-004/malformed-frame", "Send bytes that are no frame.",
     "That connection ends; another one and a fresh one work, and no state has changed.", malformed_frame},
    {"conf/frame/FRM-LIMIT-001/oversized-frame", "Send a frame of more than a mebibyte.",
     "That connection ends; another one and a fresh one work, and no state has changed.", oversized_frame},
    {"conf/frame/VER-UNKNOWN-001/unknown-fields",
     "Send a message with unknown fields in the frame and in the body.",
     "It is appended and pushed; the same without them is a repeat.", unknown_fields_are_tolerated},
    {"conf/frame/VER-UNKNOWN-002/unknown-body",
     "Send frames with an unknown body, with and without a request_id.", "The session lives on.",
     unknown_body_is_tolerated},
    {"conf/frame/FRM-SEQ-001/frames-are-numbered", "Say Hello and send heartbeats.",
     "The frames that come back are numbered from 1 without a gap.", frames_are_numbered},
    {"conf/frame/CON-ROUTE-003/route-is-ignored",
     "Send a message whose frame claims another session's route.",
     "The entry names the session's own user and device, and the answer comes back to it.",
     route_of_a_client_is_ignored},
    {"conf/frame/FRM-PAYLOAD-001/payload-is-opaque",
     "Send payloads of all byte values, of none, and of 65,536 bytes.",
     "They are pushed and fetched unchanged.", payload_is_opaque},
};

}  // namespace

std::span<const Case> frame_cases() { return kCases; }

}  // namespace wavetank::conformance
