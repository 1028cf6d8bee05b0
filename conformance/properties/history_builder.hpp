// Test kit: writes small histories in prose-like calls over a tiny messenger that does everything right.
// Length: the messenger that does everything right is one thing, with every kind of record.
//   HistoryBuilder h;
//   const auto anna = h.device(0), bert = h.device(1);
//   const auto chat = h.direct(0, 1);
//   const auto hello = h.say(anna, chat);     // invoked, transmitted, stored, acknowledged
//   h.push(bert, chat, h.place(hello));       // what a device makes of it (shown, held, repeated) is worked
//   out h.end();                                  // quiesce, final re-read, states
//   EXPECT_TRUE(h.judged().failed().empty());
//
// A violation is made by changing the records (h.last(), h.records) or by the calls that say "wrongly".
// Test-only.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "conformance/exact/agreement.hpp"
#include "conformance/exact/exact_judge.hpp"
#include "conformance/properties/judge.hpp"

namespace wavetank::conformance::test {

using history::Record;

// What a judge says of a history.
struct Judgement {
  std::vector<PropertyOutcome> outcomes;
  std::vector<LatencyOutcome> latencies;

  const PropertyOutcome& of(const std::string& id) const {
    return *std::find_if(outcomes.begin(), outcomes.end(),
                         [&](const auto& outcome) { return outcome.id == id; });
  }
  bool violated(const std::string& id) const { return of(id).violations > 0; }
  std::set<std::string> failed() const {
    std::set<std::string> ids;
    for (const PropertyOutcome& outcome : outcomes) {
      if (outcome.violations > 0) ids.insert(outcome.id);
    }
    return ids;
  }
  // Ids and first notes of all violations, for a test's message.
  std::string told() const {
    std::string text;
    for (const PropertyOutcome& outcome : outcomes) {
      if (outcome.violations > 0) text += outcome.id + ": " + outcome.note + "\n";
    }
    return text;
  }
};

// The online judge's word; every history of a test is put before the exact judge too (unless told
// otherwise), and throws when the two disagree.
inline Judgement judge(const std::vector<Record>& records, const JudgeConfig& config = {},
                       bool compares = true) {
  Judge judge(config);
  for (const Record& record : records) judge.on(record);
  judge.finish();
  Judgement judgement{judge.outcomes(), judge.latencies()};
  if (!compares) return judgement;
  const std::string differ = exact::disagreement(judgement.outcomes, exact::judge(records, config));
  if (!differ.empty()) throw std::logic_error("the judges disagree:\n" + differ);
  return judgement;
}

class HistoryBuilder {
 public:
  std::vector<Record> records;
  JudgeConfig config;
  TimeNs now = 0;
  DurationNs step = kMillisecond;  // between two records
  std::size_t inline_limit = 256;  // of an entry for more users the feeds get a pointer

