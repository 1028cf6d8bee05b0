// SES-AUTH.
#include <rapidcheck.h>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

using protocol::ErrorCode;

constexpr std::uint64_t kSession = 1ULL << 48 | 7;  // at gateway 1
constexpr DurationNs kBound = 5 * kSecond;

// Anna has two devices with a session each; tokens are good for a minute, and Delta is five seconds.
struct Household : HistoryBuilder {
  DeviceTag desk = device(0);
  DeviceTag phone = device(0);
  DeviceTag bert = device(1);
  ConversationIndex chat_room = direct(0, 1);

  Household() {
    config.revoke_bound = kBound;
    for (const DeviceTag one : {desk, phone, bert}) grant(one, 60 * kSecond);
    serve(phone, kSession);
  }
  void send_leaves(Kind kind) {
    Record& r = write(kind, phone);
    r.conversation = chat_room;
    r.key = {bert, 1};
    r.value = 1;
  }
  PropertyOutcome outcome() const { return judged().of("SES-AUTH"); }
};

TEST(SessionAuth, ARemovedDeviceIsShutOutInTime) {
  Household h;
  h.remove(h.desk, h.phone);
  h.wait(4 * kSecond);
  h.send_leaves(Kind::kEventLeavesGateway);  // Delta is not over
  h.serve(h.phone, kSession, false);
  h.refuse_login(h.phone, ErrorCode::kDeviceRemoved);
  h.sign_out(h.phone, ErrorCode::kDeviceRemoved);
  h.wait(100 * kSecond);
  h.end();
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 2U);
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass);
}

TEST(SessionAuth, NothingIsServedAfterDelta) {
  for (const Kind kind : {Kind::kEventLeavesGateway, Kind::kSendAtGateway}) {
    Household h;
    h.serve(h.phone, kSession, false);
    h.remove(h.desk, h.phone);
    h.wait(kBound + kMillisecond);
    h.send_leaves(kind);
    EXPECT_EQ(h.outcome().violations, 1U);
  }
  Household h;
  h.remove(h.desk, h.phone);
  h.serve(h.phone, kSession, false);
  h.wait(kBound + kMillisecond);
  h.serve(h.phone, kSession + 1);  // a session begins
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionAuth, ASilentSessionIsOverByThen) {
  Household kept;
  kept.remove(kept.desk, kept.phone);
  kept.wait(2 * kBound);
  kept.end();
  EXPECT_EQ(kept.outcome().violations, 1U);

  Household died;  // with its gateway
  died.remove(died.desk, died.phone);
  Record& crash = died.write(Kind::kCrash);
  crash.value = 1;
  died.wait(2 * kBound);
  died.end();
  EXPECT_EQ(died.outcome().violations, 0U);
}

TEST(SessionAuth, WhileFaultsGoOnASilentSessionIsLookedForLater) {
  for (const bool is_over : {true, false}) {
    Household h;
    h.remove(h.desk, h.phone);
    h.write(Kind::kFault);
    h.wait(3 * kBound);
    h.write(Kind::kHeal);
    h.wait(kBound / 2);
    if (is_over) h.serve(h.phone, kSession, false);
    h.wait(kBound);
    h.end();
    EXPECT_EQ(h.outcome().violations, is_over ? 0U : 1U);
  }
}

TEST(SessionAuth, AnExpiredTokenIsNoneAndARenewedOneIs) {
  for (const bool is_renewed : {true, false}) {
    Household h;
    h.wait(50 * kSecond);
    if (is_renewed) h.grant(h.phone, 60 * kSecond);
    h.wait(20 * kSecond);
    h.send_leaves(Kind::kSendAtGateway);
    EXPECT_EQ(h.outcome().violations, is_renewed ? 0U : 2U);  // the message, and the session
  }
}

