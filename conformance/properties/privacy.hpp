// What users have set of who may see that they are there, as far as their devices' records say.
//
// A put may count from the moment of its invocation, and it does from its acknowledgement on. While one is
// under way, or it is not known which of several was taken last, a user is as open as the most open of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/requirements/privacy_bounds.hpp"

namespace wavetank::conformance {

// Of one user.
class Privacy {
 public:
  // A kSettingPut or kSettingResolved of the user's privacy. Amortised O(puts under way).
  void on(const history::Record& record) {
    if (record.kind == history::Kind::kSettingPut) {
      has_set_ = true;
      under_way_.push_back({record.key, openness_of(record.size)});
    } else {
      resolve(record);
    }
    std::uint32_t open = newest_open_;
    for (const Put& put : under_way_) open = std::max(open, put.open);
    for (std::uint32_t level = 1; level <= kOpenToAll; ++level) {
      TimeNs& since = closed_since_[level - 1];
      if (open >= level) {
        since = kNever;
      } else if (since == kNever) {
        since = record.time;
      }
    }
  }

  // The user has ever set it.
  bool has_set() const { return has_set_; }
  // Since when nobody may see what needs this openness (1 or 2); kNever: somebody may.
  TimeNs closed_since(std::uint32_t needed) const { return closed_since_[needed - 1]; }

  std::size_t heap_bytes() const { return under_way_.capacity() * sizeof(Put); }

 private:
  struct Put {
    history::MessageKey key;
    std::uint32_t open = kOpenToAll;
  };

  void resolve(const history::Record& record) {
    const auto put = std::find_if(under_way_.begin(), under_way_.end(),
                                  [&](const Put& row) { return row.key == record.key; });
    if (put == under_way_.end()) return;
    std::uint32_t open = put->open;
    const auto status = static_cast<protocol::SendStatus>(record.code);
    if (status == protocol::SendStatus::kRejected) {
      under_way_.erase(put);
      return;
    }
    // Whose value the revision is, the answer to a repeat does not say.
    if (status == protocol::SendStatus::kDuplicate) {
      for (const Put& row : under_way_) open = std::max(open, row.open);
    }
    // A later put of a device is taken after its earlier ones, or instead of them.
    std::erase_if(under_way_, [&](const Put& row) {
      return row.key.device == record.key.device && row.key.counter <= record.key.counter;
    });
    const bool is_exact = status == protocol::SendStatus::kAccepted && record.value == newest_;
    if (record.value <= newest_ && !is_exact) return;
    newest_ = record.value;
    newest_open_ = open;
  }

  std::vector<Put> under_way_;
  std::uint64_t newest_ = 0;  // revision
  std::uint32_t newest_open_ = kOpenToAll;
  std::array<TimeNs, kOpenToAll> closed_since_{kNever, kNever};
  bool has_set_ = false;
};

inline bool is_of_privacy(const history::Record& record) {
  return record.entry_kind == kPrivacySetting &&
         (record.kind == history::Kind::kSettingPut || record.kind == history::Kind::kSettingResolved);
}

}  // namespace wavetank::conformance
