// Test only: one device, one fake server, a wire between them that the test moves by hand.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/client/client.hpp"
#include "reference/client/fake_server.hpp"
#include "reference/client/test_store.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::client::test {

inline constexpr UserId kUser = 100;
inline constexpr UserId kPeer = 200;
inline constexpr DeviceTag kTag = 7;
inline const ConversationId kDirect = direct_conversation(kUser, kPeer);
inline const ConversationId kGroup = group_conversation(0, 1);

// Records what the client tells.
class Recorder final : public ClientObserver {
 public:
  struct Received {
    protocol::Event event;
    Via via;
    bool applied;
  };
  std::vector<Received> received;
  std::vector<protocol::Tombstone> tombstones;
  std::vector<protocol::SendAck> resolved;
  std::vector<protocol::SendAck> refused;  // attempts
  std::vector<std::pair<protocol::SendMessage, std::uint32_t>> transmitted;
  std::vector<protocol::CursorAck> cursor_acks;
  std::vector<protocol::Change> receipts;
  std::vector<std::pair<std::uint64_t, bool>> pointers;  // head, taken
  std::vector<ClientMessageId> invoked;
  std::vector<protocol::SettingAck> settings_resolved;
  std::vector<RequestSent> requests;
  std::vector<std::pair<std::uint32_t, protocol::ErrorCode>> answers;
  std::vector<protocol::ErrorCode> refusals;  // of logins
  std::array<int, static_cast<std::size_t>(Probe::kCount)> probes{};
  std::vector<std::pair<std::uint64_t, std::string>> settings_seen;  // revision, text
  std::vector<protocol::SignalEphemeral> typing_said;
  std::vector<UserId> typing_seen;
  std::vector<std::pair<ConversationId, UserId>> typing_over;
  std::vector<TypingEnd> typing_ends;
  std::vector<std::pair<UserId, bool>> presence;  // as it changes
  std::vector<std::pair<UserId, std::uint64_t>> last_seen;
  std::vector<bool> watches;
  int connects = 0;
  int disconnects = 0;
  int go_aways = 0;
  int resumes = 0;  // sessions resumed
  int push_gaps = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> skips;  // from, floor
  std::vector<ConversationId> states;                          // of snapshots
  int snapshot_pages = 0;
  int fetches = 0;
  int syncs = 0;
  std::vector<std::uint64_t> unnamed;  // features of what came without being named

  void connected(DeviceTag, SessionId) override { ++connects; }
  void unnamed_received(DeviceTag, std::uint64_t feature) override { unnamed.push_back(feature); }
  void disconnected(DeviceTag, CloseReason) override { ++disconnects; }
  void resume_answered(DeviceTag, const ResumeToken&, std::uint64_t,
                       const protocol::Welcome& welcome) override {
    resumes += welcome.resumed ? 1 : 0;
  }
  void go_away_received(DeviceTag, const protocol::GoAway&) override { ++go_aways; }
  void push_gap_received(DeviceTag, const protocol::PushGap&) override { ++push_gaps; }
  void send_invoked(DeviceTag, const protocol::SendMessage& message) override {
    invoked.push_back(message.client_msg_id);
  }
  void send_transmitted(DeviceTag, const protocol::SendMessage& message, std::uint32_t attempt) override {
    transmitted.emplace_back(message, attempt);
  }
  void send_resolved(DeviceTag, const protocol::SendAck& ack) override { resolved.push_back(ack); }
  void send_refused(DeviceTag, const protocol::SendAck& ack, std::uint32_t) override {
    refused.push_back(ack);
  }
  void event_received(DeviceTag, const protocol::Event& event, Via via, bool applied) override {
    received.push_back({event, via, applied});
  }
  void tombstone_received(DeviceTag, const ConversationId&, const protocol::Tombstone& tombstone,
                          bool applied) override {
    if (applied) tombstones.push_back(tombstone);
  }
  void parked_received(DeviceTag, const ConversationId&, std::uint64_t seq, bool applied) override {
    if (applied) tombstones.push_back({seq, seq, protocol::TombstoneReason::kParked});
  }
  void sync_invoked(DeviceTag, const protocol::Sync&) override { ++syncs; }
  void fetch_invoked(DeviceTag, std::uint64_t, const protocol::FetchRange&) override { ++fetches; }
  void skipped_to_floor(DeviceTag, const ConversationId&, std::uint64_t from, std::uint64_t floor) override {
    skips.emplace_back(from, floor);
  }
  void snapshot_completed(DeviceTag, const protocol::SnapshotPage&) override { ++snapshot_pages; }
  void snapshot_row(DeviceTag, const protocol::ConversationState& state) override {
    states.push_back(state.conversation);
  }
  void cursor_acked(DeviceTag, const protocol::CursorAck& ack) override { cursor_acks.push_back(ack); }
  void receipt_received(DeviceTag, const protocol::Change& change) override { receipts.push_back(change); }
  void pointer_received(DeviceTag, const protocol::Change& change, Via, bool taken) override {
    pointers.emplace_back(change.head_seq, taken);
  }

