// People who draft, mute, archive, pin and mark as unread, on whichever device is at hand.
#include <algorithm>
#include <utility>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

// So few that devices of one user meet in the same setting.
constexpr std::size_t kConversations = 2;
constexpr std::uint64_t kKinds = 5;
constexpr DurationNs kOtherDeviceWithin = 1500 * kMillisecond;

class SettingPuts final : public Beside {
 public:
  SettingPuts(const scenarios::Population& population, const Script& script, Randomness randomness,
              Stage& stage, std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.settings_permille())),
        gap_(population.setting_gap_ms() * kMillisecond),
        script_(script),
        randomness_(randomness),
        stage_(stage),
        users_(script.users.size()) {
    const auto conversations = first_conversations(script, kConversations);
    for (std::size_t user = 0; user < users_.size(); ++user) users_[user].conversations = conversations[user];
  }

  void begin() override {
    others().begin();
    for (std::uint32_t user = 0; user < users_.size(); ++user) {
      if (users_[user].conversations.empty()) continue;
      if (!randomness_.chance(permille_, 1000, Purpose::kSetting, user, 0, kChosen)) continue;
      stage_.cue_at(stage_.now() + next_gap(user), kPut, user);
    }
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code != kPut && code != kPutElsewhere) return others().cue(code, index);
    if (is_quiet()) return;
    User& user = users_[index];
    if (code == kPut) {
      ++user.puts;
      stage_.cue_at(stage_.now() + next_gap(index), kPut, index);
    }
    const UserSpec& spec = script_.users[index];
    const auto draw = [&](std::uint64_t bound, Draw what) {
      return randomness_.below(bound, Purpose::kSetting, index, user.puts, what);
    };
    const std::uint32_t conversation = user.conversations[draw(user.conversations.size(), kConversation)];
    const auto kind = static_cast<protocol::SettingKind>(1 + draw(kKinds, kKind));
    std::uint64_t device = draw(spec.devices, kDevice);
    if (code == kPutElsewhere) device = (device + 1) % spec.devices;
    const std::uint64_t nonce =
        randomness_.bits(Purpose::kSetting, index, user.puts, code == kPut ? kNonce : kOtherNonce) >> 32;
    stage_.put_setting(spec.first_device + static_cast<std::uint32_t>(device), conversation, kind, nonce);
    if (code == kPut && spec.devices > 1 && draw(3, kElsewhere) == 0) {
      const auto later = static_cast<DurationNs>(draw(kOtherDeviceWithin, kElsewhereAt));
      stage_.cue_at(stage_.now() + later, kPutElsewhere, index);
    }
  }

 private:
  enum Code : std::uint32_t { kPut = 0x2000, kPutElsewhere };
  enum Draw : std::uint64_t {
    kChosen = 1,
    kGap,
    kConversation,
    kKind,
    kDevice,
    kNonce,
    kOtherNonce,
    kElsewhere,
    kElsewhereAt
  };
  struct User {
    std::vector<std::uint32_t> conversations;
    std::uint64_t puts = 0;
  };

  DurationNs next_gap(std::uint32_t user) const {
    return exponential(gap_, randomness_.bits(Purpose::kSetting, user, users_[user].puts, kGap));
  }

  std::uint64_t permille_;
  DurationNs gap_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<User> users_;
};

}  // namespace

std::unique_ptr<Behaviour> make_settings(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others) {
  return std::make_unique<SettingPuts>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
