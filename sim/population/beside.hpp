// What all who act beside the people of a script share: everything that is not theirs goes on to the others.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sim/population/behaviour.hpp"

namespace wavetank::sim {

// begin() and cue() are the derived class's: it passes on what it does not know to others().
class Beside : public Behaviour {
 public:
  void shown(std::uint32_t device, std::uint32_t conversation, std::uint32_t sender, std::uint32_t counter,
             std::uint64_t seq) override {
    others_->shown(device, conversation, sender, counter, seq);
  }
  void quiesce() override {
    is_quiet_ = true;
    others_->quiesce();
  }

 protected:
  explicit Beside(std::unique_ptr<Behaviour> others) : others_(std::move(others)) {}
  Behaviour& others() { return *others_; }
  // Nobody starts anything new.
  bool is_quiet() const { return is_quiet_; }

 private:
  std::unique_ptr<Behaviour> others_;
  bool is_quiet_ = false;
};

// By user: the first conversations, `most` at most, that the script has the user write in. O(actions * most).
inline std::vector<std::vector<std::uint32_t>> first_conversations(const Script& script, std::size_t most) {
  std::vector<std::vector<std::uint32_t>> lists(script.users.size());
  for (const Action& action : script.actions) {
    std::vector<std::uint32_t>& list = lists[script.devices[action.device].user];
    if (list.size() < most && std::find(list.begin(), list.end(), action.conversation) == list.end())
      list.push_back(action.conversation);
  }
  return lists;
}

}  // namespace wavetank::sim