TEST(SessionAuth, ARemovedDeviceIsGivenNoLife) {
  Household h;
  h.serve(h.phone, kSession, false);
  h.remove(h.desk, h.phone);
  h.grant(h.phone, 60 * kSecond);
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(SessionAuth, OnlyWhoLostTheRightIsRefusedForGood) {
  Household nobody;
  nobody.sign_out(nobody.phone, ErrorCode::kDeviceRemoved);
  EXPECT_EQ(nobody.outcome().violations, 1U);
  Household early;
  early.wait(30 * kSecond);
  early.refuse_login(early.phone, ErrorCode::kUnauthenticated);
  EXPECT_EQ(early.outcome().violations, 1U);
  Household late;
  late.serve(late.phone, kSession, false);
  late.wait(60 * kSecond);
  late.refuse_login(late.phone, ErrorCode::kUnauthenticated);
  EXPECT_EQ(late.outcome().violations, 0U);
  Household wanted;  // nobody was told yet that it is done
  wanted.ask_removal(wanted.desk, wanted.phone);
  wanted.refuse_login(wanted.phone, ErrorCode::kDeviceRemoved);
  EXPECT_EQ(wanted.outcome().violations, 0U);
}

TEST(SessionAuth, ALifeThatACrashMayHaveUndoneGivesNoRight) {
  for (const bool is_home : {true, false}) {
    Household h;
    h.wait(50 * kSecond);
    h.grant(h.phone, 60 * kSecond);
    h.write(Kind::kCrash).value = is_home ? 9 : 8;
    h.wait(20 * kSecond);
    h.serve(h.phone, kSession, false);
    h.refuse_login(h.phone, ErrorCode::kUnauthenticated);
    EXPECT_EQ(h.outcome().violations, is_home ? 0U : 1U);
  }
}

// A crash undoes what its own node gave, and nothing that another one has given since.
TEST(SessionAuth, ALifeOfAnotherHomeOutlastsTheCrash) {
  for (const bool is_moved : {true, false}) {
    Household h;
    h.grant(h.phone, 120 * kSecond, is_moved ? 8 : 9);
    h.write(Kind::kCrash).value = 9;
    h.wait(100 * kSecond);
    h.serve(h.phone, kSession, false);
    h.refuse_login(h.phone, ErrorCode::kUnauthenticated);
    EXPECT_EQ(h.outcome().violations, is_moved ? 1U : 0U);
  }
}

TEST(SessionAuth, WhoeverWasRefusedForGoodDoesNotAskAgain) {
  const auto twice = [](auto&& between) {
    Household h;
    h.serve(h.phone, kSession, false);
    h.remove(h.desk, h.phone);
    h.refuse_login(h.phone, ErrorCode::kDeviceRemoved);
    between(h);
    h.refuse_login(h.phone, ErrorCode::kDeviceRemoved);
    return h.outcome().violations;
  };
  EXPECT_EQ(twice([](Household&) {}), 1U);
  EXPECT_EQ(twice([](Household& h) { h.open_app(h.phone); }), 0U);
  EXPECT_EQ(twice([](Household& h) { h.restart(h.phone); }), 0U);
  EXPECT_EQ(twice([](Household& h) { h.sign_in(h.phone); }), 0U);
  Household back;
  back.wait(60 * kSecond);
  back.sign_out(back.phone, ErrorCode::kUnauthenticated);
  back.connect(back.phone);
  EXPECT_GE(back.outcome().violations, 1U);
}

TEST(SessionAuth, WhereNobodyCanBeRemovedNothingIsJudged) {
  HistoryBuilder h;
  const DeviceTag anna = h.device(0);
  h.refuse_login(anna, ErrorCode::kUnauthenticated);
  h.refuse_login(anna, ErrorCode::kUnauthenticated);
  EXPECT_EQ(h.judged().of("SES-AUTH").verdict, PropertyVerdict::kNotExercised);
}

// Whatever happens, also what never does: both judges say the same.
TEST(SessionAuth, TheJudgesAgreeOnAnyHistory) {
  EXPECT_TRUE(rc::check("any history", [] {
    Household h;
    const auto steps =
        *rc::gen::container<std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>>(
            rc::gen::tuple(rc::gen::inRange<std::uint32_t>(0, 13), rc::gen::inRange<std::uint32_t>(0, 3),
                           rc::gen::inRange<std::uint32_t>(0, 9000)));
    for (const auto& [what, who, wait] : steps) {
      const DeviceTag tag = who;
      const std::uint64_t session = static_cast<std::uint64_t>(1 + wait % 2) << 48 | who;
      h.wait(wait * kMillisecond);
      switch (what) {
        case 0:
          h.grant(tag, wait % 7 == 0 ? 0 : 20 * kSecond, 8 + wait % 2);
          break;
        case 1:
          h.remove(h.desk, tag);
          break;
        case 2:
          h.ask_removal(h.desk, tag);
          break;
        case 3:
          h.sign_out(tag, wait % 2 == 0 ? ErrorCode::kDeviceRemoved : ErrorCode::kUnauthenticated);
          break;
        case 4:
          h.sign_in(tag);
          break;
        case 5:
        case 6:
          h.serve(tag, session);
          break;
        case 7:
          h.serve(tag, session, false);
          break;
        case 8:
          h.write(wait % 2 == 0 ? Kind::kCrash : Kind::kRestart).value = 1 + wait % 9;
          break;
        case 9:
          h.write(Kind::kFault);
          break;
        case 10:
          h.write(Kind::kHeal);
          break;
        case 11:
          h.refuse_login(tag, wait % 2 == 0 ? ErrorCode::kDeviceRemoved : ErrorCode::kUnauthenticated);
          break;
        default:
          h.open_app(tag);
          break;
      }
    }
    h.end();
    h.judged();  // throws when they disagree
  }));
}

}  // namespace
}  // namespace wavetank::conformance::test
