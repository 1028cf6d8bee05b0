// RD-MONO: read marks never fall. A device is never told less than before; an answer to a request that began
// after the server had accepted a mark includes it; receipts about one user never go back for one observer.
#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr std::size_t kMostObservers = 1U << 20;

class ReadMonotone final : public Monitor {
 public:
  explicit ReadMonotone(Truth& truth) : Monitor("RD-MONO", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kCursorAcked, Kind::kReceiptSeen, Kind::kFeedCut); }

  void on(const Observation& seen) override {
    if (seen.record.kind == Kind::kFeedCut) {
      if (seen.record.flag) ++cuts_[seen.record.device];
      return;
    }
    if (seen.is_forked) return;
    if (seen.record.kind == Kind::kReceiptSeen) return on_receipt(seen);
    const Record& record = seen.record;
    if (record.code != 0) return;
    fired();
    if (is_of_later_age(record)) return;
    if (record.value < seen.subscription->read_seen) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}, after it was told {}",
              record.device, record.user, record.conversation, record.value, seen.subscription->read_seen);
      return;
    }
    const OpenMark* open = truth().open_mark(record);
    if (open != nullptr && record.seq >= open->seq && record.value < open->read_accepted) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}, but {} was accepted before "
              "it asked",
              record.device, record.user, record.conversation, record.value, open->read_accepted);
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
  bool is_of_later_age(const Record& record) {
    const std::uint64_t who = static_cast<std::uint64_t>(record.device) << 32 | record.conversation;
    const auto known = told_.find(who);
    if (known == told_.end() && record.epoch == 0) return false;
    Told& told = known == told_.end() ? told_[who] : known->second;
    if (record.epoch < told.age) return true;  // under way since before
    if (record.epoch == told.age && record.value < told.read) {
      violate(record,
              "device {} is told that user {} has read conversation {} up to {}, after it was told {}",
              record.device, record.user, record.conversation, record.value, told.read);
    }
    told = {record.epoch, record.epoch == told.age ? std::max(told.read, record.value) : record.value};
    return true;
  }

  void on_receipt(const Observation& seen) {
    const Record& record = seen.record;
    std::uint64_t who =
        mix64(mix64(static_cast<std::uint64_t>(record.device) << 32 | record.conversation) ^ record.subject);
    // The feed tells again what it has left of it.
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
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> cuts_;  // of feeds, by device
};

}  // namespace

std::unique_ptr<Monitor> make_read_monotone(Truth& truth) { return std::make_unique<ReadMonotone>(truth); }

}  // namespace wavetank::conformance
