// EVO-COMPAT: peers of two versions and features pass the core, and what one of them does not know is kept.
//
// - A session's version is the highest of both sides, its features were asked for and are of that version.
// - On a session nothing is sent, and nothing comes, that belongs to a feature which its Welcome does not
// name.
// - An entry of a kind that a device does not know moves its cursor and is acknowledged like any other.
// - What an entry has beyond version 1 is the same for everybody who is shown it.
// - Where old and new are on both sides, all four pairs send and are shown entries.
//
// A node of which nothing is told speaks anything.
#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <set>
#include <vector>

#include "conformance/properties/catalogue.hpp"
#include "conformance/requirements/version_rules.hpp"

namespace wavetank::conformance {
namespace {

class EvolutionCompat final : public Monitor {
 public:
  EvolutionCompat(Truth& truth, const JudgeConfig& config)
      : Monitor("EVO-COMPAT", truth), fewest_of_a_pair_(config.fewest_of_a_pair) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kVersions, Kind::kUnnamed, Kind::kBeyond, Kind::kConnected, Kind::kDisconnected,
                    Kind::kDeviceRestart, Kind::kReceived, Kind::kSendAcked, Kind::kSendTransmitted,
                    Kind::kAsked, Kind::kReceiptSeen, Kind::kPointer, Kind::kTypingSent, Kind::kTypingShown,
                    Kind::kPresenceWatched, Kind::kPresenceShown, Kind::kDeviceState,
                    Kind::kConversationState);
  }

  void on(const Observation& seen) override {
    const Record& r = seen.record;
    if (r.kind == Kind::kVersions && r.device == kNone) return node_speaks(r);
    Session& s = seen.device->versions;
    switch (r.kind) {
      case Kind::kConnected:
        s.is_open = false;
        s.node = static_cast<std::uint16_t>(r.value);
        break;
      case Kind::kDisconnected:
      case Kind::kDeviceRestart:
        s.is_open = false;
        break;
      case Kind::kVersions:
        greeted(s, r);
        break;
      case Kind::kUnnamed:
        came(s, r, r.value);
        break;
      case Kind::kBeyond:
        beyond_ = r;
        break;
      case Kind::kReceived:
        received(s, r);
        break;
      case Kind::kSendAcked:
        if (s.is_open) ++pair_of(s).acked;
        break;
      case Kind::kSendTransmitted:
        sent(s, r, feature_of_entry(r.entry_kind));
        break;
      case Kind::kAsked:
        asked(s, r);
        break;
      case Kind::kTypingSent:
        sent(s, r, protocol::kFeatureTyping);
        break;
      case Kind::kPresenceWatched:
        if (r.flag) sent(s, r, protocol::kFeaturePresence);
        break;
      case Kind::kReceiptSeen:
        came(s, r, protocol::kFeatureReceipts);
        break;
      case Kind::kPointer:
        came(s, r, protocol::kFeatureGroups);
        break;
      case Kind::kTypingShown:
        came(s, r, protocol::kFeatureTyping);
        break;
      case Kind::kPresenceShown:
        if (r.flag) came(s, r, protocol::kFeaturePresence);
        break;
      case Kind::kDeviceState:
        s.is_settled = r.flag;
        break;
      default:
        rests(s, r);
    }
  }

  void finish() override {
    const auto all = [&](auto of) {
      return std::array{of(pairs_[0][0]), of(pairs_[0][1]), of(pairs_[1][0]), of(pairs_[1][1])};
    };
    const auto acked = all([](const Pair& pair) { return pair.acked; });
    const auto shown = all([](const Pair& pair) { return pair.shown; });
    if (!is_mixed_) return;
    note(
        fmt::format("acknowledged and shown, client and server old or new: old-old {} {}, old-new {} {}, "
                    "new-old {} {}, new-new {} {}",
                    acked[0], shown[0], acked[1], shown[1], acked[2], shown[2], acked[3], shown[3]));
    const bool both_clients = met_[0] && met_[1];
    const bool both_servers = serves_[0] && serves_[1];
    const std::uint64_t least = std::min(*std::min_element(acked.begin(), acked.end()),
                                         *std::min_element(shown.begin(), shown.end()));
    if (both_clients && both_servers && least < fewest_of_a_pair_) {
      inconclusive(fmt::format("one pair of versions has had {} sends or entries of at least {}", least,
                               fewest_of_a_pair_));
    }
  }

  std::size_t bytes() const override {
    return nodes_.capacity() * sizeof(nodes_[0]) + table_bytes(entries_) +
           open_.bucket_count() * (sizeof(std::set<std::uint64_t>) + 9) + table_bytes(unacknowledged_);
  }

 private:
  using Session = VersionSession;
  struct Pair {
    std::uint64_t acked = 0;
    std::uint64_t shown = 0;
  };
  struct PlaceHash {
    std::size_t operator()(std::uint64_t place) const { return mix64(place); }
  };
  using Table = boost::unordered_flat_map<std::uint64_t, std::uint64_t, PlaceHash>;

  static std::uint64_t place(std::uint32_t conversation, std::uint64_t other) {
    return static_cast<std::uint64_t>(conversation) << 32 | static_cast<std::uint32_t>(other);
  }
  static std::size_t table_bytes(const Table& table) { return table.bucket_count() * 17; }

  void node_speaks(const Record& r) {
    nodes_.resize(std::max<std::size_t>(nodes_.size(), r.value + 1));
    nodes_[r.value] = {r.epoch, r.size};
    is_mixed_ = is_mixed_ || is_newer_version(r.size);
  }
  // {0, 0}: nothing was told.
  SpokenVersions node_of(const Session& s) const {
    return s.node < nodes_.size() ? nodes_[s.node] : SpokenVersions{0, 0};
  }
  Pair& pair_of(const Session& s) {
    return pairs_[is_newer_version(s.newest) ? 1 : 0][is_newer_version(node_of(s).highest) ? 1 : 0];
  }

