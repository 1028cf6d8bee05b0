// People, or programs in their name, who send far more at once than a person writes.
#include <algorithm>
#include <utility>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/population/beside.hpp"

namespace wavetank::sim {
namespace {

constexpr std::size_t kFloodedConversations = 2;
constexpr std::uint32_t kFloodBytes = 40;
constexpr DurationNs kOtherDeviceAfter = 300 * kMillisecond;

class Floods final : public Beside {
 public:
  Floods(const scenarios::Population& population, const Script& script, Randomness randomness, Stage& stage,
         std::unique_ptr<Behaviour> others)
      : Beside(std::move(others)),
        permille_(static_cast<std::uint64_t>(population.flood_permille())),
        gap_(population.flood_gap_ms() * kMillisecond),
        messages_(static_cast<std::uint32_t>(population.flood_messages())),
        script_(script),
        randomness_(randomness),
        stage_(stage),
        users_(script.users.size()) {
    const auto conversations = first_conversations(script, kFloodedConversations);
    for (std::size_t user = 0; user < users_.size(); ++user) users_[user].conversations = conversations[user];
  }

  void begin() override {
    others().begin();
    for (std::uint32_t user = 0; user < users_.size(); ++user) {
      if (users_[user].conversations.empty()) continue;
      if (!randomness_.chance(permille_, 1000, Purpose::kFlood, user, 0, kChosen)) continue;
      stage_.cue_at(stage_.now() + next_gap(user), kFloodComes, user);
    }
  }

  void cue(std::uint32_t code, std::uint32_t index) override {
    if (code != kFloodComes && code != kOtherDevice) return others().cue(code, index);
    if (is_quiet()) return;
    User& user = users_[index];
    const UserSpec& spec = script_.users[index];
    if (code == kOtherDevice) return send(spec.first_device + 1, user.conversations.front());
    ++user.floods;
    stage_.cue_at(stage_.now() + next_gap(index), kFloodComes, index);
    for (std::uint32_t i = 0; i < messages_; ++i)
      send(spec.first_device, user.conversations[i % user.conversations.size()]);
    if (spec.devices > 1) stage_.cue_at(stage_.now() + kOtherDeviceAfter, kOtherDevice, index);
  }

 private:
  enum Code : std::uint32_t { kFloodComes = 0x3000, kOtherDevice };
  enum Draw : std::uint64_t { kChosen = 1, kGap };
  struct User {
    std::vector<std::uint32_t> conversations;
    std::uint64_t floods = 0;
  };

  void send(std::uint32_t device, std::uint32_t conversation) {
    if (stage_.app_is_open(device))
      stage_.send(device, conversation, protocol::EntryKind::kMessage, kFloodBytes);
  }

  DurationNs next_gap(std::uint32_t user) const {
    return exponential(gap_, randomness_.bits(Purpose::kFlood, user, users_[user].floods, kGap));
  }

  std::uint64_t permille_;
  DurationNs gap_;
  std::uint32_t messages_;
  const Script& script_;
  Randomness randomness_;
  Stage& stage_;
  std::vector<User> users_;
};

}  // namespace

std::unique_ptr<Behaviour> make_floods(const scenarios::Population& population, const Script& script,
                                       Randomness randomness, Stage& stage,
                                       std::unique_ptr<Behaviour> others) {
  return std::make_unique<Floods>(population, script, randomness, stage, std::move(others));
}

}  // namespace wavetank::sim
