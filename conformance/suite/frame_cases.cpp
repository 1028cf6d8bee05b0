#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/codec.hpp"
#include "reference/protocol/damage.hpp"

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
  trial.expect(!trial.target().wait_closed(witness.connection(), kQuietTime), "another connection ends too");
  trial.expect_equal("the place of the next entry", witness.say(chat, "after").conv_seq, std::uint64_t{2});
  Device fresh(trial, trial.user(2));
  trial.expect_equal("entries that a fresh connection sees", fresh.fetch(chat).head_seq, std::uint64_t{2});
}

void malformed_frame(Trial& trial) {
  // A length that runs over the end.
  expect_only_that_connection_ends(trial, std::string("\x8a\x01\xff\xff\xff\x7f\x01", 7));
}

// Damaged frames by keyed draws. Some are sound frames all the same; those are not sent.
std::vector<std::string> drawn_damage(std::uint64_t seed) {
  const Randomness chance(seed);
  std::vector<std::string> all;
  for (std::uint64_t i = 0; all.size() < 30; ++i) {
    const auto draw = [&](std::uint64_t bound, std::uint64_t index) {
      return chance.below(bound, Purpose::kTest, i, 0, index);
    };
    Frame sound = make_frame(FetchRange{group_conversation(0, i), 1, 1, 0, 10}, i + 1);
    if (i % 2 == 0) sound = make_frame(Heartbeat{i}, i + 1);
    std::string bytes;
    encode(sound, bytes);
    const auto kind = static_cast<Damage>(draw(static_cast<std::uint64_t>(Damage::kCount), 1));
    bytes = damaged(std::move(bytes), kind, draw);
    if (!decode(bytes)) all.push_back(std::move(bytes));
  }
  return all;
}

void drawn_damage_is_its_senders(Trial& trial) {
  Device witness(trial, trial.user(1));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  std::uint64_t entries = 0;
  for (const std::string& bytes : drawn_damage(trial.user(0))) {
    const bool is_greeted = entries % 2 == 0;
    const ConnectionHandle hostile = is_greeted ? Device(trial, trial.user(2)).connection() : trial.open();
    trial.target().send_raw(hostile, bytes);
    trial.expect(trial.target().wait_closed(hostile, kAnswerTime), "the connection stays open");
    trial.expect(!trial.target().wait_closed(witness.connection(), 0), "another connection ends too");
    trial.expect_equal("the place of the next entry", witness.say(chat, "still here").conv_seq, ++entries);
  }
  trial.expect(!trial.target().wait_closed(witness.connection(), kQuietTime), "another connection ends too");
  Device fresh(trial, trial.user(2));
  trial.expect_equal("entries that a fresh connection sees", fresh.fetch(chat).head_seq, entries);
  trial.expect_equal("changes in the feed", static_cast<std::uint64_t>(fresh.sync_all(0).size()), entries);
}

void oversized_frame(Trial& trial) { expect_only_that_connection_ends(trial, protocol::oversized_frame()); }

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
  const std::uint64_t request = device.post(Heartbeat{1});
  const auto came = trial.target().wait_for(
      device.connection(), [&](const Frame& any) { return any.request_id == request; }, kAnswerTime);
  trial.expect(came.has_value(), "the session has ended");
  device.expect_body<HeartbeatAck>(*came);
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

// ---- what comes back, whatever was asked

struct Asked {
  std::uint64_t request = 0;
  std::size_t answer = 0;  // the index of its body
};

template <class Answer>
Asked post(Device& device, Body request) {
  return {device.post(std::move(request)), Body(Answer{}).index()};
}

// One request of each kind that a client has, without waiting.
std::vector<Asked> ask_everything(Device& device, const ConversationId& chat) {
  PutSetting put;
  put.conversation = chat;
  put.kind = SettingKind::kDraft;
  put.op = 1;
  put.text = Slice("not yet");
  return {post<SendAck>(device, device.message(chat, "a")),
          post<RangeResult>(device, FetchRange{chat, 0, 1, 0, 0}),
          post<SyncResult>(device, Sync{device.welcome().user_epoch, 0, 0}),
          post<CursorAck>(device, DeliveredCursor{chat, 0, 1}),
          post<CursorAck>(device, ReadWatermark{chat, 0, 1, false}),
          post<SettingAck>(device, put),
          post<HeartbeatAck>(device, Heartbeat{1})};
}

