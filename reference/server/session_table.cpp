#include "reference/server/session_table.hpp"

namespace wavetank::server {

Session& SessionTable::open(ConnectionId connection) {
  std::uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    make_room(slots_, slots_.size() + 1);
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Session& session = slots_[slot];
  session = {};
  session.connection = connection;
  session.counter = next_counter_++;
  session.previous = session.next = kNone;
  session.state = SessionState::kAwaitingHello;
  by_connection_[connection] = slot;
  by_counter_[session.counter] = slot;
  return session;
}

void SessionTable::close(Session& session) {
  unlink(session);
  if (session.state != SessionState::kDetached) by_connection_.erase(session.connection);
  by_counter_.erase(session.counter);
  session.state = SessionState::kFree;
  free_.push_back(slot_of(session));
}

void SessionTable::detach(Session& session, TimeNs now) {
  by_connection_.erase(session.connection);
  enter(session, SessionState::kDetached, now);
}

void SessionTable::rebind(Session& session, Session& newcomer) {
  const ConnectionId connection = newcomer.connection;
  if (session.state != SessionState::kDetached) by_connection_.erase(session.connection);
  close(newcomer);
  session.connection = connection;
  by_connection_[connection] = slot_of(session);
}

Session* SessionTable::by_connection(ConnectionId connection) {
  const auto found = by_connection_.find(connection);
  return found == by_connection_.end() ? nullptr : &slots_[found->second];
}

Session* SessionTable::by_counter(std::uint32_t counter) {
  const auto found = by_counter_.find(counter);
  return found == by_counter_.end() ? nullptr : &slots_[found->second];
}

void SessionTable::unlink(Session& session) {
  List& list = lists_[static_cast<std::size_t>(session.state)];
  const std::uint32_t slot = slot_of(session);
  if (list.first != slot && session.previous == kNone) return;  // in no list yet
  (session.previous == kNone ? list.first : slots_[session.previous].next) = session.next;
  (session.next == kNone ? list.last : slots_[session.next].previous) = session.previous;
  session.previous = session.next = kNone;
}

void SessionTable::enter(Session& session, SessionState state, TimeNs now) {
  unlink(session);
  session.state = state;
  session.since = now;
  List& list = lists_[static_cast<std::size_t>(state)];
  const std::uint32_t slot = slot_of(session);
  session.previous = list.last;
  (list.last == kNone ? list.first : slots_[list.last].next) = slot;
  list.last = slot;
}

Session* SessionTable::oldest(SessionState state) {
  const std::uint32_t slot = lists_[static_cast<std::size_t>(state)].first;
  return slot == kNone ? nullptr : &slots_[slot];
}

}  // namespace wavetank::server
