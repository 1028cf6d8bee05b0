// Test only: the smallest server that is obviously right, for one user. Everything is in memory and answered
// at once; what is lost, late, doubled or out of order is the harness's business.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reference/protocol/versions.hpp"

namespace wavetank::client::test {

class FakeServer {
 public:
  struct Conversation {
    std::vector<protocol::Event> log;  // log[i] has seq i + 1
    std::set<std::uint64_t> hidden;    // entries this user may not see
    std::uint64_t delivered = 0;       // marks of the device under test
    std::uint64_t read = 0;            // the user's mark, over all devices
    std::uint64_t floor = 0;           // entries below it are no longer kept
  };
  // What to do with the next request.
  enum class Mood { kAnswer, kUnavailable, kApplyThenUnavailable, kBusy, kLimited };

  explicit FakeServer(UserId user) : user_(user) {}

  std::map<ConversationId, Conversation> conversations;
  Mood mood = Mood::kAnswer;
  std::uint32_t heartbeat_interval_ms = 30'000;
  std::uint32_t reconnect_jitter_ms = 0;
  std::uint32_t user_epoch = 1;
  std::uint64_t feed_floor = 0;        // events of the feed below it are no longer kept
  std::uint32_t resume_window_ms = 0;  // 0: sessions cannot be resumed
  std::uint32_t max_unacked_frames = 0;
  std::uint32_t max_unacked_bytes = 1 << 20;
  std::vector<protocol::Hello> hellos;
  std::size_t max_setting_bytes = 4096;
  std::uint64_t features = protocol::kCoreFeatures;  // of those that a Hello names
  protocol::VersionRange versions;
  std::uint32_t forced_version = 0;  // named in Welcome, whatever was offered
  std::uint64_t time_ms = 0;         // its clock, which stands still
  std::vector<protocol::SignalEphemeral> signals;
  std::vector<protocol::SubscribePresence> subscriptions;

  std::uint64_t feed_head() const { return feed_head_; }
  SessionId session() const { return session_; }

  // An entry by another user (or another device of this one); returns the push for a live session.
  protocol::Frame append(const ConversationId& id, UserId sender, const std::string& text,
                         bool visible = true) {
    protocol::Event event;
    event.conversation = id;
    event.sender = sender;
    event.sender_device = 9;
    event.client_msg_id = {0x7000, ++foreign_messages_};
    event.payload = Slice(text);
    return append_event(std::move(event), visible);
  }

  std::uint32_t token_valid_ms = 0;
  bool answers_access = true;  // renewals and removals
  int renewals = 0;
  std::vector<DeviceIndex> removals;

  // Another device of this user has read up to `seq`.
  std::optional<protocol::Frame> read_elsewhere(const ConversationId& id, std::uint64_t seq) {
    Conversation& conversation = conversations[id];
    seq = std::min<std::uint64_t>(seq, conversation.log.size());
    if (seq <= conversation.read) return std::nullopt;
    conversation.read = seq;
    return push_receipt(id, user_, 0, seq);
  }

  // A peer's receipt.
  protocol::Frame push_receipt(const ConversationId& id, UserId subject, std::uint64_t delivered,
                               std::uint64_t read) {
    std::erase_if(feed_, [&](const protocol::Change& change) {
      return change.kind == protocol::ChangeKind::kReceipt && change.conversation == id &&
             change.subject == subject;
    });
    protocol::Change change;
    change.kind = protocol::ChangeKind::kReceipt;
    change.conversation = id;
    change.subject = subject;
    change.delivered_seq = delivered;
    change.read_seq = read;
    return append_change(std::move(change));
  }

  // A put of the user, by this device (0) or another one.
  protocol::SettingAck take(const protocol::PutSetting& put, DeviceIndex device,
                            std::vector<protocol::Frame>& pushes) {
    protocol::SettingAck ack;
    ack.conversation = put.conversation;
    ack.kind = put.kind;
    ack.op = put.op;
    if (put.text.size() > max_setting_bytes) {
      ack.status = protocol::SendStatus::kRejected;
      ack.error = protocol::ErrorCode::kTooLarge;
      return ack;
    }
    ack.user_epoch = user_epoch;
    const auto is_older = [&](const protocol::Change& change) {
      return change.setting && change.conversation == put.conversation && change.setting->kind == put.kind;
    };
    if (put.op <= ops_[device]) {
      ack.status = protocol::SendStatus::kDuplicate;
      const auto present = std::find_if(feed_.begin(), feed_.end(), is_older);
      ack.revision = present == feed_.end() ? 0 : present->user_seq;
      return ack;
    }
    ops_[device] = put.op;
    std::erase_if(feed_, is_older);
    protocol::Change change;
    change.kind = protocol::ChangeKind::kSetting;
    change.conversation = put.conversation;
    change.setting = protocol::Setting{put.kind, put.text, put.number, device, put.op};
    pushes.push_back(append_change(std::move(change)));
    ack.revision = feed_head_;
    return ack;
  }
  // The value of the user's setting, the empty one when there is none.
  protocol::Setting setting(const ConversationId& id, protocol::SettingKind kind) const {
    for (const protocol::Change& change : feed_) {
      if (change.setting && change.conversation == id && change.setting->kind == kind) return *change.setting;
    }
    return {};
  }

