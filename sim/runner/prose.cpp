#include "sim/runner/prose.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "conformance/history/hostile.hpp"
#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/protocol/print.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

std::string who(const Record& r) {
  return r.device == history::kNone ? "the world" : fmt::format("device {} (user {})", r.device, r.user);
}

std::string message(const Record& r) {
  return fmt::format("message {} of device {}", r.key.counter, r.key.device);
}

std::string outcome_of_attack(const Record& r) {
  if (static_cast<history::AttackStep>(r.entry_kind) == history::AttackStep::kConnection) {
    switch (static_cast<history::AttackEnd>(r.code)) {
      case history::AttackEnd::kClosed:
        return fmt::format("gateway {} has closed the connection of attack {}", r.value, r.seq);
      case history::AttackEnd::kReset:
        return fmt::format("gateway {} has reset the connection of attack {}", r.value, r.seq);
      case history::AttackEnd::kRefused:
        return fmt::format("gateway {} answers attack {} by an error", r.value, r.seq);
      case history::AttackEnd::kServed:
        return fmt::format("gateway {} answers attack {} as if all were well", r.value, r.seq);
      default:
        return fmt::format("the link of attack {} stands still", r.seq);
    }
  }
  constexpr std::string_view kEnds[] = {"is welcomed", "is told BUSY",         "is sent away",
                                        "is refused",  "loses its connection", "hears nothing"};
  const std::string_view end = r.code < std::size(kEnds) ? kEnds[r.code] : "?";
  return fmt::format("after attack {} a fresh connection to gateway {} {}; one that was there before {}",
                     r.seq, r.value, end, r.flag ? "still answers" : "does not answer");
}

std::string setting(const Record& r) {
  return fmt::format("{} of conversation {}",
                     protocol::name_of(static_cast<protocol::SettingKind>(r.entry_kind)), r.conversation);
}

}  // namespace

