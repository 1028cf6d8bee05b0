// What a case is written with: fresh users and conversations, devices that say exactly what they are told to,
// and expectations that end the case.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite/cases.hpp"

namespace wavetank::conformance {

// Thrown to end a case before its last line.
struct CaseEnd {
  Grade grade;
  std::string why;
};

// How long an answer may take. Generous: the suite asks what is right, not what is fast.
inline constexpr DurationNs kAnswerTime = 5 * kSecond;
// How long to wait for what must not come.
inline constexpr DurationNs kQuietTime = 200 * kMillisecond;

std::string describe(protocol::ErrorCode code);
std::string describe(protocol::SendStatus status);
std::string describe(bool value);
std::string describe(std::uint64_t value);
inline std::string describe(std::uint32_t value) { return describe(static_cast<std::uint64_t>(value)); }

inline namespace suite {

class Trial {
 public:
  // The names that the case uses are made from `run` and the case's id.
  Trial(Target& target, std::uint32_t run, std::string_view case_id);
  // Closes what the case left open.
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  Target& target() { return target_; }
  // The case's n-th user and group, n < 256; homed in region 0.
  UserId user(std::uint32_t n) const { return base_ | n; }
  ConversationId group(std::uint32_t n) const { return group_conversation(0, base_ | n); }
  // The users 1 and 2 alone.
  ConversationId chat() const { return direct_conversation(user(1), user(2)); }

  // An idempotency key that the case has not used yet.
  ClientMessageId next_key() { return {base_ << 8 | 0x70, ++last_key_}; }

  // A connection that is closed with the trial; INCONCLUSIVE when there is none.
  ConnectionHandle open();
  // Kills and restarts the server; UNSUPPORTED when the target cannot.
  void restart_server();

  // FAIL unless it holds.
  void expect(bool holds, const std::string& otherwise);
  template <class T>
  void expect_equal(std::string_view what, const T& came, const T& expected) {
    if (came != expected)
      fail(fmt::format("{}: expected {}, came {}", what, describe(expected), describe(came)));
  }
  [[noreturn]] void fail(const std::string& why);
  [[noreturn]] void inconclusive(const std::string& why);
  [[noreturn]] void unsupported(const std::string& why);

 private:
  Target& target_;
  std::uint64_t base_;
  std::uint64_t last_key_ = 0;
  std::vector<ConnectionHandle> opened_;
};

// A device on the suite's side of the wire. Nothing is sent that the case did not ask for: no heartbeats, no
// receipts, no reconnects.
class Device {
 public:
  // Connects and says Hello. After a refusal or UNAVAILABLE it tries again for a while, then INCONCLUSIVE.
  // `features`: what its Hello asks for.
  Device(Trial& trial, UserId user, DeviceIndex index = 0, std::uint64_t features = protocol::kAllFeatures);

  // A new connection in the place of the old one.
  void reconnect();
  const protocol::Welcome& welcome() const { return welcome_; }
  ConnectionHandle connection() const { return connection_; }
  UserId user() const { return user_; }
  // What this device says first on a connection; valid also for cases that send it themselves.
  static protocol::Hello hello(Trial& trial, UserId user, DeviceIndex index = 0);

  // ---- requests
  // Sends and does not wait; returns the request_id for answer().
  std::uint64_t post(protocol::Body body);
  // The answer to a request; INCONCLUSIVE without one or with an indefinite error.
  protocol::Frame answer(std::uint64_t request_id);
  // The answer, which must have this body; FAIL otherwise.
  template <class Answer>
  Answer ask(protocol::Body body) {
    return expect_body<Answer>(answer(post(std::move(body))));
  }
  template <class Answer>
  Answer expect_body(protocol::Frame frame) {
    Answer* body = std::get_if<Answer>(&frame.body);
    if (body == nullptr) trial_->fail("another kind of answer: " + body_text(frame));
    return std::move(*body);
  }

  // A message with a key of its own.
  protocol::SendMessage message(const ConversationId& conversation, std::string_view text);
  protocol::SendMessage membership(const ConversationId& conversation, protocol::EntryKind kind,
                                   UserId target);
  protocol::SendAck send(const protocol::SendMessage& message) { return ask<protocol::SendAck>(message); }
  // As send(), and the ack must be ACCEPTED.
  protocol::SendAck accepted(const protocol::SendMessage& message);
  protocol::SendAck say(const ConversationId& conversation, std::string_view text) {
    return accepted(message(conversation, text));
  }
  protocol::SendAck add(const ConversationId& conversation, UserId target) {
    return accepted(membership(conversation, protocol::EntryKind::kJoin, target));
  }
  protocol::SendAck remove(const ConversationId& conversation, UserId target) {
    return accepted(membership(conversation, protocol::EntryKind::kLeave, target));
  }
  // One page of a range.
  protocol::RangeResult page(const ConversationId& conversation, std::uint64_t from, std::uint64_t to = 0,
                             std::uint32_t limit = 0);
  // The whole range as one, page by page, however long the server makes them; every page is checked
  // (FET-COVER, FET-HIDDEN). An error is returned as it came.
  protocol::RangeResult fetch(const ConversationId& conversation, std::uint64_t from = 1,
                              std::uint64_t to = 0);
  protocol::SyncResult sync(std::uint64_t after, std::uint32_t limit = 0);
  // All changes after a cursor, page by page; every page is checked (SYN-RANGE, SYN-LIMIT).
  std::vector<protocol::Change> sync_all(std::uint64_t after, std::uint32_t limit = 0);
  protocol::CursorAck read(const ConversationId& conversation, std::uint64_t seq, bool is_private = false);
  protocol::CursorAck delivered(const ConversationId& conversation, std::uint64_t seq);

  // ---- what the server pushes
  // The pushed entry, waiting for it; FAIL when it does not come.
  protocol::Event pushed(const ConversationId& conversation, std::uint64_t seq);
  // The pushed marks of `subject` that reach at least these; FAIL when they do not come.
  protocol::Change pushed_receipt(const ConversationId& conversation, UserId subject,
                                  std::uint64_t delivered_seq, std::uint64_t read_seq);
  // Every change pushed so far, within the quiet time from now, and while there are fewer than so many.
  const std::vector<protocol::Change>& pushes_until_quiet(std::size_t at_least = 0);

 private:
  bool try_to_connect();
  void check_page(const protocol::RangeResult& page, std::uint64_t from, std::uint64_t to) const;
  // Waits for one more push; false when none came.
  bool next_push(DurationNs within);
  static std::string body_text(const protocol::Frame& frame);

  Trial* trial_;
  UserId user_;
  DeviceIndex index_;
  std::uint64_t features_;
  ConnectionHandle connection_ = 0;
  protocol::Welcome welcome_;
  std::uint32_t frames_sent_ = 0;
  std::uint64_t last_request_ = 0;
  std::vector<protocol::Change> changes_;
};

}  // namespace suite

// Everything that comes on a connection, until nothing has come for the quiet time.
std::vector<protocol::Frame> everything_until_quiet(Trial& trial, ConnectionHandle connection);

// The numbers of the entries of a page, and whether its events and tombstones cover it without hole or
// overlap.
std::vector<std::uint64_t> numbers_of(const protocol::RangeResult& page);
bool covers_densely(const protocol::RangeResult& page);

}  // namespace wavetank::conformance