  // The answers and pushes that one frame of the client causes, in order.
  std::vector<protocol::Frame> handle(const protocol::Frame& frame) {
    std::vector<protocol::Frame> out;
    if (const auto* hello = std::get_if<protocol::Hello>(&frame.body)) {
      greet(*hello, out);
      return out;
    }
    if (const auto* beat = std::get_if<protocol::Heartbeat>(&frame.body)) {
      (void)beat;
      out.push_back(protocol::make_frame(protocol::HeartbeatAck{time_ms, feed_head_}));
      return out;
    }
    if (const auto* signal = std::get_if<protocol::SignalEphemeral>(&frame.body)) {
      signals.push_back(*signal);
      return out;
    }
    if (const auto* wish = std::get_if<protocol::SubscribePresence>(&frame.body)) {
      subscriptions.push_back(*wish);
      return out;
    }
    if (std::holds_alternative<protocol::FrameAck>(frame.body)) return out;
    if (std::holds_alternative<protocol::RenewToken>(frame.body)) {
      ++renewals;
      if (answers_access)
        out.push_back(protocol::make_frame(protocol::TokenRenewed{token_valid_ms}, frame.request_id));
      return out;
    }
    if (const auto* unwanted = std::get_if<protocol::RemoveDevice>(&frame.body)) {
      removals.push_back(unwanted->device);
      if (answers_access)
        out.push_back(protocol::make_frame(protocol::DeviceRemoved{unwanted->device}, frame.request_id));
      return out;
    }
    const Mood now = std::exchange(mood, Mood::kAnswer);
    if (now == Mood::kBusy || now == Mood::kUnavailable) {
      const auto code = now == Mood::kBusy ? protocol::ErrorCode::kBusy : protocol::ErrorCode::kUnavailable;
      out.push_back(protocol::make_frame(protocol::Error{code, 100}, frame.request_id));
      return out;
    }
    if (const auto* message = std::get_if<protocol::SendMessage>(&frame.body);
        message != nullptr && now == Mood::kLimited) {
      protocol::SendAck refusal;
      refusal.conversation = message->conversation;
      refusal.client_msg_id = message->client_msg_id;
      refusal.status = protocol::SendStatus::kRejected;
      refusal.error = protocol::ErrorCode::kRateLimited;
      refusal.retry_after_ms = 400;
      out.push_back(protocol::make_frame(refusal, frame.request_id));
      return out;
    }
    std::vector<protocol::Frame> pushes;
    protocol::Frame answer = answer_to(frame, pushes);
    if (now == Mood::kApplyThenUnavailable) {
      answer.body = protocol::Error{protocol::ErrorCode::kUnavailable, 0};
    }
    answer.request_id = frame.request_id;
    out.push_back(std::move(answer));
    for (protocol::Frame& push : pushes) out.push_back(std::move(push));
    return out;
  }

  protocol::Frame welcome() {
    protocol::Welcome welcome;
    const protocol::Hello hello = hellos.empty() ? protocol::Hello() : hellos.back();
    welcome.version = protocol::common_version({hello.min_version, hello.max_version}, versions);
    if (forced_version != 0) welcome.version = forced_version;
    welcome.session = ++session_;
    welcome.heartbeat_interval_ms = heartbeat_interval_ms;
    welcome.reconnect_jitter_ms = reconnect_jitter_ms;
    welcome.user_epoch = user_epoch;
    welcome.user_head_seq = feed_head_;
    welcome.features = hellos.empty() ? 0 : features & hellos.back().features;
    welcome.server_time_ms = time_ms;
    welcome.max_unacked_frames = max_unacked_frames;
    welcome.max_unacked_bytes = max_unacked_bytes;
    welcome.token_valid_ms = token_valid_ms;
    return protocol::make_frame(welcome);
  }