// What comes until all of them are answered and nothing more has come for a while.
std::vector<Frame> answers_to(Trial& trial, const Device& device, const std::vector<Asked>& asked) {
  std::vector<Frame> frames;
  std::size_t answered = 0;
  while (answered < asked.size()) {
    auto frame = trial.target().wait_for(device.connection(), [](const Frame&) { return true; }, kAnswerTime);
    if (!frame) break;
    answered += frame->request_id != 0;
    frames.push_back(std::move(*frame));
  }
  for (Frame& frame : everything_until_quiet(trial, device.connection())) frames.push_back(std::move(frame));
  return frames;
}

void one_answer_each(Trial& trial) {
  Device device(trial, trial.user(1));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  device.say(chat, "first");
  std::map<std::uint64_t, std::size_t> open;
  const std::vector<Asked> asked = ask_everything(device, chat);
  for (const Asked& one : asked) open[one.request] = one.answer;
  for (const Frame& frame : answers_to(trial, device, asked)) {
    if (frame.request_id == 0) continue;
    const auto found = open.find(frame.request_id);
    trial.expect(found != open.end(), "an answer to what was not asked, or a second one");
    trial.expect(frame.body.index() == found->second,
                 fmt::format("request {} is answered by {}", frame.request_id, body_name(frame)));
    open.erase(found);
  }
  trial.expect(open.empty(), fmt::format("{} requests without an answer", open.size()));
}

void answers_are_for_who_asked(Trial& trial) {
  Device asker(trial, trial.user(1), 0);
  const Device other(trial, trial.user(1), 1);
  const Device peer(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  asker.say(chat, "first");
  const std::vector<Asked> asked = ask_everything(asker, chat);
  for (const Frame& frame : answers_to(trial, asker, asked)) {
    trial.expect(!frame.route, "a frame for a client carries a route");
  }
  for (const Device* device : {&other, &peer}) {
    for (const Frame& frame : everything_until_quiet(trial, device->connection())) {
      trial.expect(!frame.route, "a push for a client carries a route");
      trial.expect(frame.request_id == 0 && (std::holds_alternative<ChangePush>(frame.body) ||
                                             std::holds_alternative<GoAway>(frame.body) ||
                                             std::holds_alternative<std::monostate>(frame.body)),
                   fmt::format("{} reaches a session that did not ask", body_name(frame)));
    }
  }
}

// Asks for everything twice and returns what was wrong with the messages that came.
WireFaults faults_of_an_exchange(Trial& trial) {
  const WireFaults before = trial.target().wire_faults();
  Device device(trial, trial.user(1));
  const Device peer(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  for (int round = 0; round < 2; ++round) {
    answers_to(trial, device, ask_everything(device, chat));
    everything_until_quiet(trial, peer.connection());
  }
  const WireFaults after = trial.target().wire_faults();
  return {after.undecodable - before.undecodable, after.uncanonical - before.uncanonical};
}

void everything_is_a_frame(Trial& trial) {
  trial.expect_equal("messages that are no frame", faults_of_an_exchange(trial).undecodable,
                     std::uint64_t{0});
}

void frames_are_canonical(Trial& trial) {
  trial.expect_equal("frames in another order than their fields have",
                     faults_of_an_exchange(trial).uncanonical, std::uint64_t{0});
}

// ---- what other encoders write

// The fields of a message, tags included, one after the other.
std::vector<std::string> fields_of(std::string_view bytes) {
  std::vector<std::string> fields;
  while (!bytes.empty()) {
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.at(at++));
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
      }
    };
    constexpr unsigned kFixed64 = 1;
    constexpr unsigned kBytes = 2;
    const unsigned type = static_cast<unsigned>(varint()) & 7;
    if (type == kFixed64) {
      at += 8;
    } else {
      const std::uint64_t value = varint();
      if (type == kBytes) at += value;
    }
    fields.emplace_back(bytes.substr(0, at));
    bytes.remove_prefix(at);
  }
  return fields;
}

std::string reversed(const std::string& message) {
  std::string out;
  std::vector<std::string> fields = fields_of(message);
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) out += *field;
  return out;
}

