#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// The longest that a gateway may wait for Hello (PROTOCOL.md, Defaults), and half as long again.
constexpr DurationNs kHelloTime = 15 * kSecond;

// Says Hello on a fresh connection and expects Error with this code and the end of the connection.
void expect_refusal(Trial& trial, Frame frame, ErrorCode code) {
  const ConnectionHandle connection = trial.open();
  frame.frame_seq = 1;
  frame.request_id = 7;
  trial.target().send(connection, frame);
  const auto came =
      trial.target().wait_for(connection, [](const Frame& any) { return any.request_id == 7; }, kAnswerTime);
  trial.expect(came.has_value(), "no answer");
  const auto* error = std::get_if<Error>(&came->body);
  trial.expect(error != nullptr, "the answer is no Error");
  trial.expect_equal("the error", error->code, code);
  trial.expect(trial.target().wait_closed(connection, kAnswerTime), "the connection stays open");
}

void hello_gets_welcome(Trial& trial) {
  Hello hello = Device::hello(trial, trial.user(1));
  hello.min_version = 0;
  hello.max_version = kVersion + 1000;
  const auto welcomed = [&] {
    const ConnectionHandle connection = trial.open();
    Frame frame = make_frame(hello, 42);
    frame.frame_seq = 1;
    trial.target().send(connection, frame);
    const auto came = trial.target().wait_for(connection, [](const Frame&) { return true; }, kAnswerTime);
    trial.expect(came.has_value(), "no answer");
    const auto* welcome = std::get_if<Welcome>(&came->body);
    trial.expect(welcome != nullptr, "the first frame is no Welcome");
    trial.expect_equal("request_id", came->request_id, std::uint64_t{42});
    return *welcome;
  };
  const Welcome welcome = welcomed();
  trial.expect(welcome.version >= 1 && welcome.version <= hello.max_version,
               "a version outside the offered range");
  trial.expect(welcome.session != 0, "session 0");
  trial.expect(welcome.heartbeat_interval_ms > 0, "no heartbeat interval");
  trial.expect(welcome.heartbeat_timeout_ms > welcome.heartbeat_interval_ms,
               "the timeout is below the interval");
  trial.expect_equal("the head of an empty feed", welcome.user_head_seq, std::uint64_t{0});
  // What nobody has yet changes nothing: the highest of both is the same.
  ++hello.max_version;
  trial.expect_equal("the version when a higher one is offered", welcomed().version, welcome.version);
}

void unsupported_version(Trial& trial) {
  Hello hello = Device::hello(trial, trial.user(1));
  hello.min_version = 1000;
  hello.max_version = 1001;
  expect_refusal(trial, make_frame(hello), ErrorCode::kUnsupportedVersion);
}

void request_before_hello(Trial& trial) {
  SendMessage message;
  message.conversation = direct_conversation(trial.user(1), trial.user(2));
  message.client_msg_id = trial.next_key();
  expect_refusal(trial, make_frame(message), ErrorCode::kUnauthenticated);
  // Nothing came of it.
  Device device(trial, trial.user(2));
  trial.expect_equal("entries in the log", device.fetch(message.conversation).head_seq, std::uint64_t{0});
}

void silence_before_hello(Trial& trial) {
  const ConnectionHandle connection = trial.open();
  trial.expect(trial.target().wait_closed(connection, kHelloTime),
               "a connection that says nothing stays open");
}

void bad_tokens_are_refused(Trial& trial) {
  const Hello good = Device::hello(trial, trial.user(1));
  if (good.access_token.empty()) trial.unsupported("the target asks for no token");
  const Device other(trial, trial.user(2));  // whose token is good, for itself
  Hello hello = good;
  for (const Slice& token : {Slice("of nobody"), Slice(), trial.target().token(trial.user(2), 0),
                             trial.target().token(trial.user(1), 1)}) {
    hello.access_token = token;
    expect_refusal(trial, make_frame(hello), ErrorCode::kUnauthenticated);
  }
  // The refusals have left nothing behind.
  const ConnectionHandle connection = trial.open();
  trial.target().send(connection, make_frame(good, 1));
  const auto came = trial.target().wait_for(connection, [](const Frame&) { return true; }, kAnswerTime);
  trial.expect(came.has_value() && std::holds_alternative<Welcome>(came->body),
               "the good token is refused after the bad ones");
}

void features_are_a_subset(Trial& trial) {
  Hello hello = Device::hello(trial, trial.user(1));
  hello.features = kFeatureGroups | 1ULL << 40;
  const ConnectionHandle connection = trial.open();
  trial.target().send(connection, make_frame(hello, 1));
  const auto came = trial.target().wait_for(
      connection, [](const Frame& any) { return std::holds_alternative<Welcome>(any.body); }, kAnswerTime);
  trial.expect(came.has_value(), "no Welcome");
  const std::uint64_t features = std::get<Welcome>(came->body).features;
  trial.expect((features & ~hello.features) == 0,
               fmt::format("features {:x} of {:x}", features, hello.features));
}

void sessions_are_unique(Trial& trial) {
  const Device first(trial, trial.user(1), 0);
  Device second(trial, trial.user(1), 0);
  const SessionId earlier = second.welcome().session;
  second.reconnect();
  trial.expect(first.welcome().session != earlier && earlier != second.welcome().session &&
                   first.welcome().session != second.welcome().session,
               "a session number came twice");
}