  // A Hello with the token of the last Welcome resumes that session: what the feed has above the cursor is
  // pushed again, one change in a frame.
  void greet(const protocol::Hello& hello, std::vector<protocol::Frame>& out) {
    hellos.push_back(hello);
    const bool resumed = hello.resume_token != ResumeToken() && hello.resume_token == token_;
    out.push_back(welcome());
    if (resume_window_ms == 0) return;
    auto welcome = std::get<protocol::Welcome>(out[0].body);
    token_ = {0x70, ++tokens_};
    welcome.resume_token = token_;
    welcome.resume_window_ms = resume_window_ms;
    welcome.resumed = resumed;
    if (resumed) welcome.session = --session_;
    for (const protocol::Change& change : feed_) {
      if (!resumed || change.user_seq <= hello.user_seq) continue;
      out.push_back(protocol::make_frame(protocol::ChangePush{user_epoch, {change}}));
    }
    welcome.replayed = static_cast<std::uint32_t>(out.size() - 1);
    out[0].body = welcome;
  }
  // The server forgets: the token that it gave is worth nothing.
  void forget_session() { token_ = {}; }

  // The feed is rebuilt under another epoch, densely numbered from 1.
  void change_user_epoch() {
    ++user_epoch;
    feed_head_ = 0;
    for (protocol::Change& change : feed_) {
      change.prev_user_seq = feed_head_;
      change.user_seq = ++feed_head_;
    }
  }

 private:
  protocol::Frame append_event(protocol::Event event, bool visible) {
    Conversation& conversation = conversations[event.conversation];
    event.conv_epoch = 1;
    event.conv_seq = conversation.log.size() + 1;
    event.msg_no = event.conv_seq;
    conversation.log.push_back(event);
    if (!visible) {
      conversation.hidden.insert(event.conv_seq);
      return {};
    }
    protocol::Change change;
    change.conversation = event.conversation;
    change.event = std::move(event);
    return append_change(std::move(change));
  }

  protocol::Frame append_change(protocol::Change change) {
    change.prev_user_seq = feed_head_;
    change.user_seq = ++feed_head_;
    feed_.push_back(change);
    protocol::ChangePush push;
    push.user_epoch = user_epoch;
    push.changes.push_back(std::move(change));
    return protocol::make_frame(std::move(push));
  }

  protocol::Frame answer_to(const protocol::Frame& frame, std::vector<protocol::Frame>& pushes) {
    if (const auto* send = std::get_if<protocol::SendMessage>(&frame.body)) return on_send(*send, pushes);
    if (const auto* fetch = std::get_if<protocol::FetchRange>(&frame.body)) return on_fetch(*fetch);
    if (const auto* sync = std::get_if<protocol::Sync>(&frame.body)) return on_sync(*sync);
    if (const auto* wanted = std::get_if<protocol::FetchSnapshot>(&frame.body)) return on_snapshot(*wanted);
    if (const auto* put = std::get_if<protocol::PutSetting>(&frame.body)) {
      return protocol::make_frame(take(*put, 0, pushes));
    }
    protocol::CursorAck ack;
    if (const auto* mark = std::get_if<protocol::DeliveredCursor>(&frame.body)) {
      ack.conversation = mark->conversation;
      Conversation& conversation = conversations[mark->conversation];
      conversation.delivered = std::max(conversation.delivered, mark->delivered_seq);
    } else if (const auto* read = std::get_if<protocol::ReadWatermark>(&frame.body)) {
      ack.conversation = read->conversation;
      Conversation& conversation = conversations[read->conversation];
      conversation.delivered = std::max(conversation.delivered, read->read_seq);
      conversation.read = std::max(conversation.read, read->read_seq);
    }
    const Conversation& conversation = conversations[ack.conversation];
    ack.delivered_seq = conversation.delivered;
    ack.read_seq = conversation.read;
    ack.head_seq = conversation.log.size();
    return protocol::make_frame(ack);
  }

  protocol::Frame on_send(const protocol::SendMessage& send, std::vector<protocol::Frame>& pushes) {
    Conversation& conversation = conversations[send.conversation];
    protocol::SendAck ack;
    ack.conversation = send.conversation;
    ack.client_msg_id = send.client_msg_id;
    ack.conv_epoch = 1;
    for (const protocol::Event& event : conversation.log) {
      if (event.client_msg_id != send.client_msg_id || event.sender != user_) continue;
      ack.status = protocol::SendStatus::kDuplicate;
      ack.conv_seq = event.conv_seq;
      return protocol::make_frame(ack);
    }
    protocol::Event event;
    event.conversation = send.conversation;
    event.sender = user_;
    event.client_msg_id = send.client_msg_id;
    event.kind = send.kind;
    event.payload = send.payload;
    pushes.push_back(append_event(std::move(event), true));
    ack.conv_seq = conversation.log.size();
    return protocol::make_frame(ack);
  }

