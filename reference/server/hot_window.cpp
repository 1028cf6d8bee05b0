#include "reference/server/hot_window.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wavetank::server {

bool HotWindows::holds(const ConversationId& id, std::uint64_t from) const {
  const auto found = windows_.find(id);
  return found != windows_.end() && from >= found->second.first && from <= found->second.last;
}

void HotWindows::entries(const ConversationId& id, std::uint64_t floor, std::uint64_t head,
                         std::uint64_t from, std::uint64_t to, std::uint32_t limit,
                         std::vector<protocol::Event>& out) {
  if (!is_on() || from > to || limit == 0) return store_.entries(id, from, to, limit, out);
  auto found = windows_.find(id);
  // A log that was written past its window has another head: nothing stale is ever shown.
  if (found != windows_.end() && found->second.last != head) {
    erase(found);
    tell();
    found = windows_.end();
  }
  const bool is_recent = head - std::min(head, from) < config_.hot_window_entries;
  if (found == windows_.end() && is_recent) found = heat(id, floor, head);
  if (found == windows_.end()) return store_.entries(id, from, to, limit, out);
  Window& window = found->second;
  if (from < window.first) {
    observer_.probe(config_.self, Probe::kHotWindowMissed);
    return store_.entries(id, from, to, limit, out);
  }
  observer_.probe(config_.self, Probe::kHotWindowHit);
  auto at =
      std::lower_bound(window.entries.begin(), window.entries.end(), from,
                       [](const protocol::Event& event, std::uint64_t seq) { return event.conv_seq < seq; });
  for (; at != window.entries.end() && at->conv_seq <= to && limit > 0; ++at, --limit) out.push_back(*at);
  ++window.reads;
  count_read();
}

HotWindows::Windows::iterator HotWindows::heat(const ConversationId& id, std::uint64_t floor,
                                               std::uint64_t head) {
  const bool is_hot = ++reads_[id] >= kHotAfter;
  count_read();
  if (!is_hot || head == 0) return windows_.end();
  const std::uint64_t oldest = head - std::min<std::uint64_t>(head, config_.hot_window_entries) + 1;
  const std::uint64_t first = std::max({oldest, floor, std::uint64_t{1}});
  filling_.clear();
  store_.entries(id, first, head, config_.hot_window_entries, filling_);
  reads_.erase(id);
  // A log with holes, which only a mistaken server has, is left to the store.
  if (filling_.size() != head - first + 1) return windows_.end();
  const auto made = windows_.emplace(id, Window{}).first;
  Window& window = made->second;
  window.first = first;
  window.last = head;
  window.reads = kHotAfter;
  for (protocol::Event& event : filling_) {
    window.bytes += weight(event);
    window.entries.push_back(std::move(event));
  }
  filling_.clear();
  bytes_ += window.bytes;
  make_room(id);
  tell();
  return windows_.find(id);
}

void HotWindows::count_read() {
  if (++reads_since_ageing_ < kAgeReads) return;
  reads_since_ageing_ = 0;
  boost::unordered::erase_if(reads_, [](auto& counted) { return (counted.second /= 2) == 0; });
  // A window that is there stays until its room is needed.
  for (auto& [id, window] : windows_) window.reads = std::max(1U, window.reads / 2);
}

void HotWindows::appended(const protocol::Event& event) {
  const auto found = windows_.find(event.conversation);
  if (found == windows_.end()) return;
  Window& window = found->second;
  if (event.conv_seq != window.last + 1) {
    erase(found);
    tell();
    return;
  }
  window.last = event.conv_seq;
  // Seeded defect: the window is of messages.
  const bool is_membership =
      event.kind == protocol::EntryKind::kJoin || event.kind == protocol::EntryKind::kLeave;
  if (is_membership && config_.defects.has(Defect::kHotWindowSkipsMemberships)) return;
  window.entries.push_back(event);
  window.bytes += weight(event);
  bytes_ += weight(event);
  while (window.entries.size() > config_.hot_window_entries) pop_oldest(window);
  make_room(event.conversation);
  tell();
}

void HotWindows::dropped(const ConversationId& id, std::uint64_t below) {
  const auto found = windows_.find(id);
  if (found == windows_.end()) return;
  Window& window = found->second;
  while (!window.entries.empty() && window.entries.front().conv_seq < below) pop_oldest(window);
  window.first = std::max(window.first, below);
  tell();
}

void HotWindows::clear() {
  windows_.clear();
  reads_.clear();
  bytes_ = 0;
  reads_since_ageing_ = 0;
  if (is_on()) tell();
}

void HotWindows::pop_oldest(Window& window) {
  const std::uint64_t freed = weight(window.entries.front());
  window.first = window.entries.front().conv_seq + 1;
  window.entries.pop_front();
  window.bytes -= freed;
  bytes_ -= freed;
}

HotWindows::Windows::iterator HotWindows::erase(Windows::iterator window) {
  bytes_ -= window->second.bytes;
  return windows_.erase(window);
}

void HotWindows::make_room(const ConversationId& newest) {
  while (windows_.size() > 1 &&
         (bytes_ > config_.hot_window_bytes || windows_.size() > config_.hot_window_conversations)) {
    auto coldest = windows_.end();
    for (auto at = windows_.begin(); at != windows_.end(); ++at) {
      if (at->first == newest) continue;
      if (coldest == windows_.end() || at->second.reads < coldest->second.reads) coldest = at;
    }
    erase(coldest);
    observer_.probe(config_.self, Probe::kHotWindowEvicted);
  }
  const auto last = windows_.find(newest);
  while (bytes_ > config_.hot_window_bytes && !last->second.entries.empty()) pop_oldest(last->second);
  if (last->second.entries.empty()) {
    erase(last);
    observer_.probe(config_.self, Probe::kHotWindowEvicted);
  }
}

}  // namespace wavetank::server