  void request_sent(DeviceTag, const RequestSent& request) override { requests.push_back(request); }
  void request_answered(DeviceTag, std::uint32_t request, protocol::ErrorCode code) override {
    answers.emplace_back(request, code);
  }
  void login_refused(DeviceTag, protocol::ErrorCode code) override { refusals.push_back(code); }
  void probe(DeviceTag, Probe probe) override { ++probes[static_cast<std::size_t>(probe)]; }
  int count(Probe probe) const { return probes[static_cast<std::size_t>(probe)]; }
  void setting_resolved(DeviceTag, const protocol::SettingAck& ack) override {
    settings_resolved.push_back(ack);
  }
  void setting_received(DeviceTag, const protocol::Change& change, Via) override {
    settings_seen.emplace_back(change.user_seq, std::string(change.setting->text.view()));
  }

  void typing_sent(DeviceTag, const protocol::SignalEphemeral& signal) override {
    typing_said.push_back(signal);
  }
  void typing_shown(DeviceTag, const protocol::SignalEphemeral& signal) override {
    typing_seen.push_back(signal.user);
  }
  void typing_hidden(DeviceTag, const ConversationId& conversation, UserId user, TypingEnd why) override {
    typing_over.emplace_back(conversation, user);
    typing_ends.push_back(why);
  }

  int signed_outs = 0;
  int signed_ins = 0;
  std::vector<DeviceIndex> removed;
  void signed_out(DeviceTag, protocol::ErrorCode) override { ++signed_outs; }
  void signed_in(DeviceTag) override { ++signed_ins; }
  void removal_resolved(DeviceTag, const protocol::DeviceRemoved& answer) override {
    removed.push_back(answer.device);
  }

  void presence_shown(DeviceTag, const ConversationId&, UserId user, bool online) override {
    presence.emplace_back(user, online);
  }
  void last_seen_shown(DeviceTag, const ConversationId&, UserId user, std::uint64_t last_seen_ms) override {
    last_seen.emplace_back(user, last_seen_ms);
  }
  void presence_watched(DeviceTag, const ConversationId&, bool on) override { watches.push_back(on); }

  // Numbers of the entries shown, in the order they were shown.
  std::vector<std::uint64_t> shown(const ConversationId& id) const {
    std::vector<std::uint64_t> sequences;
    for (const Received& row : received) {
      if (row.applied && row.event.conversation == id) sequences.push_back(row.event.conv_seq);
    }
    return sequences;
  }
};

// The defaults, but that marks of groups do not rest: most tests are about other rules and end when all is
// acknowledged.
inline ClientConfig unrested(ClientConfig config = {}) {
  config.group_receipts_interval_ms = 0;
  return config;
}

class Harness {
 public:
  enum class Wire { kNone, kDialing, kOpen, kHalfOpen };

  explicit Harness(const ClientConfig& config = unrested(), std::uint64_t seed = 1)
      : server(kUser), shared{config, Randomness(seed), recorder} {
    build();
  }

