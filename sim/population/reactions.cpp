// People who react to what they are shown, where their app offers it.
#include <set>
#include <utility>
#include <vector>

#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

constexpr DurationNs kSoonest = kSecond;
constexpr DurationNs kLatest = 5 * kSecond;

class Reactions final : public Beside {
 public:
  Reactions(const scenarios::Population& population, Randomness randomness, Stage& stage,
            std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.reactions_permille())),
        randomness_(randomness),
        stage_(stage) {}

  void begin() override { others().begin(); }

  void shown(std::uint32_t device, std::uint32_t conversation, std::uint32_t sender, std::uint32_t counter,
             std::uint64_t seq) override {
    others().shown(device, conversation, sender, counter, seq);
    // Nobody reacts to a reaction, or a large group would never come to rest.
    if (is_quiet() || reactions_.contains({sender, counter})) return;
    const std::uint64_t entry = static_cast<std::uint64_t>(conversation) << 32 | seq;
    if (!randomness_.chance(permille_, 1000, Purpose::kReaction, device, entry, kChosen)) return;
    const DurationNs delay =
        randomness_.between(kSoonest, kLatest, Purpose::kReaction, device, entry, kDelay);
    waiting_.push_back({device, conversation, seq});
    stage_.cue_at(stage_.now() + delay, kReact, static_cast<std::uint32_t>(waiting_.size() - 1));
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code != kReact) return others().cue(code, index);
    const Waiting& wish = waiting_[index];
    if (is_quiet() || !stage_.app_is_open(wish.device)) return;
    const std::uint32_t counter = stage_.react(wish.device, wish.conversation, wish.seq);
    if (counter != 0) reactions_.insert({wish.device, counter});
  }

 private:
  enum Code : std::uint32_t { kReact = 0x7000 };
  enum Draw : std::uint64_t { kChosen = 1, kDelay };
  struct Waiting {
    std::uint32_t device;
    std::uint32_t conversation;
    std::uint64_t seq;
  };

  std::uint64_t permille_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<Waiting> waiting_;                                 // by cue
  std::set<std::pair<std::uint32_t, std::uint32_t>> reactions_;  // device and counter
};

}  // namespace

std::unique_ptr<Behaviour> make_reactions(const scenarios::Population& population, Randomness randomness,
                                          Stage& stage, std::unique_ptr<Behaviour> others) {
  return std::make_unique<Reactions>(population, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
