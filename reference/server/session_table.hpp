// The connections of one gateway: a slab of small records, found by connection or by session number, and
// threaded into one list for each state in the order of their deadlines.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "reference/environment/footprint.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/identifiers.hpp"

namespace wavetank::server {

// kDetached: the connection is lost, the session waits to be resumed.
enum class SessionState : std::uint8_t { kAwaitingHello, kAttaching, kLive, kDetached, kFree };
inline constexpr std::size_t kDeadlineLists = 4;

// One connection and, after Hello, its session. A million of them live on a few gateways: keep it small.
struct Session {
  UserId user = 0;
  std::uint64_t known_head = 0;  // the highest user_seq that the gateway has seen for this session's user
  TimeNs since = 0;              // when it entered its state; of a live one, when it was last heard
  std::uint64_t hello_request = 0;
  TimeNs send_due = 0;  // Gcra's state of the device's sends; unused without a limit
  ConnectionId connection = 0;
  std::uint32_t counter = 0;  // low part of the SessionId
  DeviceIndex device = 0;
  NodeId home = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t frames_sent = 0;
  std::uint32_t frames_received = 0;  // the client's highest frame_seq
  std::uint32_t previous = 0;         // neighbours in the deadline list
  std::uint32_t next = 0;
  std::uint32_t features = 0;  // both sides', as Welcome names them
  std::uint8_t version = 0;    // likewise
  SessionState state = SessionState::kFree;
  bool background = false;      // the Hello said so
  bool awaits_renewal = false;  // the home was asked to renew its token, and has not answered
};
static_assert(sizeof(Session) <= 88, "a session must stay small");

// References to sessions stay valid until the next open().
class SessionTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // A new record in kAwaitingHello with a fresh counter, not yet in any list. `connection` must be unknown.
  Session& open(ConnectionId connection);
  // Takes the record out of its list and frees it.
  void close(Session& session);
  // The session has lost its connection: it enters kDetached and is found by its counter only.
  void detach(Session& session, TimeNs now);
  // Gives `session` the connection of `newcomer`, whose record is freed; its own, if any, is unknown from now
  // on.
  void rebind(Session& session, Session& newcomer);

  Session* by_connection(ConnectionId connection);
  Session* by_counter(std::uint32_t counter);

  // Moves the session to the end of `state`'s list, `since` = now. Times must not go back.
  void enter(Session& session, SessionState state, TimeNs now);
  // The one longest in the state, or nullptr.
  Session* oldest(SessionState state);

  // Connections; a detached session has none.
  std::size_t size() const { return by_connection_.size(); }
  // On the heap. O(1).
  std::size_t heap_bytes() const {
    return vector_bytes(slots_) + vector_bytes(free_) + flat_bytes(by_connection_) + flat_bytes(by_counter_);
  }
  // Visits all sessions in the order of their slots (deterministic). `visit` must not open or close.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Session& session : slots_) {
      if (session.state != SessionState::kFree) visit(session);
    }
  }

  // The time for which the driver's timer of this list is armed; kNever when it is not.
  std::array<TimeNs, kDeadlineLists> armed{kNever, kNever, kNever, kNever};

 private:
  struct List {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  void unlink(Session& session);
  std::uint32_t slot_of(const Session& session) const {
    return static_cast<std::uint32_t>(&session - slots_.data());
  }

  std::vector<Session> slots_;
  std::vector<std::uint32_t> free_;
  std::array<List, kDeadlineLists> lists_;
  boost::unordered_flat_map<ConnectionId, std::uint32_t, IdHash> by_connection_;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t, IdHash> by_counter_;
  std::uint32_t next_counter_ = 1;
};

}  // namespace wavetank::server
