#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

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
  hello.max_version = kVersion + 5;
  const ConnectionHandle connection = trial.open();
  Frame frame = make_frame(hello, 42);
  frame.frame_seq = 1;
  trial.target().send(connection, frame);
  const auto came = trial.target().wait_for(connection, [](const Frame&) { return true; }, kAnswerTime);
  trial.expect(came.has_value(), "no answer");
  const auto* welcome = std::get_if<Welcome>(&came->body);
  trial.expect(welcome != nullptr, "the first frame is no Welcome");
  trial.expect_equal("request_id", came->request_id, std::uint64_t{42});
  trial.expect(welcome->version >= 1 && welcome->version <= hello.max_version,
               "a version outside the offered range");
  trial.expect(welcome->session != 0, "session 0");
  trial.expect(welcome->heartbeat_interval_ms > 0, "no heartbeat interval");
  trial.expect(welcome->heartbeat_timeout_ms > welcome->heartbeat_interval_ms,
               "the timeout is below the interval");
  trial.expect_equal("the head of an empty feed", welcome->user_head_seq, std::uint64_t{0});
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

void heartbeat_carries_the_head(Trial& trial) {
  Device listener(trial, trial.user(1));
  trial.expect_equal("the head before", listener.ask<HeartbeatAck>(Heartbeat{1}).user_head_seq,
                     std::uint64_t{0});
  Device speaker(trial, trial.user(2));
  const ConversationId chat = direct_conversation(trial.user(1), trial.user(2));
  for (int i = 0; i < 3; ++i) speaker.say(chat, "x");
  listener.pushed(chat, 3);
  trial.expect_equal("the head after three entries", listener.ask<HeartbeatAck>(Heartbeat{2}).user_head_seq,
                     std::uint64_t{3});
  listener.reconnect();
  trial.expect_equal("the head in Welcome", listener.welcome().user_head_seq, std::uint64_t{3});
}

constexpr Case kCases[] = {
    {"conf/connect/VER-NEGOTIATE-001/hello-gets-welcome", "Say Hello with a wide range of versions.",
     "Welcome with the same request_id, a version of the range, a session and timings.", hello_gets_welcome},
    {"conf/connect/VER-NEGOTIATE-002/unsupported-version", "Say Hello with versions of the far future only.",
     "Error UNSUPPORTED_VERSION, then the connection ends.", unsupported_version},
    {"conf/connect/CON-HELLO-002/request-before-hello", "Send a message on a connection without Hello.",
     "Error UNAUTHENTICATED, the connection ends, nothing is appended.", request_before_hello},
    {"conf/connect/VER-FEATURE-001/features-are-a-subset",
     "Say Hello with one known and one unknown feature.", "Welcome names no feature that Hello did not.",
     features_are_a_subset},
    {"conf/connect/CON-SESSION-001/sessions-are-unique", "Open three sessions of one device.",
     "Three different session numbers.", sessions_are_unique},
    {"conf/connect/HB-ACK-001/heartbeat-carries-the-head",
     "Send heartbeats before and after three entries are pushed.",
     "HeartbeatAck names the feed's head each time, and so does the next Welcome.",
     heartbeat_carries_the_head},
};

}  // namespace

std::span<const Case> connection_cases() { return kCases; }

}  // namespace wavetank::conformance
