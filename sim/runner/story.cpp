#include "sim/runner/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "faults/plan.hpp"
#include "sim/runner/prose.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

constexpr std::size_t kStoriesMax = 3;
constexpr std::size_t kLinesMax = 24;
// Entries this far before the violated one still belong to its slice.
constexpr std::uint64_t kEntriesBefore = 2;

bool concerns_all(Kind kind) {
  return kind == Kind::kFault || kind == Kind::kHeal || kind == Kind::kCrash || kind == Kind::kRestart ||
         kind == Kind::kNodeDrains || kind == Kind::kBucketServed || kind == Kind::kEffectParked;
}

bool is_attack(Kind kind) { return kind == Kind::kAttack || kind == Kind::kAttackOutcome; }

bool is_connection(Kind kind) {
  return kind == Kind::kConnected || kind == Kind::kDisconnected || kind == Kind::kDeviceRestart ||
         kind == Kind::kGoAway || kind == Kind::kAppClosed || kind == Kind::kResume ||
         kind == Kind::kPushQueue || kind == Kind::kPushGap || kind == Kind::kReading ||
         kind == Kind::kSnapshotInvoked || kind == Kind::kSnapshotPage || kind == Kind::kSyncCompleted ||
         kind == Kind::kVersions || kind == Kind::kUnnamed || kind == Kind::kCredential ||
         kind == Kind::kRemoval || kind == Kind::kSignIn || kind == Kind::kServed ||
         kind == Kind::kLoginRefused || kind == Kind::kFeedCut;
}

// Keeps what may belong to a story about one of the conversations or devices it looks for.
class Slice final : public history::Sink {
 public:
  explicit Slice(const std::vector<const conformance::Violation*>& violations)
      : violations_(violations), records_(violations.size()) {}

  void on(const Record& r) override {
    for (std::size_t i = 0; i < violations_.size(); ++i) {
      const conformance::Violation& v = *violations_[i];
      if (r.time > v.time) continue;
      const bool here = r.conversation != history::kNone && r.conversation == v.conversation;
      const bool is_about = r.device == v.device || (r.kind == Kind::kRemoval && r.value == v.device);
      const bool device = v.device != history::kNone && is_about &&
                          (is_connection(r.kind) || v.conversation == history::kNone);
      const bool is_of_peers = v.conversation == history::kNone && v.device == history::kNone;
      const bool attack =
          is_attack(r.kind) && ((is_of_peers && r.seq == v.seq) || (v.key.counter != 0 && r.key == v.key));
      if (here || device || attack || concerns_all(r.kind)) records_[i].push_back(r);
    }
  }
  const std::vector<Record>& of(std::size_t violation) const { return records_[violation]; }

 private:
  const std::vector<const conformance::Violation*>& violations_;
  std::vector<std::vector<Record>> records_;
};

bool names_entry(Kind kind) {
  return kind == Kind::kSendAcked || kind == Kind::kReceived || kind == Kind::kEventLeavesGateway;
}

// Whether a record of the conversation has to do with what went wrong: the entry or message itself, its
// neighbours, the device that saw it.
bool matters(const Record& r, const conformance::Violation& v) {
  if (r.key.counter != 0 && r.key == v.key) return true;
  if (is_attack(r.kind)) return true;
  if (concerns_all(r.kind)) return v.time - r.time < 120 * kSecond;
  const bool same_device = v.device == history::kNone || r.device == v.device;
  if (v.seq == 0) return same_device;
  if (names_entry(r.kind))
    return r.seq + kEntriesBefore >= v.seq && r.seq <= v.seq + 1 && (same_device || r.seq == v.seq);
  return same_device;
}

// Lifelines are devices, gateways and "servers"; an arrow joins the two ends of what one record tells.
class DiagramBuilder {
 public:
  explicit DiagramBuilder(reports::Diagram& diagram) : diagram_(diagram) { line("servers"); }

