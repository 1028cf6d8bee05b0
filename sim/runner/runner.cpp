#include "sim/runner/runner.hpp"

#include <fmt/format.h>

#include <stdexcept>

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
  config.service_bound = checks.slo_in_region_ms() * kMillisecond;
  config.availability_per_million = static_cast<std::uint32_t>(checks.availability_permille_min()) * 1000;
  for (const auto& cohort : scenario.cohort()) config.cohorts.push_back(cohort.profile());
  for (const auto& cohort : checks.judged_cohort()) config.judged_cohorts.push_back(cohort);
  if (world != nullptr) {
    config.gateway_region = world->gateway_regions();
    config.home_region = [world](history::ConversationIndex conversation) {
      return world->home_region_of(conversation);
    };
  }
  return config;
}

std::expected<RunOutcome, std::string> run_scenario(const RunRequest& request) {
  // The world tells what it is while it is built, so its records wait until the judge, who needs the world,
  // is there.
  struct Early final : history::Sink {
    std::vector<history::Record> records;
    void on(const history::Record& record) override { records.push_back(record); }
  } early;
  Tee tee(&early, request.recorder);
  std::unique_ptr<conformance::Judge> judge;
  World* watched = nullptr;
  WorldOptions options{request.seed, request.defects, {}, {}};
  if (request.progress) {
    options.progress = [&] {
      request.progress({watched->now(), watched->planned_end(), watched->events_so_far(), judge->violations(),
                        watched->active_faults()});
    };
  }
  auto world = World::make(request.scenario, std::move(options), tee);
  if (!world) return std::unexpected(world.error());
  watched = world->get();
  try {
    judge = std::make_unique<conformance::Judge>(judge_config(request.scenario, watched));
  } catch (const std::invalid_argument& error) {
    return std::unexpected(fmt::format("checks: {}", error.what()));
  }
  tee.set_first(judge.get());
  for (const history::Record& record : early.records) judge->on(record);
  early.records = {};
  watched->run();
  judge->finish();

  RunOutcome outcome;
  outcome.plan = watched->plan();
  outcome.result = build_result(request, *watched, *judge);
  const std::vector<conformance::PropertyOutcome> outcomes = judge->outcomes();
  const bool violated = judge->violations() > 0;
  judge.reset();
  world->reset();  // one world at a time has the simulated disks
  if (request.tell_stories && violated) outcome.result.stories = tell_stories(request, outcomes);
  return outcome;
}

}  // namespace wavetank::sim
