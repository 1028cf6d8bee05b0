#include "reference/server/pointer_window.hpp"

#include <algorithm>

namespace wavetank::server {

void PointerWindows::open(const ConversationId& id, Window& window, TimeNs closes_at) {
  by_end_.erase({window.closes_at, id});
  window.closes_at = closes_at;
  by_end_.insert({closes_at, id});
}

void PointerWindows::forget(std::map<ConversationId, Window>::iterator at) {
  by_end_.erase({at->second.closes_at, at->first});
  change_owed(at->second, 0);
  windows_.erase(at);
}

void PointerWindows::change_owed(Window& window, std::uint64_t owed_from) {
  if ((window.owed_from != 0) == (owed_from != 0)) {
    window.owed_from = owed_from;
    return;
  }
  window.owed_from = owed_from;
  owed_ += owed_from != 0 ? std::size_t{1} : static_cast<std::size_t>(-1);
  observer_.owed_fanouts(config_.self, owed_);
}

void PointerWindows::arm(Effects& effects) {
  const TimeNs at = by_end_.empty() ? kNever : by_end_.begin()->first;
  if (std::exchange(armed_at_, at) != at) effects.arm(timer_, at);
}

bool PointerWindows::tells_now(const ConversationId& id, std::uint64_t seq, TimeNs now, Effects& effects) {
  const auto [at, fresh] = windows_.try_emplace(id);
  Window& window = at->second;
  const bool is_over = fresh || (window.owed_from == 0 && window.closes_at <= now);
  if (is_over) {
    open(id, window, now + config_.pointer_window_ms * kMillisecond);
    arm(effects);
    return true;
  }
  observer_.probe(config_.self, Probe::kFanoutCollected);
  if (window.owed_from != 0) return false;
  change_owed(window, seq);
  // Seeded defect: the window is over in a moment, and the timer is armed.
  if (!config_.defects.has(Defect::kOwedFanoutInMemory)) store_.put_owed_fanout(id, seq);
  return false;
}

std::uint64_t PointerWindows::take(const ConversationId& id, TimeNs now, Effects& effects) {
  const auto at = windows_.find(id);
  if (at == windows_.end() || at->second.owed_from == 0) return 0;
  const std::uint64_t from = at->second.owed_from;
  store_.erase_owed_fanout(id);
  change_owed(at->second, 0);
  open(id, at->second, now + config_.pointer_window_ms * kMillisecond);
  arm(effects);
  return from;
}

std::vector<ConversationId> PointerWindows::due(TimeNs now, Effects& effects) {
  armed_at_ = kNever;
  std::vector<ConversationId> ids;
  for (auto next = by_end_.begin(); next != by_end_.end() && next->first <= now;) {
    const auto at = windows_.find((next++)->second);
    if (at->second.owed_from != 0) {
      ids.push_back(at->first);
    } else {
      forget(at);
    }
  }
  std::sort(ids.begin(), ids.end());
  if (ids.empty()) arm(effects);
  return ids;
}

std::vector<ConversationId> PointerWindows::owing() const {
  std::vector<ConversationId> ids;
  for (const auto& [id, window] : windows_) {
    if (window.owed_from != 0) ids.push_back(id);
  }
  return ids;
}

void PointerWindows::forget_others(const Owns& is_mine) {
  for (auto at = windows_.begin(); at != windows_.end();) {
    const auto here = at++;
    if (!is_mine(here->first)) forget(here);
  }
}

void PointerWindows::read_owed(const Owns& is_mine, TimeNs now, Effects& effects) {
  if (!is_on()) return;
  std::vector<store::OwedFanout> rows;
  // Seeded defect: whoever begins owes nothing yet.
  if (!config_.defects.has(Defect::kOwedFanoutNotRead)) store_.owed_fanouts(rows);
  for (const store::OwedFanout& row : rows) {
    if (!is_mine(row.conversation)) continue;
    Window& window = windows_[row.conversation];
    if (window.owed_from != 0) continue;
    observer_.probe(config_.self, Probe::kOwedFanoutFound);
    open(row.conversation, window, now);
    change_owed(window, row.from_seq);
  }
  arm(effects);
}

}  // namespace wavetank::server