  void greeted(Session& s, const Record& r) {
    fired();
    const SpokenVersions own{r.epoch, r.size};
    const SpokenVersions server = node_of(s);
    s.is_open = true;
    s.newest = static_cast<std::uint8_t>(std::min<std::uint32_t>(r.size, UINT8_MAX));
    s.features = static_cast<std::uint32_t>(r.value2);
    met_[is_newer_version(s.newest) ? 1 : 0] = true;
    serves_[is_newer_version(server.highest) ? 1 : 0] = true;
    const std::uint64_t best = server.highest == 0 ? r.value : agreed_version(own, server);
    if (r.value < own.lowest || r.value > own.highest || r.value != best) {
      violate(r,
              "device {} speaks versions {} to {} and node {} versions {} to {}, and the session is of "
              "version {}",
              r.device, own.lowest, own.highest, s.node, server.lowest, server.highest, r.value);
    }
    const std::uint64_t known = r.seq & features_known(r.value);
    if ((r.value2 & ~known) != 0) {
      violate(r, "device {} was named features {:#x} in version {}, and has asked for {:#x}", r.device,
              r.value2, r.value, r.seq);
    }
  }

  void sent(const Session& s, const Record& r, std::uint64_t feature) {
    if (!s.is_open || feature == 0) return;
    fired();
    if ((s.features & feature) != feature) {
      violate(r, "device {} used feature {:#x} on a session that has {:#x}", r.device, feature, s.features);
    }
  }
  void came(const Session& s, const Record& r, std::uint64_t feature) {
    if (!s.is_open) return;
    if (feature != protocol::kFeatureReceipts) fired();  // there are more of them than of all else
    if ((s.features & feature) != feature) {
      violate(r, "device {} was sent feature {:#x} on a session that has {:#x}", r.device, feature,
              s.features);
    }
  }

  void asked(Session& s, const Record& r) {
    const auto operation = static_cast<Operation>(r.entry_kind);
    if (operation != Operation::kRead && operation != Operation::kDelivered) return;
    if (operation == Operation::kRead && s.is_open && (s.features & protocol::kFeatureReceipts) == 0) {
      violate(r, "device {} set a read mark on a session that has {:#x}", r.device, s.features);
    }
    const auto found = unacknowledged_.find(place(r.conversation, r.device));
    if (found != unacknowledged_.end() && r.seq >= found->second) unacknowledged_.erase(found);
  }

  void received(const Session& s, const Record& r) {
    if (r.flag && s.is_open) ++pair_of(s).shown;
    if (r.flag && !open_.empty()) passed(place(r.conversation, r.device), r.seq);
    if (s.newest != 0 && !is_entry_kind_known(r.entry_kind, s.newest)) unknown(r);
    if (!is_mixed_) return;
    const bool has_more =
        beyond_.device == r.device && beyond_.conversation == r.conversation && beyond_.seq == r.seq;
    const std::uint64_t more = has_more ? beyond_.digest : 0;
    beyond_ = Record();
    const auto [entry, fresh] = entries_.try_emplace(place(r.conversation, r.seq), more);
    if (more != 0 || entry->second != 0) fired();
    if (entry->second != more) {
      violate(r,
              "entry {} of conversation {} came to device {} with other fields of a newer version than to "
              "those before",
              r.seq, r.conversation, r.device);
    }
  }

  void passed(std::uint64_t where, std::uint64_t seq) {
    const auto found = open_.find(where);
    if (found == open_.end()) return;
    found->second.erase(found->second.begin(), found->second.upper_bound(seq));
    if (found->second.empty()) open_.erase(found);
  }
  void unknown(const Record& r) {
    const std::uint64_t where = place(r.conversation, r.device);
    if (!r.flag) {
      open_[where].insert(r.seq);
      return;
    }
    fired();
    std::uint64_t& last = unacknowledged_[where];
    last = std::max(last, r.seq);
  }

  // What a device says of a conversation at the end.
  void rests(const Session& s, const Record& r) {
    const std::uint64_t where = place(r.conversation, r.device);
    if (const auto found = open_.find(where); found != open_.end() && found->second.contains(r.seq + 1)) {
      violate(r,
              "device {} has entry {} of conversation {}, whose kind it does not know, and stands before it",
              r.device, r.seq + 1, r.conversation);
    }
    if (const auto found = unacknowledged_.find(where); s.is_settled && found != unacknowledged_.end()) {
      violate(r,
              "device {} waits for nothing and has not acknowledged entry {} of conversation {}, whose kind "
              "it does not know",
              r.device, found->second, r.conversation);
    }
  }

  std::uint64_t fewest_of_a_pair_;
  bool is_mixed_ = false;              // a node speaks more than version 1
  std::vector<SpokenVersions> nodes_;  // {0, 0}: nothing was told
  std::array<std::array<Pair, 2>, 2> pairs_;
  std::array<bool, 2> met_{};     // clients, old and new
  std::array<bool, 2> serves_{};  // servers
  Record beyond_;                 // belongs to the kReceived that follows
  Table entries_;                 // what an entry has beyond version 1, by conversation and number
  // Entries of unknown kinds that came and were not shown, above the last that was.
  boost::unordered_flat_map<std::uint64_t, std::set<std::uint64_t>, PlaceHash> open_;
  Table unacknowledged_;  // the last one that was shown
};

}  // namespace

std::unique_ptr<Monitor> make_evolution_compat(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<EvolutionCompat>(truth, config);
}

}  // namespace wavetank::conformance
