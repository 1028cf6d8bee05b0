#include "conformance/properties/conversation_rows.hpp"

namespace wavetank::conformance {

Subscription RowPacker::load(const SubscriptionRow& row) const {
  if ((row.flags & SubscriptionRow::kWide) != 0) return wide_subscriptions_[row.cur];
  const std::uint32_t cur = row.cur;
  Subscription whole;
  whole.cur = cur;
  whole.feed_top = unpack_near(cur, row.feed_top);
  whole.fed_before = unpack_near(cur, row.fed_before);
  whole.delivered_acked = unpack_near(cur, row.delivered_acked);
  whole.claimed_head = unpack_near(cur, row.claimed_head);
  whole.read_seen = unpack_near(cur, row.read_seen);
  whole.live_mask = row.live_mask;
  whole.sync_mask = row.sync_mask;
  whole.connection = row.connection;
  whole.sync_era = row.sync_era;
  whole.flags = row.flags;
  return whole;
}

void RowPacker::store(const Subscription& whole, SubscriptionRow& row) {
  const bool was_wide = (row.flags & SubscriptionRow::kWide) != 0;
  SubscriptionRow fresh;
  fresh.who = row.who;
  bool fits = pack_near(whole.cur, whole.feed_top, fresh.feed_top);
  fits &= pack_near(whole.cur, whole.fed_before, fresh.fed_before);
  fits &= pack_near(whole.cur, whole.delivered_acked, fresh.delivered_acked);
  fits &= pack_near(whole.cur, whole.claimed_head, fresh.claimed_head);
  fits &= pack_near(whole.cur, whole.read_seen, fresh.read_seen);
  if (!fits) {
    const std::uint32_t number = was_wide ? +row.cur : wide_subscriptions_.take();
    wide_subscriptions_[number] = whole;
    row.cur = number;
    row.flags = SubscriptionRow::kWide;
    return;
  }
  if (was_wide) wide_subscriptions_.give_back(row.cur);
  fresh.cur = whole.cur;
  fresh.live_mask = whole.live_mask;
  fresh.sync_mask = whole.sync_mask;
  fresh.connection = whole.connection;
  fresh.sync_era = whole.sync_era;
  fresh.flags = whole.flags;
  row = fresh;
}

DeviceTag RowPacker::reader_of(std::uint16_t code, const SubscriptionRows& subscriptions) {
  if (code == MemberRow::kNobody) return kNone;
  return code == MemberRow::kSeveral ? UserConversation::kSeveral : +subscriptions.row(code - 1U).who;
}

// kWide when the reader's subscription stands too far back.
std::uint16_t RowPacker::reader_code(DeviceTag reader, const SubscriptionRows& subscriptions) {
  if (reader == kNone) return MemberRow::kNobody;
  if (reader == UserConversation::kSeveral) return MemberRow::kSeveral;
  const std::uint32_t position = subscriptions.position_of(reader);
  const bool fits = position < subscriptions.size() && position + 1 < MemberRow::kSeveral;
  return fits ? static_cast<std::uint16_t>(position + 1) : MemberRow::kWide;
}

UserConversation RowPacker::load(const MemberRow& row, const SubscriptionRows& subscriptions) const {
  if (row.reader == MemberRow::kWide) return wide_members_[row.delivered_asked];
  const std::uint32_t delivered = row.delivered_asked;
  UserConversation whole;
  whole.joined = row.joined;
  whole.left = row.left;
  whole.delivered_asked = delivered;
  whole.read_asked = unpack_near(delivered, row.read_asked);
  whole.read_accepted = unpack_near(delivered, row.read_accepted);
  whole.reader = reader_of(row.reader, subscriptions);
  return whole;
}

void RowPacker::store(const UserConversation& whole, MemberRow& row, const SubscriptionRows& subscriptions) {
  const bool was_wide = row.reader == MemberRow::kWide;
  MemberRow fresh;
  fresh.who = row.who;
  bool fits = whole.earlier == kNone && whole.joined <= 0xffff && whole.left <= 0xffff;
  fits &= pack_near(whole.delivered_asked, whole.read_asked, fresh.read_asked);
  fits &= pack_near(whole.delivered_asked, whole.read_accepted, fresh.read_accepted);
  if (fits) {
    const bool is_same = !was_wide && reader_of(row.reader, subscriptions) == whole.reader;
    fresh.reader = is_same ? row.reader : reader_code(whole.reader, subscriptions);
    fits = fresh.reader != MemberRow::kWide;
  }
  if (!fits) {
    const std::uint32_t number = was_wide ? +row.delivered_asked : wide_members_.take();
    wide_members_[number] = whole;
    row.delivered_asked = number;
    row.reader = MemberRow::kWide;
    return;
  }
  if (was_wide) wide_members_.give_back(row.delivered_asked);
  fresh.delivered_asked = whole.delivered_asked;
  fresh.joined = static_cast<std::uint16_t>(whole.joined);
  fresh.left = static_cast<std::uint16_t>(whole.left);
  row = fresh;
}

}  // namespace wavetank::conformance