  // ---- the world
  // The next device, connected at once.
  DeviceTag device(UserIndex user, std::uint64_t region = 0, std::uint64_t cohort = 0, bool auditor = false) {
    const auto tag = static_cast<DeviceTag>(devices_.size());
    devices_.push_back({user, 0, 0, 0, {}});
    Record& r = write(Kind::kDevice, tag);
    r.value = region;
    r.value2 = cohort;
    r.code = auditor ? 1 : 0;
    connect(tag);
    return tag;
  }
  ConversationIndex direct(UserIndex one, UserIndex other) {
    const auto index = static_cast<ConversationIndex>(conversations_.size());
    conversations_.push_back({false, {one, other}, {}, {}, 0});
    Record& r = write(Kind::kConversation);
    r.conversation = index;
    r.value = one;
    r.value2 = other;
    return index;
  }
  ConversationIndex group() {
    const auto index = static_cast<ConversationIndex>(conversations_.size());
    conversations_.push_back({true, {}, {}, {}, 0});
    Record& r = write(Kind::kConversation);
    r.conversation = index;
    r.code = 1;
    return index;
  }
  void phase(Phase phase) { write(Kind::kPhase).code = static_cast<std::uint8_t>(phase); }
  void wait(DurationNs time) { now += time; }
  void connect(DeviceTag device, std::uint64_t gateway = 0) {
    Device& d = devices_[device];
    d.online = true;
    Record& r = write(Kind::kConnected, device);
    r.connection = ++d.connections;
    r.value = gateway;
  }
  void disconnect(DeviceTag device, CloseReason reason = CloseReason::kTimeout) {
    devices_[device].online = false;
    write(Kind::kDisconnected, device).code = static_cast<std::uint8_t>(reason);
  }
  // The user opens the app, which was closed.
  void open_app(DeviceTag device) { write(Kind::kAppOpened, device); }
  // A login is answered by an error.
  void refuse_login(DeviceTag device, protocol::ErrorCode code = protocol::ErrorCode::kBusy) {
    write(Kind::kLoginRefused, device).code = static_cast<std::uint8_t>(code);
  }
  void stall_link(DeviceTag device, TimeNs until) {
    write(Kind::kLinkStalled, device).value = static_cast<std::uint64_t>(until);
  }
  // A request leaves the device. Its number.
  std::uint32_t ask(DeviceTag device, Operation operation, ConversationIndex conversation = kNone,
                    std::uint64_t number = 0) {
    Record& r = write(Kind::kAsked, device);
    r.entry_kind = static_cast<std::uint8_t>(operation);
    r.conversation = conversation;
    r.size = ++devices_[device].requests;
    r.seq = number;
    return r.size;
  }
  void answer(DeviceTag device, std::uint32_t request,
              protocol::ErrorCode code = protocol::ErrorCode::kNone) {
    Record& r = write(Kind::kAnswered, device);
    r.size = request;
    r.code = static_cast<std::uint8_t>(code);
  }
  // The user closes the app.
  void close_app(DeviceTag device) {
    write(Kind::kAppClosed, device);
    disconnect(device, CloseReason::kNormal);
  }
  void begin_drain(std::uint64_t gateway, DurationNs window) {
    Record& r = write(Kind::kNodeDrains);
    r.value = gateway;
    r.value2 = static_cast<std::uint64_t>(window);
  }
  void go_away(DeviceTag device, std::uint32_t jitter_window_ms = 1000) {
    write(Kind::kGoAway, device).value2 = jitter_window_ms;
  }
  // What the Welcome of the connection said of resuming: a session resumed by a token, or a new one (shown
  // 0).
  Record& answer_resume(DeviceTag device, std::uint64_t session, std::uint64_t shown, std::uint64_t given,
                        std::uint64_t feed_head = 0) {
    Record& r = write(Kind::kResume, device);
    r.flag = shown != 0;
    r.seq = session;
    r.digest = shown;
    r.canary = given;
    r.value2 = feed_head;
    return r;
  }
  // ---- who may speak for a user
  // The home `node` lets the device's token be good for so long; 0: for ever.
  void grant(DeviceTag device, DurationNs valid, std::uint64_t node = 9) {
    Record& r = write(Kind::kCredential, device);
    r.value = static_cast<std::uint64_t>(valid);
    r.value2 = node;
  }
  // The device asks for another one's removal, and is told that it is stored.
  void ask_removal(DeviceTag device, DeviceTag other) { write(Kind::kRemoval, device).value = other; }
  void remove(DeviceTag device, DeviceTag other) {
    ask_removal(device, other);
    Record& r = write(Kind::kRemoval, device);
    r.value = other;
    r.flag = true;
  }
  void sign_out(DeviceTag device, protocol::ErrorCode code) {
    write(Kind::kSignIn, device).code = static_cast<std::uint8_t>(code);
  }
  void sign_in(DeviceTag device) { write(Kind::kSignIn, device).flag = true; }
  void serve(DeviceTag device, std::uint64_t session, bool on = true) {
    Record& r = write(Kind::kServed, device);
    r.seq = session;
    r.value = session >> 48;
    r.flag = on;
  }
  void replace(std::uint64_t gateway) { write(Kind::kRestart).value = gateway; }
  void restart(DeviceTag device) {
    disconnect(device, CloseReason::kReset);
    write(Kind::kDeviceRestart, device);
    for (auto& [conversation, view] : devices_[device].views) view.held.clear();
  }
  bool is_online(DeviceTag device) const { return devices_[device].online; }

