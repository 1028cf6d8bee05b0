#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

// The server refuses with this code and the connection stays open.
Mistake stays_open_after(ErrorCode code) {
  auto refused = std::make_shared<std::set<ConnectionHandle>>();
  Mistake mistake = tells<Error>([=](Line& line, const Error& error) {
    if (error.code == code) refused->insert(line.handle());
  });
  mistake.ended = [=](Line& line) { return refused->erase(line.handle()) == 0; };
  return mistake;
}

Mistake serves_before_hello() {
  Mistake mistake;
  mistake.up = [](Line& line, Frame& frame) {
    const auto* message = std::get_if<SendMessage>(&frame.body);
    if (message == nullptr || line.hello().user != 0) return true;
    SendAck ack;
    ack.conversation = message->conversation;
    ack.client_msg_id = message->client_msg_id;
    ack.conv_epoch = 1;
    ack.conv_seq = ack.msg_no = 1;
    line.tell(make_frame(ack, frame.request_id));
    return false;
  };
  return mistake;
}

// Whatever token was good once is good for all.
Mistake remembers_tokens() {
  return hears<Hello>([known = std::set<std::string>()](Line& line, Hello& hello) mutable {
    const std::string token(hello.access_token.view());
    if (hello.access_token == line.token()) {
      known.insert(token);
    } else if (known.contains(token)) {
      hello.access_token = line.token();
    }
  });
}

Mistake remembers_refusals() {
  auto refused = std::make_shared<std::set<UserId>>();
  Mistake mistake = hears<Hello>([=](Line&, Hello& hello) {
    if (refused->contains(hello.user)) hello.access_token = Slice();
  });
  mistake.down = [=](Line& line, Frame& frame) {
    const auto* error = std::get_if<Error>(&frame.body);
    if (error != nullptr && error->code == ErrorCode::kUnauthenticated) refused->insert(line.user());
    return true;
  };
  return mistake;
}

Mistake counts_sessions_anew() {
  auto counts = std::make_shared<std::map<UserId, std::uint64_t>>();
  Mistake mistake = tells<Welcome>(
      [=](Line& line, Welcome& welcome) { welcome.session = line.user() << 8 | ++(*counts)[line.user()]; });
  mistake.restarted = [=] { counts->clear(); };
  return mistake;
}

Mistake only_requests_count_as_life() {
  auto last = std::make_shared<std::map<ConnectionHandle, TimeNs>>();
  Mistake mistake;
  mistake.up = [=](Line& line, Frame& frame) {
    if (!std::holds_alternative<Heartbeat>(frame.body)) (*last)[line.handle()] = line.now();
    return true;
  };
  mistake.down = [=](Line& line, Frame& frame) {
    const DurationNs timeout = line.welcome().heartbeat_timeout_ms * kMillisecond;
    const bool late = line.now() - (*last)[line.handle()] >= timeout;
    if (std::holds_alternative<HeartbeatAck>(frame.body) && late) line.end();
    return true;
  };
  return mistake;
}

Mistake answers_every_other_heartbeat() {
  Mistake mistake;
  mistake.down = [count = 0](Line&, Frame& frame) mutable {
    return !std::holds_alternative<HeartbeatAck>(frame.body) || ++count % 2 == 1;
  };
  return mistake;
}

Mistake pushes_late_after_welcome() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    return !std::holds_alternative<ChangePush>(frame.body) || line.age() >= 250 * kMillisecond;
  };
  return mistake;
}

// As if the gateway's table of homes were old.
Mistake sends_some_to_a_wrong_home() {
  Mistake mistake;
  mistake.up = [](Line& line, Frame& frame) {
    const auto* fetch = std::get_if<FetchRange>(&frame.body);
    const auto* send = std::get_if<SendMessage>(&frame.body);
    if (fetch == nullptr && send == nullptr) return true;
    const ConversationId& id = fetch != nullptr ? fetch->conversation : send->conversation;
    if (!is_group(id) || id.lo % 16 != 11) return true;
    line.tell(make_frame(Error{ErrorCode::kWrongHome, 1000}, frame.request_id));
    return false;
  };
  return mistake;
}

Mistake answers_carry_the_route() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (frame.request_id != 0) frame.route = Route{line.welcome().session, line.user(), line.device()};
    return true;
  };
  return mistake;
}

Mistake answers_every_device() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (!std::holds_alternative<SendAck>(frame.body)) return true;
    for (Line* other : line.others()) {
      if (other->user() == line.user()) other->tell(frame);
    }
    return true;
  };
  return mistake;
}

Mistake believes_the_route() {
  return shows_claimed_senders([](const Frame& frame, const SendMessage&) {
    return frame.route ? std::optional(frame.route->user) : std::nullopt;
  });
}

// Welcome names what was asked for, and the session is served as if it were more.
Mistake serves_besides(std::uint64_t features) {
  Mistake mistake = tells<Welcome>([](Line& line, Welcome& w) { w.features &= line.hello().features; });
  mistake.up = [features](Line&, Frame& frame) {
    if (auto* hello = std::get_if<Hello>(&frame.body)) hello->features |= features;
    return true;
  };
  return mistake;
}

