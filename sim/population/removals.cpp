// People who remove one of their devices: a phone that was lost, a browser that was left open.
#include <utility>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

constexpr DurationNs kLookAgainAfter = 2 * kSecond;

class Removals final : public Beside {
 public:
  Removals(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
           std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.removals_permille())),
        gap_(population.removal_gap_ms() * kMillisecond),
        script_(script),
        randomness_(randomness),
        stage_(stage) {}

  void begin() override {
    others().begin();
    for (std::uint32_t user = 0; user < script_.users.size(); ++user) {
      if (script_.users[user].devices < 2) continue;
      if (!randomness_.chance(permille_, 1000, Purpose::kDevices, user, 1, kChosen)) continue;
      stage_.cue_at(stage_.now() + exponential(gap_, randomness_.bits(Purpose::kDevices, user, 1, kWhen)),
                    kRemoves, user);
    }
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code != kRemoves) return others().cue(code, index);
    if (is_quiet()) return;
    const UserSpec& user = script_.users[index];
    const std::uint32_t last = user.first_device + user.devices - 1;
    for (std::uint32_t device = user.first_device; device < last; ++device) {
      if (stage_.app_is_open(device)) return stage_.remove_device(device, last);
    }
    stage_.cue_at(stage_.now() + kLookAgainAfter, kRemoves, index);
  }

 private:
  enum Code : std::uint32_t { kRemoves = 0x3100 };
  enum Draw : std::uint64_t { kChosen = 1, kWhen };

  std::uint64_t permille_;
  DurationNs gap_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
};

}  // namespace

std::unique_ptr<Behaviour> make_removals(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others) {
  return std::make_unique<Removals>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