  // ---- sending
  MessageKey invoke(DeviceTag device, ConversationIndex conversation, std::uint8_t kind = 0,
                    UserIndex target = kNone, std::uint64_t answers = 0) {
    const MessageKey key{device, ++devices_[device].counter};
    messages_[key] = {conversation, kind, target, 0, 0, 0, false, answers};
    write_message(Kind::kSendInvoked, key).value2 = answers;
    return key;
  }
  void transmit(MessageKey key) {
    Record& r = write_message(Kind::kSendTransmitted, key);
    r.connection = devices_[key.device].connections;
    r.value = ++messages_[key].attempts;
  }
  // The server stores it: no record. The number it got; of a repetition the number it has.
  std::uint64_t store(MessageKey key) {
    Message& m = messages_[key];
    if (m.seq != 0) return m.seq;
    Conversation& c = conversations_[m.conversation];
    c.log.push_back(key);
    m.seq = c.log.size();
    m.number = m.kind == 0 ? ++c.numbers : 0;
    const UserIndex target = m.target == kNone ? devices_[key.device].user : m.target;
    if (m.kind == 1) c.members[target].push_back({m.seq, 0});
    if (m.kind == 2) c.members[target].back().second = m.seq;
    const std::vector<UserIndex> users = users_seeing(m.conversation, m.seq);
    m.is_pointed_to = users.size() > inline_limit;
    for (const UserIndex user : users) feeds_[user].push_back({m.conversation, m.seq});
    return m.seq;
  }
  Record& acknowledge(MessageKey key) {
    Record& r = write_message(Kind::kSendAcked, key);
    r.epoch = 1;
    r.seq = messages_[key].seq;
    r.value = messages_[key].number;
    r.code = static_cast<std::uint8_t>(messages_[key].attempts > 1 ? protocol::SendStatus::kDuplicate
                                                                   : protocol::SendStatus::kAccepted);
    return r;
  }
  void refuse(MessageKey key, protocol::ErrorCode code = protocol::ErrorCode::kForbidden) {
    write_message(Kind::kSendFailed, key).code = static_cast<std::uint8_t>(code);
  }
  // The attempt under way is refused: above the limit.
  Record& refuse_for_now(MessageKey key, std::uint64_t retry_after_ms) {
    Record& r = write_message(Kind::kSendRefused, key);
    r.code = static_cast<std::uint8_t>(protocol::ErrorCode::kRateLimited);
    r.value = retry_after_ms;
    r.value2 = messages_[key].attempts;
    return r;
  }
  // All of it.
  MessageKey say(DeviceTag device, ConversationIndex conversation, std::uint8_t kind = 0,
                 UserIndex target = kNone) {
    const MessageKey key = invoke(device, conversation, kind, target);
    transmit(key);
    store(key);
    acknowledge(key);
    return key;
  }
  MessageKey join(DeviceTag device, ConversationIndex conversation, UserIndex target) {
    return say(device, conversation, 1, target);
  }
  MessageKey leave(DeviceTag device, ConversationIndex conversation, UserIndex target) {
    return say(device, conversation, 2, target);
  }
  std::uint64_t place(MessageKey key) const { return messages_.at(key).seq; }
  std::uint64_t head(ConversationIndex conversation) const { return conversations_[conversation].log.size(); }
  MessageKey key_at(ConversationIndex conversation, std::uint64_t seq) const {
    return conversations_[conversation].log[seq - 1];
  }
  UserIndex user_of(DeviceTag device) const { return devices_[device].user; }
  bool is_member(ConversationIndex conversation, UserIndex user) const {
    const Conversation& c = conversations_[conversation];
    if (!c.is_group) return c.users.first == user || c.users.second == user;
    const auto found = c.members.find(user);
    return found != c.members.end() && found->second.back().second == 0;
  }

  // ---- backpressure
  // What waits for the device at its gateway.
  Record& queue(DeviceTag device, QueueStep what, std::uint64_t pushes, std::uint64_t bytes = 1000) {
    Record& r = write(Kind::kPushQueue, device);
    r.code = static_cast<std::uint8_t>(what);
    r.value = pushes;
    r.value2 = bytes;
    return r;
  }
  void tell_gap(DeviceTag device) { write(Kind::kPushGap, device); }
  void set_reading(DeviceTag device, bool reads) { write(Kind::kReading, device).flag = reads; }

  // ---- receiving
  // An entry comes by `via`; shown when it is the next, held when it is above, dropped when the device has
  // it.
  void receive(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via) {
    View& view = devices_[device].views[conversation];
    view.fed.insert(seq);
    continue_feed(device, conversation, seq, via);
    if (seq <= view.cur) {
      write_received(device, conversation, seq, via, false);
    } else if (seq > view.cur + 1) {
      write_received(device, conversation, seq, via, false);
      view.held[seq] = via;
    } else {
      show(device, conversation, seq, via);
      drain(device, conversation);
    }
  }
  // A pointer to an entry comes by `via`; the device does not fetch by itself.
  Record& point(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via = Via::kLive) {
    devices_[device].views[conversation].fed.insert(seq);
    const bool taken = continue_feed(device, conversation, seq, via);
    Record& r = write(Kind::kPointer, device);
    r.conversation = conversation;
    r.seq = seq;
    r.value = devices_[device].feed;
    r.code = static_cast<std::uint8_t>(via);
    r.flag = taken;
    return r;
  }
  // The change that the device's feed has of this entry.
  void push(DeviceTag device, ConversationIndex conversation, std::uint64_t seq) {
    if (messages_.at(key_at(conversation, seq)).is_pointed_to) {
      point(device, conversation, seq);
    } else {
      receive(device, conversation, seq, Via::kLive);
    }
  }
  // To every connected device of everybody who may see it.
  void push_all(ConversationIndex conversation, std::uint64_t seq) {
    for (const UserIndex user : users_seeing(conversation, seq)) {
      for (DeviceTag tag = 0; tag < devices_.size(); ++tag) {
        if (devices_[tag].user == user && devices_[tag].online) push(tag, conversation, seq);
      }
    }
  }
  // chat() in answer to an entry.
  MessageKey reply(DeviceTag device, ConversationIndex conversation, std::uint64_t to) {
    const MessageKey key = invoke(device, conversation, 0, kNone, to);
    transmit(key);
    store(key);
    acknowledge(key);
    push_all(conversation, place(key));
    return key;
  }
  // say() and push_all() in one.
  MessageKey chat(DeviceTag device, ConversationIndex conversation, std::uint8_t kind = 0,
                  UserIndex target = kNone) {
    const MessageKey key = say(device, conversation, kind, target);
    push_all(conversation, place(key));
    return key;
  }
  // A record of one entry reaching one device, whatever the device's cursor says.
  Record& write_received(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via,
                         bool applied) {
    const MessageKey key = key_at(conversation, seq);
    const Message& m = messages_.at(key);
    Record& r = write(Kind::kReceived, device);
    r.conversation = conversation;
    fill_content(r, key, m);
    r.sender = devices_[key.device].user;
    r.epoch = 1;
    r.seq = seq;
    r.value = m.number;
    r.value2 = m.answers;
    r.code = static_cast<std::uint8_t>(via);
    r.flag = applied;
    r.canary = r.digest;
    return r;
  }