  void add(const Record& r, bool highlight) {
    const std::int32_t servers = 0;
    switch (r.kind) {
      case Kind::kSendTransmitted:
        arrow(device(r), servers, r, fmt::format("send {}:{}", r.key.device, r.key.counter), highlight);
        break;
      case Kind::kSendAcked:
        arrow(servers, device(r), r, fmt::format("ack = {}", r.seq), highlight);
        break;
      case Kind::kSendFailed:
        arrow(servers, device(r), r, "refused", highlight);
        break;
      case Kind::kSendRefused:
        arrow(servers, device(r), r, fmt::format("wait {} ms", r.value), highlight);
        break;
      case Kind::kReceived:
        arrow(servers, device(r), r, fmt::format("entry {}{}", r.seq, r.flag ? "" : " (not shown)"),
              highlight);
        break;
      case Kind::kTombstone:
        arrow(servers, device(r), r, fmt::format("{}..{} hidden", r.seq, r.value), highlight);
        break;
      case Kind::kFetchInvoked:
        arrow(device(r), servers, r, fmt::format("fetch {}..", r.seq), highlight);
        break;
      case Kind::kFetchCompleted:
        arrow(servers, device(r), r,
              r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld)
                  ? fmt::format("kept from {}", r.digest)
                  : fmt::format("page ..{}", r.value),
              highlight);
        break;
      case Kind::kSkipped:
        arrow(device(r), device(r), r, fmt::format("{}..{} skipped", r.value, r.seq - 1), highlight);
        break;
      case Kind::kSnapshotInvoked:
        arrow(device(r), servers, r, "snapshot?", highlight);
        break;
      case Kind::kSnapshotPage:
        arrow(servers, device(r), r, fmt::format("{} conversations at {}", r.seq, r.value), highlight);
        break;
      case Kind::kSnapshotRow:
        arrow(servers, device(r), r, fmt::format("head {}", r.seq), highlight);
        break;
      case Kind::kRemoval:
        arrow(r.flag ? servers : device(r), r.flag ? device(r) : servers, r,
              fmt::format("{} device {}", r.flag ? "removed" : "remove", r.value), highlight);
        break;
      case Kind::kDeliveredSent:
        arrow(device(r), servers, r, fmt::format("delivered {}", r.seq), highlight);
        break;
      case Kind::kReadInvoked:
        arrow(device(r), servers, r, fmt::format("read {}{}", r.seq, r.flag ? " privately" : ""), highlight);
        break;
      case Kind::kCursorAcked:
        arrow(servers, device(r), r, fmt::format("marks {}/{}", r.seq, r.value), highlight);
        break;
      case Kind::kReceiptSeen:
        arrow(servers, device(r), r, fmt::format("user {}: {}/{}", r.subject, r.seq, r.value), highlight);
        break;
      case Kind::kPointer:
        arrow(servers, device(r), r, fmt::format("head {}", r.seq), highlight);
        break;
      case Kind::kSettingPut:
        arrow(device(r), servers, r, fmt::format("put {}", r.key.counter), highlight);
        break;
      case Kind::kSettingResolved:
        arrow(servers, device(r), r, fmt::format("put {}: {}", r.key.counter, r.value), highlight);
        break;
      case Kind::kSettingSeen:
        arrow(servers, device(r), r, fmt::format("setting, revision {}", r.value), highlight);
        break;
      case Kind::kPresenceWatched:
        arrow(device(r), servers, r, r.flag ? "who is there?" : "looks no more", highlight);
        break;
      case Kind::kPresenceShown:
        arrow(servers, device(r), r, fmt::format("user {} {}", r.subject, r.flag ? "online" : "offline"),
              highlight);
        break;
      case Kind::kLastSeenShown:
        arrow(servers, device(r), r,
              r.value == 0 ? fmt::format("user {}: last seen is not told", r.subject)
                           : fmt::format("user {}: last seen at {} ms", r.subject, r.value / kMillisecond),
              highlight);
        break;
      case Kind::kTypingSent:
        arrow(device(r), servers, r, r.flag ? "types" : "stops typing", highlight);
        break;
      case Kind::kTypingShown:
        arrow(servers, device(r), r, fmt::format("user {} types", r.subject), highlight);
        break;
      case Kind::kTypingHidden:
        arrow(device(r), device(r), r, fmt::format("user {} types no more", r.subject), highlight);
        break;
      case Kind::kCrash:
        arrow(servers, servers, r, fmt::format("node {} killed", r.value), highlight);
        break;
      case Kind::kRestart:
        arrow(servers, servers, r, fmt::format("node {} back", r.value), highlight);
        break;
      case Kind::kConnected:
        arrow(device(r), device(r), r, "connected", highlight);
        break;
      case Kind::kDisconnected:
        arrow(device(r), device(r), r, "connection lost", highlight);
        break;
      case Kind::kNodeDrains:
        arrow(servers, servers, r, fmt::format("node {} drains", r.value), highlight);
        break;
      case Kind::kGoAway:
        arrow(servers, device(r), r, "go away", highlight);
        break;
      case Kind::kAppClosed:
        arrow(device(r), device(r), r, "app closed", highlight);
        break;
      case Kind::kDeviceRestart:
        arrow(device(r), device(r), r, "app restarted", highlight);
        break;
      default:
        break;
    }
  }

 private:
  std::int32_t line(const std::string& name) {
    const auto found = std::find(diagram_.lifelines.begin(), diagram_.lifelines.end(), name);
    if (found == diagram_.lifelines.end()) diagram_.lifelines.push_back(name);
    return static_cast<std::int32_t>(std::find(diagram_.lifelines.begin(), diagram_.lifelines.end(), name) -
                                     diagram_.lifelines.begin());
  }
  std::int32_t device(const Record& r) { return line(fmt::format("device {}", r.device)); }
  void arrow(std::int32_t from, std::int32_t to, const Record& r, std::string label, bool highlight) {
    reports::Arrow a;
    a.from = from;
    a.to = to;
    a.time_ns = r.time;
    a.arrival_ns = r.time;
    a.label = std::move(label);
    a.highlight = highlight;
    diagram_.arrows.push_back(std::move(a));
  }

  reports::Diagram& diagram_;
};

