#include "faults/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wavetank::faults {
namespace {

bool needs_path(Kind kind) { return kind == LINK_CUT || kind == LINK_DELAY; }

}  // namespace

bool is_planned(Kind kind) { return kind == NODE_DRAIN || kind == READ_STALL || kind == MOVE_BUCKET; }

std::int64_t drain_window_ms(const Fault& fault) {
  return fault.has_window_ms() ? fault.window_ms() : fault.duration_ms() / 2;
}

std::string describe(const Place& place) {
  std::string text;
  switch (place.role()) {
    case Place::ANY:
      text = "everything";
      break;
    case Place::GATEWAY:
      text = "gateways";
      break;
    case Place::SHARD:
      text = "shards";
      break;
    case Place::DEVICE:
      text = "devices";
      break;
    case Place::NODE:
      text = "nodes";
      break;
  }
  if (place.index() >= 0) text += fmt::format(" {}", place.index());
  if (place.has_region()) text += fmt::format(" of {}", place.region());
  if (place.has_cohort()) text += fmt::format(" on {}", place.cohort());
  if (place.share_permille() < 1000) text += fmt::format(" ({} of 1000)", place.share_permille());
  return text;
}

// A year: longer than any run, and far from where nanoseconds end.
constexpr std::int64_t kLongestMs = 365LL * 86'400'000;

void append_outages(std::span<const Outage> log, const OutageWindow& window, Randomness randomness,
                    Plan& plan) {
  const auto count = std::min<std::size_t>(window.count_max, log.size());
  if (count == 0 || window.end_ms <= window.start_ms) return;
  const auto length_of = [&](const Outage& outage) {
    const std::int64_t length_ms =
        outage.duration_s * 1000 / std::max<std::int64_t>(1, window.duration_divisor);
    return std::max<std::int64_t>(1000, length_ms);
  };
  // One outage of each equal stretch of the log: the choice keeps the log's order.
  std::vector<const Outage*> chosen;
  std::int64_t busy_ms = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = log.size() * i / count;
    const std::size_t to = log.size() * (i + 1) / count;
    const Outage& outage = log[from + randomness.below(to - from, Purpose::kFault, i, 0)];
    if (busy_ms + length_of(outage) > (window.end_ms - window.start_ms) / 2) continue;
    busy_ms += length_of(outage);
    chosen.push_back(&outage);
  }
  if (chosen.empty()) return;
  // The time that is left over is shared evenly; each outage begins anywhere within its share.
  const std::int64_t slack_ms =
      (window.end_ms - window.start_ms - busy_ms) / static_cast<std::int64_t>(chosen.size());
  std::int64_t free_from_ms = window.start_ms;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto wait = randomness.below(static_cast<std::uint64_t>(slack_ms) + 1, Purpose::kFault, i, 1);
    Fault& fault = *plan.add_fault();
    fault.set_name(fmt::format("outage {}", i + 1));
    fault.set_kind(NODE_KILL);
    fault.set_at_ms(free_from_ms + static_cast<std::int64_t>(wait));
    fault.set_duration_ms(length_of(*chosen[i]));
    fault.mutable_target()->set_role(Place::GATEWAY);
    fault.mutable_target()->set_share_permille(static_cast<std::int32_t>(chosen[i]->severity_milli));
    free_from_ms += slack_ms + length_of(*chosen[i]);
  }
}

void append_moves(const MoveWindow& window, std::span<const std::string> regions,
                  std::span<const std::uint32_t> shards, Randomness randomness, Plan& plan) {
  constexpr std::uint64_t kMoves = 7;  // apart from what outages draw
  std::vector<std::size_t> movable;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (shards[i] > 1) movable.push_back(i);
  }
  if (movable.empty() || window.end_ms <= window.start_ms) return;
  const std::int64_t share_ms = (window.end_ms - window.start_ms) / std::max<std::int64_t>(1, window.count);
  for (std::uint32_t i = 0; i < window.count; ++i) {
    const auto draw = [&](std::uint64_t below, std::uint64_t what) {
      return randomness.below(below, Purpose::kFault, i, kMoves, what);
    };
    const std::size_t region = movable[draw(movable.size(), 0)];
    Fault& fault = *plan.add_fault();
    fault.set_name(fmt::format("move {}", i + 1));
    fault.set_kind(MOVE_BUCKET);
    fault.set_at_ms(window.start_ms + share_ms * i +
                    static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(share_ms) + 1, 1)));
    fault.set_duration_ms(0);
    fault.set_bucket(static_cast<std::int32_t>(draw(window.buckets_per_region, 2)));
    fault.mutable_target()->set_role(Place::SHARD);
    fault.mutable_target()->set_region(regions[region]);
    fault.mutable_target()->set_index(static_cast<std::int32_t>(draw(shards[region], 3)));
  }
}

