// SYN-SNAPSHOT: who was away for too long gets a snapshot that lacks nothing, and no one else does.
//
// A feed is refused only below what has to be kept, with a token, and a snapshot is called expired only when
// the feed has left its number behind. All pages of a snapshot name the number at which it was begun, the
// feed's head when its token was given, and none is older than that. Every conversation that had come over
// the user's feed, to whichever device, before the first page was asked for is in the snapshot, with at least
// the head that had come by then. What comes later the feed brings: that is LIV-CONVERGE's business.
//
// Keeps the heads that came over each feed where feeds are not kept for ever: 8 bytes and an index slot for
// each (user, conversation).
#include <algorithm>
#include <map>
#include <set>

#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr auto kTooLong = static_cast<std::uint8_t>(protocol::ErrorCode::kSyncTooLong);
constexpr auto kExpired = static_cast<std::uint8_t>(protocol::ErrorCode::kSnapshotExpired);

class SyncSnapshot final : public Monitor {
 public:
  SyncSnapshot(Truth& truth, const JudgeConfig& config)
      : Monitor("SYN-SNAPSHOT", truth), retain_(config.retain_changes) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kPointer, Kind::kSyncCompleted, Kind::kSnapshotInvoked,
                    Kind::kSnapshotPage, Kind::kSnapshotRow);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kReceived:
      case Kind::kPointer:
        if (retain_ != 0 && record.code != static_cast<std::uint8_t>(Via::kFetch)) {
          std::uint32_t& head = heads_[seen.device->user][record.conversation];
          head = std::max(head, narrow(record.seq));
        }
        return;
      case Kind::kSyncCompleted:
        if (record.code == kTooLong) on_refusal(seen);
        return;
      case Kind::kSnapshotInvoked:
        return on_question(seen);
      case Kind::kSnapshotPage:
        return on_page(record);
      case Kind::kSnapshotRow:
        return on_row(record);
      default:
        return;
    }
  }

  std::size_t bytes() const override {
    constexpr std::size_t kLinks = 4 * sizeof(void*);  // of a node of a tree
    std::size_t sum = table_bytes(heads_);
    for (const auto& [user, heads] : heads_) sum += table_bytes(heads);
    for (const auto& [device, snapshot] : snapshots_) {
      sum +=
          heap_bytes(kLinks + sizeof(std::pair<DeviceTag, Snapshot>)) +
          snapshot.before.size() * heap_bytes(kLinks + sizeof(std::pair<ConversationIndex, std::uint32_t>)) +
          snapshot.page.size() * heap_bytes(kLinks + sizeof(ConversationIndex));
    }
    return sum;
  }

 private:
  using Heads = boost::unordered_flat_map<ConversationIndex, std::uint32_t>;
  // The snapshot that a device takes.
  struct Snapshot {
    std::uint64_t token = 0;
    std::uint64_t number = 0;  // the feed's head that was told with the token
    bool is_asked = false;
    bool is_open = false;  // the last page was of this one, and its rows are coming
    bool is_last_page = false;
    std::uint64_t rows_left = 0;
    std::map<ConversationIndex, std::uint32_t> before;  // the heads that had come before it was asked for
    std::set<ConversationIndex> page;                   // rows of the present page
  };

  void on_refusal(const Observation& seen) {
    const Record& record = seen.record;
    fired();
    if (retain_ == 0 || record.value + retain_ >= record.seq) {
      violate(record, "device {} is refused its feed from {} on, which ends at {}: the newest {} are kept",
              record.device, record.value + 1, record.seq, retain_ == 0 ? record.seq : retain_);
    } else if (record.digest == 0) {
      violate(record, "device {} is refused its feed from {} on and gets no token of a snapshot",
              record.device, record.value + 1);
    } else if (seen.device->syncs_open > 0 && record.seq < seen.device->feed_floor) {
      violate(record, "device {} is told that its feed ends at {}, but {} was known when it asked",
              record.device, record.seq, seen.device->feed_floor);
    }
    Snapshot& snapshot = snapshots_[record.device];
    if (snapshot.token == record.digest) return;
    snapshot = Snapshot();
    snapshot.token = record.digest;
    snapshot.number = record.seq;
  }

  void on_question(const Observation& seen) {
    const auto found = snapshots_.find(seen.record.device);
    if (found == snapshots_.end() || found->second.token != seen.record.digest) return;
    if (std::exchange(found->second.is_asked, true)) return;
    const auto heads = heads_.find(seen.device->user);
    if (heads == heads_.end()) return;
    found->second.before.insert(heads->second.begin(), heads->second.end());
  }

  void on_page(const Record& record) {
    const auto found = snapshots_.find(record.device);
    if (found == snapshots_.end() || found->second.token != record.digest) return;
    Snapshot& snapshot = found->second;
    snapshot.is_open = false;
    if (record.code == kExpired) {
      if (record.value2 <= snapshot.number + retain_) {
        violate(record, "device {}'s snapshot at {} is called expired at {}: the newest {} changes are kept",
                record.device, snapshot.number, record.value2, retain_);
      }
      return;
    }
    if (record.code != 0) return;
    fired();
    if (record.value != snapshot.number) {
      violate(record, "a page of device {}'s snapshot says that it was begun at {} of the feed, not at {}",
              record.device, record.value, snapshot.number);
    } else if (record.value2 < record.value) {
      violate(record, "a page of device {}'s snapshot, begun at {}, is of {}", record.device, record.value,
              record.value2);
    }
    snapshot.is_open = true;
    snapshot.is_last_page = !record.flag;
    snapshot.rows_left = record.seq;
    snapshot.page.clear();
    if (snapshot.rows_left == 0) end_page(record, snapshot);
  }

  void on_row(const Record& record) {
    const auto found = snapshots_.find(record.device);
    if (found == snapshots_.end() || !found->second.is_open) return;
    Snapshot& snapshot = found->second;
    if (!snapshot.page.insert(record.conversation).second) {
      violate(record, "a page of device {}'s snapshot has conversation {} twice", record.device,
              record.conversation);
    }
    if (const auto before = snapshot.before.find(record.conversation); before != snapshot.before.end()) {
      if (record.seq < before->second) {
        violate(record,
                "device {}'s snapshot has conversation {} up to {}, but {} had come over the feed before it "
                "was asked for",
                record.device, record.conversation, record.seq, before->second);
      }
      snapshot.before.erase(before);
    }
    if (--snapshot.rows_left == 0) end_page(record, snapshot);
  }

  void end_page(const Record& record, Snapshot& snapshot) {
    snapshot.is_open = false;
    if (!snapshot.is_last_page || snapshot.before.empty()) return;
    violate(record, "device {}'s snapshot lacks {} conversations that had come over the feed, {} among them",
            record.device, snapshot.before.size(), snapshot.before.begin()->first);
    snapshot.before.clear();
  }

  std::uint64_t retain_;
  boost::unordered_flat_map<UserIndex, Heads> heads_;
  std::map<DeviceTag, Snapshot> snapshots_;
};

}  // namespace

std::unique_ptr<Monitor> make_sync_snapshot(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<SyncSnapshot>(truth, config);
}

}  // namespace wavetank::conformance
