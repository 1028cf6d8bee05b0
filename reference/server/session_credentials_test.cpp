#include "reference/server/session_credentials.hpp"

#include <gtest/gtest.h>

namespace wavetank::server {
namespace {

TEST(SessionCredentials, TheFirstToExpireComesFirst) {
  SessionCredentials credentials;
  EXPECT_EQ(credentials.next(), kNever);
  EXPECT_EQ(credentials.until(1), kNever);
  credentials.set(1, 300);
  credentials.set(2, 100);
  credentials.set(3, 200);
  credentials.set(4, kNever);
  EXPECT_EQ(credentials.next(), 100);
  EXPECT_EQ(credentials.expired(99), 0U);
  EXPECT_EQ(credentials.expired(100), 2U);
  credentials.set(2, 400);  // renewed
  EXPECT_EQ(credentials.expired(150), 0U);
  EXPECT_EQ(credentials.expired(250), 3U);
  credentials.drop(3);
  credentials.drop(3);
  EXPECT_EQ(credentials.next(), 300);
  EXPECT_EQ(credentials.until(2), 400);
}

TEST(SessionCredentials, ALeaseIsOfOneHomeAndNeverShrinks) {
  SessionCredentials credentials;
  EXPECT_EQ(credentials.lease(7), INT64_MIN);
  EXPECT_EQ(credentials.next_lease_end(0), kNever);
  credentials.renew_lease(7, 500);
  credentials.renew_lease(7, 400);  // an older answer
  credentials.renew_lease(9, 600);
  EXPECT_EQ(credentials.lease(7), 500);
  EXPECT_EQ(credentials.lease(8), INT64_MIN);
  EXPECT_EQ(credentials.next_lease_end(0), 500);
  EXPECT_EQ(credentials.next_lease_end(500), 600);
  EXPECT_FALSE(credentials.lease_ended(0, 499));
  EXPECT_TRUE(credentials.lease_ended(0, 500));
  EXPECT_FALSE(credentials.lease_ended(500, 599));
}

TEST(SessionCredentials, WhoseHomeMovesBringsWhatIsLeftOfTheOldLease) {
  SessionCredentials credentials;
  credentials.renew_lease(7, 500);
  credentials.renew_lease(9, 900);
  credentials.carry(1, 7);
  EXPECT_EQ(credentials.leased_until(1, 9), 500);
  EXPECT_EQ(credentials.leased_until(2, 9), 900);  // it has been there all the time
  credentials.renew_lease(7, 800);                 // not for a session that has left
  credentials.renew_lease(9, 1000);
  credentials.carry(1, 9);  // and moves on before it was taken
  EXPECT_EQ(credentials.leased_until(1, 8), 500);
  EXPECT_EQ(credentials.next_lease_end(400), 500);
  EXPECT_TRUE(credentials.lease_ended(400, 500));
  EXPECT_FALSE(credentials.lease_ended(500, 799));
  credentials.settle(1);
  EXPECT_EQ(credentials.leased_until(1, 9), 1000);
  EXPECT_EQ(credentials.next_lease_end(400), 800);
}

}  // namespace
}  // namespace wavetank::server
