#include <algorithm>
#include <vector>

#include "sim/population/behaviour.hpp"

namespace wavetank::sim {
namespace {

class ScriptPlayer final : public Behaviour {
 public:
  ScriptPlayer(const scenarios::Population& population, const Script& script, Randomness randomness,
               Stage& stage)
      : population_(population), script_(script), randomness_(randomness), stage_(stage) {
    state_.resize(script.actions.size());
    sent_.resize(script.devices.size());
    unread_.resize(script.devices.size());
    open_until_.resize(script.devices.size());
    // Replies by what they answer: first_reply_[a] .. first_reply_[a + 1] in replies_.
    first_reply_.assign(script.actions.size() + 2, 0);
    for (const Action& action : script.actions) {
      if (action.antecedent != kNoIndex) ++first_reply_[action.antecedent + 2];
    }
    for (std::size_t i = 2; i < first_reply_.size(); ++i) first_reply_[i] += first_reply_[i - 1];
    replies_.resize(first_reply_.back());
    for (std::uint32_t i = 0; i < script.actions.size(); ++i) {
      if (script.actions[i].antecedent != kNoIndex)
        replies_[first_reply_[script.actions[i].antecedent + 1]++] = i;
    }
  }

  void begin() override {
    const TimeNs ramp = population_.ramp_s() * kSecond;
    for (std::uint32_t device = 0; device < script_.devices.size(); ++device) {
      if (!script_.devices[device].always_on) continue;
      open_until_[device] = kNever;
      stage_.cue_at(randomness_.between(0, ramp, Purpose::kSession, device, 1), kOpen, device);
    }
    next_action();
    next_session();
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    switch (code) {
      case kAct:
        act_on_time();
        break;
      case kLate:
        if (!state_[index].done) send(index);
        break;
      case kSession:
        open_session();
        break;
      case kOpen:
        if (!stage_.app_is_open(index)) stage_.open_app(index);
        break;
      case kClose:
        // A message sent meanwhile may have kept the app open longer. At the end all stay, to be asked what
        // they hold.
        if (!quiet_ && stage_.app_is_open(index) && open_until_[index] <= stage_.now())
          stage_.close_app(index);
        break;
      case kRead:
        read(index);
        break;
      default:
        break;
    }
  }

  void shown(std::uint32_t device, std::uint32_t conversation, std::uint32_t sender, std::uint32_t counter,
             std::uint64_t seq) override {
    if (script_.devices[device].user != script_.devices[sender].user) plan_reading(device, conversation);
    if (counter == 0 || counter > sent_[sender].size()) return;
    const std::uint32_t action = sent_[sender][counter - 1];
    if (action == kNoAction) return;
    for (std::uint32_t i = first_reply_[action]; i < first_reply_[action + 1]; ++i) {
      const std::uint32_t reply = replies_[i];
      State& state = state_[reply];
      if (script_.actions[reply].device != device || state.done || state.shown) continue;
      state.shown = true;
      state.answers = seq;
      state.earliest = stage_.now() + randomness_.between(population_.reply_min_ms() * kMillisecond,
                                                          population_.reply_max_ms() * kMillisecond,
                                                          Purpose::kReplyDelay, reply, 0);
      if (state.due) stage_.cue_at(state.earliest, kLate, reply);
    }
  }

  void quiesce() override { quiet_ = true; }

 private:
  enum Code : std::uint32_t { kAct, kLate, kSession, kOpen, kClose, kRead };
  struct State {
    bool done = false;
    bool due = false;    // its time has come, it waits for its antecedent
    bool shown = false;  // its antecedent was shown on its device
    TimeNs earliest = 0;
    std::uint64_t answers = 0;  // the entry that its antecedent became; 0: not shown
  };

  void next_action() {
    if (next_action_ < script_.actions.size()) stage_.cue_at(script_.actions[next_action_].at, kAct, 0);
  }

  void act_on_time() {
    while (next_action_ < script_.actions.size() && script_.actions[next_action_].at <= stage_.now()) {
      const std::uint32_t index = next_action_++;
      const Action& action = script_.actions[index];
      State& state = state_[index];
      stay_open(action.device);
      if (action.antecedent == kNoIndex || (state.shown && state.earliest <= stage_.now())) {
        send(index);
      } else {
        state.due = true;
        stage_.cue_at(
            state.shown ? state.earliest : stage_.now() + population_.reply_wait_ms() * kMillisecond, kLate,
            index);
      }
    }
    next_action();
  }

