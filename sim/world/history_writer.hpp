// Turns what machines tell their observers into history records, on the world's clock, and hashes what users
// see.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <set>
#include <vector>

#include "conformance/history/record.hpp"
#include "reference/client/store.hpp"
#include "reference/environment/observer.hpp"
#include "sim/kernel/hash.hpp"
#include "sim/kernel/parcel.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/world/device_table.hpp"
#include "sim/world/directory.hpp"
#include "sim/world/record_lanes.hpp"

namespace wavetank::sim {

// A device lost its connection while its app was open, and had one again after `took`.
struct Reconnect {
  std::uint32_t device = 0;
  history::Phase phase = history::Phase::kCalm;  // in which the connection was lost
  DurationNs took = 0;
};

class HistoryWriter final : public ClientObserver, public ServerObserver, private RecordCompleter {
 public:
  // `shown(device, conversation, sender, counter, seq)` is called for every entry a device shows.
  using Shown =
      std::function<void(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t)>;

  HistoryWriter(const Scheduler& scheduler, Directory& directory, history::Sink& sink, Shown shown);

  // The world's own records.
  void write(history::Record record);
  // Those that both processes of a world tell (apart): the one with the servers does.
  void write_once(history::Record record);
  // The harness has looked at its clock, at `time`, which is not before the last event; it does every
  // `interval`.
  void tick(TimeNs time, DurationNs interval);
  // The last one: it counts those before it.
  void end();
  void declare_device(std::uint32_t device, std::uint32_t region, std::uint32_t cohort);
  void declare_conversation(std::uint32_t conversation);
  void device_restarted(std::uint32_t device);
  // The user opens the app, which was closed.
  void app_opened(std::uint32_t device) { sink_.on(record(history::Kind::kAppOpened, device)); }
  // What is under way on the device's access link arrives at `until`, not before. Of one stall one record.
  void link_stalled(std::uint32_t device, TimeNs until);
  // The device stops to read what comes, or goes on.
  void reading_changed(std::uint32_t device, bool reads);
  // The app crashes on an entry that came; it restarts next.
  void app_crashes(std::uint32_t device, const protocol::Event& event, Via via);
  // The user closes the app: said before the machine stops, so that the end of its connection follows.
  void app_closes(std::uint32_t device);
  // Nothing more comes from the device, or is told of it.
  void device_gone(std::uint32_t device);
  // What the device shows of one setting at the end.
  void setting_state(std::uint32_t device, const client::SettingRow& row);
  // The user closed the app: until it is opened again the device wants no connection.
  void app_closed(std::uint32_t device) { state(device).lost_at = kNever; }

  // ---- beside (kernel/scheduler.hpp): clients tell in the device lane, servers in the server lane
  // Both have come to rest.
  void end_beside() { sink_.end_beside(); }
  // Tells what waits of the window before; the lanes may be at work on the next.
  void flush() { sink_.flush(); }

  // ---- apart (kernel/scheduler.hpp): the process with the devices puts what the one with the servers takes
  // Whether what is told between windows waits until put_news() or take_news(); see RecordLanes.
  void set_gathering(bool gathers) { sink_.set_gathering(gathers); }
  // The records that follow belong to the next step of the event.
  void next_step() { sink_.next_step(); }
  // Records told, counts, and conversations made since the last call.
  void put_news(Parcel& out);
  // Passes the records on, among its own.
  void take_news(Unpacker& in);
  // At the end: what users saw, who came back, what was met.
  void put_sums(Parcel& out) const;
  void take_sums(Unpacker& in);

  // A fold over all devices of what each one's user saw, equal across fidelity settings.
  std::uint64_t history_hash() const;

  std::uint64_t connections_open() const { return counts_.connections_open; }
  std::uint64_t sends() const { return counts_.sends; }
  std::uint64_t acks() const { return counts_.acks; }
  std::uint64_t deliveries() const { return counts_.deliveries; }
  // The most that one shard has held of hot conversations.
  std::uint64_t hot_window_bytes() const { return hot_window_bytes_; }
  std::uint64_t owed_fanouts() const { return owed_fanouts_; }
  std::uint64_t probe_count(Probe probe) const {
    std::uint64_t sum = 0;
    for (const auto& lane : probes_) sum += lane[static_cast<std::size_t>(probe)];
    return sum;
  }
  // In the order of their ends.
  const std::vector<Reconnect>& reconnects() const { return reconnects_; }
  std::size_t bytes() const {
    return devices_.bytes() + reconnects_.capacity() * sizeof(Reconnect) + sink_.bytes();
  }