  // ---- deliveries that fail
  // The app crashes on an entry that comes, and starts again.
  void crash_on(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via = Via::kSync) {
    Record& r = write(Kind::kPoisoned, device);
    r.conversation = conversation;
    r.seq = seq;
    r.code = static_cast<std::uint8_t>(via);
    restart(device);
    connect(device);
  }
  // The home parks the entry for the device.
  Record& park(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, std::uint64_t failures,
               Via via = Via::kSync) {
    Record& r = write(Kind::kParked, device);
    r.conversation = conversation;
    r.seq = seq;
    r.code = static_cast<std::uint8_t>(via);
    r.value = failures;
    r.size = 9;
    return r;
  }
  // The mark of a parked entry comes with the feed.
  void take_mark(DeviceTag device, ConversationIndex conversation, std::uint64_t seq) {
    View& view = devices_[device].views[conversation];
    view.fed.insert(seq);
    continue_feed(device, conversation, seq, Via::kLive);
    const bool is_next = seq == view.cur + 1;
    Record& r = write(Kind::kTombstone, device);
    r.conversation = conversation;
    r.seq = r.value = seq;
    r.value2 = 1;
    r.code = static_cast<std::uint8_t>(protocol::TombstoneReason::kParked);
    r.flag = is_next;
    if (!is_next) return;
    view.cur = seq;
    drain(device, conversation);
  }