  FakeServer server;
  Recorder recorder;
  ClientShared shared;
  TestStore store;
  std::unique_ptr<Client> client;
  TimeNs now = 1'000 * kSecond;
  TimeNs armed_at = kNever;
  Wire wire = Wire::kNone;
  std::deque<protocol::Frame> to_server;
  std::deque<protocol::Frame> to_client;
  std::vector<std::string> complaints;
  int timer_firings = 0;
  int dials = 0;
  bool crashed_mid_step = false;

  void build() {
    client = std::make_unique<Client>(shared, kUser, 0, kTag, Slice("token"), store);
    last_flush_.clear();
  }

  // Runs one input of the client and carries out its effects, unless the step's commit was lost in a crash.
  template <class Step>
  void step(Step&& run) {
    Effects effects;
    run(*client, effects);
    if (store.crashed) {
      store.crashed = false;
      crashed_mid_step = true;
      crash();
      return;
    }
    carry_out(effects);
  }

  void start() {
    step([&](Client& machine, Effects& effects) { machine.start(now, effects); });
  }
  void stop() {
    step([&](Client& machine, Effects& effects) { machine.stop(now, effects); });
    last_flush_.clear();  // a new process knows nothing of the old one's flushes
  }
  // The process dies and is started again over what was committed.
  void crash() {
    store.discard();
    client.reset();
    lose_wire();
    armed_at = kNever;
    build();
    start();
  }

  void accept_dial() {
    if (wire != Wire::kDialing) return;
    wire = Wire::kOpen;
    frames_to_client_ = 0;
    step([&](Client& machine, Effects& effects) { machine.connected(now, effects); });
  }
  void lose_connection(CloseReason reason = CloseReason::kReset) {
    if (wire == Wire::kNone) return;
    lose_wire();
    step([&](Client& machine, Effects& effects) { machine.closed(reason, now, effects); });
  }
  void go_half_open() {
    if (wire != Wire::kOpen) return;
    wire = Wire::kHalfOpen;
    to_server.clear();
    to_client.clear();
  }

  // Moves one frame to the server; its answers and pushes wait on the way back.
  bool carry_to_server() {
    if (to_server.empty() || wire != Wire::kOpen) return false;
    const protocol::Frame frame = over_the_wire(to_server.front());
    to_server.pop_front();
    for (protocol::Frame& answer : server.handle(frame)) to_client.push_back(std::move(answer));
    return true;
  }
  bool carry_to_client() {
    if (to_client.empty() || wire != Wire::kOpen) return false;
    to_client.front().frame_seq = ++frames_to_client_;
    protocol::Frame frame = over_the_wire(to_client.front());
    to_client.pop_front();
    receive(std::move(frame));
    return true;
  }
  void receive(protocol::Frame frame) {
    step([&](Client& machine, Effects& effects) { machine.frame_received(std::move(frame), now, effects); });
  }
  // A push that exists only for a live session.
  void push(protocol::Frame frame) {
    if (wire == Wire::kOpen && !std::holds_alternative<std::monostate>(frame.body))
      to_client.push_back(std::move(frame));
  }

  void advance(DurationNs duration) {
    const TimeNs end = now + duration;
    while (armed_at <= end) {
      now = std::max(now, armed_at);
      fire();
    }
    now = end;
  }
  void fire() {
    armed_at = kNever;
    ++timer_firings;
    step([&](Client& machine, Effects& effects) { machine.timer_fired(0, now, effects); });
  }
  // Everything that is on its way arrives, in order and at once.
  void settle() {
    bool moved = true;
    while (moved) {
      moved = false;
      if (wire == Wire::kDialing) {
        accept_dial();
        moved = true;
      }
      while (carry_to_server()) moved = true;
      while (carry_to_client()) moved = true;
    }
  }
  // Lets healthy time pass until the client has converged, at most `limit`.
  bool heal(DurationNs limit) {
    const TimeNs end = now + limit;
    settle();
    while (now < end) {
      advance(100 * kMillisecond);
      settle();
    }
    return client->is_converged();
  }

