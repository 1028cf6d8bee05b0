// Hostile actions among honest ones: what a correct client never sends and a correct server must withstand.
#include <algorithm>
#include <utility>
#include <vector>

#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

// Beside the keys of the community's own draws with this purpose.
constexpr std::uint64_t kMischiefKey = 0x6d69736368696566ULL;
constexpr std::uint32_t kLongestText = 64;

class Mischief final : public Beside {
 public:
  Mischief(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
           std::unique_ptr<Behaviour> honest)
      : Beside(std::move(honest)),
        permille_(static_cast<std::uint64_t>(population.mischief_permille())),
        tricks_(population.reply_references() ? 4U : 3U),
        script_(script),
        randomness_(randomness),
        stage_(stage) {
    for (const Action& action : script.actions) {
      if (script.conversations[action.conversation].second_user != kNoIndex) continue;
      insiders_.emplace_back(action.conversation, script.devices[action.device].user);
      groups_.push_back(action.conversation);
    }
    std::sort(insiders_.begin(), insiders_.end());
    std::sort(groups_.begin(), groups_.end());
    groups_.erase(std::unique(groups_.begin(), groups_.end()), groups_.end());
  }

  void begin() override {
    others().begin();
    for (std::uint32_t i = 0; i < script_.actions.size(); ++i) {
      const Action& action = script_.actions[i];
      if (action.kind != protocol::EntryKind::kMessage) continue;
      if (!randomness_.chance(permille_, 1000, Purpose::kContact, i, kMischiefKey, 1)) continue;
      const DurationNs later =
          randomness_.between(kSecond, 10 * kSecond, Purpose::kContact, i, kMischiefKey + 1);
      stage_.cue_at(action.at + later, kStrike, i);
    }
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code == kStrike) {
      if (!is_quiet()) strike(index);
    } else {
      others().cue(code, index);
    }
  }

 private:
  enum Code : std::uint32_t { kStrike = 0x1000 };

  // What follows action `i`; only devices whose app is open join in.
  void strike(std::uint32_t i) {
    const Action& action = script_.actions[i];
    if (!stage_.app_is_open(action.device)) return;
    const std::uint32_t size = 1 + std::min(action.size, kLongestText);
    switch (randomness_.below(tricks_, Purpose::kContact, i, kMischiefKey + 2)) {
      case 0:
        stage_.reuse_key(action.device, size);
        break;
      case 1:
        trespass(i, size);
        break;
      case 3:
        stage_.reply_ahead(action.device, action.conversation, size);
        break;
      default: {
        const auto claimed = static_cast<std::uint32_t>(
            randomness_.below(script_.users.size(), Purpose::kContact, i, kMischiefKey + 3));
        stage_.send_as(action.device, action.conversation, claimed, size);
      }
    }
  }

  // Into the first group, from a drawn one on, that the user never takes part in.
  void trespass(std::uint32_t i, std::uint32_t size) {
    const std::uint32_t device = script_.actions[i].device;
    const std::uint32_t user = script_.devices[device].user;
    const std::size_t first = randomness_.below(groups_.size(), Purpose::kContact, i, kMischiefKey + 4);
    for (std::size_t n = 0; n < groups_.size(); ++n) {
      const std::uint32_t group = groups_[(first + n) % groups_.size()];
      if (std::binary_search(insiders_.begin(), insiders_.end(), std::pair(group, user))) continue;
      stage_.send(device, group, protocol::EntryKind::kMessage, size);
      return;
    }
  }

  std::uint64_t permille_;
  std::uint64_t tricks_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> insiders_;  // (group, user), sorted
  std::vector<std::uint32_t> groups_;                              // sorted
};

}  // namespace

std::unique_ptr<Behaviour> make_mischief(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> honest) {
  return std::make_unique<Mischief>(population, script, randomness, stage, std::move(honest));
}

}  // namespace wavetank::sim
