#include "conformance/properties/judge.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/latency.hpp"

namespace wavetank::conformance {

Judge::Judge(JudgeConfig config) : config_(std::move(config)), truth_(config_.history_bytes) {
  for (const RequiredProperty& required : config_.required) {
    if (find_property(required.id) == nullptr) {
      throw std::invalid_argument(fmt::format("there is no property {}", required.id));
    }
  }
  for (const std::string& cohort : config_.judged_cohorts) {
    if (std::find(config_.cohorts.begin(), config_.cohorts.end(), cohort) == config_.cohorts.end()) {
      throw std::invalid_argument(fmt::format("there is no cohort {} to judge", cohort));
    }
  }
  if (config_.fork_window > 0) forks_ = std::make_unique<history::ForkFilter>(config_.fork_window, passed_);
  add(make_order_agreement(truth_));
  add(make_order_realtime(truth_));
  add(make_order_fifo(truth_));
  add(make_order_causal(truth_));
  add(make_delivery_gapfree(truth_, config_));
  add(make_delivery_duplicates(truth_));
  add(make_delivery_integrity(truth_));
  add(make_delivery_floor(truth_, config_));
  add(make_sync_cursor(truth_));
  add(make_sync_snapshot(truth_, config_));
  add(make_send_idempotency(truth_));
  add(make_send_definite(truth_));
  add(make_durability_acked(truth_, config_));
  add(make_durability_reuse(truth_));
  add(make_read_monotone(truth_, config_));
  add(make_read_devices(truth_));
  add(make_read_bounds(truth_));
  add(make_read_private(truth_));
  add(make_access_boundary(truth_));
  add(make_session_drain(truth_));
  add(make_session_resume(truth_));
  add(make_setting_convergence(truth_));
  add(make_setting_monotone(truth_));
  add(make_setting_once(truth_));
  add(make_setting_own(truth_));
  add(make_typing_ttl(truth_));
  add(make_presence_stale(truth_, config_));
  add(make_presence_seen(truth_, config_));
  add(make_presence_private(truth_, config_));
  add(make_send_limit(truth_, config_));
  add(make_push_bounds(truth_, config_));
  add(make_convergence(truth_, config_));
  add(make_progress(truth_, config_));
  add(make_availability(truth_, config_));
  add(make_session_auth(truth_, config_));
  add(make_move_fence(truth_));
  add(make_frame_robust(truth_));
  add(make_parked_loop(truth_, config_));
  add(make_delivery_conserve(truth_));
  auto latency = std::make_unique<LatencyMonitor>(truth_, config_);
  latency_ = latency.get();
  add(std::move(latency));
  add(make_recovery(truth_, config_));
  add(make_blast_radius(truth_, config_));
  add(make_evolution_compat(truth_, config_));
  add(make_epoch_fork(truth_));
}

Judge::~Judge() = default;

void Judge::add(std::unique_ptr<Monitor> monitor) {
  monitor->kinds().for_each(
      [&](Kind kind) { by_kind_[static_cast<std::size_t>(kind)].push_back(monitor.get()); });
  if (monitor->wants_known()) wanting_known_.push_back(monitor.get());
  monitors_.push_back(std::move(monitor));
}

void Judge::on(const Record& record) {
  if (finished_) return;
  if (forks_ != nullptr) return forks_->on(record);
  judge(record);
}

void Judge::judge(const Record& record) {
  health_.on(record);
  if (!truth_.is_whole(record)) {
    ++malformed_;
    return;
  }
  Observation seen = truth_.observe(record);
  for (Monitor* monitor : by_kind_[static_cast<std::size_t>(record.kind)]) monitor->on(seen);
  truth_.apply(seen);
  if (!truth_.newly_known().empty()) hand_on_known();
}

void Judge::on(std::span<const Record> records) {
  // A step towards a record's memory is taken every so many records before its turn.
  constexpr std::size_t kStep = 4;
  if (forks_ != nullptr) {
    for (const Record& record : records) on(record);
    return;
  }
  for (std::size_t at = 0; at < records.size(); ++at) {
    if (at + 4 * kStep < records.size()) truth_.expect(records[at + 4 * kStep]);
    if (at + 3 * kStep < records.size()) truth_.expect_logs(records[at + 3 * kStep]);
    if (at + 2 * kStep < records.size()) truth_.expect_blocks(records[at + 2 * kStep]);
    if (at + kStep < records.size()) truth_.expect_rows(records[at + kStep]);
    on(records[at]);
  }
}

void Judge::hand_on_known() {
  std::vector<Truth::KnownEntry>& known = truth_.newly_known();
  for (const Truth::KnownEntry& entry : known) {
    for (Monitor* monitor : wanting_known_) monitor->on_known(entry);
  }
  // All of them are of one conversation: one record makes entries of one log known.
  const ConversationIndex index = known.front().conversation;
  known.clear();
  if (truth_.log_of(index).parked == 0) return;
  truth_.take_settled(index, settled_);
  for (const ParkedCheck& check : settled_) check.owner->on_settled(check);
  settled_.clear();
}

void Judge::finish() {
  if (finished_) return;
  if (forks_ != nullptr) forks_->finish();
  finished_ = true;
  for (const auto& monitor : monitors_) monitor->finish();
}

void Judge::listen(const ViolationListener& listener) {
  for (const auto& monitor : monitors_) monitor->listen(listener);
}

PropertyOutcome Judge::outcome_of(const Monitor& monitor) const {
  const PropertyState& state = monitor.state();
  PropertyOutcome outcome;
  outcome.id = state.requirement->id;
  outcome.title = state.requirement->title;
  outcome.level = state.requirement->level;
  outcome.antecedents = state.antecedents;
  outcome.violations = state.violations;
  outcome.unverified = state.unverified;
  outcome.examples = state.examples;
  outcome.note = state.note;
  bool listed = false;
  for (const RequiredProperty& required : config_.required) {
    if (required.id != outcome.id) continue;
    listed = true;
    outcome.minimum = std::max(outcome.minimum, std::max<std::uint64_t>(required.minimum, 1));
  }
  const auto because = [&](std::string reason) {
    outcome.verdict = PropertyVerdict::kInconclusive;
    outcome.note = outcome.note.empty() ? std::move(reason) : reason + "; " + outcome.note;
  };
  if (state.violations > 0) {
    outcome.verdict = PropertyVerdict::kFail;
    if (!state.examples.empty()) outcome.note = state.examples.front().text;
  } else if (!state.inconclusive.empty()) {
    because(state.inconclusive);
  } else if (listed && state.antecedents < outcome.minimum) {
    because(fmt::format("exercised {} times of at least {}", state.antecedents, outcome.minimum));
  } else if (state.unverified * 1000 > state.antecedents * config_.unverified_per_mille) {
    because(fmt::format("{} witnesses could not be verified", state.unverified));
  } else if (state.antecedents == 0) {
    outcome.verdict = PropertyVerdict::kNotExercised;
  } else if (const std::string ill = health_.doubt(); !ill.empty()) {
    because(ill);
  } else if (forks_ != nullptr && forks_->too_late() > 0) {
    because(fmt::format("{} forks made void what had been judged before", forks_->too_late()));
  } else if (malformed_ > 0) {
    because(fmt::format("{} records lacked what their kind speaks about", malformed_));
  } else if (truth_.forked_conversations() > 0) {
    because(fmt::format("{} conversations changed their epoch and were not judged",
                        truth_.forked_conversations()));
  } else {
    outcome.verdict = PropertyVerdict::kPass;
    if (state.unverified > 0 && outcome.note.empty()) {
      outcome.note = fmt::format("{} witnesses could not be verified", state.unverified);
    }
  }
  return outcome;
}

std::vector<PropertyOutcome> Judge::outcomes() const {
  std::vector<PropertyOutcome> outcomes;
  for (const Requirement& requirement : properties()) {
    for (const auto& monitor : monitors_) {
      if (monitor->state().requirement == &requirement) outcomes.push_back(outcome_of(*monitor));
    }
  }
  return outcomes;
}

std::vector<LatencyOutcome> Judge::latencies() const { return latency_->latencies(); }

std::uint64_t Judge::violations() const {
  std::uint64_t sum = 0;
  for (const auto& monitor : monitors_) sum += monitor->state().violations;
  return sum;
}

JudgeMemory Judge::memory() const {
  JudgeMemory memory = truth_.memory();
  if (forks_ != nullptr) memory.under_way += forks_->bytes();
  for (const auto& monitor : monitors_) {
    const std::size_t bytes = monitor->bytes();
    if (bytes > 0) memory.monitors.push_back({monitor->state().requirement->id, bytes});
  }
  return memory;
}

}  // namespace wavetank::conformance
