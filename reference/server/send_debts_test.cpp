#include "reference/server/send_debts.hpp"

#include <gtest/gtest.h>

namespace wavetank::server {
namespace {

constexpr UserId kDebtor = 7;

ServerConfig ten_at_once() {
  ServerConfig config;
  config.sends_per_s = 2;
  config.send_burst = 10;
  return config;
}

struct Ledger {
  explicit Ledger(TimeNs started = 0) { debts.begin(started); }
  ServerConfig config = ten_at_once();
  SendDebts debts{config};
  TimeNs now = 100 * kSecond;
};

TEST(SendDebts, WhoeverComesBackOwesWhatTimeHasNotPaid) {
  Ledger ledger;
  ledger.debts.put(kDebtor, 1, 3 * kSecond, ledger.now);
  EXPECT_EQ(ledger.debts.take(kDebtor, 0, ledger.now), 0);  // another device
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now + kSecond), 2 * kSecond);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now + kSecond), 0);  // it is the session's now
  ledger.debts.put(kDebtor, 1, 3 * kSecond, ledger.now);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now + 4 * kSecond), 0);
}

TEST(SendDebts, TheUnknownIsTheWholeBurst) {
  Ledger ledger;
  ledger.debts.put_unknown(kDebtor, 1, ledger.now);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now), ledger.debts.full());
  EXPECT_EQ(ledger.debts.full(), 5 * kSecond);
}

TEST(SendDebts, AYoungShardKnowsNobody) {
  Ledger ledger(100 * kSecond);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now), ledger.debts.full());
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now + 2 * kSecond), 3 * kSecond);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now + 5 * kSecond), 0);
}

TEST(SendDebts, OfTwoWordsTheWorseCountsAndNoneIsMoreThanAll) {
  Ledger ledger;
  ledger.debts.put(kDebtor, 1, 4 * kSecond, ledger.now);
  ledger.debts.put(kDebtor, 1, kSecond, ledger.now);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now), 4 * kSecond);
  ledger.debts.put(kDebtor, 1, 3600 * kSecond, ledger.now);
  EXPECT_EQ(ledger.debts.take(kDebtor, 1, ledger.now), ledger.debts.full());
}

TEST(SendDebts, WhatIsPaidIsForgotten) {
  Ledger ledger;
  for (UserId user = 1; user <= 5000; ++user) {
    ledger.now += kSecond;
    ledger.debts.put(user, 0, 4 * kSecond, ledger.now);
  }
  EXPECT_LT(ledger.debts.size(), 1100U);
}

TEST(SendDebts, RoundsUp) {
  EXPECT_EQ(SendDebts::to_ms(0), 0U);
  EXPECT_EQ(SendDebts::to_ms(1), 1U);
  EXPECT_EQ(SendDebts::to_ms(kMillisecond), 1U);
  EXPECT_EQ(SendDebts::to_ms(kMillisecond + 1), 2U);
}

}  // namespace
}  // namespace wavetank::server
