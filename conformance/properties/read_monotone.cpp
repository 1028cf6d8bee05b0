// RD-MONO: read marks never fall. A device is never told less than before; an answer to a request that began
// after the server had accepted a mark includes it; receipts about one user never go back for one observer.
// Unless an owner was lost that had told more than its copy has: then once, if the history records that
// loss.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::size_t kMostObservers = 1U << 20;

class ReadMonotone final : public Monitor {
 public:
  ReadMonotone(Truth& truth, const JudgeConfig& config)
      : Monitor("RD-MONO", truth), has_world_(config.fork_window > 0) {}

  KindSet kinds() const override { return kinds_of(Kind::kCursorAcked, Kind::kReceiptSeen, Kind::kFeedCut); }

  void on(const Observation& seen) override {
    if (seen.record.kind == Kind::kFeedCut) return on_cut(seen);
    if (seen.is_forked) return;
    if (seen.record.kind == Kind::kReceiptSeen) return on_receipt(seen);
    const Record& record = seen.record;
    if (record.code != 0) return;
    fired();
    if (has_world_ && !truth().losses().has_begun(record.conversation, record.epoch)) {
      violate(record, "device {} is told of marks of epoch {} of conversation {}, which nobody has begun",
              record.device, record.epoch, record.conversation);
      return;
    }
    const std::uint32_t age = truth().losses().age_of(record);
    const std::uint64_t before = told_before(seen, age);
    if (record.value < before) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}, after it was told {}",
              record.device, record.user, record.conversation, record.value, before);
      return;
    }
    const OpenMark* open = truth().open_mark(record);
    if (open != nullptr && record.seq >= open->seq && record.value < open->owed_in(age)) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}, but {} was accepted before "
              "it asked",
              record.device, record.user, record.conversation, record.value, open->owed_in(age));
    }
  }

  void finish() override {
    if (unwatched_ > 0) note(fmt::format("{} receipts beyond the watched observers", unwatched_));
  }

  std::size_t bytes() const override {
    return table_bytes(observed_) + table_bytes(told_) + table_bytes(cuts_);
  }

 private:
  struct Marks {
    std::uint32_t delivered = 0;
    std::uint32_t read = 0;
  };

  // What an owner had told that was lost without a copy of it comes back when devices tell it again; until
  // then marks are lower than before, and within that age they do not fall.
  struct Told {
    std::uint32_t age = 0;
    std::uint64_t read = 0;
  };
  // What the device was told before in the age of this answer, which counts from now on.
  std::uint64_t told_before(const Observation& seen, std::uint32_t age) {
    const Record& record = seen.record;
    const std::uint64_t who = static_cast<std::uint64_t>(record.device) << 32 | record.conversation;
    const auto known = told_.find(who);
    if (age == 0) return known == told_.end() ? seen.subscription->read_seen : 0;
    Told& told = known == told_.end() ? told_[who] : known->second;
    if (age < told.age) return 0;  // under way since before
    if (age > told.age) told = {age, 0};
    const std::uint64_t before = told.read;
    told.read = std::max(told.read, record.value);
    return before;
  }

  // The feed tells again what it has left, if its owner was lost.
  void on_cut(const Observation& seen) {
    const Record& record = seen.record;
    const Losses& losses = truth().losses();
    const UserIndex user = seen.device->user;
    const bool is_lost = losses.was_lost(user, record.value);
    if (has_world_ && !is_lost && (record.flag || !losses.was_taken_over(user, record.value))) {
      violate(record,
              "device {} is told that its feed has lost what it told from {} on; nobody has lost that",
              record.device, record.value);
    }
    if (!is_lost || !record.flag) return;
    std::uint64_t& cut = cuts_[record.device];
    cut = std::max(cut, record.value);
  }

  void on_receipt(const Observation& seen) {
    const Record& record = seen.record;
    std::uint64_t who =
        mix64(mix64(static_cast<std::uint64_t>(record.device) << 32 | record.conversation) ^ record.subject);
    if (const auto cuts = cuts_.find(record.device); cuts != cuts_.end()) who = mix64(who + cuts->second);
    auto found = observed_.find(who);
    if (found == observed_.end()) {
      if (observed_.size() >= kMostObservers) {
        ++unwatched_;
        return;
      }
      found = observed_.emplace(who, Marks{}).first;
    }
    Marks& marks = found->second;
    fired();
    // A mark of 0 says nothing (a private read).
    const bool delivered_fell = record.seq != 0 && record.seq < marks.delivered;
    const bool read_fell = record.value != 0 && record.value < marks.read;
    if (delivered_fell || read_fell) {
      violate(record,
              "device {} sees user {}'s marks in conversation {} fall from delivered {}, read {} to {}, {}",
              record.device, record.subject, record.conversation, marks.delivered, marks.read, record.seq,
              record.value);
    }
    marks.delivered = std::max(marks.delivered, narrow(record.seq));
    marks.read = std::max(marks.read, narrow(record.value));
  }

  boost::unordered_flat_map<std::uint64_t, Marks> observed_;  // by (device, conversation, subject)
  std::uint64_t unwatched_ = 0;
  boost::unordered_flat_map<std::uint64_t, Told> told_;           // by (device, conversation), after a loss
  boost::unordered_flat_map<std::uint32_t, std::uint64_t> cuts_;  // by device: what its feed has lost last
  const bool has_world_;  // takeovers are in the history, not only what devices are told of them
};

}  // namespace

std::unique_ptr<Monitor> make_read_monotone(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<ReadMonotone>(truth, config);
}

}  // namespace wavetank::conformance
