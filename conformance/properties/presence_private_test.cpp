// PRS-PRIVATE.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

constexpr std::uint32_t kToAll = 0;
constexpr std::uint32_t kToContacts = 1;
constexpr std::uint32_t kToNobody = 2;

// Anna watches Bert in their chat. What is forbidden must be gone within 10 s.
struct Veil : Pair {
  Veil() {
    config.connect_bound = 1000 * kSecond;
    config.presence_off_bound = config.presence_on_bound = 1000 * kSecond;
    config.last_seen_lag = 1000 * kSecond;
    config.privacy_bound = 10 * kSecond;
    watch(anna, chat_room);
  }
  void set(std::uint32_t number) { take_put(put_privacy(bert, own, number)); }
  void online(bool on) { show_presence(anna, chat_room, 1, on); }
  bool is_violated() const { return judged().violated("PRS-PRIVATE"); }

  ConversationIndex own = direct(1, 1);
};

TEST(PresencePrivate, WhoHidesIsHiddenInTime) {
  Veil h;
  h.online(true);
  h.set(kToNobody);
  h.wait(8 * kSecond);
  h.online(false);
  h.wait(100 * kSecond);
  h.online(true);
  h.online(false);
  h.end();
  EXPECT_TRUE(h.is_violated());  // that last time

  Veil good;
  good.online(true);
  good.set(kToNobody);
  good.wait(8 * kSecond);
  good.online(false);
  good.wait(100 * kSecond);
  good.set(kToContacts);
  good.online(true);
  good.wait(100 * kSecond);
  good.online(false);
  good.end();
  EXPECT_FALSE(good.is_violated());
  EXPECT_EQ(good.judged().of("PRS-PRIVATE").antecedents, 1U);
}

TEST(PresencePrivate, ShownForTooLong) {
  Veil h;
  h.online(true);
  h.set(kToNobody);
  h.wait(15 * kSecond);
  h.end();
  EXPECT_TRUE(h.is_violated());
}

TEST(PresencePrivate, LastSeenTellsAsMuch) {
  for (const bool is_hidden : {false, true}) {
    Veil h;
    h.set(is_hidden ? kToNobody : kToAll);
    h.wait(15 * kSecond);
    h.disconnect(h.bert);
    h.online(false);
    h.show_last_seen(h.anna, h.chat_room, 1, h.records.back().time);
    h.wait(kSecond);
    h.show_last_seen(h.anna, h.chat_room, 1, 0);
    h.connect(h.bert);
    h.end();
    EXPECT_EQ(h.is_violated(), is_hidden);
  }
}

// Contacts see it in the chat, and nobody in a group.
TEST(PresencePrivate, ContactsAreNoGroup) {
  Veil h;
  h.set(kToContacts);
  const ConversationIndex room = h.group();
  h.chat(h.anna, room, 1, 0);
  h.chat(h.anna, room, 1, 1);
  h.fetch(h.bert, room, 1, 1);
  h.wait(15 * kSecond);
  h.online(true);
  h.wait(kSecond);
  h.online(false);
  EXPECT_FALSE(h.is_violated());
  h.watch(h.anna, room);
  h.show_presence(h.anna, room, 1, true);
  h.wait(kSecond);
  h.show_presence(h.anna, room, 1, false);
  h.end();
  EXPECT_TRUE(h.is_violated());
}

// Not acknowledged, opened again in time, looked away: nobody is to blame.
TEST(PresencePrivate, OnlyWhatIsAcknowledgedCounts) {
  Veil unsaid;
  unsaid.online(true);
  unsaid.put_privacy(unsaid.bert, unsaid.own, kToNobody);
  unsaid.wait(100 * kSecond);
  EXPECT_FALSE(unsaid.is_violated());

  Veil opened;
  opened.online(true);
  opened.set(kToNobody);
  opened.wait(5 * kSecond);
  opened.put_privacy(opened.bert, opened.own, kToAll);  // perhaps it is taken
  opened.wait(100 * kSecond);
  EXPECT_FALSE(opened.is_violated());

  Veil away;
  away.online(true);
  away.set(kToNobody);
  away.wait(5 * kSecond);
  away.watch(away.anna, away.chat_room, false);
  away.wait(100 * kSecond);
  away.watch(away.anna, away.chat_room);
  away.online(false);
  away.end();
  EXPECT_FALSE(away.is_violated());
}

// Two devices put at once: it counts what was taken last, in whatever order the answers come.
TEST(PresencePrivate, TheLaterRevisionHolds) {
  for (const bool closes_last : {false, true}) {
    Veil h;
    const DeviceTag desk = h.device(1);
    const MessageKey closes = h.put_privacy(h.bert, h.own, kToNobody);
    const MessageKey opens = h.put_privacy(desk, h.own, kToAll);
    if (closes_last) h.take_put(opens);
    h.take_put(closes);
    if (!closes_last) h.take_put(opens);
    h.wait(15 * kSecond);
    h.online(true);
    h.wait(kSecond);
    h.online(false);
    EXPECT_EQ(h.is_violated(), closes_last);
  }
}

// The answer to a repeat does not say whose value the revision has.
TEST(PresencePrivate, ARepeatIsNoProof) {
  Veil h;
  const DeviceTag desk = h.device(1);
  const MessageKey closes = h.put_privacy(h.bert, h.own, kToNobody);
  h.take_put(closes);
  h.records.pop_back();  // the answer is lost
  const MessageKey opens = h.put_privacy(desk, h.own, kToAll);
  h.take_put(opens);
  h.records.pop_back();
  h.take_put(closes);  // once more, a duplicate: names the revision of the other one
  h.wait(15 * kSecond);
  h.online(true);
  h.wait(kSecond);
  h.online(false);
  EXPECT_FALSE(h.is_violated());
}

}  // namespace
}  // namespace wavetank::conformance::test
