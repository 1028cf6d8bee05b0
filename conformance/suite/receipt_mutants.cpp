#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

using Of = std::pair<ConversationId, UserId>;

// A mark above the head is kept as it came, and held against the head of the moment.
Mistake keeps_the_wish() {
  auto wishes = std::make_shared<std::map<std::tuple<ConversationId, UserId, DeviceIndex>, std::uint64_t>>();
  return answers<DeliveredCursor, CursorAck>([=](Line& line, const DeliveredCursor& wish, CursorAck& ack) {
    std::uint64_t& kept = (*wishes)[{wish.conversation, line.user(), line.device()}];
    kept = std::max(kept, wish.delivered_seq);
    ack.delivered_seq = std::min(std::max(ack.delivered_seq, kept), ack.head_seq);
  });
}

Mistake keeps_delivered_per_user() {
  auto marks = std::make_shared<std::map<Of, std::uint64_t>>();
  return tells<CursorAck>([=](Line& line, CursorAck& ack) {
    std::uint64_t& mark = (*marks)[{ack.conversation, line.user()}];
    ack.delivered_seq = mark = std::max(mark, ack.delivered_seq);
  });
}

// Others are shown the lowest of the devices that have reported.
Mistake shows_the_nearest_device() {
  auto marks = std::make_shared<std::map<Of, std::map<DeviceIndex, std::uint64_t>>>();
  Mistake mistake = tells_changes([=](Line& line, Change& change) {
    if (!is_receipt(change) || change.subject == line.user()) return true;
    for (const auto& [device, mark] : (*marks)[{change.conversation, change.subject}]) {
      change.delivered_seq = std::min(change.delivered_seq, mark);
    }
    return true;
  });
  const Mistake::Frames changes = mistake.down;
  mistake.down = [=](Line& line, Frame& frame) {
    if (const auto* ack = std::get_if<CursorAck>(&frame.body)) {
      (*marks)[{ack->conversation, line.user()}][line.device()] = ack->delivered_seq;
    }
    return changes(line, frame);
  };
  return mistake;
}

// A delivery in a group is told to all who are connected and have been pushed anything of the group.
Mistake tells_of_group_deliveries() {
  auto newest = std::make_shared<std::map<std::pair<ConnectionHandle, ConversationId>, std::uint64_t>>();
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    if (const auto* push = std::get_if<ChangePush>(&frame.body)) {
      for (const Change& change : push->changes) {
        (*newest)[{line.handle(), change.conversation}] = change.user_seq;
      }
    }
    const auto* ack = std::get_if<CursorAck>(&frame.body);
    const bool delivery = line.asked<DeliveredCursor>(frame.request_id) != nullptr;
    if (ack == nullptr || !delivery || !is_group(ack->conversation)) return true;
    for (Line* other : line.others()) {
      const auto known = newest->find({other->handle(), ack->conversation});
      if (known == newest->end() || other->user() == line.user()) continue;
      Change change;
      change.kind = ChangeKind::kReceipt;
      change.prev_user_seq = known->second;
      change.user_seq = ++known->second;
      change.conversation = ack->conversation;
      change.subject = line.user();
      change.delivered_seq = ack->delivered_seq;
      other->tell(make_frame(ChangePush{other->welcome().user_epoch, {change}}));
    }
    return true;
  };
  return mistake;
}

Mistake tells_strangers_the_head() {
  auto heads = std::make_shared<std::map<ConversationId, std::uint64_t>>();
  Mistake mistake = tells<CursorAck>([=](Line&, CursorAck& ack) {
    if (ack.error == ErrorCode::kForbidden) ack.head_seq = (*heads)[ack.conversation];
  });
  const Mistake::Frames marks = mistake.down;
  mistake.down = [=](Line& line, Frame& frame) {
    if (const auto* ack = std::get_if<SendAck>(&frame.body)) (*heads)[ack->conversation] = ack->conv_seq;
    return marks(line, frame);
  };
  return mistake;
}

// Whoever has been removed from a group has no marks there any more.
Mistake refuses_former_members() {
  auto left = std::make_shared<std::map<Of, bool>>();
  Mistake mistake = tells<CursorAck>([=](Line& line, CursorAck& ack) {
    if (!(*left)[{ack.conversation, line.user()}]) return;
    const ConversationId conversation = ack.conversation;
    ack = CursorAck();
    ack.conversation = conversation;
    ack.error = ErrorCode::kForbidden;
  });
  mistake.up = [=](Line&, Frame& frame) {
    const auto* message = std::get_if<SendMessage>(&frame.body);
    if (message != nullptr && message->kind != EntryKind::kMessage) {
      (*left)[{message->conversation, message->target_user}] = message->kind == EntryKind::kLeave;
    }
    return true;
  };
  return mistake;
}