void fields_in_any_order(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  const SendMessage message = speaker.message(chat, "the last value counts");
  std::string bytes;
  encode(make_frame(message), bytes);
  // A body of less than 128 bytes: two bytes of tag, one of length.
  const std::string content = std::string("\x4a\x05wrong", 7) + reversed(bytes.substr(3));
  trial.expect(content.size() < 128, "the suite's own message is too long");
  const std::string frame = bytes.substr(0, 2) + static_cast<char>(content.size()) + content + "\x18\x37";
  trial.target().send_raw(speaker.connection(), frame);
  const auto came = trial.target().wait_for(
      speaker.connection(), [](const Frame& any) { return any.request_id == 55; }, kAnswerTime);
  trial.expect(came.has_value(), "a frame with its fields in another order is not answered");
  trial.expect_equal("status", speaker.expect_body<SendAck>(*came).status, SendStatus::kAccepted);
  trial.expect(listener.pushed(chat, 1).payload == message.payload, "another payload was pushed");
}

// ---- limits

void too_large_changes_nothing(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  PutSetting put;
  put.conversation = chat;
  put.kind = SettingKind::kDraft;
  put.op = 1;
  put.text = Slice(std::string(4097, 'x'));
  const auto ack = phone.ask<SettingAck>(put);
  trial.expect_equal("status", ack.status, SendStatus::kRejected);
  trial.expect_equal("error", ack.error, ErrorCode::kTooLarge);
  for (const std::size_t size : {kMaxPayloadBytes + 1, 10 * kMaxPayloadBytes}) {
    const std::uint64_t request = phone.post(phone.message(chat, std::string(size, 'x')));
    const auto came = trial.target().wait_for(
        phone.connection(), [&](const Frame& any) { return any.request_id == request; }, kAnswerTime);
    trial.expect(came.has_value(), "a payload that is too large is not answered");
    const auto* refusal = std::get_if<SendAck>(&came->body);
    const auto* error = std::get_if<Error>(&came->body);
    trial.expect((refusal != nullptr && refusal->error == ErrorCode::kTooLarge) ||
                     (error != nullptr && error->code == ErrorCode::kTooLarge),
                 "a payload that is too large is not refused as that");
  }
  put.op = 2;
  put.text = Slice(std::string(kMaxPayloadBytes + 1, 'x'));
  trial.expect_equal("the error of a long text", phone.ask<SettingAck>(put).error, ErrorCode::kTooLarge);
  trial.expect_equal("entries in the log", desk.fetch(chat).head_seq, std::uint64_t{0});
  trial.expect_equal("changes in the feed", desk.sync_all(0).size(), std::size_t{0});
}

constexpr Case kFrameCases[] = {
    {"conf/frame/FRM-CODEC-004/malformed-frame", "Send bytes that are no frame.",
     "That connection ends; another one and a fresh one work, and no state has changed.", malformed_frame},
    {"conf/frame/FRM-LIMIT-001/oversized-frame", "Send a frame of more than a mebibyte.",
     "That connection ends; another one and a fresh one work, and no state has changed.", oversized_frame},
    {"conf/frame/VER-UNKNOWN-002/unknown-fields",
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
    {"conf/frame/FRM-REQUEST-001/one-answer-each", "Send one request of each kind without waiting.",
     "Each gets one answer, of its own kind, under its request_id; no other answer comes.", one_answer_each},
    {"conf/frame/CON-ROUTE-002/answers-are-for-who-asked",
     "Send one request of each kind while another device and a peer are connected.",
     "They are pushed what concerns them and get no answer; no frame carries a route.",
     answers_are_for_who_asked},
    {"conf/frame/FRM-CODEC-001/everything-is-a-frame", "Send one request of each kind, twice.",
     "Whatever comes to anybody is a frame in a binary message.", everything_is_a_frame},
    {"conf/frame/FRM-CODEC-002/frames-are-canonical", "Send one request of each kind, twice.",
     "What comes is what encoding the same frame again gives.", frames_are_canonical},
    {"conf/frame/FRM-CODEC-003/fields-in-any-order",
     "Send a message with all fields from the last to the first, one of them twice.",
     "It is accepted with the last value.", fields_in_any_order},
    {"conf/frame/FRM-LIMIT-002/too-large-changes-nothing",
     "Put settings of 4,097 and 65,537 bytes and send payloads of 65,537 and 655,360.",
     "TOO_LARGE on a connection that goes on; nothing is stored.", too_large_changes_nothing},
    {"conf/frame/FRM-CODEC-004/drawn-damage-is-its-senders",
     "Send thirty drawn damaged frames, each on a connection of its own, before and after Hello: cut short, "
     "of "
     "impossible lengths, nested without end, bytes of chance. Another device sends a message after each.",
     "Each connection ends, no other one does, and nothing but the messages is stored.",
     drawn_damage_is_its_senders},
};

}  // namespace

std::span<const Case> frame_cases() { return kFrameCases; }

}  // namespace wavetank::conformance