std::string check_plan(const Plan& plan, std::int64_t run_ms) {
  for (int i = 0; i < plan.fault_size(); ++i) {
    const Fault& fault = plan.fault(i);
    const std::string who = fmt::format("fault {} ({})", i + 1, fault.has_name() ? fault.name() : "no name");
    if (fault.kind() == KIND_UNSPECIFIED) return who + ": kind is missing";
    if (!fault.has_at_ms() || fault.at_ms() < 0) return who + ": at_ms must be 0 or more";
    if (fault.at_ms() >= run_ms)
      return fmt::format("{}: at_ms {} is not within the run of {} ms", who, fault.at_ms(), run_ms);
    if (fault.duration_ms() < 0 || fault.duration_ms() > kLongestMs) {
      return fmt::format("{}: duration_ms must be within 0 and {}", who, kLongestMs);
    }
    if (fault.extra_delay_ms() < 0 || fault.extra_delay_ms() > kLongestMs || fault.jitter_ms() < 0 ||
        fault.jitter_ms() > kLongestMs) {
      return fmt::format("{}: extra_delay_ms and jitter_ms must be within 0 and {}", who, kLongestMs);
    }
    if (needs_path(fault.kind()) && (!fault.has_from() || !fault.has_to()))
      return who + ": needs both from and to";
    if (!needs_path(fault.kind()) && !fault.has_target()) return who + ": needs a target";
    for (const Place* place : {&fault.target(), &fault.from(), &fault.to()}) {
      if (place->share_permille() < 0 || place->share_permille() > 1000) {
        return who + ": share_permille must be within 0 and 1000";
      }
    }
    if (fault.trigger() == COMMIT_PENDING && fault.kind() != NODE_KILL &&
        fault.kind() != DISK_DROP_UNSYNCED) {
      return who + ": COMMIT_PENDING triggers node kills only";
    }
    if (fault.kind() == NODE_DRAIN && fault.target().role() != Place::GATEWAY) {
      return who + ": only gateways drain (role: GATEWAY)";
    }
    if (fault.kind() == MOVE_BUCKET &&
        (fault.target().role() != Place::SHARD || !fault.target().has_region() ||
         fault.target().index() < 0 || fault.bucket() < 0)) {
      return who + ": needs a bucket, and one shard as target (role: SHARD, region, index)";
    }
    if (fault.kind() == TAKE_OVER && (fault.target().role() != Place::SHARD || !fault.target().has_region() ||
                                      fault.target().index() < 0)) {
      return who + ": needs one shard as target (role: SHARD, region, index)";
    }
    if (drain_window_ms(fault) < 0 || drain_window_ms(fault) > fault.duration_ms()) {
      return who + ": window_ms must be within 0 and duration_ms";
    }
    const bool restarts =
        fault.kind() == NODE_KILL || fault.kind() == DISK_DROP_UNSYNCED || fault.kind() == NODE_DRAIN;
    if (fault.upgrade() && !restarts)
      return who + ": upgrade needs a fault from which the node comes back (NODE_DRAIN or a kill)";
    if (fault.kind() == DISK_SLOW && fault.factor() < 1) return who + ": factor must be 1 or more";
  }
  return {};
}

std::string describe(const Fault& fault) {
  std::string text = fmt::format("{:.1f} s +{:.1f} s  {} ", static_cast<double>(fault.at_ms()) / 1000,
                                 static_cast<double>(fault.duration_ms()) / 1000, Kind_Name(fault.kind()));
  if (needs_path(fault.kind())) {
    text += fmt::format("from {} to {}{}", describe(fault.from()), describe(fault.to()),
                        fault.one_way() ? " one way" : "");
  } else {
    text += describe(fault.target());
  }
  if (fault.kind() == NODE_DRAIN) {
    text += fmt::format(" over {:.1f} s", static_cast<double>(drain_window_ms(fault)) / 1000);
  }
  if (fault.kind() == MOVE_BUCKET) text += fmt::format(", bucket {}", fault.bucket());
  if (fault.trigger() == COMMIT_PENDING) text += " when a commit is pending";
  if (fault.upgrade()) text += ", back as the newer version";
  return text;
}

}  // namespace wavetank::faults
