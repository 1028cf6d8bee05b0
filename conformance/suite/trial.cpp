#include "conformance/suite/trial.hpp"

#include <algorithm>
#include <utility>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/print.hpp"

namespace wavetank::conformance {

using protocol::Frame;

namespace {

constexpr int kConnectAttempts = 20;
constexpr DurationNs kConnectPause = 250 * kMillisecond;

// FNV-1a: the users of a case must not depend on which other cases exist.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

std::string describe(protocol::ErrorCode code) {
  return code == protocol::ErrorCode::kNone ? "no error" : std::string(protocol::name_of(code));
}

std::string describe(protocol::SendStatus status) { return std::string(protocol::name_of(status)); }
std::string describe(bool value) { return value ? "true" : "false"; }
std::string describe(std::uint64_t value) { return fmt::format("{}", value); }

// ---- the trial

// Ids: region 0 | 24 bits of run | 20 bits of case | 8 bits of n. The group flag (bit 55) stays clear.
Trial::Trial(Target& target, std::uint32_t run, std::string_view case_id)
    : target_(target),
      base_((static_cast<std::uint64_t>(run) & 0xffffff) << 28 | (hash_of(case_id) & 0xfffff) << 8) {}

Trial::~Trial() {
  for (const ConnectionHandle connection : opened_) target_.close(connection);
}

ConnectionHandle Trial::open() {
  const std::optional<ConnectionHandle> connection = target_.open();
  if (!connection) inconclusive("no connection");
  opened_.push_back(*connection);
  return *connection;
}

void Trial::restart_server() {
  if (!target_.restart_server()) unsupported("the target cannot be restarted");
}

void Trial::expect(bool holds, const std::string& otherwise) {
  if (!holds) fail(otherwise);
}
void Trial::fail(const std::string& why) { throw CaseEnd{Grade::kFail, why}; }
void Trial::inconclusive(const std::string& why) { throw CaseEnd{Grade::kInconclusive, why}; }
void Trial::unsupported(const std::string& why) { throw CaseEnd{Grade::kUnsupported, why}; }

// ---- a device

Device::Device(Trial& trial, UserId user, DeviceIndex index, std::uint64_t features)
    : trial_(&trial), user_(user), index_(index), features_(features) {
  reconnect();
}

protocol::Hello Device::hello(Trial& trial, UserId user, DeviceIndex index) {
  protocol::Hello hello;
  hello.user = user;
  hello.device = index;
  hello.access_token = trial.target().token(user, index);
  return hello;
}

void Device::reconnect() {
  if (connection_ != 0) trial_->target().close(connection_);
  for (int attempt = 0; attempt < kConnectAttempts; ++attempt) {
    if (try_to_connect()) return;
    trial_->target().pass(kConnectPause);
  }
  trial_->inconclusive("no session: refused, unanswered or unavailable again and again");
}

bool Device::try_to_connect() {
  connection_ = trial_->open();
  frames_sent_ = 0;
  protocol::Hello greeting = hello(*trial_, user_, index_);
  greeting.features = features_;
  const std::uint64_t request = post(std::move(greeting));
  auto frame = trial_->target().wait_for(
      connection_, [&](const Frame& came) { return came.request_id == request; }, kAnswerTime);
  if (!frame) return false;
  if (const auto* error = std::get_if<protocol::Error>(&frame->body)) {
    if (!protocol::is_definite(error->code)) return false;
    trial_->inconclusive("Hello was answered " + describe(error->code));
  }
  welcome_ = expect_body<protocol::Welcome>(std::move(*frame));
  return true;
}

std::uint64_t Device::post(protocol::Body body) {
  Frame frame;
  frame.frame_seq = ++frames_sent_;
  frame.request_id = ++last_request_;
  frame.body = std::move(body);
  trial_->target().send(connection_, frame);
  return last_request_;
}

Frame Device::answer(std::uint64_t request_id) {
  auto frame = trial_->target().wait_for(
      connection_, [&](const Frame& came) { return came.request_id == request_id; }, kAnswerTime);
  if (!frame) trial_->inconclusive(fmt::format("request {} was not answered", request_id));
  const auto* error = std::get_if<protocol::Error>(&frame->body);
  if (error != nullptr && !protocol::is_definite(error->code)) {
    trial_->inconclusive(fmt::format("request {} was answered {}", request_id, describe(error->code)));
  }
  return std::move(*frame);
}

std::string Device::body_text(const Frame& frame) {
  if (const auto* error = std::get_if<protocol::Error>(&frame.body)) return "Error " + describe(error->code);
  return std::string(protocol::body_name(frame));
}

protocol::SendMessage Device::message(const ConversationId& conversation, std::string_view text) {
  protocol::SendMessage message;
  message.conversation = conversation;
  message.client_msg_id = trial_->next_key();
  message.payload = Slice(text);
  return message;
}

protocol::SendMessage Device::membership(const ConversationId& conversation, protocol::EntryKind kind,
                                         UserId target) {
  protocol::SendMessage wish = message(conversation, {});
  wish.kind = kind;
  wish.target_user = target;
  return wish;
}

protocol::SendAck Device::accepted(const protocol::SendMessage& wish) {
  protocol::SendAck ack = send(wish);
  if (ack.status != protocol::SendStatus::kAccepted) {
    trial_->fail(fmt::format("a send that must be accepted was answered {} ({})", describe(ack.status),
                             describe(ack.error)));
  }
  return ack;
}

protocol::RangeResult Device::page(const ConversationId& conversation, std::uint64_t from, std::uint64_t to,
                                   std::uint32_t limit) {
  return ask<protocol::RangeResult>(protocol::FetchRange{conversation, 0, from, to, limit});
}

protocol::RangeResult Device::fetch(const ConversationId& conversation, std::uint64_t from,
                                    std::uint64_t to) {
  protocol::RangeResult whole = page(conversation, from, to);
  if (whole.error != protocol::ErrorCode::kNone) return whole;
  check_page(whole, from, to);
  while (whole.more) {
    const std::uint64_t next = whole.covered_to_seq + 1;
    const protocol::RangeResult one = page(conversation, next, to);
    trial_->expect_equal("the page's error", one.error, protocol::ErrorCode::kNone);
    check_page(one, next, to);
    whole.events.insert(whole.events.end(), one.events.begin(), one.events.end());
    whole.tombstones.insert(whole.tombstones.end(), one.tombstones.begin(), one.tombstones.end());
    whole.covered_to_seq = one.covered_to_seq;
    whole.head_seq = one.head_seq;
    whole.head_msg_no = one.head_msg_no;
    whole.more = one.more;
  }
  return whole;
}

void Device::check_page(const protocol::RangeResult& page, std::uint64_t from, std::uint64_t to) const {
  trial_->expect_equal("a page's from_seq", page.from_seq, from);
  trial_->expect(covers_densely(page), "a page has a hole or an overlap");
  trial_->expect(!page.more || page.covered_to_seq >= from, "a page that says more follows does not move on");
  const std::uint64_t end = to == 0 ? page.head_seq : std::min(to, page.head_seq);
  trial_->expect(page.covered_to_seq <= std::max(end, from - 1), "a page covers what is not there");
  trial_->expect_equal("more", page.more, page.covered_to_seq < end);
  for (const protocol::Tombstone& run : page.tombstones) {
    for (const protocol::Tombstone& other : page.tombstones) {
      trial_->expect(run.reason != other.reason || run.to_seq + 1 != other.from_seq,
                     "two tombstones that touch are not one");
    }
  }
}

protocol::SyncResult Device::sync(std::uint64_t after, std::uint32_t limit) {
  return ask<protocol::SyncResult>(protocol::Sync{welcome_.user_epoch, after, limit});
}

std::vector<protocol::Change> Device::sync_all(std::uint64_t after, std::uint32_t limit) {
  std::vector<protocol::Change> changes;
  for (;;) {
    protocol::SyncResult page = sync(after, limit);
    trial_->expect_equal("the page's error", page.error, protocol::ErrorCode::kNone);
    trial_->expect(limit == 0 || page.changes.size() <= limit, "more changes than were asked for");
    std::uint64_t covered = after;
    for (protocol::Change& change : page.changes) {
      trial_->expect_equal("a change's prev_user_seq", change.prev_user_seq, covered);
      trial_->expect(change.user_seq > covered, "user_seq does not rise");
      covered = change.user_seq;
      changes.push_back(std::move(change));
    }
    trial_->expect(page.next_user_seq >= covered, "next_user_seq lies before the last change");
    trial_->expect_equal("more", page.more, page.next_user_seq < page.head_user_seq);
    if (!page.more) return changes;
    trial_->expect(page.next_user_seq > after, "a page that says more follows does not move on");
    after = page.next_user_seq;
  }
}

protocol::CursorAck Device::read(const ConversationId& conversation, std::uint64_t seq, bool is_private) {
  return ask<protocol::CursorAck>(protocol::ReadWatermark{conversation, 0, seq, is_private});
}

protocol::CursorAck Device::delivered(const ConversationId& conversation, std::uint64_t seq) {
  return ask<protocol::CursorAck>(protocol::DeliveredCursor{conversation, 0, seq});
}

// ---- pushes

bool Device::next_push(DurationNs within) {
  auto frame = trial_->target().wait_for(
      connection_, [](const Frame& came) { return std::holds_alternative<protocol::ChangePush>(came.body); },
      within);
  if (!frame) return false;
  for (auto& change : std::get<protocol::ChangePush>(frame->body).changes)
    changes_.push_back(std::move(change));
  return true;
}

protocol::Event Device::pushed(const ConversationId& conversation, std::uint64_t seq) {
  std::size_t looked_at = 0;
  do {
    for (; looked_at < changes_.size(); ++looked_at) {
      const auto& event = changes_[looked_at].event;
      if (event && event->conversation == conversation && event->conv_seq == seq) return *event;
    }
  } while (next_push(kAnswerTime));
  trial_->fail(fmt::format("entry {} was not pushed", seq));
}

protocol::Change Device::pushed_receipt(const ConversationId& conversation, UserId subject,
                                        std::uint64_t delivered_seq, std::uint64_t read_seq) {
  std::size_t looked_at = 0;
  do {
    for (; looked_at < changes_.size(); ++looked_at) {
      const protocol::Change& change = changes_[looked_at];
      if (change.kind == protocol::ChangeKind::kReceipt && change.conversation == conversation &&
          change.subject == subject && change.delivered_seq >= delivered_seq && change.read_seq >= read_seq) {
        return change;
      }
    }
  } while (next_push(kAnswerTime));
  trial_->fail(fmt::format("no receipt up to delivered {} and read {} was pushed", delivered_seq, read_seq));
}

const std::vector<protocol::Change>& Device::pushes_until_quiet(std::size_t at_least) {
  while (changes_.size() < at_least && next_push(kAnswerTime)) {
  }
  trial_->target().pass(kQuietTime);
  while (next_push(0)) {
  }
  return changes_;
}

std::vector<Frame> everything_until_quiet(Trial& trial, ConnectionHandle connection) {
  std::vector<Frame> frames;
  while (auto frame = trial.target().wait_for(connection, [](const Frame&) { return true; }, kQuietTime)) {
    frames.push_back(std::move(*frame));
  }
  return frames;
}

// ---- pages

std::vector<std::uint64_t> numbers_of(const protocol::RangeResult& page) {
  std::vector<std::uint64_t> numbers;
  for (const protocol::Event& event : page.events) numbers.push_back(event.conv_seq);
  return numbers;
}

bool covers_densely(const protocol::RangeResult& page) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
  for (const protocol::Event& event : page.events) parts.emplace_back(event.conv_seq, event.conv_seq);
  for (const protocol::Tombstone& run : page.tombstones) parts.emplace_back(run.from_seq, run.to_seq);
  std::sort(parts.begin(), parts.end());
  std::uint64_t next = page.from_seq;
  for (const auto& [from, to] : parts) {
    if (from != next || to < from) return false;
    next = to + 1;
  }
  return next == page.covered_to_seq + 1;
}

}  // namespace wavetank::conformance