  // A page [from, to] (to = 0: the head) of at most `limit` entries, asked for and answered.
  void fetch(DeviceTag device, ConversationIndex conversation, std::uint64_t from, std::uint64_t to = 0,
             bool audit = false, std::uint64_t limit = 4) {
    Record& asked = write(Kind::kFetchInvoked, device);
    asked.conversation = conversation;
    asked.seq = from;
    asked.value = to;
    const UserIndex user = devices_[device].user;
    const std::uint64_t head = last_visible(conversation, user);
    const std::uint64_t floor = std::min(conversations_[conversation].floor, head + 1);
    if (from < floor) {
      Record& refusal = write(Kind::kFetchCompleted, device);
      refusal.conversation = conversation;
      refusal.seq = from;
      refusal.value = from - 1;
      refusal.value2 = head;
      refusal.code = static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld);
      refusal.digest = floor;
      if (!audit) skip_to(device, conversation, floor);
      fetch(device, conversation, floor, to, audit, limit);
      return;
    }
    const std::uint64_t end = to == 0 ? head : std::min(to, head);
    const std::uint64_t covered = from > end ? from - 1 : std::min(end, from + limit - 1);
    Record& page = write(Kind::kFetchCompleted, device);
    page.conversation = conversation;
    page.seq = from;
    page.value = covered;
    page.value2 = head;
    page.flag = covered < end && from <= end;
    page.digest = floor;
    const bool more = page.flag;
    write_rows(device, conversation, from, covered, audit);
    if (!audit) drain(device, conversation);
    if (more) fetch(device, conversation, covered + 1, to, audit, limit);
  }
  // ---- what is no longer kept
  // Entries below are dropped: no record.
  void drop(ConversationIndex conversation, std::uint64_t floor) {
    conversations_[conversation].floor = floor;
  }
  // The device goes on at the floor, when it lacks entries below.
  void skip_to(DeviceTag device, ConversationIndex conversation, std::uint64_t floor) {
    View& view = devices_[device].views[conversation];
    if (floor <= view.cur + 1) return;
    Record& r = write(Kind::kSkipped, device);
    r.conversation = conversation;
    r.seq = floor;
    r.value = view.cur + 1;
    view.cur = floor - 1;
    drain(device, conversation);
  }
  // The device asks for its feed and is refused; the token is the feed's head.
  std::uint64_t refuse_sync(DeviceTag device) {
    Device& d = devices_[device];
    write(Kind::kSyncInvoked, device).value = d.feed;
    Record& r = write(Kind::kSyncCompleted, device);
    r.code = static_cast<std::uint8_t>(protocol::ErrorCode::kSyncTooLong);
    r.value = r.value2 = d.feed;
    r.seq = r.digest = feeds_[d.user].size();
    return r.digest;
  }
  // Everything that the feed has told of, in pages of so many conversations; then the feed's cursor is the
  // token.
  void take_snapshot(DeviceTag device, std::uint64_t token, std::size_t limit = 2) {
    const UserIndex user = devices_[device].user;
    std::map<ConversationIndex, std::uint64_t> heads;
    for (const auto& [conversation, seq] : feeds_[user])
      heads[conversation] = std::max(heads[conversation], seq);
    for (auto at = heads.begin();;) {
      write(Kind::kSnapshotInvoked, device).digest = token;
      const auto left = static_cast<std::size_t>(std::distance(at, heads.end()));
      write_page(device, token, std::min(left, limit), left > limit);
      for (std::size_t i = 0; i < limit && at != heads.end(); ++i, ++at)
        write_state(device, at->first, at->second);
      if (at == heads.end()) break;
    }
    devices_[device].feed = token;
  }
  Record& write_page(DeviceTag device, std::uint64_t token, std::size_t rows, bool more) {
    Record& r = write(Kind::kSnapshotPage, device);
    r.digest = r.value = token;
    r.value2 = feeds_[devices_[device].user].size();
    r.seq = rows;
    r.flag = more;
    return r;
  }
  Record& write_state(DeviceTag device, ConversationIndex conversation, std::uint64_t head) {
    Record& r = write(Kind::kSnapshotRow, device);
    r.conversation = conversation;
    r.epoch = 1;
    r.seq = head;
    r.value = std::min(conversations_[conversation].floor, head + 1);
    return r;
  }
  // Everything of the feed above what this device has synced or was pushed in sequence.
  void sync(DeviceTag device) {
    Device& d = devices_[device];
    const auto& feed = feeds_[d.user];
    const std::uint64_t from = d.feed;
    write(Kind::kSyncInvoked, device).value = from;
    Record& page = write(Kind::kSyncCompleted, device);
    page.value = from;
    page.value2 = feed.size();
    page.seq = feed.size();
    for (std::uint64_t at = from; at < feed.size(); ++at) {
      const auto [conversation, seq] = feed[at];
      if (!messages_.at(key_at(conversation, seq)).is_pointed_to) {
        receive(device, conversation, seq, Via::kSync);
      } else if (is_last_pointer(feed, at)) {
        point(device, conversation, seq, Via::kSync);
      }
    }
    d.feed = feed.size();
  }
  // ---- marks
  void report_delivered(DeviceTag device, ConversationIndex conversation) {
    View& view = devices_[device].views[conversation];
    if (view.cur == 0) return;
    Record& r = write(Kind::kDeliveredSent, device);
    r.conversation = conversation;
    r.seq = view.cur;
    view.delivered = std::min(view.cur, last_visible(conversation, user_of(device)));
    answer_mark(device, conversation);
  }
  void read(DeviceTag device, ConversationIndex conversation, std::uint64_t seq) {
    View& view = devices_[device].views[conversation];
    seq = std::min(seq, view.cur);
    if (seq == 0) return;
    Record& r = write(Kind::kReadInvoked, device);
    r.conversation = conversation;
    r.seq = seq;
    view.delivered = std::max(view.delivered, seq);
    std::uint64_t& mark = conversations_[conversation].reads[user_of(device)];
    mark = std::max(mark, seq);
    answer_mark(device, conversation);
  }
  Record& answer_mark(DeviceTag device, ConversationIndex conversation) {
    const UserIndex user = user_of(device);
    Record& r = write(Kind::kCursorAcked, device);
    r.conversation = conversation;
    r.seq = devices_[device].views[conversation].delivered;
    r.value = conversations_[conversation].reads[user];
    r.value2 = last_visible(conversation, user);
    r.digest = std::min(conversations_[conversation].floor, r.value2 + 1);
    r.size =
        unread(conversation, user, std::max(r.value, std::max<std::uint64_t>(r.digest, 1) - 1), r.value2);
    return r;
  }
  Record& see_receipt(DeviceTag device, ConversationIndex conversation, UserIndex subject) {
    std::uint64_t delivered = 0;
    for (Device& d : devices_) {
      if (d.user == subject) delivered = std::max(delivered, d.views[conversation].delivered);
    }
    Record& r = write(Kind::kReceiptSeen, device);
    r.conversation = conversation;
    r.subject = subject;
    r.seq = delivered;
    r.value = conversations_[conversation].reads[subject];
    return r;
  }

