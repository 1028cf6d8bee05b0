#include "sim/runner/runner.hpp"

#include <fmt/format.h>

#include <atomic>
#include <stdexcept>

#include "conformance/properties/judge_feed.hpp"
#include "reference/server/config.hpp"
#include "sim/runner/judge_thread.hpp"
#include "sim/runner/result_builder.hpp"
#include "sim/runner/story.hpp"
#include "sim/world/directory.hpp"

namespace wavetank::sim {

conformance::JudgeConfig judge_config(const scenarios::Scenario& scenario, const World* world) {
  const scenarios::Checks& checks = scenario.checks();
  conformance::JudgeConfig config;
  for (const auto& required : checks.require()) {
    config.required.push_back({required.property(), static_cast<std::uint64_t>(required.minimum())});
  }
  config.converge_bound = checks.converge_bound_s() * kSecond;
  // A session that fell silent, its gateway's lease, what was said before, and a clock read by a round trip;
  // or a question that was lost, and the way of the answer.
  const scenarios::Protocol& protocol = scenario.protocol();
  const std::int64_t refresh_ms = protocol.presence_refresh_ms();
  config.presence_off_bound =
      (protocol.heartbeat_timeout_ms() + protocol.presence_lease_ms() + 3 * refresh_ms + 2000) * kMillisecond;
  config.presence_on_bound = (refresh_ms + 2000) * kMillisecond;
  // What was said before is valid for so long; whoever asked anew was answered.
  config.privacy_bound = (3 * refresh_ms + 2000) * kMillisecond;
  server::ServerConfig home;
  home.heartbeat_timeout_ms = static_cast<std::uint32_t>(protocol.heartbeat_timeout_ms());
  home.presence_lease_ms = static_cast<std::uint32_t>(protocol.presence_lease_ms());
  home.last_seen_window_ms = static_cast<std::uint32_t>(protocol.last_seen_window_ms());
  if (home.last_seen_window_ms != 0) config.last_seen_lag = server::last_seen_lag(home);
  // A node's clock, twice, and the way from gateway to home.
  config.last_seen_skew = (2 * (scenario.clocks().node_offset_ms() + scenario.clocks().restart_step_ms()) +
                           scenario.run_s() * scenario.clocks().drift_ppm() / 500 + 2000) *
                          kMillisecond;
  config.service_bound = checks.slo_in_region_ms() * kMillisecond;
  const DurationNs dead_connection_found = scenario.protocol().heartbeat_interval_ms() * kMillisecond +
                                           scenario.client().heartbeat_ack_timeout_ms() * kMillisecond +
                                           5 * kSecond;
  config.operation_bound =
      checks.operation_bound_s() == 0 ? dead_connection_found : checks.operation_bound_s() * kSecond;
  config.connect_bound = checks.connect_bound_s() * kSecond;
  config.recover_bound = checks.recover_bound_s() * kSecond;
  config.recover_per_million = static_cast<std::uint32_t>(checks.recover_permille_min()) * 1000;
  config.fewest_operations = static_cast<std::uint64_t>(checks.fewest_operations());
  config.fewest_of_a_pair = static_cast<std::uint64_t>(checks.fewest_of_a_pair());
  config.availability_per_million = static_cast<std::uint32_t>(checks.availability_permille_min()) * 1000;
  config.sends_per_s = static_cast<std::uint32_t>(scenario.protocol().sends_per_s());
  config.send_burst = static_cast<std::uint32_t>(scenario.protocol().send_burst());
  config.push_queue_frames = static_cast<std::uint32_t>(scenario.protocol().push_queue_frames());
  config.push_queue_bytes = static_cast<std::uint32_t>(scenario.protocol().push_queue_bytes());
  config.retain_entries = static_cast<std::uint32_t>(scenario.protocol().retain_entries());
  config.retain_changes = static_cast<std::uint32_t>(scenario.protocol().retain_changes());
  config.park_after = static_cast<std::uint32_t>(scenario.protocol().park_after());
  // Longer than any copy lags behind and any takeover takes.
  if (scenario.protocol().standby_copies() > 0) config.fork_window = 600 * kSecond;
  config.revoke_bound = (scenario.protocol().revoke_within_ms() + 1000) * kMillisecond;
  config.slow_bound = (scenario.protocol().slow_consumer_ms() + 2000) * kMillisecond;
  for (const auto& cohort : scenario.cohort()) config.cohorts.push_back(cohort.profile());
  for (const auto& cohort : checks.judged_cohort()) config.judged_cohorts.push_back(cohort);
  if (world != nullptr) config.gateway_region = world->gateway_regions();
  return config;
}

std::expected<RunOutcome, std::string> run_scenario(const RunRequest& request) {
  // The world tells what it is while it is built, so its records wait until the judge, who needs the world,
  // and the recorder are there.
  struct Early final : history::Sink {
    std::vector<history::Record> records;
    void on(const history::Record& record) override { records.push_back(record); }
  } early;
  Tee tee(&early, nullptr);
  std::unique_ptr<conformance::Judge> judge;
  World* watched = nullptr;
  WorldOptions options{request.seed, request.defects, {}, {}, request.threads, request.target_dies_at};
  std::unique_ptr<JudgeThread> beside;
  if (request.progress) {
    options.progress = [&] {
      request.progress({watched->now(), watched->planned_end(), watched->events_so_far(),
                        beside ? beside->violations() : judge->violations(), watched->active_faults()});
    };
  }
  options.beside_from = request.beside_from;
  if (request.devices != nullptr) {
    options.lane = kServerLane;
    options.partner = request.devices;
  }
  std::atomic<JudgeThread*> helped = nullptr;  // the world's threads are there before the judge's
  const bool may_be_beside = request.threads == 2 && request.devices == nullptr;
  if (may_be_beside) {
    options.idle = [&] {
      JudgeThread* const judge_thread = helped.load(std::memory_order_acquire);
      return judge_thread != nullptr && judge_thread->help();
    };
  }
  auto world = World::make(request.scenario, std::move(options), tee);
  if (!world) return std::unexpected(world.error());
  watched = world->get();
  try {
    const conformance::JudgeConfig config = judge_config(request.scenario, watched);
    judge = std::make_unique<conformance::Judge>(config);
    if (request.judged_by) request.judged_by(config);
  } catch (const std::invalid_argument& error) {
    return std::unexpected(fmt::format("checks: {}", error.what()));
  }
  conformance::JudgeFeed feed(*judge);
  // Of two threads, devices and servers may need both: then the judge hears what they leave him time for.
  if (request.threads > 1) {
    beside = std::make_unique<JudgeThread>(*judge, [&] { return may_be_beside && watched->is_beside(); });
    helped.store(beside.get(), std::memory_order_release);
  }
  Tee heard(beside ? static_cast<history::Sink*>(beside.get()) : &feed, request.recorder);
  const std::unique_ptr<history::Sink> between = request.between ? request.between(heard) : nullptr;
  tee = Tee(between != nullptr ? between.get() : &heard, nullptr);
  for (const history::Record& record : early.records) tee.on(record);
  std::vector<history::Record>().swap(early.records);  // `= {}` would keep the memory
  watched->run();
  if (beside) {
    beside->finish();
  } else {
    feed.flush();
  }
  judge->finish();

  RunOutcome outcome;
  outcome.plan = watched->plan();
  outcome.result = build_result(request, *watched, *judge);
  outcome.properties = judge->outcomes();
  const bool violated = judge->violations() > 0;
  judge.reset();
  world->reset();  // one world at a time has the simulated disks
  if (request.tell_stories && violated && request.devices == nullptr)
    outcome.result.stories = tell_stories(request, outcome.properties);
  return outcome;
}

std::expected<void, std::string> run_devices(const RunRequest& request, Partner& servers) {
  Tee nobody(nullptr, nullptr);
  WorldOptions options;
  options.seed = request.seed;
  options.defects = request.defects;
  options.lane = kDeviceLane;
  options.partner = &servers;
  World* watched = nullptr;
  if (request.progress) {
    options.progress = [&] {
      request.progress({watched->now(), watched->planned_end(), watched->events_so_far(), 0, {}});
    };
  }
  auto world = World::make(request.scenario, std::move(options), nobody);
  if (!world) return std::unexpected(world.error());
  watched = world->get();
  watched->run();
  return {};
}

}  // namespace wavetank::sim
