// VER-FEATURE-002: what a session's Welcome does not name is not used on it. The one place where a gateway
// looks.
#include <utility>
#include <variant>
#include <vector>

#include "reference/server/gateway.hpp"

namespace wavetank::server {

bool Gateway::is_named(const Session& session, std::uint64_t feature) const {
  // Seeded defect: what was negotiated is forgotten with the Welcome.
  if (config_.defects.has(Defect::kUnnamedFeaturesServed)) return true;
  return (session.features & feature) == feature;
}

// An empty change still moves the feed's cursor: numbers have no holes for those who know less.
void Gateway::leave_out_unnamed(const Session& session, std::vector<protocol::Change>& changes) const {
  for (protocol::Change& change : changes) {
    if (is_named(session, protocol::feature_of(change.kind))) continue;
    observer_.probe(config_.self, Probe::kUnnamedLeftOut);
    const std::uint64_t before = change.prev_user_seq;
    const std::uint64_t number = change.user_seq;
    change = {};
    change.prev_user_seq = before;
    change.user_seq = number;
  }
}

void Gateway::leave_out_unnamed(const Session& session, protocol::Body& body) const {
  if ((session.features & protocol::kCoreFeatures) == protocol::kCoreFeatures) return;
  if (auto* push = std::get_if<protocol::ChangePush>(&body)) {
    leave_out_unnamed(session, push->changes);
  } else if (auto* page = std::get_if<protocol::SyncResult>(&body)) {
    leave_out_unnamed(session, page->changes);
  } else if (auto* snapshot = std::get_if<protocol::SnapshotPage>(&body)) {
    for (protocol::ConversationState& state : snapshot->conversations) {
      std::erase_if(state.latest, [&](const protocol::Change& change) {
        return !is_named(session, protocol::feature_of(change.kind));
      });
    }
  }
}

}  // namespace wavetank::server