  // ---- ClientObserver
  void connected(DeviceTag device, SessionId session) override;
  void negotiated(DeviceTag device, const protocol::Hello& offer, const protocol::Welcome& welcome) override;
  void unnamed_received(DeviceTag device, std::uint64_t feature) override;
  void disconnected(DeviceTag device, CloseReason reason) override;
  void resume_answered(DeviceTag device, const ResumeToken& shown, std::uint64_t user_seq,
                       const protocol::Welcome& welcome) override;
  void login_refused(DeviceTag device, protocol::ErrorCode code) override;
  void request_sent(DeviceTag device, const RequestSent& request) override;
  void request_answered(DeviceTag device, std::uint32_t request, protocol::ErrorCode code) override;
  void go_away_received(DeviceTag device, const protocol::GoAway& go_away) override;
  void push_gap_received(DeviceTag device, const protocol::PushGap& gap) override;
  void send_invoked(DeviceTag device, const protocol::SendMessage& message) override;
  void send_transmitted(DeviceTag device, const protocol::SendMessage& message,
                        std::uint32_t attempt) override;
  void send_resolved(DeviceTag device, const protocol::SendAck& ack) override;
  void send_refused(DeviceTag device, const protocol::SendAck& ack, std::uint32_t attempt) override;
  void event_received(DeviceTag device, const protocol::Event& event, Via via, bool applied) override;
  void tombstone_received(DeviceTag device, const ConversationId& id, const protocol::Tombstone& tombstone,
                          bool applied) override;
  void parked_received(DeviceTag device, const ConversationId& id, std::uint64_t seq, bool applied) override;
  void sync_invoked(DeviceTag device, const protocol::Sync& sync) override;
  void sync_completed(DeviceTag device, const protocol::SyncResult& result) override;
  void snapshot_invoked(DeviceTag device, const protocol::FetchSnapshot& fetch) override;
  void snapshot_completed(DeviceTag device, const protocol::SnapshotPage& page) override;
  void snapshot_row(DeviceTag device, const protocol::ConversationState& state) override;
  void skipped_to_floor(DeviceTag device, const ConversationId& conversation, std::uint64_t from,
                        std::uint64_t floor) override;
  void fetch_invoked(DeviceTag device, std::uint64_t request, const protocol::FetchRange& fetch) override;
  void fetch_completed(DeviceTag device, std::uint64_t request, const protocol::RangeResult& result) override;
  void delivered_sent(DeviceTag device, const protocol::DeliveredCursor& cursor) override;
  void read_invoked(DeviceTag device, const protocol::ReadWatermark& mark) override;
  void feed_cut(DeviceTag device, std::uint64_t first, std::uint64_t cursor) override;
  void cursor_acked(DeviceTag device, const protocol::CursorAck& ack) override;
  void receipt_received(DeviceTag device, const protocol::Change& change) override;
  void epoch_adopted(DeviceTag device, const protocol::EpochChanged& changed, std::uint64_t held) override;
  void pointer_received(DeviceTag device, const protocol::Change& change, Via via, bool taken) override;
  void setting_put(DeviceTag device, const protocol::PutSetting& put) override;
  void setting_resolved(DeviceTag device, const protocol::SettingAck& ack) override;
  void setting_received(DeviceTag device, const protocol::Change& change, Via via) override;
  void typing_sent(DeviceTag device, const protocol::SignalEphemeral& signal) override;
  void typing_shown(DeviceTag device, const protocol::SignalEphemeral& signal) override;
  void typing_hidden(DeviceTag device, const ConversationId& conversation, UserId user,
                     TypingEnd why) override;
  void presence_watched(DeviceTag device, const ConversationId& conversation, bool on) override;
  void last_seen_shown(DeviceTag device, const ConversationId& conversation, UserId user,
                       std::uint64_t last_seen_ms) override;
  void presence_shown(DeviceTag device, const ConversationId& conversation, UserId user,
                      bool online) override;
  void removal_asked(DeviceTag device, DeviceIndex removed) override;
  void removal_resolved(DeviceTag device, const protocol::DeviceRemoved& answer) override;
  void signed_out(DeviceTag device, protocol::ErrorCode code) override;
  void signed_in(DeviceTag device) override;
  // ---- ServerObserver
  void token_granted(NodeId node, UserId user, DeviceIndex device, DurationNs valid) override;
  void session_served(NodeId node, const protocol::Route& route, bool on) override;
  void send_at_gateway(NodeId node, const protocol::Route& route, const protocol::SendMessage& message,
                       TimeNs now) override;
  void event_leaves_gateway(NodeId node, const protocol::Route& route, const protocol::Event& event,
                            TimeNs now) override;
  void push_queue(NodeId node, const protocol::Route& route, QueueStep step, std::size_t frames,
                  std::uint64_t bytes) override;
  void bucket_served(NodeId node, std::uint32_t bucket, std::uint32_t version) override;
  void entry_parked(NodeId node, const protocol::Route& route, const ConversationId& conversation,
                    std::uint64_t seq, Via via, std::uint32_t failures) override;
  void effect_parked(NodeId node, NodeId source, std::uint64_t number, std::uint32_t failures) override;
  void hot_windows(NodeId node, std::size_t windows, std::uint64_t bytes) override;
  void owed_fanouts(NodeId node, std::size_t conversations) override;
  void log_forked(NodeId node, const protocol::EpochChanged& fork, NodeId lost) override;
  void feed_forked(NodeId node, UserId user, std::uint64_t first, std::uint64_t next, NodeId lost) override;
  void copy_followed(NodeId node, bool on) override;
  // ---- both, and the world's own marks
  void probe(std::uint32_t who, Probe probe) override;

