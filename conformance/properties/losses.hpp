// Owners that were lost with what they had told, as the history records it from the servers' observers. What
// devices are told excuses nothing that none of these records explains.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "conformance/history/record.hpp"

namespace wavetank::conformance {

// Rows only for what was taken over: O(log of them) for each question, and nothing without takeovers.
class Losses {
 public:
  // A kForked or a kFeedForked.
  void learn(const history::Record& record) {
    if (record.kind == history::Kind::kFeedForked) {
      feeds_[record.user].push_back({record.value, record.value2, record.flag});
      return;
    }
    begun_[record.conversation] = std::max(begun_[record.conversation], record.epoch);
    if (record.flag) lost_[record.conversation].insert(record.epoch);
  }

  // Whether a shard has begun this epoch of the conversation, or a later one.
  bool has_begun(history::ConversationIndex conversation, std::uint32_t epoch) const {
    const auto found = begun_.find(conversation);
    return epoch <= 1 || (found != begun_.end() && epoch <= found->second);
  }
  // How many owners of the conversation had been lost with what they had told when the epoch of this answer
  // began. Between two of such ages marks may fall.
  std::uint32_t age_of(const history::Record& answer) const {
    const auto found = lost_.find(answer.conversation);
    if (found == lost_.end()) return 0;
    const std::set<std::uint32_t>& epochs = found->second;
    return static_cast<std::uint32_t>(std::distance(epochs.begin(), epochs.upper_bound(answer.epoch)));
  }

  // Whether the user's feed was taken over from a copy that ended before `first`; and if so, whether its
  // owner was lost with what it may have told beyond.
  bool was_taken_over(history::UserIndex user, std::uint64_t first) const {
    return any_of(user, [first](const FeedFork& fork) { return fork.first == first; });
  }
  bool was_lost(history::UserIndex user, std::uint64_t first) const {
    return any_of(user, [first](const FeedFork& fork) { return fork.is_lost && fork.first == first; });
  }
  // Whether the lower one of two numbers of the feed was lost, and the other one is of an owner that came
  // after.
  bool is_loss_between(history::UserIndex user, std::uint64_t one, std::uint64_t other) const {
    const auto [lower, upper] = std::minmax(one, other);
    return any_of(user, [lower, upper](const FeedFork& fork) {
      return fork.is_lost && fork.first <= lower && lower < fork.next && fork.next <= upper;
    });
  }

 private:
  struct FeedFork {
    std::uint64_t first;  // not in the copy
    std::uint64_t next;   // of the new owner
    bool is_lost;
  };
  template <class Fn>
  bool any_of(history::UserIndex user, Fn&& fn) const {
    const auto found = feeds_.find(user);
    return found != feeds_.end() && std::any_of(found->second.begin(), found->second.end(), fn);
  }

  std::map<history::ConversationIndex, std::uint32_t> begun_;           // the last epoch
  std::map<history::ConversationIndex, std::set<std::uint32_t>> lost_;  // epochs that began with a loss
  std::map<history::UserIndex, std::vector<FeedFork>> feeds_;
};

}  // namespace wavetank::conformance