  protocol::Frame on_fetch(const protocol::FetchRange& fetch) {
    const Conversation& conversation = conversations[fetch.conversation];
    protocol::RangeResult result;
    result.conversation = fetch.conversation;
    result.conv_epoch = 1;
    result.from_seq = fetch.from_seq;
    result.head_seq = conversation.log.size();
    result.min_seq = conversation.floor;
    if (fetch.from_seq < conversation.floor) {
      result.covered_to_seq = fetch.from_seq - 1;
      result.error = protocol::ErrorCode::kRangeTooOld;
      return protocol::make_frame(std::move(result));
    }
    const std::uint64_t to = fetch.to_seq == 0 ? result.head_seq : std::min(fetch.to_seq, result.head_seq);
    std::uint64_t seq = fetch.from_seq;
    for (; seq <= to && result.events.size() < fetch.limit; ++seq) {
      if (!conversation.hidden.contains(seq)) {
        result.events.push_back(conversation.log[seq - 1]);
      } else if (!result.tombstones.empty() && result.tombstones.back().to_seq + 1 == seq) {
        result.tombstones.back().to_seq = seq;
      } else {
        result.tombstones.push_back({seq, seq, protocol::TombstoneReason::kNotVisible});
      }
    }
    result.covered_to_seq = seq - 1;
    result.more = result.covered_to_seq < to;
    return protocol::make_frame(std::move(result));
  }

  protocol::Frame on_sync(const protocol::Sync& sync) {
    protocol::SyncResult result;
    result.user_epoch = user_epoch;
    result.from_user_seq = sync.user_seq;
    result.head_user_seq = feed_head_;
    if (sync.user_epoch != user_epoch) {
      result.error = protocol::ErrorCode::kEpochMismatch;
      return protocol::make_frame(std::move(result));
    }
    if (feed_floor > sync.user_seq + 1) {
      result.next_user_seq = sync.user_seq;
      result.error = protocol::ErrorCode::kSyncTooLong;
      result.snapshot_token = {0x51, feed_head_};
      return protocol::make_frame(std::move(result));
    }
    result.next_user_seq = feed_head_;
    for (const protocol::Change& change : feed_) {
      if (change.user_seq <= sync.user_seq) continue;
      if (result.changes.size() == sync.limit) {
        result.more = true;
        result.next_user_seq = result.changes.back().user_seq;
        break;
      }
      result.changes.push_back(change);
      protocol::Change& last = result.changes.back();
      last.prev_user_seq =
          result.changes.size() == 1 ? sync.user_seq : result.changes[result.changes.size() - 2].user_seq;
    }
    return protocol::make_frame(std::move(result));
  }

  // The token is the number at which the snapshot was begun.
  protocol::Frame on_snapshot(const protocol::FetchSnapshot& wanted) {
    protocol::SnapshotPage page;
    page.token = wanted.token;
    page.user_epoch = user_epoch;
    page.state_user_seq = feed_head_;
    if (wanted.token.hi != 0x51 || feed_floor > wanted.token.lo + 1) {
      page.error = protocol::ErrorCode::kSnapshotExpired;
      return protocol::make_frame(std::move(page));
    }
    page.user_seq = wanted.token.lo;
    for (auto at = conversations.upper_bound(wanted.after); at != conversations.end(); ++at) {
      page.more = page.conversations.size() == wanted.limit;
      if (page.more) break;
      protocol::ConversationState& state = page.conversations.emplace_back();
      state.conversation = at->first;
      state.conv_epoch = 1;
      state.head_seq = at->second.log.size();
      state.min_seq = at->second.floor;
      for (const protocol::Change& change : feed_) {
        if (change.conversation == at->first && !change.event) state.latest.push_back(change);
      }
    }
    return protocol::make_frame(std::move(page));
  }

  UserId user_;
  std::vector<protocol::Change> feed_;
  std::uint64_t feed_head_ = 0;
  SessionId session_ = 0;
  ResumeToken token_;
  std::uint64_t tokens_ = 0;
  std::map<DeviceIndex, std::uint64_t> ops_;  // the highest put taken, by device
  std::uint64_t foreign_messages_ = 0;
};

}  // namespace wavetank::client::test