 private:
  struct DeviceState {
    std::uint32_t connections = 0;
    bool open = false;
    history::Phase lost_in = history::Phase::kCalm;
    TimeNs lost_at = kNever;   // kNever: connected, or the app is closed
    TimeNs stalled_until = 0;  // its link, as told last
    RollingHash seen;
  };

  bool complete(ToldRecord& told) override;
  // As of the record that is passed on now.
  std::uint32_t connection_of(std::uint32_t device) const;
  // Of a device, by a server, which knows nothing of the device's own numbers.
  history::Record record_of_server(history::Kind kind, std::uint32_t device) const;
  history::Record record(history::Kind kind, DeviceTag device) const;
  history::Record record(history::Kind kind, DeviceTag device, const ConversationId& id) const;
  history::Record setting_record(history::Kind kind, DeviceTag device, const ConversationId& id,
                                 const protocol::Setting& value, std::uint64_t revision) const;
  history::Record message_record(history::Kind kind, DeviceTag device,
                                 const protocol::SendMessage& message) const;
  DeviceState& state(DeviceTag device);
  void see(DeviceTag device, const history::Record& record);
  std::uint32_t target_number(UserId target) const {
    return target == 0 ? history::kNone : Directory::user(target);
  }

  const Scheduler& scheduler_;
  Directory& directory_;
  RecordLanes sink_;
  std::uint64_t ticks_ = 0;
  Shown shown_;
  struct Owner {
    NodeId node = 0;
    std::uint32_t version = 0;  // 0: nobody has served it
  };
  std::vector<Owner> owners_;   // by bucket: who has served it last
  std::set<NodeId> followed_;   // shards whose standby has all that they tell of
  bool was_one_alone_ = false;  // when it was lost
  // Whether what the owner had told need not be in the copy. kNoNode: any that was lost until now.
  bool is_lost_alone(NodeId lost);
  DeviceTable<DeviceState> devices_;
  // Connections that have been told but not passed on yet, by device.
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> waiting_connections_;
  std::uint64_t seen_by_gone_ = 0;  // the part of the history's hash
  std::vector<Reconnect> reconnects_;
  history::Phase phase_ = history::Phase::kCalm;
  struct Counts {
    std::uint64_t connections_open = 0;
    std::uint64_t sends = 0;
    std::uint64_t acks = 0;
    std::uint64_t deliveries = 0;
  };
  Counts counts_;
  std::uint32_t conversations_told_ = 0;  // apart: how many the other process knows
  std::uint64_t hot_window_bytes_ = 0;
  std::uint64_t owed_fanouts_ = 0;
  std::uint64_t probes_[kLanes][static_cast<std::size_t>(Probe::kCount)] = {};  // by the lane that met them
};

}  // namespace wavetank::sim