  // ---- settings
  // The device puts a value; named by the record's key.
  MessageKey put(DeviceTag device, ConversationIndex conversation, std::uint8_t kind) {
    const MessageKey key{device, ++devices_[device].puts};
    fill_setting(write(Kind::kSettingPut, device), conversation, kind, key);
    return key;
  }
  // The server takes the put, unless it has, and answers. Returns the revision.
  std::uint64_t take_put(MessageKey key) {
    Taken& taken = taken_puts_[key];
    const bool is_new = taken.revision == 0;
    const Record& wish = *std::find_if(records.begin(), records.end(), [&](const Record& r) {
      return r.kind == Kind::kSettingPut && r.key == key;
    });
    taken.place = {user_of(key.device), wish.conversation, wish.entry_kind};
    if (is_new) {
      taken.revision = ++revisions_[user_of(key.device)];
      settings_[taken.place] = {taken.revision, key};
    }
    const std::uint64_t present = settings_[taken.place].first;
    Record& r = write(Kind::kSettingResolved, key.device);
    fill_setting(r, std::get<1>(taken.place), std::get<2>(taken.place), key);
    r.digest = 0;
    r.value = present;
    r.code = static_cast<std::uint8_t>(is_new ? protocol::SendStatus::kAccepted
                                              : protocol::SendStatus::kDuplicate);
    if (is_new) devices_[key.device].settings[taken.place] = present;
    return present;
  }
  // The owner of user 0's feed is lost with the newest values; the next one begins above `revision`.
  void lose_revisions(std::uint64_t revision) {
    revisions_[0] = revision;
    taken_puts_.clear();
  }
  // The device is told of the user's present value, and shows it when it is newer.
  void see_setting(DeviceTag device, ConversationIndex conversation, std::uint8_t kind,
                   Via via = Via::kLive) {
    const SettingPlace place{user_of(device), conversation, kind};
    const auto [revision, key] = settings_[place];
    if (revision == 0 || std::exchange(devices_[device].settings[place], revision) == revision) return;
    Record& r = write(Kind::kSettingSeen, device);
    fill_setting(r, conversation, kind, key);
    r.value = revision;
    r.code = static_cast<std::uint8_t>(via);
  }

  // ---- typing
  // The device says on the wire that its user types, or has stopped.
  void say_typing(DeviceTag device, ConversationIndex conversation, bool on = true) {
    Record& r = write(Kind::kTypingSent, device);
    r.conversation = conversation;
    r.flag = on;
    r.value = 6000;
  }
  void show_typing(DeviceTag device, ConversationIndex conversation, UserIndex user) {
    Record& r = write(Kind::kTypingShown, device);
    r.conversation = conversation;
    r.subject = user;
  }
  void hide_typing(DeviceTag device, ConversationIndex conversation, UserIndex user, TypingEnd why) {
    Record& r = write(Kind::kTypingHidden, device);
    r.conversation = conversation;
    r.subject = user;
    r.code = static_cast<std::uint8_t>(why);
  }

  // ---- versions
  void node_speaks(std::uint64_t node, std::uint32_t min, std::uint32_t max) {
    Record& r = write(Kind::kVersions);
    r.value = node;
    r.epoch = min;
    r.size = max;
  }
  // What the session of a device is of, as it should stand right behind its kConnected.
  Record& greet(DeviceTag device, std::uint32_t version, std::uint64_t features, std::uint32_t newest = 1,
                std::uint64_t asked = ~std::uint64_t{0}) {
    Record& r = write(Kind::kVersions, device);
    r.value = version;
    r.value2 = features;
    r.seq = asked;
    r.epoch = 1;
    r.size = newest;
    return r;
  }

  // ---- presence
  void watch(DeviceTag device, ConversationIndex conversation, bool on = true) {
    Record& r = write(Kind::kPresenceWatched, device);
    r.conversation = conversation;
    r.flag = on;
  }
  void show_presence(DeviceTag device, ConversationIndex conversation, UserIndex user, bool online) {
    Record& r = write(Kind::kPresenceShown, device);
    r.conversation = conversation;
    r.subject = user;
    r.flag = online;
  }

  void show_last_seen(DeviceTag device, ConversationIndex conversation, UserIndex user, TimeNs at) {
    Record& r = write(Kind::kLastSeenShown, device);
    r.conversation = conversation;
    r.subject = user;
    r.value = static_cast<std::uint64_t>(at);
  }
  // The user sets on the device who may see it: 0 everybody, 1 contacts, 2 nobody.
  MessageKey put_privacy(DeviceTag device, ConversationIndex own, std::uint32_t number) {
    const MessageKey key = put(device, own, 6);
    records.back().size = number;
    return key;
  }