reports::Story tell(const RunRequest& request, const conformance::PropertyOutcome& outcome,
                    const conformance::Violation& v, const std::vector<Record>& records) {
  reports::Story story;
  story.property = outcome.id;
  story.headline = v.text;
  story.replay_command = request.command;
  std::vector<Record> slice;
  for (const Record& r : records) {
    if (matters(r, v) && !sentence(r).empty()) slice.push_back(r);
  }
  if (slice.size() > kLinesMax) {
    story.prose.push_back(
        fmt::format("... {} earlier steps of this slice are left out", slice.size() - kLinesMax));
    slice.erase(slice.begin(), slice.end() - static_cast<std::ptrdiff_t>(kLinesMax));
  }
  DiagramBuilder diagram(story.diagram);
  for (const Record& r : slice) {
    const bool itself = r.time == v.time && (v.device == history::kNone || r.device == v.device);
    story.prose.push_back(fmt::format("{:>12.3f} s  {}", static_cast<double>(r.time) / 1e9, sentence(r)));
    diagram.add(r, itself);
  }
  story.prose.push_back(fmt::format("{:>12.3f} s  violated: {}", static_cast<double>(v.time) / 1e9, v.text));
  return story;
}

}  // namespace

std::vector<reports::Story> tell_stories(const RunRequest& request,
                                         const std::vector<conformance::PropertyOutcome>& outcomes) {
  std::vector<const conformance::PropertyOutcome*> violated;
  std::vector<const conformance::Violation*> violations;
  for (const auto& outcome : outcomes) {
    if (outcome.violations == 0 || outcome.examples.empty() || violated.size() == kStoriesMax) continue;
    violated.push_back(&outcome);
    violations.push_back(&outcome.examples.front());
  }
  if (violated.empty()) return {};
  Slice slice(violations);
  auto world = World::make(request.scenario, WorldOptions{request.seed, request.defects, {}, {}, 1}, slice);
  if (!world) return {};
  (*world)->run();
  std::vector<reports::Story> stories;
  for (std::size_t i = 0; i < violated.size(); ++i)
    stories.push_back(tell(request, *violated[i], *violations[i], slice.of(i)));
  return stories;
}

}  // namespace wavetank::sim