Mistake leaves_delivered_behind() {
  auto marks = std::make_shared<std::map<std::tuple<ConversationId, UserId, DeviceIndex>, std::uint64_t>>();
  Mistake mistake;
  mistake.down = [=](Line& line, Frame& frame) {
    auto* ack = std::get_if<CursorAck>(&frame.body);
    if (ack == nullptr) return true;
    std::uint64_t& mark = (*marks)[{ack->conversation, line.user(), line.device()}];
    if (line.asked<ReadWatermark>(frame.request_id) != nullptr) {
      ack->delivered_seq = mark;
    } else {
      mark = ack->delivered_seq;
    }
    return true;
  };
  return mistake;
}

constexpr Mutant kReceiptMutants[] = {
    {"delivered-marks-fall",
     "A lower delivered mark takes the place of the higher.",
     {"RCP-DEVICE-001"},
     [] {
       return answers<DeliveredCursor, CursorAck>([](Line&, const DeliveredCursor& wish, CursorAck& ack) {
         ack.delivered_seq = std::min(ack.delivered_seq, wish.delivered_seq);
       });
     }},
    {"delivered-marks-of-the-user",
     "The devices of a user share one delivered mark.",
     {"RCP-DEVICE-001"},
     keeps_delivered_per_user},
    {"marks-above-the-head",
     "A mark above the head is stored as it came.",
     {"RCP-CLAMP-001"},
     [] {
       return answers<DeliveredCursor, CursorAck>([](Line&, const DeliveredCursor& wish, CursorAck& ack) {
         ack.delivered_seq = std::max(ack.delivered_seq, wish.delivered_seq);
       });
     }},
    {"marks-follow-the-head",
     "A mark above the head moves on with every entry that comes.",
     {"RCP-CLAMP-001"},
     keeps_the_wish},
    {"authors-are-not-told",
     "Marks are told to the reader's own devices only.",
     {"RCP-FANOUT-002"},
     [] {
       return tells_changes([](Line& line, const Change& change) {
         return !is_receipt(change) || change.subject == line.user();
       });
     }},
    {"nearest-device-is-shown",
     "Others are shown the lowest delivered mark of a user's devices.",
     {"RCP-FANOUT-003"},
     shows_the_nearest_device},
    {"deliveries-in-groups-are-told",
     "A delivered mark that moves in a group is told to its members.",
     {"RCP-FANOUT-004"},
     tells_of_group_deliveries},
    {"private-marks-are-shown",
     "A private read mark is treated as any other.",
     {"RD-PRIVATE-001"},
     [] { return hears<ReadWatermark>([](Line&, ReadWatermark& mark) { mark.is_private = false; }); }},
    {"own-devices-are-not-told",
     "Read marks are told to authors only.",
     {"RD-OWN-001"},
     [] {
       return tells_changes([](Line& line, const Change& change) {
         return !is_receipt(change) || change.subject != line.user();
       });
     }},
    {"strangers-set-marks",
     "A mark of somebody who is no member is answered as if it were stored.",
     {"RD-FORMER-001", "ACL-DIRECT-001"},
     [] { return tells<CursorAck>([](Line&, CursorAck& ack) { ack.error = ErrorCode::kNone; }); }},
    {"marks-tell-strangers-the-head",
     "FORBIDDEN for a mark comes with the head of the conversation.",
     {"RD-FORMER-001"},
     tells_strangers_the_head},
    {"former-members-have-no-marks",
     "Who has left a group gets FORBIDDEN for a mark within what was visible.",
     {"RD-FORMER-001"},
     refuses_former_members},
    {"read-marks-fall",
     "The user's read mark is that of the device that read last.",
     {"RD-USER-001", "RD-MONO-001"},
     [] {
       return answers<ReadWatermark, CursorAck>([](Line&, const ReadWatermark& wish, CursorAck& ack) {
         ack.read_seq = std::min(ack.read_seq, wish.read_seq);
       });
     }},
    {"read-passes-delivered",
     "A read mark leaves the delivered mark where it is.",
     {"RD-LEQ-001"},
     leaves_delivered_behind},
    {"own-messages-are-unread",
     "The unread number counts all messages above the mark.",
     {"RD-UNREAD-001"},
     [] {
       return tells<CursorAck>([](Line&, CursorAck& ack) {
         if (ack.read_seq == 0) ack.unread = ack.head_msg_no;
       });
     }},
};

}  // namespace

std::span<const Mutant> receipt_mutants() { return kReceiptMutants; }

}  // namespace wavetank::conformance