  void send(std::uint32_t index) {
    const Action& action = script_.actions[index];
    state_[index].done = true;
    if (quiet_) return;
    stay_open(action.device);
    const std::uint64_t answers = state_[index].answers;
    const bool refers = population_.reply_references() && answers != 0 && is_in_its_place(action);
    const std::uint32_t counter =
        refers ? stage_.reply(action.device, action.conversation, action.size, answers)
               : stage_.send(action.device, action.conversation, action.kind, action.size);
    if (counter == 0) return;  // the device did not take it
    std::vector<std::uint32_t>& sent = sent_[action.device];
    if (sent.size() < counter) sent.resize(counter, kNoAction);
    sent[counter - 1] = index;
  }

  // A message that answers one of the same conversation.
  bool is_in_its_place(const Action& action) const {
    return action.kind == protocol::EntryKind::kMessage &&
           script_.actions[action.antecedent].conversation == action.conversation;
  }

  // Whoever acts has the app open, and keeps it open for a minute.
  void stay_open(std::uint32_t device) {
    if (!stage_.app_is_open(device)) stage_.open_app(device);
    if (open_until_[device] == kNever) return;
    const TimeNs until = stage_.now() + 60 * kSecond;
    if (until <= open_until_[device]) return;
    open_until_[device] = until;
    stage_.cue_at(until, kClose, device);
  }

  void next_session() {
    if (next_session_ < script_.sessions.size())
      stage_.cue_at(script_.sessions[next_session_].open, kSession, 0);
  }

  void open_session() {
    while (next_session_ < script_.sessions.size() && script_.sessions[next_session_].open <= stage_.now()) {
      const Session& session = script_.sessions[next_session_++];
      if (quiet_) continue;
      if (!stage_.app_is_open(session.device)) stage_.open_app(session.device);
      if (session.close > open_until_[session.device]) {
        open_until_[session.device] = session.close;
        stage_.cue_at(session.close, kClose, session.device);
      }
    }
    next_session();
  }

  // First devices always read; on the others people look now and then.
  void plan_reading(std::uint32_t device, std::uint32_t conversation) {
    if (!population_.reads() || quiet_) return;
    std::vector<std::uint32_t>& unread = unread_[device];
    const bool first = device == script_.users[script_.devices[device].user].first_device;
    if (!first &&
        !randomness_.chance(1, 4, Purpose::kReadDelay, device, static_cast<std::uint64_t>(stage_.now()), 1))
      return;
    if (unread.empty()) {
      stage_.cue_at(
          stage_.now() + randomness_.between(population_.read_min_ms() * kMillisecond,
                                             population_.read_max_ms() * kMillisecond, Purpose::kReadDelay,
                                             device, static_cast<std::uint64_t>(stage_.now())),
          kRead, device);
    }
    if (std::find(unread.begin(), unread.end(), conversation) == unread.end()) unread.push_back(conversation);
  }

  void read(std::uint32_t device) {
    // What was shown while the app has been closed again is read when something new is shown.
    for (const std::uint32_t conversation : unread_[device]) {
      if (stage_.app_is_open(device)) stage_.read(device, conversation);
    }
    unread_[device].clear();
  }

  static constexpr std::uint32_t kNoAction = kNoIndex;
  const scenarios::Population& population_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<State> state_;                // by action
  std::vector<std::uint32_t> first_reply_;  // by action, into replies_
  std::vector<std::uint32_t> replies_;
  std::vector<std::vector<std::uint32_t>> sent_;    // by device: the action of each message counter
  std::vector<std::vector<std::uint32_t>> unread_;  // by device: conversations to read
  std::vector<TimeNs> open_until_;                  // by device; kNever = always on
  std::uint32_t next_action_ = 0;
  std::uint32_t next_session_ = 0;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Behaviour> make_script_player(const scenarios::Population& population, const Script& script,
                                              Randomness randomness, Stage& stage) {
  return std::make_unique<ScriptPlayer>(population, script, randomness, stage);
}

}  // namespace wavetank::sim
