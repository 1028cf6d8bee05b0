// How a world comes to be: topology, people, nodes, devices, faults, in this order.
#include <fmt/format.h>

#include <algorithm>

#include "faults/plan.hpp"
#include "sim/disk/sqlite_process.hpp"
#include "sim/network/profiles/profile.hpp"
#include "sim/population/community.hpp"
#include "sim/population/people.hpp"
#include "sim/scenarios/scenario.hpp"
#include "sim/traces/trace.hpp"
#include "sim/world/world.hpp"

namespace wavetank::sim {
namespace {

using Failure = std::unexpected<std::string>;

// Of each kind, in all shards.
constexpr std::uint32_t kMostRowsCached = 1 << 20;

}  // namespace

std::expected<std::unique_ptr<World>, std::string> World::make(const scenarios::Scenario& scenario,
                                                               WorldOptions options, history::Sink& sink) {
  std::unique_ptr<World> world(new World(scenario, std::move(options), sink));
  const auto built = world->build();
  if (!built) return Failure(built.error());
  return world;
}

World::World(const scenarios::Scenario& scenario, WorldOptions options, history::Sink& sink)
    : scenario_(scenario),
      options_(std::move(options)),
      randomness_(options_.seed),
      sink_(sink),
      disk_profile_(default_disk_profile()) {
  if (options_.lane != kLanes) scheduler_.keep_only(options_.lane);
}

World::~World() = default;

std::expected<void, std::string> World::build() {
  if (auto done = build_topology(); !done) return done;
  if (auto done = build_population(); !done) return done;
  build_nodes();
  build_devices();
  build_hostile_peers();
  // Whoever looks at every event sees them in their order, and a hostile peer's link is nobody's alone.
  const bool may_be_beside = !options_.tap && !hostile_ && access_->shortest_passage() >= kSettleEvery;
  if (options_.threads > 1 && may_be_beside && !scheduler_.is_apart())
    device_thread_ = std::make_unique<LaneThread>([this] { run_lane(kDeviceLane); }, options_.idle);
  if (auto done = build_faults(); !done) return done;
  return scheduler_.is_apart() ? may_be_apart() : std::expected<void, std::string>();
}

std::expected<void, std::string> World::build_topology() {
  const auto matrix =
      load_rtt_matrix(scenarios::data_root() / "sim/traces" / scenario_.topology().rtt_matrix());
  if (!matrix) return Failure(matrix.error());
  std::vector<std::size_t> rows;
  for (auto& region : *scenario_.mutable_topology()->mutable_region()) {
    region.set_gateways(static_cast<std::int32_t>(scenarios::nodes_of_role(scenario_, region.gateways())));
    region.set_shards(static_cast<std::int32_t>(scenarios::nodes_of_role(scenario_, region.shards())));
    const std::size_t row = matrix->find(region.name());
    if (row == matrix->names.size()) {
      return Failure(fmt::format("topology.region: '{}' is no region of {}", region.name(),
                                 scenario_.topology().rtt_matrix()));
    }
    rows.push_back(row);
    region_names_.push_back(region.name());
  }
  std::vector<DurationNs> one_way;
  for (const std::size_t from : rows) {
    for (const std::size_t to : rows) {
      one_way.push_back(from == to ? scenario_.topology().node_link_us() * kMicrosecond
                                   : static_cast<DurationNs>(matrix->at(from, to)) * kMillisecond / 2);
    }
  }
  reachability_ = std::make_unique<Reachability>(static_cast<std::uint32_t>(rows.size()), std::move(one_way));
  for (const auto& cohort : scenario_.cohort()) {
    auto profile =
        load_profile(scenarios::data_root() / "sim/network/profiles" / (cohort.profile() + ".csv"));
    if (!profile) return Failure(profile.error());
    cohorts_.push_back(std::move(*profile));
    cohort_names_.push_back(cohort.profile());
  }
  std::string unknown;
  costs_ = std::make_unique<ServiceCosts>(scenario_.costs(), unknown);
  if (!unknown.empty()) return Failure(fmt::format("costs.cost: no frame has a body called '{}'", unknown));
  disk_profile_.base_ns = scenario_.disk().sync_us() * kMicrosecond;
  return {};
}

std::expected<void, std::string> World::build_population() {
  switch (scenario_.population().workload()) {
    case scenarios::Population::COLLEGE: {
      auto script = make_college(scenario_, scenarios::data_root() / "sim/traces", randomness_);
      if (!script) return Failure(script.error());
      script_ = std::move(*script);
      break;
    }
    case scenarios::Population::CAMPUS:
      script_ = make_campus(scenario_, randomness_);
      break;
    case scenarios::Population::CROWD:
      script_ = make_crowd(scenario_, randomness_);
      break;
    case scenarios::Population::REGION:
      script_ = make_region_script(scenario_, randomness_);
      break;
    case scenarios::Population::STAR:
      add_people(scenario_, static_cast<std::uint32_t>(scenario_.devices()), randomness_, script_);
      break;
  }
  directory_ = std::make_unique<Directory>(script_);
  history_ = std::make_unique<HistoryWriter>(
      scheduler_, *directory_, sink_,
      [this](std::uint32_t device, std::uint32_t conversation, std::uint32_t sender, std::uint32_t counter,
             std::uint64_t seq) {
        if (device < script_.devices.size() && sender < script_.devices.size()) {
          behaviour_->shown(device, conversation, sender, counter, seq);
        }
      });
  if (scenario_.population().workload() == scenarios::Population::STAR) {
    behaviour_ = make_star(scenario_, static_cast<std::uint32_t>(script_.devices.size()), randomness_, *this);
  } else if (scenario_.population().workload() == scenarios::Population::REGION) {
    behaviour_ = make_region(scenario_, script_, randomness_, *this);
  } else {
    behaviour_ = make_script_player(scenario_.population(), script_, randomness_, *this);
    if (scenario_.population().mischief_permille() > 0) {
      script_.factors.push_back(
          {"hostile actions", fmt::format("{} of 1,000 messages", scenario_.population().mischief_permille()),
           "invented: stale keys, foreign groups, false senders"});
      behaviour_ = make_mischief(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
      used_keys_.resize(script_.devices.size());
    }
    if (scenario_.population().settings_permille() > 0) {
      script_.factors.push_back({"settings of conversations",
                                 fmt::format("{} of 1,000 users", scenario_.population().settings_permille()),
                                 "invented: drafts, mutes, archives, pins, marks of unread"});
      behaviour_ = make_settings(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().typing_permille() > 0) {
      script_.factors.push_back(
          {"typing", fmt::format("before {} of 1,000 messages", scenario_.population().typing_permille()),
           "invented: 100 to 300 ms a byte, now and then with a pause"});
      behaviour_ = make_typists(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().watchers_permille() > 0) {
      script_.factors.push_back(
          {"who looks who is there",
           fmt::format("{} of 1,000 devices", scenario_.population().watchers_permille()),
           "invented: the last three conversations written to, for two minutes each"});
      behaviour_ = make_watchers(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().privacy_permille() > 0) {
      script_.factors.push_back({"who hides from whom",
                                 fmt::format("{} of 1,000 users", scenario_.population().privacy_permille()),
                                 "invented: everybody, contacts or nobody, drawn anew each time"});
      behaviour_ = make_privacy(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().reactions_permille() > 0) {
      script_.factors.push_back(
          {"reactions",
           fmt::format("to {} of 1,000 entries shown", scenario_.population().reactions_permille()),
           "invented: one to five seconds later"});
      behaviour_ = make_reactions(scenario_.population(), randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().flood_permille() > 0) {
      script_.factors.push_back({"floods of messages",
                                 fmt::format("{} of 1,000 users", scenario_.population().flood_permille()),
                                 "invented: many messages at once"});
      behaviour_ = make_floods(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
    if (scenario_.population().removals_permille() > 0) {
      script_.factors.push_back(
          {"devices removed",
           fmt::format("by {} of 1,000 users with several", scenario_.population().removals_permille()),
           "invented: the last one, on another"});
      behaviour_ = make_removals(scenario_.population(), script_, randomness_, *this, std::move(behaviour_));
    }
  }
  return {};
}

// Of one gateway.
std::uint32_t World::logins_per_s() const {
  if (scenario_.admission_s() == 0) return static_cast<std::uint32_t>(scenario_.protocol().logins_per_s());
  std::int64_t shares = 0;
  for (const auto& region : scenario_.topology().region()) shares += region.gateways();
  shares *= scenario_.admission_s();
  return static_cast<std::uint32_t>((scenario_.devices() + shares - 1) / shares);
}

server::ServerConfig World::server_config(NodeId node) const {
  const scenarios::Protocol& protocol = scenario_.protocol();
  server::ServerConfig config;
  config.self = node;
  config.defects = options_.defects;
  config.versions.max = static_cast<std::uint32_t>(scenario_.versions().servers());
  config.heartbeat_interval_ms = static_cast<std::uint32_t>(protocol.heartbeat_interval_ms());
  config.heartbeat_timeout_ms = static_cast<std::uint32_t>(protocol.heartbeat_timeout_ms());
  config.hello_timeout_ms = static_cast<std::uint32_t>(protocol.hello_within_ms());
  config.attach_timeout_ms = static_cast<std::uint32_t>(protocol.attach_timeout_ms());
  // A larger world's rows, which stand in memory, are not to stand there twice.
  if (scenario_.fidelity().store() == scenarios::Fidelity::MEMORY)
    config.cache_limit = std::min(config.cache_limit,
                                  kMostRowsCached / static_cast<std::uint32_t>(placement_->shards().size()));
  config.page_limit = static_cast<std::uint32_t>(protocol.page_limit());
  config.inline_limit = static_cast<std::uint32_t>(protocol.inline_limit());
  config.receipt_fanout_limit = static_cast<std::uint32_t>(protocol.receipt_fanout_limit());
  config.receipt_delay_ms = static_cast<std::uint32_t>(protocol.receipt_delay_ms());
  config.resume_window_ms = static_cast<std::uint32_t>(protocol.resume_window_ms());
  config.replay_ring_frames = static_cast<std::uint32_t>(protocol.replay_ring_frames());
  config.replay_ring_bytes = static_cast<std::uint32_t>(protocol.replay_ring_bytes());
  config.resume_seed = randomness_.seed();
  config.logins_per_s = logins_per_s();
  config.typing_ttl_ms = static_cast<std::uint32_t>(protocol.typing_ttl_ms());
  config.presence_lease_ms = static_cast<std::uint32_t>(protocol.presence_lease_ms());
  config.presence_refresh_ms = static_cast<std::uint32_t>(protocol.presence_refresh_ms());
  config.last_seen_window_ms = static_cast<std::uint32_t>(protocol.last_seen_window_ms());
  config.sends_per_s = static_cast<std::uint32_t>(protocol.sends_per_s());
  config.send_burst = static_cast<std::uint32_t>(protocol.send_burst());
  config.push_queue_frames = static_cast<std::uint32_t>(protocol.push_queue_frames());
  config.push_queue_bytes = static_cast<std::uint32_t>(protocol.push_queue_bytes());
  config.slow_consumer_ms = static_cast<std::uint32_t>(protocol.slow_consumer_ms());
  config.retain_entries = static_cast<std::uint32_t>(protocol.retain_entries());
  config.retain_changes = static_cast<std::uint32_t>(protocol.retain_changes());
  config.snapshot_seed = randomness_.seed();
  config.revoke_within_ms = static_cast<std::uint32_t>(protocol.revoke_within_ms());
  config.token_life_ms = static_cast<std::uint32_t>(protocol.token_life_ms());
  config.max_in_flight = static_cast<std::uint32_t>(protocol.max_in_flight());
  config.reconnect_min_ms = static_cast<std::uint32_t>(protocol.reconnect_min_ms());
  config.reconnect_jitter_ms = static_cast<std::uint32_t>(protocol.reconnect_jitter_ms());
  config.hot_window_entries = static_cast<std::uint32_t>(protocol.hot_window_entries());
  config.hot_window_bytes = static_cast<std::uint32_t>(protocol.hot_window_bytes());
  config.coalesce_reads = protocol.coalesce_reads();
  config.pointer_window_ms = static_cast<std::uint32_t>(protocol.pointer_window_ms());
  config.park_after = static_cast<std::uint32_t>(protocol.park_after());
  config.move_chunk_rows = static_cast<std::uint32_t>(protocol.move_chunk_rows());
  config.move_stop_ms = static_cast<std::uint32_t>(protocol.move_stop_ms());
  config.standby_copies = static_cast<std::uint32_t>(protocol.standby_copies());
  config.quorum_acks = protocol.quorum_acks();
  config.tells_buckets = scenario_.moves().count() > 0 || protocol.standby_copies() > 0 ||
                         std::any_of(scenario_.faults().fault().begin(), scenario_.faults().fault().end(),
                                     [](const faults::Fault& f) { return f.kind() == faults::MOVE_BUCKET; });
  config.outbox_batch = static_cast<std::uint32_t>(protocol.outbox_batch());
  config.outbox_window = static_cast<std::uint32_t>(protocol.outbox_window());
  return config;
}

void World::build_nodes() {
  // Numbers: region by region its gateways, then its shards.
  std::vector<Place> places;
  std::vector<std::vector<NodeId>> shards_by_region;
  for (std::uint32_t r = 0; r < region_names_.size(); ++r) {
    const auto& region = scenario_.topology().region(static_cast<int>(r));
    gateways_by_region_.emplace_back();
    shards_by_region.emplace_back();
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(region.gateways() + region.shards()); ++i) {
      const bool gateway = i < static_cast<std::uint32_t>(region.gateways());
      const auto node = static_cast<std::uint32_t>(places.size());
      (gateway ? gateways_by_region_ : shards_by_region).back().push_back(node);
      places.push_back({gateway ? Role::kGateway : Role::kShard, static_cast<std::uint8_t>(r), 0,
                        gateway ? i : i - static_cast<std::uint32_t>(region.gateways())});
    }
  }
  const auto count = static_cast<std::uint32_t>(places.size());
  source_population_ = count;
  source_faults_ = count + 1;
  source_devices_ = count + 2;
  placement_ = std::make_unique<server::Placement>(server::Placement::even(
      1, static_cast<std::uint32_t>(scenario_.topology().buckets_per_region()), shards_by_region));

  AccessListener& access_listener = *this;
  LinkListener& link_listener = *this;
  server::Authenticator& authenticator = *this;
  const scenarios::Transport& transport = scenario_.transport();
  access_ = std::make_unique<AccessNetwork>(
      scheduler_, *reachability_, cohorts_, randomness_,
      TransportConfig{transport.retransmit_min_ms() * kMillisecond,
                      transport.user_timeout_ms() * kMillisecond, planned_end()},
      source_devices_, access_listener);
  links_ = std::make_unique<NodeLinks>(
      scheduler_, *reachability_, randomness_,
      NodeLinkConfig{transport.node_timeout_ms() * kMillisecond, transport.node_redial_ms() * kMillisecond},
      link_listener);
  pin_sqlite_process();
  reset_sqlite_prng(options_.seed);
  const bool sqlite =
      scenario_.fidelity().store() == scenarios::Fidelity::SQLITE && scheduler_.keeps(kServerLane);
  if (sqlite) vfs_ = std::make_unique<SqliteVfs>(randomness_);
  if (sqlite && options_.threads > 1) disk_thread_ = std::make_unique<DiskThread>(count);
  const auto runner = [this](std::uint32_t node) -> store::WriteRunner& {
    return disk_thread_ ? disk_thread_->lane(node) : store::RunAtOnce::instance();
  };
  services_ = std::make_unique<NodeServices>(
      NodeServices{scheduler_, *access_, *links_, randomness_, *costs_, disk_profile_,
                   Wire(scenario_.fidelity().wire() == scenarios::Fidelity::BYTES), *placement_,
                   authenticator, *history_});
  services_->gateway_batch = static_cast<std::uint32_t>(scenario_.costs().gateway_batch());
  services_->shard_batch = static_cast<std::uint32_t>(scenario_.costs().shard_batch());
  services_->inbox_limit = static_cast<std::uint32_t>(scenario_.costs().inbox_limit());
  services_->restart_step_max_ms = scenario_.clocks().restart_step_ms();
  services_->commit_pending = [this](std::uint32_t node, DurationNs duration) {
    injector_->commit_pending(node, duration);
  };
  doors_.resize(count);
  busy_before_.resize(count);
  const auto blocks = std::make_shared<store::EventBlocks>();
  for (std::uint32_t node = 0; node < count; ++node) {
    links_->add_node(places[node]);
    const bool gateway = places[node].role == Role::kGateway;
    if (gateway) access_->add_gateway(node, places[node]);
    const SkewedClock clock = SkewedClock::draw(randomness_, node, scenario_.clocks().node_offset_ms(),
                                                scenario_.clocks().drift_ppm());
    nodes_.push_back(std::make_unique<ServerNode>(
        *services_, places[node], server_config(node), clock,
        gateway ? nullptr : std::make_unique<ShardDisk>(node, vfs_.get(), runner(node), blocks)));
  }
  links_->connect([&](std::uint32_t a, std::uint32_t b) {
    return places[a].role == Role::kShard || places[b].role == Role::kShard;
  });
}

void World::build_devices() {
  const scenarios::ClientPolicy& policy = scenario_.client();
  client::ClientConfig config;
  config.request_timeout_ms = static_cast<std::uint32_t>(policy.request_timeout_ms());
  config.heartbeat_ack_timeout_ms = static_cast<std::uint32_t>(policy.heartbeat_ack_timeout_ms());
  config.connect_timeout_ms = static_cast<std::uint32_t>(policy.connect_timeout_ms());
  config.gap_wait_ms = static_cast<std::uint32_t>(policy.gap_wait_ms());
  config.gap_buffer = static_cast<std::uint32_t>(policy.gap_buffer());
  config.fetch_limit = static_cast<std::uint32_t>(policy.fetch_limit());
  config.sync_limit = static_cast<std::uint32_t>(policy.sync_limit());
  config.receipts_interval_ms = static_cast<std::uint32_t>(policy.receipts_interval_ms());
  config.group_receipts_interval_ms = static_cast<std::uint32_t>(policy.group_receipts_interval_ms());
  config.reconnect_max_ms = static_cast<std::uint32_t>(policy.backoff_max_ms());
  config.pipelined_sends = policy.pipelined_sends();
  config.typing_ttl_ms = static_cast<std::uint32_t>(scenario_.protocol().typing_ttl_ms());
  if (scenario_.protocol().presence_lease_ms() != 0)
    config.presence_refresh_ms = static_cast<std::uint32_t>(scenario_.protocol().presence_refresh_ms());
  config.typing_debounce_ms = static_cast<std::uint32_t>(policy.typing_debounce_ms());
  config.typing_refresh_ms = static_cast<std::uint32_t>(policy.typing_refresh_ms());
  config.defects = options_.defects;
  config.versions = {static_cast<std::uint32_t>(scenario_.versions().oldest_of_devices()),
                     static_cast<std::uint32_t>(scenario_.versions().devices())};
  config.keep_sent = static_cast<std::uint32_t>(policy.keep_sent());
  client_shared_ =
      std::make_unique<client::ClientShared>(client::ClientShared{config, randomness_, *history_});
  config.versions = {protocol::kVersion, std::max(config.versions.max - 1, protocol::kVersion)};
  config.core_features = static_cast<std::uint64_t>(scenario_.versions().older_devices_features());
  config.typing_ttl_ms = 0;
  config.presence_refresh_ms = 0;
  older_shared_ =
      std::make_unique<client::ClientShared>(client::ClientShared{config, randomness_, *history_});
  // Auditors, one of each user, have the numbers behind the devices.
  const std::size_t all = script_.devices.size() + script_.users.size();
  scheduler_.expect_sources(source_devices_ + all);
  access_->expect_devices(all);
  for (std::uint32_t device = 0; device < script_.devices.size(); ++device) add_device(device);
  if (!scheduler_.keeps(kServerLane)) return;
  for (std::uint32_t c = 0; c < directory_->conversations(); ++c) history_->declare_conversation(c);
}

void World::build_hostile_peers() {
  const scenarios::Population& population = scenario_.population();
  if (population.hostile_peers() == 0) return;
  HostileSetup setup;
  setup.peers = static_cast<std::uint32_t>(population.hostile_peers());
  setup.gap = population.hostile_gap_ms() * kMillisecond;
  setup.hello_within = scenario_.protocol().hello_within_ms() * kMillisecond;
  // Behind the devices and the auditors, one of each user.
  setup.first_user = static_cast<std::uint32_t>(script_.users.size());
  setup.first_device = static_cast<std::uint32_t>(script_.devices.size()) + setup.first_user;
  setup.event_source = source_population_;
  setup.cue = kCueHostile;
  setup.gateways = gateways_by_region_;
  script_.factors.push_back({"hostile peers",
                             fmt::format("{}, an attack about every {} ms", population.hostile_peers(),
                                         population.hostile_gap_ms()),
                             "invented: damaged, oversized, misplaced and replayed frames, and silence"});
  hostile_ = std::make_unique<HostilePeers>(std::move(setup), scheduler_, *access_, services_->wire,
                                            randomness_, *history_);
}

const client::ClientShared& World::shared_of(std::uint32_t device) const {
  const auto permille = static_cast<std::uint64_t>(scenario_.versions().older_devices_permille());
  const bool is_older =
      !directory_->is_auditor(device) && randomness_.chance(permille, 1000, Purpose::kVersions, device, 0);
  return is_older ? *older_shared_ : *client_shared_;
}

void World::add_device(std::uint32_t device) {
  ++devices_added_;
  const std::uint32_t user = directory_->user_of_device(device);
  const UserSpec& spec = script_.users[user];
  // An auditor reads from a desk: the first access network of the scenario.
  const std::uint32_t cohort = directory_->is_auditor(device) ? 0 : script_.devices[device].cohort;
  access_->add_device(device, {Role::kDevice, static_cast<std::uint8_t>(spec.region),
                               static_cast<std::uint8_t>(cohort), device});
  if (!scheduler_.keeps(kDeviceLane)) return history_->declare_device(device, spec.region, cohort);
  Device& added =
      devices_.emplace_back(shared_of(device), staging_, spec.id, directory_->index_of(device), device);
  added.clock = SkewedClock::draw(randomness_, (1ULL << 32) + device, scenario_.clocks().device_offset_ms(),
                                  scenario_.clocks().drift_ppm());
  const auto no_renewal = static_cast<std::uint64_t>(scenario_.population().no_renewal_permille());
  added.never_renews = !directory_->is_auditor(device) &&
                       randomness_.chance(no_renewal, 1000, Purpose::kDevices, device, 0, 4);
  if (added.never_renews) added.machine.set_renewing(false);
  const auto crashing = static_cast<std::uint64_t>(scenario_.population().poison_devices_permille());
  added.crashes_on_poison =
      !directory_->is_auditor(device) && randomness_.chance(crashing, 1000, Purpose::kPoisonedApp, device, 0);
  history_->declare_device(device, spec.region, cohort);
}

std::expected<void, std::string> World::build_faults() {
  plan_ = scenario_.faults();
  if (scenario_.has_outages()) {
    const auto log = load_outages(scenarios::data_root() / "sim/traces" / scenario_.outages().trace());
    if (!log) return Failure(log.error());
    std::vector<faults::Outage> outages;
    for (const TraceOutage& o : *log) outages.push_back({o.start_s, o.duration_s, o.severity_milli});
    const faults::OutageWindow window{
        .start_ms = scenario_.outages().window_start_s() * 1000,
        .end_ms = (scenario_.outages().has_window_end_s() ? scenario_.outages().window_end_s()
                                                          : scenario_.run_s()) *
                  1000,
        .duration_divisor = scenario_.outages().duration_divisor(),
        .count_max = static_cast<std::uint32_t>(scenario_.outages().count())};
    faults::append_outages(outages, window, randomness_, plan_);
  }
  if (scenario_.moves().count() > 0) {
    std::vector<std::uint32_t> shards;
    for (const auto& region : scenario_.topology().region())
      shards.push_back(static_cast<std::uint32_t>(region.shards()));
    const scenarios::MoveGenerator& moves = scenario_.moves();
    const std::int64_t end_s = moves.has_window_end_s() ? moves.window_end_s() : scenario_.run_s();
    faults::append_moves(
        {.start_ms = moves.window_start_s() * 1000,
         .end_ms = end_s * 1000,
         .count = static_cast<std::uint32_t>(moves.count()),
         .buckets_per_region = static_cast<std::uint32_t>(scenario_.topology().buckets_per_region())},
        region_names_, shards, randomness_, plan_);
  }
  if (scenario_.storm().share_permille() > 0) {
    constexpr std::int64_t kResetsMs = 1000;
    const std::int64_t ramp_ms = scenario_.population().ramp_s() * 1000;
    faults::Fault& storm = *plan_.add_fault();
    storm.set_name("storm: connections lost");
    storm.set_kind(faults::MASS_DISCONNECT);
    storm.set_at_ms(ramp_ms + (scenario_.run_s() * 1000 - ramp_ms) * scenario_.storm().at_permille() / 1000);
    storm.set_duration_ms(kResetsMs);
    storm.mutable_target()->set_role(faults::Place::DEVICE);
    storm.mutable_target()->set_share_permille(scenario_.storm().share_permille());
  }
  FaultTargets& targets = *this;
  injector_ = std::make_unique<Injector>(plan_, region_names_, cohort_names_, randomness_, scheduler_,
                                         *reachability_, targets, source_faults_);
  if (!injector_->error().empty()) return Failure("faults: " + injector_->error());
  return {};
}

}  // namespace wavetank::sim
