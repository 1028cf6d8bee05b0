// People who hide that they are there, or show it again.
#include <utility>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

class Hiders final : public Beside {
 public:
  Hiders(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
         std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.privacy_permille())),
        gap_(population.privacy_gap_ms() * kMillisecond),
        script_(script),
        randomness_(randomness),
        stage_(stage),
        puts_(script.users.size()) {}

  void begin() override {
    others().begin();
    for (std::uint32_t user = 0; user < puts_.size(); ++user) {
      if (!randomness_.chance(permille_, 1000, Purpose::kPrivacy, user, 0, kChosen)) continue;
      stage_.cue_at(stage_.now() + next_gap(user), kHide, user);
    }
  }

  void cue(std::uint32_t code, std::uint32_t user) override {
    if (code != kHide) return others().cue(code, user);
    if (is_quiet()) return;
    const std::uint64_t put = ++puts_[user];
    stage_.cue_at(stage_.now() + next_gap(user), kHide, user);
    const UserSpec& spec = script_.users[user];
    const auto device =
        static_cast<std::uint32_t>(randomness_.below(spec.devices, Purpose::kPrivacy, user, put, kDevice));
    const std::uint64_t value = randomness_.below(3, Purpose::kPrivacy, user, put, kValue);
    stage_.put_setting(spec.first_device + device, stage_.direct(user, user),
                       protocol::SettingKind::kPresence, value);
  }

 private:
  enum Code : std::uint32_t { kHide = 0x5800 };
  enum Draw : std::uint64_t { kChosen = 1, kGap, kDevice, kValue };

  DurationNs next_gap(std::uint32_t user) const {
    return exponential(gap_, randomness_.bits(Purpose::kPrivacy, user, puts_[user], kGap));
  }

  std::uint64_t permille_;
  DurationNs gap_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<std::uint64_t> puts_;  // by user, so far
};

}  // namespace

std::unique_ptr<Behaviour> make_privacy(const scenarios::Population& population, const Script& script,
                                        Randomness randomness, Stage& stage,
                                        std::unique_ptr<Behaviour> others) {
  return std::make_unique<Hiders>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
