// A whole world from a scenario: server nodes, devices, networks, people, faults, history; and the loop that
// runs it.
//
// Phases: the active run (anything may break), then the liveness phase: faults stop, nobody starts anything
// new, every app is opened, all devices must converge within the bound; then every user's auditor reads
// everything again.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conformance/history/record.hpp"
#include "reference/client/client.hpp"
#include "reference/client/compact_store.hpp"
#include "reference/environment/defects.hpp"
#include "sim/network/access_network.hpp"
#include "sim/network/node_links.hpp"
#include "sim/population/behaviour.hpp"
#include "sim/scenarios/scenario.pb.h"
#include "sim/world/device_table.hpp"
#include "sim/world/disk_thread.hpp"
#include "sim/world/history_writer.hpp"
#include "sim/world/hostile_peers.hpp"
#include "sim/world/injector.hpp"
#include "sim/world/lane_thread.hpp"
#include "sim/world/partner.hpp"
#include "sim/world/sampler.hpp"
#include "sim/world/server_node.hpp"

namespace wavetank::sim {

// A window of so many events keeps two threads busy for much longer than it takes to bring them together.
inline constexpr std::uint64_t kWorthBeside = 50;

struct WorldOptions {
  std::uint64_t seed = 1;
  DefectSet defects;
  // Called every 65,536 events; for progress only.
  std::function<void()> progress;
  // Called for every event before it is handled; for the determinism check.
  std::function<void(const Event&)> tap;
  // With more than one, the shards' databases are written beside the simulation, and servers are simulated
  // beside devices where that pays. Changes nothing that is simulated.
  std::uint32_t threads = 1;
  // For the proof of the gate: every server node dies at this moment, and none ever comes back.
  TimeNs target_dies_at = kNever;
  // What a thread that waits for the other may do meanwhile; LaneThread. Decides nothing in the world.
  std::function<bool()> idle = {};
  // Two threads pay from so many events in a window of kSettleEvery on. 0: always, for tests.
  std::uint64_t beside_from = kWorthBeside;
  // Two processes simulate one world, each one lane of it: kDeviceLane, kServerLane; kLanes: this one does
  // all. The one with the servers tells the history and has the facts (world_apart.cpp).
  Lane lane = kLanes;
  Partner* partner = nullptr;  // must outlive the world
  // What so many devices have to say all at once is told before more comes: it need not lie in memory
  // together.
  std::uint32_t devices_at_once = 16384;
};

// A stretch of the run in one phase.
struct PhaseSpan {
  history::Phase phase;
  TimeNs begin;
  TimeNs end;
};

// How hard the nodes of one role worked.
struct RoleLoad {
  std::uint64_t nodes = 0;
  DurationNs busy = 0;              // of all of them, in service and at the disk
  std::uint64_t busy_peak_ppm = 0;  // the busiest node within the busiest interval of the samples
  std::uint64_t inbox_peak = 0;     // the most inputs that ever waited on one node
};

// What the world itself can say after its end; verdicts are the judge's.
struct WorldFacts {
  std::uint64_t trace_hash = 0;
  std::uint64_t history_hash = 0;
  std::uint64_t events = 0;
  std::uint64_t events_by_kind[kEventKinds] = {};
  std::uint64_t sends = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t devices = 0;
  std::uint64_t users = 0;
  std::uint64_t conversations = 0;
  TimeNs end = 0;
  TimeNs quiesced = 0;
  DurationNs converged_after = kNever;  // since quiesced; kNever when not all did
  std::uint64_t commits = 0;
  std::uint64_t rows = 0;
  std::uint64_t log_reads = 0;         // times that shards asked their stores for entries of a log
  std::uint64_t log_rows_read = 0;     // and how many came
  std::uint64_t hot_window_bytes = 0;  // that one shard held of hot conversations, at most
  std::uint64_t owed_fanouts = 0;   // conversations of one shard that owed their members a pointer, at most
  std::uint64_t events_beside = 0;  // that two threads handled beside each other
  std::uint64_t access_packets = 0;
  std::uint64_t access_bytes = 0;
  std::uint64_t node_packets = 0;
  std::uint64_t node_bytes = 0;
  FrameCounts access_frames;
  FrameCounts node_frames;
  RoleLoad load[2];  // gateways, shards
  std::uint64_t inbox_overflows = 0;
  // Memory by owner at the end of the run, before the auditors have come: clients with their stores, the
  // world's notes of them (history, directory, people), servers by what they keep.
  std::size_t bytes_devices = 0;
  std::size_t bytes_notes = 0;
  NodeMemory bytes_machines;
  store::MemoryStore::Memory bytes_stores;
  std::size_t bytes_network = 0;
  std::size_t bytes_queue = 0;
  std::size_t bytes_disks = 0;
  std::vector<std::pair<std::string, std::uint64_t>> probes;
};

// The payload of the cue at which an auditor begins; its target is the auditor.
inline constexpr std::uint32_t kCueAudit = 0xffffffffU;
// The payload of a hostile peer's cue; its target is the peer.
inline constexpr std::uint32_t kCueHostile = 0xfffffffdU;
// A device whose token had expired has a new one.
inline constexpr std::uint32_t kCueSignIn = 0xfffffffeU;
// A device whose app has crashed opens it again.
inline constexpr std::uint32_t kCueReopen = 0xfffffffcU;

// The target of a sample.
enum SampleCode : std::uint32_t { kSampleSeries, kSampleReconnect };

class World final : private AccessListener,
                    private LinkListener,
                    private Stage,
                    private FaultTargets,
                    private server::Authenticator {
 public:
  // Builds the world; errors (a missing trace, an unknown region) are one line. The scenario must be valid
  // (scenarios::validate). `sink` hears everything and must outlive the world.
  static std::expected<std::unique_ptr<World>, std::string> make(const scenarios::Scenario& scenario,
                                                                 WorldOptions options, history::Sink& sink);
  ~World() override;

  // Runs to the end. Call once.
  void run();

  const WorldFacts& facts() const { return facts_; }
  const Script& script() const { return script_; }
  const faults::Plan& plan() const { return plan_; }
  const std::vector<FaultSpan>& fault_spans() const { return injector_->spans(); }
  const std::vector<PhaseSpan>& phases() const { return phases_; }
  const SampleSeries& series() const { return series_; }
  // Connected devices, sampled every second from each mass disconnect on, for two minutes.
  const std::vector<SampleSeries>& reconnects() const { return reconnects_; }
  // Every lost connection that came back while its app was open.
  const std::vector<Reconnect>& reconnect_times() const { return history_->reconnects(); }
  const std::string& cohort_of(std::uint32_t device) const {
    return cohort_names_[access_->place_of_device(device).cohort];
  }
  // Region of each gateway by its node number, history::kNone for shards.
  std::vector<std::uint32_t> gateway_regions() const;
  TimeNs now() const override { return scheduler_.now(); }
  TimeNs planned_end() const { return scenario_.run_s() * kSecond; }
  // Whether two threads are at work on devices and servers now; for whoever hears the records.
  bool is_beside() const { return scheduler_.is_beside(); }
  std::uint64_t events_so_far() const { return facts_.events + events_elsewhere_; }
  std::vector<std::string> active_faults() const { return injector_->active_names(); }
  // Rolling hash of what a source of events has done so far; 0 for the population and the injector.
  std::uint64_t state_of(std::uint32_t source) const;
  std::string entity_name(std::uint32_t source) const;
  // Whom an event happens to, as a source; its maker when that is nobody with a state of his own.
  std::uint32_t entity_of_target(const Event& event) const;
  // Slips in one event that the scenario does not contain, so that a test can see the determinism check fail.
  void disturb_for_test() { scheduler_.at(scheduler_.now(), source_faults_, kPhaseChange, 0, 0); }

 private:
  struct Device {
    Device(const client::ClientShared& shared, client::StagingArea& staging, UserId user, DeviceIndex index,
           DeviceTag tag)
        : store(staging), machine(shared, user, index, tag, {}, store) {}
    client::CompactStore store;
    client::Client machine;
    TimeNs timer_at = kNever;
    SkewedClock clock;
    std::uint32_t connection = kNoConnection;
    std::uint32_t connections = 0;
    std::uint32_t failed_dials = 0;
    std::uint32_t gateway = 0;     // dialled last
    std::uint32_t generation = 0;  // sign-ins before the last
    bool never_renews = false;
    bool crashes_on_poison = false;
    bool has_crashed = false;    // and its user will open it again, soon
    bool is_signing_in = false;  // the user will, soon
    RollingHash trace;
  };

  World(const scenarios::Scenario& scenario, WorldOptions options, history::Sink& sink);
  std::expected<void, std::string> build();
  std::expected<void, std::string> build_topology();
  std::expected<void, std::string> build_population();
  std::expected<void, std::string> build_faults();
  void build_nodes();
  void build_devices();
  void build_hostile_peers();
  server::ServerConfig server_config(NodeId node) const;
  std::uint32_t logins_per_s() const;
  void add_device(std::uint32_t device);
  const client::ClientShared& shared_of(std::uint32_t device) const;

  // world_loop.cpp
  void start_nodes();
  void run_until(TimeNs end);
  void step();
  void turn_to(TimeNs time);
  // Where the window that begins at `time` ends, when two threads may work on it; otherwise `time`.
  TimeNs beside_until(TimeNs time, TimeNs end);
  void run_beside(TimeNs end);
  void run_lane(Lane lane);
  // Of the window that was worked on last.
  std::uint64_t count_events_beside();
  void prefetch_ahead(Lane lane) const;
  void handle(const Event& event);
  // world_apart.cpp
  std::expected<void, std::string> may_be_apart() const;
  void run_until_apart(TimeNs end);
  // Tells the other process what is new here, and hears what is new there. Whether `mine` holds in both.
  bool exchange_news(bool mine = true);
  // The same between windows, where both have come to the same point; one process that has all agrees with
  // itself.
  bool meet(bool mine = true);
  // An event that both have a part in goes on to its next step.
  void next_step();
  // So many devices have been through the same between windows.
  void after_devices(std::uint32_t count);
  void exchange_facts();
  void liveness_phase();
  void audit_phase();
  void audit_wave(std::uint32_t first_user, std::uint32_t end_user, DurationNs ramp);
  void drop_auditors(std::uint32_t first_user, std::uint32_t end_user);
  void report_states();
  void report_state(std::uint32_t device);
  bool all_converged();
  void sample();
  void sample_reconnect(std::uint32_t curve);
  void change_phase();
  void measure_memory();
  void collect_facts();
  void let_target_die();

  // ---- devices
  template <class Fn>
  void with_device(std::uint32_t device, Fn&& fn);
  void carry_out(std::uint32_t device, Effect& effect);
  void dial(std::uint32_t device);
  std::uint32_t send_to(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind kind,
                        UserId target, std::uint32_t size, std::uint64_t reply_to_seq = 0);
  void watch_answer(std::uint32_t device, const protocol::Frame& frame);
  std::uint32_t choose_gateway(std::uint32_t device);
  void device_timer(std::uint32_t device);
  void begin_audit(std::uint32_t device);
  // world_poison.cpp. Whether the payload is one on which apps of that kind crash; a user's own is not.
  bool is_poisonous(const protocol::Event& event, UserId reader) const;
  // Whether the app has crashed on what came, instead of taking it; then it starts again.
  bool crash_on(std::uint32_t device, const protocol::Frame& frame);
  // What the app had not committed is gone, and it does not run.
  void kill_app(std::uint32_t device);
  // The user of an app that has crashed opens it again, after half a second to one and a half.
  void reopen_soon(std::uint32_t device);
  // Whoever was refused because the token had expired gets a new one after a while.
  void see_sign_out(std::uint32_t device);
  void sign_in(std::uint32_t device);
  bool is_hostile(std::uint32_t device) const { return hostile_ != nullptr && hostile_->owns(device); }
  // Of its user no more, and it knows.
  bool is_removed(const Device& device) const {
    return scenario_.protocol().revoke_within_ms() != 0 &&
           device.machine.signed_out_by() == protocol::ErrorCode::kDeviceRemoved;
  }

  // ---- AccessListener
  void device_connected(std::uint32_t device) override;
  void device_closed(std::uint32_t device, CloseReason reason) override;
  void device_packet(std::uint32_t device, Packet&& packet) override;
  bool gateway_listens(std::uint32_t node, bool& hangs) override;
  void gateway_opened(std::uint32_t node, std::uint32_t connection) override;
  void gateway_closed(std::uint32_t node, std::uint32_t connection, CloseReason reason) override;
  void gateway_packet(std::uint32_t node, std::uint32_t connection, Packet&& packet) override;
  void link_stalled(std::uint32_t device, TimeNs until) override;
  void probe(Probe probe) override { history_->probe(0, probe); }
  // ---- LinkListener
  bool node_alive(std::uint32_t node) override { return nodes_[node]->is_alive(); }
  void link_up(std::uint32_t node, std::uint32_t peer) override { nodes_[node]->peer_up(peer); }
  void link_down(std::uint32_t node, std::uint32_t peer) override { nodes_[node]->peer_down(peer); }
  void link_packet(std::uint32_t node, std::uint32_t peer, Packet&& packet) override {
    nodes_[node]->peer_packet(peer, std::move(packet));
  }
  void burst_ended(std::uint32_t node) override { nodes_[node]->burst_ended(); }
  // ---- Stage
  void cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) override;
  void open_app(std::uint32_t device) override;
  void close_app(std::uint32_t device) override;
  bool app_is_open(std::uint32_t device) const override { return devices_[device].machine.is_running(); }
  std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind kind,
                     std::uint32_t size) override;
  void send_as(std::uint32_t device, std::uint32_t conversation, std::uint32_t claimed,
               std::uint32_t size) override;
  void reuse_key(std::uint32_t device, std::uint32_t size) override;
  std::uint32_t reply(std::uint32_t device, std::uint32_t conversation, std::uint32_t size,
                      std::uint64_t seq) override;
  void reply_ahead(std::uint32_t device, std::uint32_t conversation, std::uint32_t size) override;
  std::uint32_t direct(std::uint32_t user, std::uint32_t other) override;
  void read(std::uint32_t device, std::uint32_t conversation) override;
  void put_setting(std::uint32_t device, std::uint32_t conversation, protocol::SettingKind kind,
                   std::uint64_t nonce) override;
  void remove_device(std::uint32_t device, std::uint32_t other) override;
  void type(std::uint32_t device, std::uint32_t conversation, bool is_typing) override;
  void watch(std::uint32_t device, std::uint32_t conversation, bool is_open) override;
  std::uint32_t react(std::uint32_t device, std::uint32_t conversation, std::uint64_t seq) override;
  // ---- FaultTargets
  std::vector<std::uint32_t> nodes_at(const Selector& selector) override;
  std::vector<std::uint32_t> connections_at(const Selector& selector) override;
  std::vector<std::uint32_t> devices_at(const Selector& selector) override;
  void tell_versions(std::uint32_t node);
  void kill_node(std::uint32_t node, bool drop_unsynced) override;
  void restart_node(std::uint32_t node) override;
  void drain_node(std::uint32_t node, DurationNs window) override;
  void replace_node(std::uint32_t node) override;
  void upgrade_node(std::uint32_t node) override;
  void pause_node(std::uint32_t node) override { nodes_[node]->pause(); }
  void resume_node(std::uint32_t node) override { nodes_[node]->resume(); }
  void slow_disk(std::uint32_t node, std::int64_t factor) override {
    nodes_[node]->set_disk_slowdown(factor);
  }
  void set_door(std::uint32_t node, bool refuses, bool hangs) override;
  void kill_connection_silently(std::uint32_t connection) override { access_->kill_silently(connection); }
  void reset_connection(std::uint32_t connection) override {
    next_step();
    access_->reset(connection);
  }
  void stall_connection(std::uint32_t connection, TimeNs until) override {
    access_->stall(connection, until);
  }
  std::uint32_t stop_reading(std::uint32_t connection, TimeNs until) override;
  void read_again(std::uint32_t device) override;
  void restart_device(std::uint32_t device) override;
  void move_bucket(std::uint32_t bucket, std::uint32_t node) override;
  void lose_node(std::uint32_t node) override;
  void paths_changed() override;
  void fault_changed(std::uint32_t fault, bool active) override;
  // ---- Authenticator: the simulated network knows its devices
  bool accept(const protocol::Hello&) override { return true; }

  scenarios::Scenario scenario_;
  WorldOptions options_;
  Randomness randomness_;
  Scheduler scheduler_;
  std::vector<std::string> region_names_;
  std::vector<std::string> cohort_names_;
  std::vector<CohortProfile> cohorts_;
  std::unique_ptr<Reachability> reachability_;
  std::unique_ptr<server::Placement> placement_;
  Script script_;
  std::unique_ptr<Directory> directory_;
  history::Sink& sink_;
  std::unique_ptr<HistoryWriter> history_;
  std::unique_ptr<ServiceCosts> costs_;
  DiskProfile disk_profile_;
  std::unique_ptr<SqliteVfs> vfs_;
  std::unique_ptr<DiskThread> disk_thread_;  // none when one thread does all
  std::unique_ptr<AccessNetwork> access_;
  std::unique_ptr<NodeLinks> links_;
  std::unique_ptr<NodeServices> services_;
  std::vector<std::unique_ptr<ServerNode>> nodes_;
  std::vector<std::vector<std::uint32_t>> gateways_by_region_;
  struct Door {
    bool refuses = false;
    bool hangs = false;
  };
  std::vector<Door> doors_;  // by node
  client::StagingArea staging_;
  std::unique_ptr<client::ClientShared> client_shared_;
  std::unique_ptr<client::ClientShared> older_shared_;  // of the devices of the version before
  DeviceTable<Device> devices_;                         // an auditor's record goes when its wave is done
  std::uint64_t dropped_trace_ = 0;                     // of those that have gone, as the trace hash sums it
  Effects device_effects_;
  std::unique_ptr<HostilePeers> hostile_;  // none where nobody means harm
  std::unique_ptr<Behaviour> behaviour_;
  // What mischief needs: each device's last acknowledged key. Empty in a world without.
  struct UsedKey {
    ConversationId conversation;
    ClientMessageId id;
  };
  std::vector<UsedKey> used_keys_;
  std::uint64_t raw_requests_ = 0;
  faults::Plan plan_;
  std::unique_ptr<Injector> injector_;
  std::uint32_t source_population_ = 0;
  std::uint32_t source_faults_ = 0;
  std::uint32_t source_devices_ = 0;
  history::Phase phase_ = history::Phase::kCalm;
  TimeNs phase_since_ = 0;
  TimeNs recovery_until_ = 0;
  TimeNs next_tick_ = 0;  // when the harness looks at its clock next
  // The servers' lane stays with the thread that has built the world: most of the memory is theirs, and the
  // allocator gives huge pages to that thread only.
  std::unique_ptr<LaneThread> device_thread_;  // none where one thread works on all lanes
  struct alignas(64) LaneEvents {
    std::uint64_t by_kind[kEventKinds] = {};
  };
  LaneEvents beside_[2];               // by lane, of the window that was worked on last
  TimeNs window_end_ = 0;              // of the window whose events are counted now
  std::uint64_t window_began_at_ = 0;  // how many had been handled
  std::uint64_t window_events_ = 0;    // of the window before
  // Apart:
  TimeNs next_apart_ = kNever;          // of both processes
  std::uint64_t events_elsewhere_ = 0;  // that the other process has handled
  std::uint32_t steps_ = 0;             // since the two have last told each other
  std::uint32_t devices_added_ = 0;     // wherever they are
  bool draining_ = false;
  bool is_target_dead_ = false;
  std::vector<PhaseSpan> phases_;
  SampleSeries series_;
  std::vector<SampleSeries> reconnects_;
  std::vector<std::uint64_t> connected_before_;  // by curve: connections when it began; 0 once they are back
  std::vector<DurationNs> busy_before_;
  WorldFacts facts_;
};

}  // namespace wavetank::sim
