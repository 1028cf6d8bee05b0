#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/behaviour.hpp"

namespace wavetank::sim {
namespace {

class Star final : public Behaviour {
 public:
  Star(const scenarios::Scenario& scenario, std::uint32_t devices, Randomness randomness, Stage& stage)
      : scenario_(scenario), randomness_(randomness), stage_(stage), sent_(devices) {}

  // Everybody connects within the ramp and begins to write after it.
  void begin() override {
    const TimeNs ramp = scenario_.population().ramp_s() * kSecond;
    for (std::uint32_t device = 0; device < sent_.size(); ++device) {
      stage_.cue_at(randomness_.between(0, ramp * 3 / 4, Purpose::kSession, device, 1), kOpen, device);
      stage_.cue_at(ramp + next_gap(device), kWrite, device);
    }
  }

  void cue(std::uint32_t code, std::uint32_t device) override {
    if (code == kOpen) {
      stage_.open_app(device);
      return;
    }
    if (quiet_) return;
    const auto users = sent_.size();
    const std::uint64_t n = ++sent_[device];
    const auto which = randomness_.below(static_cast<std::uint64_t>(scenario_.population().conversations()),
                                         Purpose::kContact, device, n, 1);
    auto partner =
        static_cast<std::uint32_t>(randomness_.below(users - 1, Purpose::kContact, device, which, 2));
    if (partner >= device) ++partner;
    stage_.send(device, stage_.direct(device, partner), protocol::EntryKind::kMessage,
                static_cast<std::uint32_t>(scenario_.population().payload_bytes()));
    stage_.cue_at(stage_.now() + next_gap(device), kWrite, device);
  }

  void quiesce() override { quiet_ = true; }

 private:
  enum Code : std::uint32_t { kOpen, kWrite };

  DurationNs next_gap(std::uint32_t device) const {
    return exponential(scenario_.population().send_interval_ms() * kMillisecond,
                       randomness_.bits(Purpose::kSend, device, sent_[device]));
  }

  const scenarios::Scenario& scenario_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<std::uint32_t> sent_;  // messages so far, by device
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Behaviour> make_star(const scenarios::Scenario& scenario, std::uint32_t devices,
                                     Randomness randomness, Stage& stage) {
  return std::make_unique<Star>(scenario, devices, randomness, stage);
}

}  // namespace wavetank::sim