  // ---- the end: everybody catches up, auditors read everything again, all tell their state
  void catch_up() {
    for (DeviceTag tag = 0; tag < devices_.size(); ++tag) {
      if (!devices_[tag].online) connect(tag);
      sync(tag);
      for (ConversationIndex index = 0; index < conversations_.size(); ++index) {
        View& view = devices_[tag].views[index];
        const std::uint64_t last = last_visible(index, user_of(tag));
        if (view.cur < last) fetch(tag, index, view.cur + 1);
        report_delivered(tag, index);
        for (std::uint8_t kind = 1; kind <= 5; ++kind) see_setting(tag, index, kind, Via::kSync);
      }
    }
  }
  void quiesce() {
    phase(Phase::kDrain);
    write(Kind::kQuiesce).value = 120 * kSecond;
  }
  void audit() {
    std::set<UserIndex> users;
    for (const Device& d : devices_) users.insert(d.user);
    for (const UserIndex user : users) {
      const DeviceTag auditor = device(user, 0, 0, true);
      sync(auditor);
      for (ConversationIndex index = 0; index < conversations_.size(); ++index) {
        for (std::uint8_t kind = 1; kind <= 5; ++kind) see_setting(auditor, index, kind, Via::kSync);
        if (last_visible(index, user) == 0) continue;
        fetch(auditor, index, devices_[auditor].views[index].cur + 1);
        fetch(auditor, index, 1, 0, true);
      }
    }
  }
  void report_states() {
    for (DeviceTag tag = 0; tag < devices_.size(); ++tag) {
      write(Kind::kDeviceState, tag).flag = true;
      for (ConversationIndex index = 0; index < conversations_.size(); ++index) {
        const View& view = devices_[tag].views[index];
        if (view.cur == 0) continue;
        Record& r = write(Kind::kConversationState, tag);
        r.conversation = index;
        r.seq = view.cur;
        r.value = view.cur;
        r.value2 = conversations_[index].reads[user_of(tag)];
      }
      for (const auto& [place, revision] : devices_[tag].settings) {
        Record& r = write(Kind::kSettingState, tag);
        fill_setting(r, std::get<1>(place), std::get<2>(place), settings_[place].second);
        r.value = revision;
      }
    }
    write(Kind::kEnd);
  }
  void end() {
    quiesce();
    catch_up();
    audit();
    report_states();
  }

  // ---- looking and changing
  Record& last() { return records.back(); }
  // The last record of this kind.
  Record& last_of(Kind kind) {
    return *std::find_if(records.rbegin(), records.rend(),
                         [kind](const Record& r) { return r.kind == kind; });
  }
  void drop_last() { records.pop_back(); }
  Judgement judged() const { return judge(records, config); }
  std::uint64_t cur(DeviceTag device, ConversationIndex conversation) {
    return devices_[device].views[conversation].cur;
  }
  bool was_fed(DeviceTag device, ConversationIndex conversation, std::uint64_t seq) {
    return devices_[device].views[conversation].fed.contains(seq);
  }
  std::uint64_t delivered(DeviceTag device, ConversationIndex conversation) {
    return devices_[device].views[conversation].delivered;
  }
  Record& write(Kind kind, DeviceTag device = kNone) {
    now += step;
    Record& r = records.emplace_back();
    r.time = now;
    r.kind = kind;
    r.device = device;
    if (device == kNone) return r;
    r.user = devices_[device].user;
    r.connection = devices_[device].connections;
    return r;
  }

 private:
  using SettingPlace = std::tuple<UserIndex, ConversationIndex, std::uint8_t>;
  struct View {
    std::uint64_t cur = 0;
    std::uint64_t delivered = 0;
    std::map<std::uint64_t, Via> held;
    std::set<std::uint64_t> fed;
  };
  struct Device {
    UserIndex user;
    std::uint32_t connections;
    std::uint32_t counter;
    std::uint64_t feed;  // synced up to here
    std::map<ConversationIndex, View> views;
    bool online = true;
    std::uint32_t puts = 0;
    std::uint32_t requests = 0;
    std::map<SettingPlace, std::uint64_t> settings{};  // the revision shown
  };
  struct Taken {
    SettingPlace place;
    std::uint64_t revision = 0;
  };
  struct Message {
    ConversationIndex conversation = kNone;
    std::uint8_t kind = 0;
    UserIndex target = kNone;
    std::uint32_t attempts = 0;
    std::uint64_t seq = 0;
    std::uint64_t number = 0;
    bool is_pointed_to = false;  // in the feeds, instead of standing there
    std::uint64_t answers = 0;   // the entry that it answers
  };
  using Changes = std::vector<std::pair<ConversationIndex, std::uint64_t>>;
  using Intervals = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  struct Conversation {
    bool is_group;
    std::pair<UserIndex, UserIndex> users;
    std::vector<MessageKey> log;
    std::map<UserIndex, Intervals> members;
    std::uint64_t numbers;
    std::map<UserIndex, std::uint64_t> reads{};
    std::uint64_t floor = 0;  // entries below it are no longer kept
  };

