// People who are seen to type before they send.
#include <algorithm>
#include <utility>
#include <vector>

#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

constexpr DurationNs kLongest = 30 * kSecond;
constexpr DurationNs kShortest = kSecond;
constexpr DurationNs kPausesFrom = 2 * kSecond;
constexpr DurationNs kPause = 300 * kMillisecond;
// Whoever has not sent by then has given up.
constexpr DurationNs kPatience = 4 * kSecond;

class Typists final : public Beside {
 public:
  Typists(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
          std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)), script_(script), randomness_(randomness), stage_(stage) {
    const auto permille = static_cast<std::uint64_t>(population.typing_permille());
    for (std::uint32_t action = 0; action < script.actions.size(); ++action) {
      const Action& a = script.actions[action];
      if (a.kind != protocol::EntryKind::kMessage) continue;
      if (!randomness_.chance(permille, 1000, Purpose::kTyping, action, 0, kChosen)) continue;
      beginnings_.push_back({std::max<TimeNs>(0, a.at - typing_time(action)), action});
    }
    std::sort(beginnings_.begin(), beginnings_.end());
  }

  void begin() override {
    others().begin();
    next_beginning();
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    switch (code) {
      case kBegin:
        begin_on_time();
        break;
      case kPauseBegins:
        type(index, false);
        break;
      case kPauseEnds:
        if (!is_quiet()) type(index, true);
        break;
      case kGiveUp:
        type(index, false);
        break;
      default:
        others().cue(code, index);
        break;
    }
  }

 private:
  enum Code : std::uint32_t { kBegin = 0x4000, kPauseBegins, kPauseEnds, kGiveUp };
  enum Draw : std::uint64_t { kChosen = 1, kSpeed, kPauseAt };

  DurationNs typing_time(std::uint32_t action) const {
    const DurationNs a_byte =
        randomness_.between(100 * kMillisecond, 300 * kMillisecond, Purpose::kTyping, action, 0, kSpeed);
    return std::clamp<DurationNs>(a_byte * script_.actions[action].size, kShortest, kLongest);
  }

  void next_beginning() {
    if (next_ < beginnings_.size()) stage_.cue_at(beginnings_[next_].first, kBegin, 0);
  }

  void begin_on_time() {
    for (; next_ < beginnings_.size() && beginnings_[next_].first <= stage_.now(); ++next_) {
      const std::uint32_t action = beginnings_[next_].second;
      const Action& a = script_.actions[action];
      if (is_quiet() || !stage_.app_is_open(a.device)) continue;
      type(action, true);
      const DurationNs time = typing_time(action);
      if (time >= kPausesFrom) {
        const DurationNs after =
            randomness_.between(kSecond / 2, time - kSecond, Purpose::kTyping, action, 0, kPauseAt);
        stage_.cue_at(stage_.now() + after, kPauseBegins, action);
        stage_.cue_at(stage_.now() + after + kPause, kPauseEnds, action);
      }
      stage_.cue_at(a.at + kPatience, kGiveUp, action);
    }
    next_beginning();
  }

  void type(std::uint32_t action, bool is_typing) {
    const Action& a = script_.actions[action];
    if (stage_.app_is_open(a.device)) stage_.type(a.device, a.conversation, is_typing);
  }

  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<std::pair<TimeNs, std::uint32_t>> beginnings_;  // ascending; of which action
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Behaviour> make_typists(const scenarios::Population& population, const Script& script,
                                        Randomness randomness, Stage& stage,
                                        std::unique_ptr<Behaviour> others) {
  return std::make_unique<Typists>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
