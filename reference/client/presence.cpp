// Who is there: asked for the conversations that are open on the screen, again and again, and believed for as
// long as the answer says.
#include <algorithm>

#include "reference/client/client.hpp"

namespace wavetank::client {

void Client::watch_presence(const ConversationId& conversation, bool is_open, TimeNs now, Effects& effects) {
  if (phase_ == Phase::kStopped || ephemeral_ == nullptr || shared_.config.presence_refresh_ms == 0) return;
  std::vector<Ephemeral::Watched>& watched = ephemeral_->watched;
  const auto at = std::find_if(watched.begin(), watched.end(), [&](const Ephemeral::Watched& row) {
    return row.conversation == conversation;
  });
  if (is_open == (at != watched.end())) return;
  if (is_open) {
    watched.push_back({conversation, 0, false});
  } else {
    if (at->is_asked) {
      shared_.observer.presence_watched(tag_, conversation, false);
      if (can_watch()) transmit(effects, protocol::SubscribePresence{conversation, false, {}}, 0);
    }
    watched.erase(at);
    std::erase_if(ephemeral_->seen,
                  [&](const Ephemeral::Seen& row) { return row.conversation == conversation; });
  }
  finish(now, effects);
}

// Whoever has no connection knows nothing of others, and asks anew when it has one.
void Client::suspend_presence() {
  if (ephemeral_ == nullptr) return;
  ephemeral_->is_presence_offered = false;
  ephemeral_->seen.clear();
  for (Ephemeral::Watched& row : ephemeral_->watched) {
    row.ask_at = 0;
    row.is_asked = false;
  }
}

void Client::pump_presence(TimeNs now, Effects& effects) {
  if (!can_watch()) return;
  for (Ephemeral::Watched& row : ephemeral_->watched) {
    if (now < row.ask_at) continue;
    row.ask_at = now + shared_.config.presence_refresh_ms * kMillisecond;
    if (!std::exchange(row.is_asked, true)) {
      shared_.observer.presence_watched(tag_, row.conversation, true);
    }
    transmit(effects, protocol::SubscribePresence{row.conversation, true, {}}, 0);
  }
}

void Client::on_presence(const protocol::PresenceState& state, TimeNs now) {
  if (!can_watch()) return;
  const bool is_open = std::any_of(
      ephemeral_->watched.begin(), ephemeral_->watched.end(),
      [&](const Ephemeral::Watched& row) { return row.is_asked && row.conversation == state.conversation; });
  const TimeNs until =
      (static_cast<TimeNs>(state.sent_ms) + state.valid_ms) * kMillisecond - ephemeral_->clock_ahead;
  if (!is_open || until <= now) return;
  for (const UserId user : state.online) see_presence(state.conversation, user, true, 0, until);
  for (std::size_t at = 0; at < state.offline.size(); ++at) {
    const std::uint64_t last_seen_ms = at < state.last_seen_ms.size() ? state.last_seen_ms[at] : 0;
    see_presence(state.conversation, state.offline[at], false, last_seen_ms, until);
  }
}

void Client::see_presence(const ConversationId& conversation, UserId user, bool online,
                          std::uint64_t last_seen_ms, TimeNs until) {
  std::vector<Ephemeral::Seen>& seen = ephemeral_->seen;
  auto at = std::find_if(seen.begin(), seen.end(), [&](const Ephemeral::Seen& row) {
    return row.user == user && row.conversation == conversation;
  });
  const bool is_news = at == seen.end() ? true : at->online != online;
  if (at == seen.end()) at = seen.insert(seen.end(), Ephemeral::Seen{conversation, user, 0, false, 0});
  at->online = online;
  at->until = until;
  if (is_news) shared_.observer.presence_shown(tag_, conversation, user, online);
  const bool is_later_known = std::exchange(at->last_seen_ms, last_seen_ms) != last_seen_ms;
  // Online takes its place, without a word.
  if (is_later_known && !online) shared_.observer.last_seen_shown(tag_, conversation, user, last_seen_ms);
}

// Nobody has said so for too long.
void Client::expire_presence(TimeNs now) {
  if (ephemeral_ == nullptr) return;
  std::erase_if(ephemeral_->seen, [&](const Ephemeral::Seen& row) {
    if (row.until > now) return false;
    if (row.online) shared_.observer.presence_shown(tag_, row.conversation, row.user, false);
    if (row.last_seen_ms != 0) shared_.observer.last_seen_shown(tag_, row.conversation, row.user, 0);
    return true;
  });
}

TimeNs Client::presence_deadline(TimeNs now) const {
  TimeNs earliest = kNever;
  if (ephemeral_ == nullptr) return earliest;
  for (const Ephemeral::Seen& row : ephemeral_->seen) earliest = std::min(earliest, row.until);
  if (!can_watch() || is_leaving(now)) return earliest;
  for (const Ephemeral::Watched& row : ephemeral_->watched) earliest = std::min(earliest, row.ask_at);
  return earliest;
}

}  // namespace wavetank::client
