#include "reference/server/signals.hpp"

#include <algorithm>

namespace wavetank::server {

Signals::Signals(const ServerConfig& config, const Placement& placement, ConversationLog& log, Feed& feed,
                 ServerObserver& observer)
    : config_(config), placement_(placement), log_(log), feed_(feed), observer_(observer) {}

void Signals::relay(const protocol::Route& from, const protocol::SignalEphemeral& signal, Effects& effects) {
  const ConversationId& id = signal.conversation;
  const Conversation& conversation = log_.load(id);
  if (signal.kind != protocol::EphemeralKind::kTyping || !log_.is_member(id, conversation, from.user) ||
      log_.member_count(id, conversation) > config_.receipt_fanout_limit) {
    return observer_.probe(config_.self, Probe::kSignalRefused);
  }
  members_.clear();
  log_.members(id, conversation, members_);
  if (config_.defects.has(Defect::kTypingToFormerMembers)) {
    for (const store::MembershipRow& stay : conversation.stays) members_.push_back(stay.user);
  }
  by_shard_.clear();
  for (const UserId user : members_) {
    const NodeId home = placement_.home(user);
    if (home != kNoNode && user != from.user) by_shard_.emplace_back(home, user);
  }
  std::sort(by_shard_.begin(), by_shard_.end());
  by_shard_.erase(std::unique(by_shard_.begin(), by_shard_.end()), by_shard_.end());
  observer_.probe(config_.self, Probe::kSignalRelayed);
  for (std::size_t first = 0; first < by_shard_.size();) {
    const NodeId home = by_shard_[first].first;
    protocol::RelayEphemeral relayed;
    relayed.signal = signal;
    relayed.signal.user = from.user;
    for (; first < by_shard_.size() && by_shard_[first].first == home; ++first) {
      relayed.recipients.push_back(by_shard_[first].second);
    }
    if (home == config_.self) {
      deliver(relayed, effects);
    } else {
      effects.send_peer(home, protocol::make_frame(std::move(relayed)));
    }
  }
}

void Signals::deliver(const protocol::RelayEphemeral& relayed, Effects& effects) {
  for (const UserId user : relayed.recipients) {
    feed_.for_each_session(user, [&](NodeId gateway, const protocol::Route& session) {
      protocol::Frame frame = protocol::make_frame(relayed.signal);
      frame.route = session;
      effects.send_peer(gateway, std::move(frame));
    });
    if (config_.defects.has(Defect::kTypingKeptAndReplayed)) kept_[user] = relayed.signal;
  }
}

void Signals::replay(NodeId gateway, const protocol::Attach& session, TimeNs now, Effects& effects) {
  const auto kept = kept_.find(session.user);
  if (kept == kept_.end()) return;
  protocol::Frame frame = protocol::make_frame(kept->second);
  // As fresh as everything that is pushed.
  std::get<protocol::SignalEphemeral>(frame.body).sent_ms = static_cast<std::uint64_t>(now / kMillisecond);
  frame.route = protocol::Route{session.session, session.user, session.device};
  effects.send_peer(gateway, std::move(frame));
}

}  // namespace wavetank::server
