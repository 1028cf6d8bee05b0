// EVO-COMPAT: peers of two versions and features pass the core, and what one of them does not know is kept.
//
// The history is cut into sessions: from what a device and its Welcome have said of versions to the end of
// the connection. Every record is then held against the session that it stands in, every entry against all
// its other witnesses, and at the end every entry of an unknown kind against what its device says of itself.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "conformance/exact/properties.hpp"
#include "conformance/requirements/version_rules.hpp"

namespace wavetank::conformance::exact {

namespace {

// What there was to know of versions before a record.
struct Spoken {
  std::map<std::uint64_t, SpokenVersions> nodes;
  std::map<DeviceTag, const Record*> sessions;  // open ones, by what was agreed
  std::map<DeviceTag, std::uint64_t> gateways;
  std::map<DeviceTag, std::uint32_t> newest;  // that a device speaks, once it has said so

  // A node of which nothing is told speaks what the session does.
  std::optional<SpokenVersions> gateway_of(DeviceTag device) const {
    const auto node = nodes.find(value_or_default(gateways, device));
    return node == nodes.end() ? std::nullopt : std::optional(node->second);
  }
  bool is_newer_gateway(DeviceTag device) const {
    const auto range = gateway_of(device);
    return range && is_newer_version(range->highest);
  }
  std::uint32_t newest_of(DeviceTag device) const {
    const auto found = newest.find(device);
    return found == newest.end() ? 0 : found->second;
  }
};

void judge_greeting(const Record& r, const Spoken& spoken, Findings& out) {
  out.fired();
  const std::optional<SpokenVersions> server = spoken.gateway_of(r.device);
  const bool is_offered = r.value >= r.epoch && r.value <= r.size;
  const bool is_best = !server || r.value == agreed_version({r.epoch, r.size}, *server);
  if (!is_offered || !is_best) {
    out.violate(r, "device {} speaks versions {} to {}, and the session is of version {}", r.device, r.epoch,
                r.size, r.value);
  }
  const std::uint64_t may_be = r.seq & features_known(r.value);
  if ((r.value2 | may_be) != may_be) {
    out.violate(r, "device {} was named features {:#x} of {:#x} in version {}", r.device, r.value2, r.seq,
                r.value);
  }
}

// The feature that a record shows the device to have used, and the one that it shows to have been used on it.
std::uint64_t used_by_device(const Record& r) {
  switch (r.kind) {
    case Kind::kSendTransmitted:
      return feature_of_entry(r.entry_kind);
    case Kind::kTypingSent:
      return protocol::kFeatureTyping;
    case Kind::kPresenceWatched:
      return r.flag ? std::uint64_t{protocol::kFeaturePresence} : 0;
    default:
      return 0;
  }
}
std::uint64_t used_on_device(const Record& r) {
  switch (r.kind) {
    case Kind::kUnnamed:
      return r.value;
    case Kind::kPointer:
      return protocol::kFeatureGroups;
    case Kind::kTypingShown:
      return protocol::kFeatureTyping;
    case Kind::kPresenceShown:
      return r.flag ? std::uint64_t{protocol::kFeaturePresence} : 0;
    default:
      return 0;
  }
}
bool is_mark(const Record& r) {
  if (r.kind != Kind::kAsked) return false;
  const auto operation = static_cast<Operation>(r.entry_kind);
  return operation == Operation::kRead || operation == Operation::kDelivered;
}
bool is_read_mark(const Record& r) {
  return r.kind == Kind::kAsked && static_cast<Operation>(r.entry_kind) == Operation::kRead;
}

void judge_use(const Record& r, const Spoken& spoken, Findings& out) {
  const auto session = spoken.sessions.find(r.device);
  if (session == spoken.sessions.end()) return;
  const std::uint64_t named = session->second->value2;
  const std::uint64_t counted = used_by_device(r) | used_on_device(r);
  // Marks and receipts are judged, and too many to be counted.
  const std::uint64_t marks =
      r.kind == Kind::kReceiptSeen || is_read_mark(r) ? std::uint64_t{protocol::kFeatureReceipts} : 0;
  if ((counted & ~std::uint64_t{protocol::kFeatureReceipts}) != 0) out.fired();
  if (((counted | marks) & ~named) == 0) return;
  out.violate(r, "device {} met feature {:#x} on a session that has {:#x}", r.device, counted | marks, named);
}

// Of one device in one conversation.
struct Unknown {
  std::set<std::uint64_t> received;  // and not shown, above the last that was
  std::uint64_t to_acknowledge = 0;  // the last that was shown; 0: none, or it is acknowledged
};

struct PairCount {
  std::uint64_t acked = 0;
  std::uint64_t shown = 0;
};

class Evolution {
 public:
  Evolution(const Facts& facts, Findings& out) : facts_(facts), out_(out) {}

