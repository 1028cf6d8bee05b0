// SET-ONCE: a put makes one revision, however often it was sent, and a revision is of one put. A revision
// that was lost with its owner counts no more: a put that was not acknowledged is sent again, and gets
// another one.
#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/setting_place.hpp"

namespace wavetank::conformance {
namespace {

class SettingOnce final : public Monitor {
 public:
  explicit SettingOnce(Truth& truth) : Monitor("SET-ONCE", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSettingResolved, Kind::kSettingSeen, Kind::kSettingState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kSettingResolved && !is_accepted(record)) return;
    fired();
    const std::uint64_t put = put_name(record.key);
    const std::uint64_t revision = other_revision(put, record.value, seen.device->user);
    const std::uint64_t other = puts_.try_emplace(Id128{seen.device->user, record.value}, put).first->second;
    if (revision != record.value) {
      violate(record, "{} is revision {}, and device {} is told that it is revision {}", text_of_put(put),
              revision, record.device, record.value);
    } else if (other != put) {
      violate(record, "revision {} of user {}'s settings is {}, and device {} is told that it is {}",
              record.value, seen.device->user, text_of_put(other), record.device, text_of_put(put));
    }
  }

  std::size_t bytes() const override {
    return table_bytes(revisions_) + table_bytes(later_) + table_bytes(puts_);
  }

 private:
  // A revision of the put that stands besides this one without a loss between them; none: this one.
  std::uint64_t other_revision(std::uint64_t put, std::uint64_t revision, UserIndex user) {
    const std::uint64_t first = revisions_.try_emplace(put, revision).first->second;
    if (first == revision) return revision;
    const auto is_apart = [&](std::uint64_t known) {
      return truth().losses().is_loss_between(user, known, revision);
    };
    if (!is_apart(first)) return first;
    std::vector<std::uint64_t>& later = later_[put];
    for (const std::uint64_t known : later) {
      if (known == revision) return revision;
      if (!is_apart(known)) return known;
    }
    later.push_back(revision);
    return revision;
  }

  boost::unordered_flat_map<std::uint64_t, std::uint64_t> revisions_;           // by put
  boost::unordered_flat_map<std::uint64_t, std::vector<std::uint64_t>> later_;  // after losses
  boost::unordered_flat_map<Id128, std::uint64_t, IdHash> puts_;                // by (user, revision)
};

}  // namespace

std::unique_ptr<Monitor> make_setting_once(Truth& truth) { return std::make_unique<SettingOnce>(truth); }

}  // namespace wavetank::conformance
