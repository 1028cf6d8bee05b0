// Rows in a few bytes tell what was put into them, whatever it is.
#include "conformance/properties/conversation_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace wavetank::conformance {
namespace {

// Places in a log as they are, and as they may be: near each other, 0, at the edges of 16 bits and of 32.
rc::Gen<std::uint32_t> places() {
  return rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 300),
                        rc::gen::element<std::uint32_t>(0, 1, 32'766, 32'767, 32'768, 32'769, 65'534, 65'535,
                                                        65'536, 1'000'000, 0xfffffff0U, 0xffffffffU),
                        rc::gen::arbitrary<std::uint32_t>());
}

rc::Gen<Subscription> subscriptions() {
  return rc::gen::build<Subscription>(
      rc::gen::set(&Subscription::cur, places()), rc::gen::set(&Subscription::feed_top, places()),
      rc::gen::set(&Subscription::fed_before, places()),
      rc::gen::set(&Subscription::delivered_acked, places()),
      rc::gen::set(&Subscription::claimed_head, places()), rc::gen::set(&Subscription::read_seen, places()),
      rc::gen::set(&Subscription::live_mask), rc::gen::set(&Subscription::sync_mask),
      rc::gen::set(&Subscription::connection), rc::gen::set(&Subscription::sync_era),
      rc::gen::set(&Subscription::flags, rc::gen::inRange<std::uint8_t>(0, 4)));
}

rc::Gen<UserConversation> members() {
  return rc::gen::build<UserConversation>(
      rc::gen::set(&UserConversation::joined, places()), rc::gen::set(&UserConversation::left, places()),
      rc::gen::set(&UserConversation::earlier, rc::gen::element(+kNone, +kNone, 0U, 7U)),
      rc::gen::set(&UserConversation::read_asked, places()),
      rc::gen::set(&UserConversation::read_accepted, places()),
      rc::gen::set(&UserConversation::delivered_asked, places()),
      rc::gen::set(&UserConversation::reader,
                   rc::gen::element(+kNone, +UserConversation::kSeveral, 3U, 4U, 5U, 99U)));
}

TEST(ConversationRows, ASubscriptionComesBackAsItWas) {
  EXPECT_TRUE(rc::check("what is stored is loaded", [] {
    RowPacker packer;
    SubscriptionRow row;
    row.who = 12;
    for (const Subscription& whole : *rc::gen::container<std::vector<Subscription>>(subscriptions())) {
      packer.store(whole, row);
      RC_ASSERT(packer.load(row) == whole);
      RC_ASSERT(packer.cursor_of(row) == whole.cur);
      RC_ASSERT(row.who == 12U);
    }
  }));
}

TEST(ConversationRows, AMemberComesBackAsItWas) {
  EXPECT_TRUE(rc::check("what is stored is loaded", [] {
    RowPacker packer;
    JudgeMemory::Rows account;
    SubscriptionRows devices;  // 99 is not among them
    for (const DeviceTag device : {3U, 4U, 5U}) devices.find_or_add(device, account);
    MemberRow row;
    row.who = 12;
    for (const UserConversation& whole : *rc::gen::container<std::vector<UserConversation>>(members())) {
      packer.store(whole, row, devices);
      RC_ASSERT(packer.load(row, devices) == whole);
      const RowPacker::Membership membership = packer.membership_of(row);
      RC_ASSERT(membership.joined == whole.joined);
      RC_ASSERT(membership.left == whole.left);
      RC_ASSERT(membership.earlier == whole.earlier);
      RC_ASSERT(row.who == 12U);
    }
  }));
}

TEST(ConversationRows, OnlyWhatDoesNotFitCostsMore) {
  RowPacker packer;
  SubscriptionRow row;
  Subscription whole;
  whole.cur = whole.feed_top = whole.delivered_acked = 1'000'000;
  whole.claimed_head = 1'000'000 + 32'767;
  whole.fed_before = 1'000'000 - 32'767;
  whole.read_seen = 0;  // never
  packer.store(whole, row);
  EXPECT_EQ(packer.load(row), whole);
  EXPECT_EQ(packer.subscription_bytes(), 0U);
  whole.claimed_head += 1;
  packer.store(whole, row);
  EXPECT_EQ(packer.load(row), whole);
  const std::size_t bytes = packer.subscription_bytes();
  EXPECT_GT(bytes, 0U);
  // It fits again and gives its place to the next one that does not.
  whole.claimed_head -= 1;
  for (int i = 0; i < 5000; ++i) {
    packer.store(whole, row);
    whole.read_seen = 1U - whole.read_seen;
  }
  EXPECT_LE(packer.subscription_bytes(), bytes + 64);
}

}  // namespace
}  // namespace wavetank::conformance