  // A push that continues the feed moves the feed's cursor too. Whether the device takes the change.
  bool continue_feed(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via) {
    Device& d = devices_[device];
    if (via != Via::kLive) return true;
    const Changes& feed = feeds_[d.user];
    const bool continues = d.feed < feed.size() && feed[d.feed] == std::pair(conversation, seq);
    if (continues) ++d.feed;
    return continues;
  }
  // Whether no later pointer has taken its place.
  bool is_last_pointer(const Changes& feed, std::uint64_t at) const {
    return std::none_of(feed.begin() + static_cast<std::ptrdiff_t>(at) + 1, feed.end(), [&](const auto& row) {
      return row.first == feed[at].first && messages_.at(key_at(row.first, row.second)).is_pointed_to;
    });
  }

  static void fill_content(Record& r, MessageKey key, const Message& m) {
    r.key = key;
    r.entry_kind = m.kind;
    r.subject = m.target;
    r.digest = mix64(static_cast<std::uint64_t>(key.device) << 40 | static_cast<std::uint64_t>(m.kind) << 32 |
                     key.counter) ^
               mix64(m.target);
  }
  static void fill_setting(Record& r, ConversationIndex conversation, std::uint8_t kind, MessageKey key) {
    r.conversation = conversation;
    r.entry_kind = kind;
    r.key = key;
    r.digest = mix64(static_cast<std::uint64_t>(key.device) << 40 | key.counter);
  }
  Record& write_message(Kind kind, MessageKey key) {
    const Message& m = messages_[key];
    Record& r = write(kind, key.device);
    r.conversation = m.conversation;
    fill_content(r, key, m);
    return r;
  }
  bool sees(ConversationIndex conversation, UserIndex user, std::uint64_t seq) const {
    const Conversation& c = conversations_[conversation];
    if (!c.is_group) return c.users.first == user || c.users.second == user;
    const auto found = c.members.find(user);
    if (found == c.members.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [seq](const auto& interval) {
      return seq >= interval.first && (interval.second == 0 || seq <= interval.second);
    });
  }
  std::vector<UserIndex> users_seeing(ConversationIndex conversation, std::uint64_t seq) const {
    std::set<UserIndex> users;
    for (const Device& d : devices_) {
      if (sees(conversation, d.user, seq)) users.insert(d.user);
    }
    return {users.begin(), users.end()};
  }
  std::uint64_t last_visible(ConversationIndex conversation, UserIndex user) const {
    for (std::uint64_t seq = head(conversation); seq > 0; --seq) {
      if (sees(conversation, user, seq)) return seq;
    }
    return 0;
  }
  std::uint32_t unread(ConversationIndex conversation, UserIndex user, std::uint64_t read,
                       std::uint64_t head) const {
    std::uint32_t count = 0;
    for (std::uint64_t seq = read + 1; seq <= head; ++seq) {
      const MessageKey key = key_at(conversation, seq);
      const bool countable = messages_.at(key).kind == 0 && devices_[key.device].user != user;
      count += countable && sees(conversation, user, seq) ? 1 : 0;
    }
    return count;
  }
  void show(DeviceTag device, ConversationIndex conversation, std::uint64_t seq, Via via) {
    write_received(device, conversation, seq, via, true);
    devices_[device].views[conversation].cur = seq;
  }
  void drain(DeviceTag device, ConversationIndex conversation) {
    View& view = devices_[device].views[conversation];
    while (!view.held.empty() && view.held.begin()->first <= view.cur + 1) {
      const auto [seq, via] = *view.held.begin();
      view.held.erase(view.held.begin());
      if (seq == view.cur + 1) show(device, conversation, seq, via);
    }
  }
  void write_rows(DeviceTag device, ConversationIndex conversation, std::uint64_t from, std::uint64_t to,
                  bool audit) {
    const UserIndex user = devices_[device].user;
    View& view = devices_[device].views[conversation];
    for (std::uint64_t seq = from; seq <= to;) {
      if (sees(conversation, user, seq)) {
        const bool next = !audit && seq == view.cur + 1;
        write_received(device, conversation, seq, Via::kFetch, next);
        if (next) view.cur = seq;
        ++seq;
        continue;
      }
      std::uint64_t end = seq;
      while (end < to && !sees(conversation, user, end + 1)) ++end;
      const bool applies = !audit && seq <= view.cur + 1 && end > view.cur;
      Record& r = write(Kind::kTombstone, device);
      r.conversation = conversation;
      r.seq = seq;
      r.value = end;
      r.code = static_cast<std::uint8_t>(protocol::TombstoneReason::kNotVisible);
      r.flag = applies;
      if (applies) view.cur = end;
      seq = end + 1;
    }
  }

  std::vector<Device> devices_;
  std::vector<Conversation> conversations_;
  std::map<MessageKey, Message> messages_;
  std::map<UserIndex, Changes> feeds_;
  std::map<MessageKey, Taken> taken_puts_;
  std::map<UserIndex, std::uint64_t> revisions_;
  std::map<SettingPlace, std::pair<std::uint64_t, MessageKey>> settings_;  // revision, put
};

}  // namespace wavetank::conformance::test
