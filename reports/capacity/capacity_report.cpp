#include "reports/capacity/capacity_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/capacity/quantities.hpp"
#include "reports/capacity/quantity_text.hpp"

namespace wavetank::capacity {
namespace {

using reports::Verdict;

Verdict pass_if(bool holds) { return holds ? Verdict::kPass : Verdict::kFail; }

Check hottest_check(const Plan& plan) {
  const ShardPlan& s = plan.shards;
  const std::string facts = fmt::format(
      "the hottest conversation has {} messages a second and keeps {} of a shard's processor busy",
      quantity_text(s.hottest_per_s), percent_text(s.hottest_busy));
  return {
      "shards can carry the skew", pass_if(s.feasible),
      s.feasible
          ? facts
          : facts + ", more than is allowed: more shards do not help, and nodes and cost are lower bounds"};
}

// States that the sheet wants to survive must fit, and those who were cut off must be back in time.
void add_headroom_checks(const Sheet& sheet, const Plan& plan, std::vector<Check>& checks) {
  const double within = sheet.gateways().reconnect_s().value();
  for (const HeadroomState& state : plan.headroom) {
    const bool zone = state.name == "one zone gone";
    const bool region = state.name == "one region gone";
    if ((zone && !sheet.topology().survive_zone_loss()) ||
        (region && !sheet.topology().survive_region_loss()))
      continue;
    Check check;
    check.name = "room with " + state.name;
    if (!state.served) {
      check.verdict = Verdict::kFail;
      check.text = "nobody takes over";
    } else {
      const bool back = state.back_s <= within;
      check.verdict = pass_if(state.fits && back);
      check.text =
          fmt::format("gateways hold {} of what they can, the busiest shard uses {} of its processor",
                      percent_text(state.gateway_share), percent_text(state.shard_busy));
      if (state.lost_connections > 0)
        check.text +=
            fmt::format("; {} connections are back in {} (within {})", quantity_text(state.lost_connections),
                        seconds_text(state.back_s), seconds_text(within));
    }
    checks.push_back(std::move(check));
  }
  checks.push_back({"all come back", pass_if(plan.gateways.all_back_s <= within * (1 + 1e-9)),
                    fmt::format("all connections of a region are back in {} (within {})",
                                seconds_text(plan.gateways.all_back_s), seconds_text(within))});
}

Check restore_check(const Sheet& sheet, const Plan& plan) {
  const double objective = sheet.storage().restore_objective_h().value() * 3600;
  return {"a shard node is restored in time", pass_if(plan.storage.restore_node_s <= objective),
          fmt::format("{} at {} MB/s take {} (within {})", bytes_quantity(plan.storage.node_bytes),
                      quantity_text(sheet.storage().restore_mb_s().value()),
                      seconds_text(plan.storage.restore_node_s), seconds_text(objective))};
}

const SweepPoint* knee_of(const SweepState& state) {
  return state.knee < 0 ? nullptr : &state.points[static_cast<std::size_t>(state.knee)];
}

double sends_per_shard(const SweepPoint& point) {
  return point.shards > 0 ? point.offered / point.shards : 0;
}

Check latency_check(const SweepOutcome& sweep, const Plan& plan) {
  Check check{"the latency knee lies above the plan", Verdict::kFail, {}};
  const SweepState& up = sweep.states.front();
  const SweepPoint* knee = knee_of(up);
  if (knee == nullptr) {
    check.text = "not even the smallest simulated load is in time and stable";
    return check;
  }
  const double planned = plan.shards.sends_per_shard;
  check.verdict = pass_if(sends_per_shard(*knee) >= planned);
  check.text = fmt::format(
      "simulated: {}{} messages a second by shard with p99 {} ms; planned for the busiest shard: {}",
      up.beyond ? "at least " : "", quantity_text(sends_per_shard(*knee)),
      quantity_text(static_cast<double>(knee->p99_ns) / 1e6), quantity_text(planned));
  return check;
}

Check correctness_check(const SweepOutcome& sweep) {
  std::string violated;
  for (const SweepState& state : sweep.states) {
    for (const SweepPoint& point : state.points) {
      for (const std::string& property : point.violated) {
        if (violated.find(property) == std::string::npos)
          violated += (violated.empty() ? "" : ", ") + property;
      }
    }
  }
  return {"correct at every load", pass_if(violated.empty()),
          violated.empty() ? "no property but those of time is violated in any run of the sweep"
                           : "violated in a run of the sweep: " + violated};
}

// A direct message to one device, as the sweeps' people send them. Only loads near the knee keep a shard all
// but busy.
ShardTime shard_time_of(const Sheet& sheet, const SweepPoint& knee) {
  const Shards& s = sheet.shards();
  ShardTime time;
  time.reckoned_us = s.send_us().value() + s.outbox_us().value() + s.feed_us().value() +
                     sheet.workload().receipts_per_delivery().value() * s.receipt_us().value();
  time.simulated_us = 1e6 / sends_per_shard(knee);
  return time;
}

std::vector<Reach> reach_of(const Sheet& sheet, const Plan& plan) {
  std::vector<Reach> out;
  for (const Quantity& quantity : quantities_of(plan)) {
    Reach reach{
        quantity.name, quantity.text, quantity.unit, quantity.value, 0, "nobody measured or simulated it"};
    for (const Calibration::Range& range : sheet.calibration().range()) {
      if (range.quantity() != quantity.name || range.up_to().value() <= reach.up_to) continue;
      reach.up_to = range.up_to().value();
      reach.reason = reason_of(range.up_to());
    }
    out.push_back(std::move(reach));
  }
  return out;
}

}  // namespace

CapacityReport make_report(const Sheet& sheet, std::optional<SweepOutcome> sweep) {
  CapacityReport report;
  report.sheet = sheet;
  report.plan = make_plan(sheet);
  report.sensitivities = sensitivities_of(sheet);
  report.sweep = std::move(sweep);
  report.reach = reach_of(sheet, report.plan);
  report.checks.push_back(hottest_check(report.plan));
  add_headroom_checks(sheet, report.plan, report.checks);
  report.checks.push_back(restore_check(sheet, report.plan));
  if (report.sweep) {
    report.checks.push_back(latency_check(*report.sweep, report.plan));
    report.checks.push_back(correctness_check(*report.sweep));
    const SweepState& up = report.sweep->states.front();
    if (const SweepPoint* knee = knee_of(up); knee != nullptr && !up.beyond && knee->shards > 0)
      report.shard_time = shard_time_of(sheet, *knee);
  } else if (sheet.has_sweep()) {
    report.checks.push_back({"the latency knee lies above the plan", Verdict::kInconclusive,
                             "the sheet has a sweep that was not simulated"});
  }
  return report;
}

Verdict verdict_of(const CapacityReport& report) {
  Verdict verdict = Verdict::kPass;
  for (const Check& check : report.checks) {
    if (check.verdict == Verdict::kFail) return Verdict::kFail;
    if (check.verdict == Verdict::kInconclusive) verdict = Verdict::kInconclusive;
  }
  return verdict;
}

}  // namespace wavetank::capacity
