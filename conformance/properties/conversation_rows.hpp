// What the truth keeps for each device and each user of a conversation: as it is worked with, and as it is
// kept in a few bytes.
//
// The numbers of one row are places in one log and most of the time close to each other, so a kept row has
// one of them whole and the others by their distance from it, in 16 bits. A row whose numbers do not fit is
// kept whole elsewhere, and the row says where. So a kept row tells exactly what was put into it.
#pragma once

#include <compare>
#include <cstdint>

#include "conformance/history/record.hpp"
#include "conformance/properties/chunks.hpp"
#include "conformance/properties/row_block.hpp"

namespace wavetank::conformance {

using history::DeviceTag;
using history::kNone;

// Puts `number` into 16 bits by its distance from `base`; 0 has a code of its own. False when it does not
// fit.
constexpr bool pack_near(std::uint32_t base, std::uint32_t number, std::uint16_t& code) {
  const std::uint32_t shifted = number - base + 0x8000U;  // modulo 2^32
  code = static_cast<std::uint16_t>(number == 0 ? 0U : shifted);
  return number == 0 || (shifted >= 1 && shifted <= 0xffff);
}
constexpr std::uint32_t unpack_near(std::uint32_t base, std::uint16_t code) {
  return code == 0 ? 0 : base + code - 0x8000U;
}

// One device's way through one conversation.
struct Subscription {
  // kTopPushed: the push of feed_top, or of a pointer to it, came on this connection and no sync of it since.
  enum Flag : std::uint8_t { kHole = 1, kTopPushed = 2 };
  std::uint32_t cur = 0;  // every entry up to here was shown or buried
  // The highest entry that came over the feed, itself or as a pointer's head, and the anchor of the two
  // masks.
  std::uint32_t feed_top = 0;
  // Up to here: came over the feed and acknowledged before the present connection.
  std::uint32_t fed_before = 0;
  std::uint32_t delivered_acked = 0;  // the server holds this device's delivered mark up to here
  std::uint32_t claimed_head = 0;     // the highest head the server has claimed towards this device
  std::uint32_t read_seen = 0;        // the user's read mark as last told to this device
  std::uint16_t live_mask = 0;        // bit i: entry feed_top - i, or a pointer to it, was pushed on this
                                      // connection
  std::uint16_t sync_mask = 0;        // bit i: it came in a sync of this era
  std::uint16_t connection = 0;       // the masks' connection, low bits
  std::uint8_t sync_era = 0;
  std::uint8_t flags = 0;
  bool has(Flag flag) const { return (flags & flag) != 0; }
  void put(Flag flag, bool on) { flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag); }
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

// One user in one conversation: marks, and for groups the membership. Direct conversations get one only when
// a mark is set.
struct UserConversation {
  static constexpr std::uint32_t kSeveral = 0xfffffffeU;
  std::uint32_t joined = 0;           // 0 = never; of the last interval
  std::uint32_t left = 0;             // 0 = still a member; of the last interval
  std::uint32_t earlier = kNone;      // earlier intervals
  std::uint32_t read_asked = 0;       // the highest mark that a device of the user has set
  std::uint32_t read_accepted = 0;    // the highest that the server has confirmed
  std::uint32_t delivered_asked = 0;  // the highest mark that a device of the user has set, reads included
  DeviceTag reader = kNone;           // the device that set read_asked, or kSeveral
  friend bool operator==(const UserConversation&, const UserConversation&) = default;
};

// Subscription as it is kept. 26 bytes.
struct SubscriptionRow {
  static constexpr std::uint8_t kWide = 128;  // beside the flags of Subscription
  Packed32 who = kNone;                       // device
  Packed32 cur;                               // wide: the number of the whole one
  std::uint16_t feed_top = 0;                 // these five by their distance from cur
  std::uint16_t fed_before = 0;
  std::uint16_t delivered_acked = 0;
  std::uint16_t claimed_head = 0;
  std::uint16_t read_seen = 0;
  std::uint16_t live_mask = 0;
  std::uint16_t sync_mask = 0;
  std::uint16_t connection = 0;
  std::uint8_t sync_era = 0;
  std::uint8_t flags = 0;
};
static_assert(sizeof(SubscriptionRow) == 26);

// UserConversation as it is kept. 18 bytes.
struct MemberRow {
  static constexpr std::uint16_t kNobody = 0;
  static constexpr std::uint16_t kSeveral = 0xfffe;
  static constexpr std::uint16_t kWide = 0xffff;
  Packed32 who = kNone;      // user
  Packed32 delivered_asked;  // wide: the number of the whole one
  std::uint16_t joined = 0;  // these two as they are
  std::uint16_t left = 0;
  std::uint16_t read_asked = 0;  // these two by their distance from delivered_asked
  std::uint16_t read_accepted = 0;
  std::uint16_t reader = kNobody;  // 1 and more: the position of its subscription, and one
};
static_assert(sizeof(MemberRow) == 18);

// What a device has written in a conversation. 18 bytes. ORD-FIFO and ORD-CAUSAL keep it.
struct WriterRow {
  Packed32 who = kNone;  // device
  Packed32 acked;        // its highest acknowledged entry
  // ORD-FIFO: the highest place of a message that was acknowledged for the first time, that message, and how
  // it was sent: the connection's low bits and whether more than once.
  Packed32 seq;
  Packed32 counter;
  std::uint16_t connection : 15 = 0;
  std::uint16_t retried : 1 = 0;
};
static_assert(sizeof(WriterRow) == 18);

// What pointers have said to a device of a conversation. 12 bytes.
struct PointedRow {
  Packed32 who = kNone;    // device
  Packed32 head;           // the highest that any has named
  std::uint16_t page = 0;  // the last page of the device's feed that had one
  std::uint16_t has_page = 0;
};
static_assert(sizeof(PointedRow) == 12);

using SubscriptionRows = RowBlock<SubscriptionRow>;
using MemberRows = RowBlock<MemberRow>;

// Turns rows into what they keep and back; holds what does not fit them. O(1), `store` of a member whose
// reader has changed one look-up more.
class RowPacker {
 public:
  Subscription load(const SubscriptionRow& row) const;
  void store(const Subscription& whole, SubscriptionRow& row);
  // `subscriptions` of the same conversation.
  UserConversation load(const MemberRow& row, const SubscriptionRows& subscriptions) const;
  void store(const UserConversation& whole, MemberRow& row, const SubscriptionRows& subscriptions);

  std::uint32_t cursor_of(const SubscriptionRow& row) const {
    return (row.flags & SubscriptionRow::kWide) != 0 ? wide_subscriptions_[row.cur].cur : +row.cur;
  }
  // The last interval, and where earlier ones are.
  struct Membership {
    std::uint32_t joined = 0;
    std::uint32_t left = 0;
    std::uint32_t earlier = kNone;
  };
  Membership membership_of(const MemberRow& row) const {
    if (row.reader != MemberRow::kWide) return {row.joined, row.left, kNone};
    const UserConversation& whole = wide_members_[row.delivered_asked];
    return {whole.joined, whole.left, whole.earlier};
  }

  std::size_t subscription_bytes() const { return wide_subscriptions_.bytes(); }
  std::size_t member_bytes() const { return wide_members_.bytes(); }

 private:
  static DeviceTag reader_of(std::uint16_t code, const SubscriptionRows& subscriptions);
  static std::uint16_t reader_code(DeviceTag reader, const SubscriptionRows& subscriptions);

  Slots<Subscription> wide_subscriptions_;
  Slots<UserConversation> wide_members_;
};

}  // namespace wavetank::conformance
