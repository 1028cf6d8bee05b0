// People who look who is there, in the conversations that they have open.
#include <algorithm>
#include <utility>
#include <vector>

#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

constexpr std::size_t kOpenAtOnce = 3;
constexpr DurationNs kStaysOpen = 120 * kSecond;

// Whoever looks goes on in the end: everybody must be seen then.
class Watchers final : public Beside {
 public:
  Watchers(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
           std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.watchers_permille())),
        script_(script),
        randomness_(randomness),
        stage_(stage),
        open_(script.devices.size()) {}

  void begin() override {
    others().begin();
    next_action();
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code == kLook) {
      look_on_time();
    } else if (code == kClose) {
      close_old(index);
    } else {
      others().cue(code, index);
    }
  }

 private:
  enum Code : std::uint32_t { kLook = 0x5000, kClose };
  struct Open {
    std::uint32_t conversation = 0;
    TimeNs until = 0;
  };

  void next_action() {
    if (next_ < script_.actions.size()) stage_.cue_at(script_.actions[next_].at + kSecond, kLook, 0);
  }

  void look_on_time() {
    for (; next_ < script_.actions.size() && script_.actions[next_].at + kSecond <= stage_.now(); ++next_) {
      const Action& action = script_.actions[next_];
      const bool looks = randomness_.chance(permille_, 1000, Purpose::kWatching, action.device, 0);
      if (!is_quiet() && looks && stage_.app_is_open(action.device)) look(action.device, action.conversation);
    }
    next_action();
  }

  void look(std::uint32_t device, std::uint32_t conversation) {
    std::vector<Open>& open = open_[device];
    const TimeNs until = stage_.now() + kStaysOpen;
    const auto at = std::find_if(open.begin(), open.end(),
                                 [&](const Open& row) { return row.conversation == conversation; });
    if (at != open.end()) open.erase(at);
    open.push_back({conversation, until});
    // Also when it was open: the app may have been closed meanwhile.
    stage_.watch(device, conversation, true);
    stage_.cue_at(until, kClose, device);
    if (open.size() > kOpenAtOnce) shut(device);
  }

  void close_old(std::uint32_t device) {
    if (is_quiet()) return;
    while (!open_[device].empty() && open_[device].front().until <= stage_.now()) shut(device);
  }

  // The oldest.
  void shut(std::uint32_t device) {
    const std::uint32_t conversation = open_[device].front().conversation;
    open_[device].erase(open_[device].begin());
    if (stage_.app_is_open(device)) stage_.watch(device, conversation, false);
  }

  std::uint64_t permille_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<std::vector<Open>> open_;  // by device, the oldest first
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Behaviour> make_watchers(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others) {
  return std::make_unique<Watchers>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