  void judge() {
    for (Index i = 0; i < facts_.records.size(); ++i) {
      const Record& r = *facts_.records[i];
      if (r.kind == Kind::kVersions) {
        speak(r);
      } else if (r.kind == Kind::kConnected) {
        spoken_.sessions.erase(r.device);
        spoken_.gateways[r.device] = r.value;
      } else if (r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart) {
        spoken_.sessions.erase(r.device);
      } else {
        judge_use(r, spoken_, out_);
        if (is_mark(r)) marked(r);
        if (r.kind == Kind::kReceived) received(r, i);
        if (r.kind == Kind::kSendAcked && spoken_.sessions.contains(r.device)) ++pair_of(r.device).acked;
        if (r.kind == Kind::kConversationState) rests(r, i);
      }
    }
    judge_pairs();
  }

 private:
  void speak(const Record& r) {
    if (r.device == kNone) {
      spoken_.nodes[r.value] = {r.epoch, r.size};
      is_mixed_ = is_mixed_ || is_newer_version(r.size);
      return;
    }
    judge_greeting(r, spoken_, out_);
    spoken_.sessions[r.device] = &r;
    spoken_.newest[r.device] = r.size;
    clients_.insert(is_newer_version(r.size));
    servers_.insert(spoken_.is_newer_gateway(r.device));
  }
  PairCount& pair_of(DeviceTag device) {
    return pairs_[{is_newer_version(spoken_.newest_of(device)), spoken_.is_newer_gateway(device)}];
  }

  void marked(const Record& r) {
    const auto found = unknown_.find({r.device, r.conversation});
    if (found == unknown_.end()) return;
    if (r.seq >= found->second.to_acknowledge) found->second.to_acknowledge = 0;
  }

  void received(const Record& r, Index at) {
    if (r.flag && spoken_.sessions.contains(r.device)) ++pair_of(r.device).shown;
    if (const auto found = unknown_.find({r.device, r.conversation}); r.flag && found != unknown_.end()) {
      std::set<std::uint64_t>& received = found->second.received;
      received.erase(received.begin(), received.upper_bound(r.seq));
    }
    const std::uint32_t newest = spoken_.newest_of(r.device);
    if (newest != 0 && !is_entry_kind_known(r.entry_kind, newest)) {
      Unknown& unknown = unknown_[{r.device, r.conversation}];
      if (r.flag) {
        out_.fired();
        unknown.to_acknowledge = std::max(unknown.to_acknowledge, r.seq);
      } else {
        unknown.received.insert(r.seq);
      }
    }
    if (!is_mixed_) return;
    const Record* before = at == 0 ? nullptr : facts_.records[at - 1];
    const bool has_more = before != nullptr && before->kind == Kind::kBeyond && before->device == r.device &&
                          before->conversation == r.conversation && before->seq == r.seq;
    const std::uint64_t more = has_more ? before->digest : 0;
    const std::uint64_t first = beyond_.try_emplace({r.conversation, r.seq}, more).first->second;
    if (more != 0 || first != 0) out_.fired();
    if (first != more) {
      out_.violate(r, "device {} was shown other fields of a newer version in entry {} of conversation {}",
                   r.device, r.seq, r.conversation);
    }
  }

  void rests(const Record& r, Index at) {
    const auto found = unknown_.find({r.device, r.conversation});
    if (found == unknown_.end()) return;
    const Unknown& unknown = found->second;
    if (unknown.received.contains(r.seq + 1)) {
      out_.violate(r, "device {} stands before entry {} of conversation {}, which it has and does not know",
                   r.device, r.seq + 1, r.conversation);
    }
    const auto device = facts_.devices.find(r.device);
    const bool is_settled = device != facts_.devices.end() && device->second.converged_before(at);
    if (is_settled && unknown.to_acknowledge != 0) {
      out_.violate(r, "device {} never acknowledged entry {} of conversation {}, which it does not know",
                   r.device, unknown.to_acknowledge, r.conversation);
    }
  }

  void judge_pairs() {
    if (!is_mixed_) return;
    std::uint64_t least = UINT64_MAX;
    for (const bool client : {false, true}) {
      for (const bool server : {false, true}) {
        const PairCount& pair = pairs_[{client, server}];
        least = std::min({least, pair.acked, pair.shown});
      }
    }
    if (clients_.size() == 2 && servers_.size() == 2 && least < facts_.config.fewest_of_a_pair)
      out_.inconclusive = fmt::format("one pair of versions has had {} sends or entries", least);
  }

  const Facts& facts_;
  Findings& out_;
  Spoken spoken_;
  bool is_mixed_ = false;
  std::set<bool> clients_;
  std::set<bool> servers_;
  std::map<std::pair<bool, bool>, PairCount> pairs_;
  std::map<std::pair<DeviceTag, ConversationIndex>, Unknown> unknown_;
  std::map<std::pair<ConversationIndex, std::uint64_t>, std::uint64_t> beyond_;
};

}  // namespace

Findings evolution_compat(const Facts& facts) {
  Findings out;
  Evolution(facts, out).judge();
  return out;
}

}  // namespace wavetank::conformance::exact
