// Typing: what the user does here, said to the others; what others do, shown for a while. None of it is
// stored.
#include <algorithm>

#include "reference/client/client.hpp"

namespace wavetank::client {

namespace {

// A reading of the service's clock is off by as much as its round trip; slower ones are not used.
constexpr DurationNs kClockRoundTripMax = kSecond;
// Far more than a screen shows.
constexpr std::size_t kShownMax = 256;

bool is_of(const Ephemeral::Shown& shown, const ConversationId& conversation, UserId user) {
  return shown.user == user && shown.conversation == conversation;
}

}  // namespace

void Client::ask_clock(TimeNs now) {
  if (shared_.config.typing_ttl_ms == 0 && shared_.config.presence_refresh_ms == 0) return;
  if (ephemeral_ == nullptr) ephemeral_ = std::make_unique<Ephemeral>();
  ephemeral_->greeted_at = now;
}

// The reading is from between `asked` and `now`: the service's clock shows at least this by now. The highest
// of the session is the best one.
void Client::learn_clock(std::uint64_t server_time_ms, TimeNs asked, TimeNs now) {
  if (ephemeral_ == nullptr || now - asked > kClockRoundTripMax) return;
  const DurationNs ahead = static_cast<TimeNs>(server_time_ms) * kMillisecond - now;
  ephemeral_->clock_ahead = ephemeral_->has_clock ? std::max(ephemeral_->clock_ahead, ahead) : ahead;
  ephemeral_->has_clock = true;
}

void Client::greet_typing(const protocol::Welcome& welcome, TimeNs now) {
  if (ephemeral_ == nullptr) return;
  ephemeral_->is_offered = offers(protocol::kFeatureTyping);
  ephemeral_->is_presence_offered = offers(protocol::kFeaturePresence);
  learn_clock(welcome.server_time_ms, ephemeral_->greeted_at, now);
}

// What is shown stays until its end; what the others were told ends by itself, and is told again.
void Client::suspend_typing() {
  if (ephemeral_ == nullptr) return;
  ephemeral_->is_offered = false;
  ephemeral_->has_clock = false;
  for (Ephemeral::Own& own : ephemeral_->own) own.is_told = false;
}

void Client::set_typing(const ConversationId& conversation, bool is_typing, TimeNs now, Effects& effects) {
  if (phase_ == Phase::kStopped || ephemeral_ == nullptr) return;
  std::vector<Ephemeral::Own>& own = ephemeral_->own;
  auto at = std::find_if(own.begin(), own.end(),
                         [&](const Ephemeral::Own& row) { return row.conversation == conversation; });
  if (at == own.end()) {
    const TimeNs long_ago = now - shared_.config.typing_debounce_ms * kMillisecond;
    at = own.insert(own.end(), Ephemeral::Own{conversation, long_ago, false, false});
  }
  at->is_typing = is_typing;
  finish(now, effects);
}

// The message itself says it.
void Client::end_own_typing(const ConversationId& conversation) {
  if (ephemeral_ == nullptr) return;
  for (Ephemeral::Own& own : ephemeral_->own) {
    if (own.conversation == conversation) own.is_typing = own.is_told = false;
  }
}

DurationNs Client::typing_pause(const Ephemeral::Own& own) const {
  if (own.is_typing && own.is_told) return shared_.config.typing_refresh_ms * kMillisecond;
  // Seeded defect: every keystroke is news.
  if (shared_.config.defects.has(Defect::kTypingWithoutDebounce)) return 0;
  return shared_.config.typing_debounce_ms * kMillisecond;
}

void Client::pump_typing(TimeNs now, Effects& effects) {
  if (ephemeral_ == nullptr) return;
  std::vector<Ephemeral::Own>& all = ephemeral_->own;
  std::erase_if(all, [&](const Ephemeral::Own& own) {
    return !own.is_typing && !own.is_told && now >= own.sent_at + typing_pause(own);
  });
  release_if_empty(all);
  if (!can_signal()) return;
  for (Ephemeral::Own& own : all) {
    if ((!own.is_typing && !own.is_told) || now < own.sent_at + typing_pause(own)) continue;
    own.is_told = own.is_typing;
    own.sent_at = now;
    protocol::SignalEphemeral signal;
    signal.conversation = own.conversation;
    signal.on = own.is_typing;
    signal.ttl_ms = shared_.config.typing_ttl_ms;
    signal.sent_ms = static_cast<std::uint64_t>((now + ephemeral_->clock_ahead) / kMillisecond);
    shared_.observer.typing_sent(tag_, signal);
    transmit(effects, signal, 0);
  }
}

void Client::on_signal(const protocol::SignalEphemeral& signal, TimeNs now) {
  if (!can_signal() || signal.kind != protocol::EphemeralKind::kTyping) return;
  if (!signal.on) return hide_typing(signal.conversation, signal.user, TypingEnd::kSaid);
  const std::uint32_t ttl_ms = std::min(signal.ttl_ms, shared_.config.typing_ttl_ms);
  const TimeNs until =
      (static_cast<TimeNs>(signal.sent_ms) + ttl_ms) * kMillisecond - ephemeral_->clock_ahead;
  if (until <= now) return;  // it has taken too long
  std::vector<Ephemeral::Shown>& shown = ephemeral_->shown;
  const auto at = std::find_if(shown.begin(), shown.end(), [&](const Ephemeral::Shown& row) {
    return is_of(row, signal.conversation, signal.user);
  });
  if (at == shown.end() && shown.size() >= kShownMax) return;
  if (at == shown.end()) {
    shown.push_back({signal.conversation, signal.user, until});
  } else {
    at->until = until;
  }
  shared_.observer.typing_shown(tag_, signal);
}

void Client::hide_typing(const ConversationId& conversation, UserId user, TypingEnd why) {
  if (ephemeral_ == nullptr) return;
  const auto gone = std::erase_if(
      ephemeral_->shown, [&](const Ephemeral::Shown& row) { return is_of(row, conversation, user); });
  if (gone != 0) shared_.observer.typing_hidden(tag_, conversation, user, why);
}

void Client::expire_typing(TimeNs now) {
  if (ephemeral_ == nullptr || shared_.config.defects.has(Defect::kTypingNeverExpires)) return;
  std::vector<Ephemeral::Shown>& shown = ephemeral_->shown;
  for (std::size_t i = 0; i < shown.size();) {
    if (shown[i].until > now) {
      ++i;
    } else {
      const Ephemeral::Shown over = shown[i];  // the row itself goes
      hide_typing(over.conversation, over.user, TypingEnd::kExpired);
    }
  }
  release_if_empty(shown);
}

TimeNs Client::typing_deadline(TimeNs now) const {
  TimeNs earliest = kNever;
  if (ephemeral_ == nullptr) return earliest;
  const bool expires = !shared_.config.defects.has(Defect::kTypingNeverExpires);
  for (const Ephemeral::Shown& shown : ephemeral_->shown) {
    if (expires) earliest = std::min(earliest, shown.until);
  }
  if (!can_signal() || is_leaving(now)) return earliest;
  for (const Ephemeral::Own& own : ephemeral_->own) {
    if (own.is_typing || own.is_told) earliest = std::min(earliest, own.sent_at + typing_pause(own));
  }
  return earliest;
}

}  // namespace wavetank::client