std::string sentence(const Record& r) {
  switch (r.kind) {
    case Kind::kFault:
      return fmt::format("fault {} begins", r.value + 1);
    case Kind::kHeal:
      return fmt::format("fault {} ends", r.value + 1);
    case Kind::kCrash:
      return fmt::format("node {} is killed", r.value);
    case Kind::kRestart:
      return fmt::format("node {} is back", r.value);
    case Kind::kBucketServed:
      return fmt::format("node {} serves bucket {}, version {}", r.size, r.value, r.value2);
    case Kind::kPoisoned:
      return fmt::format("the app of {} crashes on entry {}{}", who(r), r.seq,
                         r.code == 0   ? ""
                         : r.code == 1 ? " (by sync)"
                                       : " (by fetch)");
    case Kind::kParked:
      return fmt::format("node {} parks entry {} for {}: {} sessions have ended with it", r.size, r.seq,
                         who(r), r.value);
    case Kind::kEffectParked:
      return fmt::format("node {} gives up effect {} of node {}, which it could not apply {} times", r.size,
                         r.value, r.value2, r.epoch);
    case Kind::kForked:
      return fmt::format("node {} has taken the conversation over: epoch {} begins above entry {}", r.value,
                         r.epoch, r.seq);
    case Kind::kEpochAdopted:
      return fmt::format("{} learns of epoch {}, which begins above entry {}, and holds {}", who(r), r.epoch,
                         r.seq, r.value);
    case Kind::kFeedCut:
      return fmt::format(
          "{} learns that its feed has lost what it told from {} on, and had followed it to {}", who(r),
          r.value, r.value2);
    case Kind::kFeedForked:
      return fmt::format("node {} goes on with the feed of user {} at {}, from a copy that ends before {}{}",
                         r.size, r.user, r.value2, r.value,
                         r.flag ? " and need not have all that was told" : "");
    case Kind::kVoided:
      if (r.code == 3) return fmt::format("entry {} answers entry {}, which is void", r.seq, r.value2);
      return fmt::format("entry {} is void: it was {} {}", r.seq,
                         r.code == 1 ? "shown to" : "acknowledged to", who(r));
    case Kind::kConnected:
      return fmt::format("{} is connected (connection {})", who(r), r.connection);
    case Kind::kDisconnected:
      return fmt::format("{} loses its connection", who(r));
    case Kind::kNodeDrains:
      return fmt::format("node {} begins to send its sessions away, over {} s", r.value,
                         r.value2 / static_cast<std::uint64_t>(kSecond));
    case Kind::kGoAway:
      return fmt::format("{} is told to leave, and to come back within {} ms", who(r), r.value + r.value2);
    case Kind::kAppClosed:
      return fmt::format("the user closes the app of {}", who(r));
    case Kind::kResume:
      return fmt::format("{} {}, and has its feed up to {}; the gateway names the head {}", who(r),
                         r.flag ? "resumes its session" : "has a new session", r.value, r.value2);
    case Kind::kDeviceRestart:
      return fmt::format("{} starts again over its store", who(r));
    case Kind::kSendInvoked:
      return fmt::format("{} wants to send {}", who(r), message(r));
    case Kind::kSendTransmitted:
      return fmt::format("{} transmits {} (attempt {})", who(r), message(r), r.value);
    case Kind::kSendAcked:
      return fmt::format("{} is told that {} is entry {}{}", who(r), message(r), r.seq,
                         r.code == 1 ? " already" : "");
    case Kind::kSendFailed:
      return fmt::format("{} is told that {} was refused", who(r), message(r));
    case Kind::kSendRefused:
      return fmt::format("{} is told that {} (attempt {}) is too much, and to wait {} ms", who(r), message(r),
                         r.value2, r.value);
    case Kind::kReceived:
      return fmt::format("{} {} entry {} = {}{}", who(r), r.flag ? "shows" : "receives, without showing it,",
                         r.seq, message(r),
                         r.code == 0   ? ""
                         : r.code == 1 ? " (by sync)"
                                       : " (by fetch)");
    case Kind::kTombstone:
      if (r.code == static_cast<std::uint8_t>(protocol::TombstoneReason::kParked))
        return fmt::format("{} learns that entry {} is parked for it", who(r), r.seq);
      return fmt::format("{} learns that entries {} to {} will not be shown", who(r), r.seq, r.value);
    case Kind::kFetchInvoked:
      return fmt::format("{} asks for the entries from {}", who(r), r.seq);
    case Kind::kFetchCompleted:
      if (r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld)) {
        return fmt::format("{} is told that entries below {} are no longer kept, head {}", who(r), r.digest,
                           r.value2);
      }
      return fmt::format("{} has the entries {} to {}, head {}", who(r), r.seq, r.value, r.value2);
    case Kind::kDeliveredSent:
      return fmt::format("{} reports entry {} delivered", who(r), r.seq);
    case Kind::kReadInvoked:
      return fmt::format("{} has {}read up to {}", who(r), r.flag ? "privately " : "", r.seq);
    case Kind::kCursorAcked:
      return fmt::format("{} is told: delivered {}, read {}, head {}, unread {}", who(r), r.seq, r.value,
                         r.value2, r.size);
    case Kind::kReceiptSeen:
      return fmt::format("{} sees that user {} has {} delivered and {} read", who(r), r.subject, r.seq,
                         r.value);
    case Kind::kPointer:
      return fmt::format("{} is told that there are entries up to {}{}", who(r), r.seq,
                         r.code == 1 ? " (by sync)" : "");
    case Kind::kSettingPut:
      return fmt::format("{} sets {} (put {})", who(r), setting(r), r.key.counter);
    case Kind::kSettingResolved:
      if (r.size != 0) return fmt::format("{} is refused {} (put {})", who(r), setting(r), r.key.counter);
      return fmt::format("{} is told that {} is at revision {} (put {})", who(r), setting(r), r.value,
                         r.key.counter);
    case Kind::kSettingSeen:
      return fmt::format("{} shows {} at revision {} (put {} of device {}){}", who(r), setting(r), r.value,
                         r.key.counter, r.key.device, r.code == 1 ? " (by sync)" : "");
    case Kind::kSettingState:
      return fmt::format("{} ends with {} at revision {} (put {} of device {})", who(r), setting(r), r.value,
                         r.key.counter, r.key.device);
    case Kind::kPresenceWatched:
      return fmt::format("{} {} who is there", who(r), r.flag ? "looks" : "looks no more");
    case Kind::kPresenceShown:
      return fmt::format("{} shows user {} as {}", who(r), r.subject, r.flag ? "online" : "offline");
    case Kind::kLastSeenShown:
      if (r.value == 0) return fmt::format("{} shows no more when user {} was last seen", who(r), r.subject);
      return fmt::format("{} shows that user {} was last seen at {} ms", who(r), r.subject,
                         r.value / kMillisecond);
    case Kind::kTypingSent:
      return fmt::format("{} says that its user {}", who(r), r.flag ? "types" : "has stopped typing");
    case Kind::kTypingShown:
      return fmt::format("{} shows that user {} types", who(r), r.subject);
    case Kind::kTypingHidden:
      return fmt::format("{} shows no more that user {} types ({})", who(r), r.subject,
                         r.code == 0   ? "taken back"
                         : r.code == 1 ? "time is over"
                                       : "the message is there");
    case Kind::kPushQueue:
      switch (static_cast<QueueStep>(r.code)) {
        case QueueStep::kFull:
          return fmt::format("{} pushes wait at gateway {} for {}, and no more are taken", r.value, r.size,
                             who(r));
        case QueueStep::kGapTold:
          return fmt::format("there is room again at gateway {} for {}, who is told so", r.size, who(r));
        case QueueStep::kOver:
          return fmt::format("the session of {} at gateway {} is over, and {} pushes with it", who(r), r.size,
                             r.value);
        default:
          return fmt::format("{} pushes wait at gateway {} for {}", r.value, r.size, who(r));
      }
    case Kind::kPushGap:
      return fmt::format("{} is told that pushes up to {} were left out", who(r), r.value);
    case Kind::kReading:
      return fmt::format("{} {}", who(r), r.flag ? "reads again" : "stops to read what comes");
    case Kind::kSkipped:
      return fmt::format("{} goes on at entry {}: entries {} to {} are no longer kept", who(r), r.seq,
                         r.value, r.seq - 1);
    case Kind::kSnapshotInvoked:
      return fmt::format("{} asks for a page of a snapshot", who(r));
    case Kind::kSnapshotPage:
      if (r.code != 0) return fmt::format("{} is told that its snapshot is over", who(r));
      return fmt::format("{} has {} conversations of a snapshot at {} of its feed, made at {}{}", who(r),
                         r.seq, r.value, r.value2, r.flag ? "" : ", the last ones");
    case Kind::kSnapshotRow:
      return fmt::format("{} is told by a snapshot: head {}, kept from {} on", who(r), r.seq,
                         r.value == 0 ? 1 : r.value);
    case Kind::kSyncCompleted:
      if (r.digest == 0) return {};
      return fmt::format("{} is told that its feed is no longer kept from {} on (head {})", who(r), r.value,
                         r.seq);
    case Kind::kVersions:
      if (r.device == history::kNone)
        return fmt::format("node {} speaks versions {} to {}", r.value, r.epoch, r.size);
      // Nothing to tell where nobody speaks anything else.
      if (r.size == protocol::kVersion && r.value2 == r.seq) return {};
      return fmt::format(
          "{} speaks version {} with features {:#x}; it has offered versions {} to {} and {:#x}", who(r),
          r.value, r.value2, r.epoch, r.size, r.seq);
    case Kind::kUnnamed:
      return fmt::format("{} is sent something of feature {:#x}, which its Welcome does not name", who(r),
                         r.value);
    case Kind::kBeyond:
      return fmt::format("entry {} comes to {} with fields of a newer version, {:016x}", r.seq, who(r),
                         r.digest);
    case Kind::kCredential:
      if (r.value == 0) return fmt::format("the token of {} is good from now on", who(r));
      return fmt::format("node {} lets the token of {} be good for {} s", r.value2, who(r),
                         r.value / static_cast<std::uint64_t>(kSecond));
    case Kind::kRemoval:
      if (!r.flag) return fmt::format("{} asks to remove device {}", who(r), r.value);
      return r.code == 0 ? fmt::format("{} is told that device {} is removed", who(r), r.value)
                         : fmt::format("{} is told that device {} cannot be removed (error {})", who(r),
                                       r.value, r.code);
    case Kind::kSignIn:
      return r.flag ? fmt::format("the user signs in on {}", who(r))
                    : fmt::format("{} is refused for good (error {})", who(r), r.code);
    case Kind::kAttack:
      return fmt::format("attack {} on gateway {}: {}", r.seq, r.value,
                         name_of(static_cast<history::Attack>(r.code)));
    case Kind::kAttackOutcome:
      return outcome_of_attack(r);
    case Kind::kServed:
      return fmt::format("gateway {} {} {}", r.value, r.flag ? "serves" : "serves no more", who(r));
    case Kind::kLoginRefused:
      return fmt::format("{} is not let in (error {})", who(r), r.code);
    case Kind::kSendAtGateway:
      return fmt::format("{} reaches gateway {}", message(r), r.value);
    case Kind::kEventLeavesGateway:
      return fmt::format("entry {} leaves gateway {} for {}", r.seq, r.value, who(r));
    case Kind::kConversationState:
      return fmt::format("{} ends at entry {} of {}", who(r), r.seq, r.value);
    default:
      return {};
  }
}

}  // namespace wavetank::sim