  ClientMessageId send(const ConversationId& id, const std::string& text) {
    ClientMessageId key;
    step([&](Client& machine, Effects& effects) {
      key = machine.send(id, protocol::EntryKind::kMessage, 0, 0, Slice(text), now, effects);
    });
    return key;
  }
  std::uint64_t put(const ConversationId& id, protocol::SettingKind kind, const std::string& text,
                    std::uint64_t number = 0) {
    std::uint64_t op = 0;
    step([&](Client& machine, Effects& effects) {
      op = machine.put_setting(id, kind, Slice(text), number, now, effects);
    });
    return op;
  }
  void type(const ConversationId& id, bool is_typing = true) {
    step([&](Client& machine, Effects& effects) { machine.set_typing(id, is_typing, now, effects); });
  }
  void read(const ConversationId& id, std::uint64_t seq) {
    step([&](Client& machine, Effects& effects) { machine.read(id, seq, now, effects); });
  }

  // Frames of one kind that wait for the server.
  template <class Body>
  std::vector<Body> waiting() const {
    std::vector<Body> found;
    for (const protocol::Frame& frame : to_server) {
      if (const auto* body = std::get_if<Body>(&frame.body)) found.push_back(*body);
    }
    return found;
  }

 private:
  void lose_wire() {
    wire = Wire::kNone;
    to_server.clear();
    to_client.clear();
  }

  protocol::Frame over_the_wire(const protocol::Frame& frame) {
    std::string bytes;
    protocol::encode(frame, bytes);
    auto decoded = protocol::decode(bytes);
    if (!decoded) {
      complaints.push_back("a frame does not survive the codec");
      return frame;
    }
    return std::move(*decoded);
  }

  void carry_out(Effects& effects) {
    for (Effect& effect : effects.list()) {
      switch (effect.kind) {
        case Effect::Kind::kSend:
          check_frame(effect.frame);
          if (wire == Wire::kOpen) to_server.push_back(std::move(effect.frame));
          break;
        case Effect::Kind::kClose:
          lose_wire();
          break;
        case Effect::Kind::kArmTimer:
          if (effect.at != kNever && effect.at >= armed_at) complaints.push_back("armed without need");
          armed_at = effect.at;
          break;
        case Effect::Kind::kDial:
          if (wire != Wire::kNone) complaints.push_back("dialled twice");
          wire = Wire::kDialing;
          ++dials;
          break;
        case Effect::Kind::kSendPeer:
          complaints.push_back("a client has no peers");
          break;
      }
    }
  }

  void check_frame(const protocol::Frame& frame) {
    if (const auto* message = std::get_if<protocol::SendMessage>(&frame.body)) {
      if (!store.has_outbox_row(message->client_msg_id))
        complaints.push_back("sent before its row was stored");
    }
    if (const auto* put = std::get_if<protocol::PutSetting>(&frame.body)) {
      const auto& puts = store.durable().state.puts;
      if (std::find(puts.begin(), puts.end(), *put) == puts.end())
        complaints.push_back("a setting was put before it was stored");
    }
    if (const auto* mark = std::get_if<protocol::DeliveredCursor>(&frame.body))
      note_flush(mark->conversation);
    if (const auto* mark = std::get_if<protocol::ReadWatermark>(&frame.body)) note_flush(mark->conversation);
  }
  void note_flush(const ConversationId& id) {
    const auto [place, first] = last_flush_.try_emplace(id, now);
    if (first || place->second == now) return;
    if (now - place->second < shared.config.receipts_interval_ms * kMillisecond) {
      complaints.push_back("receipts flushed too often");
    }
    place->second = now;
  }

  std::map<ConversationId, TimeNs> last_flush_;
  std::uint32_t frames_to_client_ = 0;
};

// A harness whose client has a session and nothing under way.
struct Online : Harness {
  explicit Online(const ClientConfig& config = unrested()) : Harness(config) {
    start();
    settle();
    EXPECT_TRUE(client->is_connected());
  }
  ~Online() {
    EXPECT_EQ(complaints, std::vector<std::string>{});
    EXPECT_EQ(store.complaints, std::vector<std::string>{});
  }
  void answer_everything() { settle(); }
  template <class Body>
  std::uint64_t request_id_of_first() const {
    for (const protocol::Frame& frame : to_server) {
      if (std::holds_alternative<Body>(frame.body)) return frame.request_id;
    }
    return 0;
  }
};

}  // namespace wavetank::client::test