constexpr Mutant kConnectionMutants[] = {
    {"clients-version-is-taken",
     "Welcome names the highest version that the client offers, whether the server has it or not.",
     {"VER-NEGOTIATE-001"},
     [] { return tells<Welcome>([](Line& line, Welcome& w) { w.version = line.hello().max_version; }); }},
    {"own-version-is-taken",
     "Welcome names a version of the server that the client has not offered.",
     {"VER-NEGOTIATE-001"},
     [] { return tells<Welcome>([](Line& line, Welcome& w) { w.version = line.hello().max_version + 1; }); }},
    {"newer-clients-are-welcomed",
     "A client that is too new is welcomed in the version that the server has.",
     {"VER-NEGOTIATE-002"},
     [] { return hears<Hello>([](Line&, Hello& h) { h.min_version = std::min(h.min_version, kVersion); }); }},
    {"too-old-a-version-stays-connected",
     "After UNSUPPORTED_VERSION the connection stays open.",
     {"VER-NEGOTIATE-002"},
     [] { return stays_open_after(ErrorCode::kUnsupportedVersion); }},
    {"features-of-the-server-are-named",
     "Welcome names every feature that the server has, offered or not.",
     {"VER-FEATURE-001"},
     [] { return tells<Welcome>([](Line&, Welcome& w) { w.features |= kAllFeatures; }); }},
    {"features-are-not-kept-to",
     "Every session is served all features, whatever its Welcome names.",
     {"VER-FEATURE-002"},
     [] { return serves_besides(kAllFeatures); }},
    {"receipts-for-everybody",
     "Receipts are told and read marks taken also where Welcome does not name them.",
     {"VER-FEATURE-002"},
     [] { return serves_besides(kFeatureReceipts); }},
    {"typing-for-everybody",
     "Typing is told and passed on also where Welcome does not name it.",
     {"VER-FEATURE-002"},
     [] { return serves_besides(kFeatureTyping); }},
    {"served-before-hello",
     "A message is acknowledged on a connection that has not said who it is.",
     {"CON-HELLO-002"},
     serves_before_hello},
    {"no-hello-is-malformed",
     "A request before Hello is called malformed instead of unauthenticated.",
     {"CON-HELLO-002"},
     [] {
       return tells<Error>([](Line& line, Error& error) {
         if (line.hello().user == 0) error.code = ErrorCode::kMalformed;
       });
     }},
    {"unauthenticated-stays-connected",
     "After UNAUTHENTICATED the connection stays open.",
     {"CON-HELLO-002", "CON-AUTH-001"},
     [] { return stays_open_after(ErrorCode::kUnauthenticated); }},
    {"silent-connections-are-kept",
     "A connection that never says anything is never closed.",
     {"CON-HELLO-003"},
     [] { return keeps_open([](const Line& line) { return !line.has_said_anything(); }); }},
    {"any-token-opens",
     "The token is not looked at.",
     {"CON-AUTH-001"},
     [] { return hears<Hello>([](Line& line, Hello& hello) { hello.access_token = line.token(); }); }},
    {"tokens-are-remembered",
     "A token that was good for one device opens the sessions of all.",
     {"CON-AUTH-001"},
     remembers_tokens},
    {"refusals-are-remembered",
     "A user for whom a bad token was shown once is refused with the good one, too.",
     {"CON-AUTH-001"},
     remembers_refusals},
    {"session-number-of-the-device",
     "A device gets the same session number every time.",
     {"CON-SESSION-001"},
     [] {
       return tells<Welcome>(
           [](Line& line, Welcome& w) { w.session = line.user() << 8 | (line.device() + 1); });
     }},
    {"session-numbers-begin-anew",
     "Session numbers are counted in memory, and from 1 again after a restart.",
     {"CON-SESSION-001"},
     counts_sessions_anew},
    {"heartbeat-names-the-first-head",
     "HeartbeatAck names the head that the feed had at Welcome.",
     {"HB-ACK-001"},
     [] {
       return tells<HeartbeatAck>(
           [](Line& line, HeartbeatAck& ack) { ack.user_head_seq = line.welcome().user_head_seq; });
     }},
    {"every-other-heartbeat-is-answered",
     "Of two heartbeats the second is not answered.",
     {"HB-ACK-001"},
     answers_every_other_heartbeat},
    {"silent-sessions-are-kept",
     "A session from which nothing comes any more is never closed.",
     {"HB-TIMEOUT-001"},
     [] {
       return keeps_open([](const Line& line) {
         const DurationNs timeout = line.welcome().heartbeat_timeout_ms * kMillisecond;
         return line.is_welcomed() && 2 * line.silence() > timeout;
       });
     }},
    {"heartbeats-are-no-life",
     "A session that sends heartbeats and no requests is closed as silent.",
     {"HB-TIMEOUT-001"},
     only_requests_count_as_life},
    {"welcome-before-attach",
     "Welcome leaves before the home knows of the session, and what is pushed meanwhile is lost.",
     {"CON-ATTACH-001"},
     pushes_late_after_welcome},
    {"homes-of-yesterday",
     "The gateway asks a node for some conversations that are homed elsewhere.",
     {"CON-ROUTE-001"},
     sends_some_to_a_wrong_home},
    {"answers-carry-the-route",
     "Answers reach the client with the route between the servers.",
     {"CON-ROUTE-002"},
     answers_carry_the_route},
    {"answers-go-to-every-device",
     "SendAck goes to all sessions of the user.",
     {"CON-ROUTE-002"},
     answers_every_device},
    {"route-of-a-client-is-believed",
     "A client that sets a route speaks as the user that it names.",
     {"CON-ROUTE-003"},
     believes_the_route},
};

}  // namespace

std::span<const Mutant> connection_mutants() { return kConnectionMutants; }

}  // namespace wavetank::conformance
