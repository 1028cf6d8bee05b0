// What a gateway does when a bucket has moved: its sessions follow their users.
#include "reference/server/gateway.hpp"

namespace wavetank::server {

void Gateway::learn(const protocol::PlacementUpdate& update, Effects& effects) {
  // Seeded defect: the table is read once, at the start.
  if (config_.defects.has(Defect::kGatewayKeepsOldTable)) return;
  std::vector<Session*> over;
  for (const protocol::BucketPlace& place : update.places) {
    if (!placement_.learn(place.bucket, place.home, place.version)) continue;
    if (place.taken) {
      // TKO-FEED-002: what its home has told it may be unknown to the new one. Who comes back asks.
      sessions_.for_each([&](Session& session) {
        const bool has_home = session.state != SessionState::kAwaitingHello;
        if (has_home && placement_.bucket_of(session.user) == place.bucket) over.push_back(&session);
      });
      continue;
    }
    sessions_.for_each([&](Session& session) {
      if (session.state == SessionState::kAwaitingHello || session.home == place.home ||
          placement_.bucket_of(session.user) != place.bucket) {
        return;
      }
      observer_.probe(config_.self, Probe::kSessionMoved);
      // It may be waiting there for a move that will not be.
      if (is_up(session.home))
        effects.send_peer(session.home,
                          protocol::make_frame(protocol::Detach{session_id(session), session.user}));
      // Who has no Welcome yet lacks nothing: it will be told the head, and is not served before.
      if (session.state != SessionState::kAttaching) {
        moved_.insert(session.counter);
        if (checks_credentials()) credentials_.carry(session.counter, session.home);
      }
      session.home = place.home;
      if (is_up(place.home)) attach(session, effects);
    });
  }
  for (Session* session : over) {
    if (session->state != SessionState::kDetached) effects.close(session->connection, CloseReason::kReset);
    forget(*session, effects);
  }
}

}  // namespace wavetank::server