// The head that the answer to a heartbeat names.
std::uint64_t beat(Trial& trial, Device& device) {
  const std::uint64_t request = device.post(Heartbeat{1});
  const auto came = trial.target().wait_for(
      device.connection(), [&](const Frame& any) { return any.request_id == request; }, kAnswerTime);
  trial.expect(came.has_value(), "a heartbeat is not answered");
  return device.expect_body<HeartbeatAck>(*came).user_head_seq;
}

void heartbeat_carries_the_head(Trial& trial) {
  Device listener(trial, trial.user(1));
  trial.expect_equal("the head before", beat(trial, listener), std::uint64_t{0});
  Device speaker(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  for (int i = 0; i < 3; ++i) speaker.say(chat, "x");
  listener.pushed(chat, 3);
  trial.expect_equal("the head after three entries", beat(trial, listener), std::uint64_t{3});
  listener.reconnect();
  trial.expect_equal("the head in Welcome", listener.welcome().user_head_seq, std::uint64_t{3});
}

void silence_ends_the_session(Trial& trial) {
  Device device(trial, trial.user(1));
  const DurationNs interval = device.welcome().heartbeat_interval_ms * kMillisecond;
  const DurationNs timeout = device.welcome().heartbeat_timeout_ms * kMillisecond;
  for (DurationNs lived = 0; lived <= timeout; lived += interval) {
    trial.target().pass(interval);
    trial.expect(!trial.target().wait_closed(device.connection(), 0),
                 "a session that sends heartbeats in time is closed");
    beat(trial, device);
  }
  trial.expect(!trial.target().wait_closed(device.connection(), timeout / 2), "closed before its time");
  trial.expect(trial.target().wait_closed(device.connection(), timeout), "a silent session stays open");
}

void pushed_from_welcome_on(Trial& trial) {
  Device speaker(trial, trial.user(1));
  Device listener(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  for (std::uint64_t entry = 1; entry <= 4; ++entry) {
    listener.reconnect();
    speaker.say(chat, "hello again");
    listener.pushed(chat, entry);
  }
}

// Sixteen groups and users have as many homes as there are; the connections go to all gateways.
void every_home_answers(Trial& trial) {
  for (std::uint32_t n = 0; n < 16; ++n) {
    Device device(trial, trial.user(n));
    const ConversationId group = trial.group(n);
    trial.expect_equal("the place of the join", device.add(group, device.user()).conv_seq, std::uint64_t{1});
    trial.expect_equal("entries", device.fetch(group).events.size(), std::size_t{1});
    trial.expect_equal("a delivered mark", device.delivered(group, 1).delivered_seq, std::uint64_t{1});
    trial.expect_equal("a read mark", device.read(group, 1).read_seq, std::uint64_t{1});
    PutSetting put;
    put.conversation = group;
    put.kind = SettingKind::kPinned;
    put.op = 1;
    put.number = 1;
    trial.expect_equal("a setting", device.ask<SettingAck>(put).status, SendStatus::kAccepted);
    trial.expect_equal("the feed's error", device.sync(0).error, ErrorCode::kNone);
  }
}

constexpr Case kConnectionCases[] = {
    {"conf/connect/VER-NEGOTIATE-001/hello-gets-welcome", "Say Hello with a wide range of versions.",
     "Welcome with the same request_id, a session, timings and a version of the range that does not depend "
     "on "
     "how wide it is.",
     hello_gets_welcome},
    {"conf/connect/VER-NEGOTIATE-002/unsupported-version", "Say Hello with versions of the far future only.",
     "Error UNSUPPORTED_VERSION, then the connection ends.", unsupported_version},
    {"conf/connect/CON-HELLO-002/request-before-hello", "Send a message on a connection without Hello.",
     "Error UNAUTHENTICATED, the connection ends, nothing is appended.", request_before_hello},
    {"conf/connect/CON-HELLO-003/silence-before-hello", "Open a connection and say nothing.",
     "It ends within the hello timeout.", silence_before_hello},
    {"conf/connect/CON-AUTH-001/bad-tokens-are-refused",
     "Say Hello with the token of nobody, with none, with that of another user and of another device.",
     "Error UNAUTHENTICATED and the end of the connection each time; the good token is welcome after them.",
     bad_tokens_are_refused},
    {"conf/connect/VER-FEATURE-001/features-are-a-subset",
     "Say Hello with one known and one unknown feature.", "Welcome names no feature that Hello did not.",
     features_are_a_subset},
    {"conf/connect/CON-SESSION-001/sessions-are-unique", "Open three sessions of one device.",
     "Three different session numbers.", sessions_are_unique},
    {"conf/connect/HB-ACK-001/heartbeat-carries-the-head",
     "Send heartbeats before and after three entries are pushed.",
     "HeartbeatAck names the feed's head each time, and so does the next Welcome.",
     heartbeat_carries_the_head},
    {"conf/connect/HB-TIMEOUT-001/silence-ends-the-session",
     "Send heartbeats for longer than the timeout of Welcome; then nothing.",
     "The session lives as long as they come, and ends within the timeout after the last.",
     silence_ends_the_session},
    {"conf/connect/CON-ATTACH-001/pushed-from-welcome-on",
     "Connect, and let a peer speak as soon as Welcome is there; four times.",
     "Every entry is pushed: who is welcomed is attached.", pushed_from_welcome_on},
    {"conf/connect/CON-ROUTE-001/every-home-answers",
     "Sixteen users each found a group and send every kind of request for it.",
     "Each gets its own kind of answer, wherever group and user have their homes.", every_home_answers},
};

}  // namespace

std::span<const Case> connection_cases() { return kConnectionCases; }

}  // namespace wavetank::conformance
