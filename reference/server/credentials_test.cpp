#include "reference/server/credentials.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

using protocol::ErrorCode;

constexpr UserId kOwner = 5;

class GrantObserver : public test::CountingObserver {
 public:
  void token_granted(NodeId, UserId, DeviceIndex device, DurationNs valid) override {
    grants.emplace_back(device, valid / kMillisecond);
  }
  std::vector<std::pair<DeviceIndex, std::int64_t>> grants;
};

struct CredentialsTest : testing::Test {
  CredentialsTest() {
    config.revoke_within_ms = 1000;
    config.token_life_ms = 10'000;
  }
  Credentials::Verdict admit(DeviceIndex device, std::uint32_t generation = 0) {
    protocol::Attach attach{1, kOwner, device};
    attach.generation = generation;
    return credentials.admit(attach, now);
  }
  ErrorCode remove(DeviceIndex by, DeviceIndex device) {
    return credentials.remove({1, kOwner, by}, {device}, now).error;
  }

  ServerConfig config;
  store::MemoryStore store;
  GrantObserver observer;
  Credentials credentials{config, store, observer};
  TimeNs now = 1000 * kSecond;
};

TEST_F(CredentialsTest, ALifeBeginsWithTheFirstHelloOfAGeneration) {
  EXPECT_EQ(admit(0).valid_ms, 10'000U);
  now += 4 * kSecond;
  EXPECT_EQ(admit(0).valid_ms, 6'000U);  // the same life
  now += 6 * kSecond;
  EXPECT_EQ(admit(0).error, ErrorCode::kUnauthenticated);
  EXPECT_EQ(admit(0, 1).valid_ms, 10'000U);  // the user has signed in again
  EXPECT_EQ(admit(0).error,
            ErrorCode::kUnauthenticated);  // the older token is dead, though it has not expired
  EXPECT_EQ(observer.grants.size(), 2U);
  EXPECT_EQ(observer.count(Probe::kExpiredRefused), 2U);
}

TEST_F(CredentialsTest, ARenewalGivesAWholeLifeToWhatIsStillGood) {
  admit(0);
  now += 9 * kSecond;
  EXPECT_EQ(credentials.renew({1, kOwner, 0}, now), (protocol::TokenRenewed{10'000, ErrorCode::kNone}));
  now += 9 * kSecond;
  EXPECT_EQ(admit(0).valid_ms, 1'000U);
  now += kSecond;
  EXPECT_EQ(credentials.renew({1, kOwner, 0}, now).error, ErrorCode::kUnauthenticated);
  EXPECT_EQ(credentials.renew({1, kOwner, 3}, now).error, ErrorCode::kUnauthenticated);  // never signed in
}

TEST_F(CredentialsTest, ARemovalIsForEver) {
  admit(0);
  admit(1);
  EXPECT_EQ(remove(0, 0), ErrorCode::kForbidden);
  EXPECT_EQ(remove(0, 7), ErrorCode::kMalformed);
  EXPECT_EQ(remove(0, 1), ErrorCode::kNone);
  EXPECT_EQ(remove(0, 1), ErrorCode::kNone);  // again
  EXPECT_EQ(remove(1, 0), ErrorCode::kDeviceRemoved);
  EXPECT_EQ(admit(1).error, ErrorCode::kDeviceRemoved);
  EXPECT_EQ(admit(1, 5).error, ErrorCode::kDeviceRemoved);
  EXPECT_EQ(credentials.renew({1, kOwner, 1}, now).error, ErrorCode::kDeviceRemoved);
  EXPECT_EQ(admit(0).error, ErrorCode::kNone);
  // Of another user the same device is another one.
  EXPECT_EQ(credentials.admit({1, kOwner + 1, 1}, now).error, ErrorCode::kNone);
}

TEST_F(CredentialsTest, WithoutALifeNothingExpires) {
  config.token_life_ms = 0;
  EXPECT_EQ(admit(0).valid_ms, 0U);
  now += 1'000'000 * kSecond;
  EXPECT_EQ(admit(0).error, ErrorCode::kNone);
  EXPECT_EQ(credentials.renew({1, kOwner, 0}, now), (protocol::TokenRenewed{0, ErrorCode::kNone}));
}

}  // namespace
}  // namespace wavetank::server
