// The device's right to be here: renewals, removals, and the end of it.
#include <gtest/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

using protocol::ErrorCode;

constexpr std::uint32_t kValidMs = 60'000;

// A device whose Welcome says that its token is good for a minute.
struct Guarded : Harness {
  explicit Guarded(bool renews = true) {
    server.token_valid_ms = kValidMs;
    if (!renews) client->set_renewing(false);
    start();
    settle();
    EXPECT_TRUE(client->is_connected());
  }
};

TEST(Access, ATokenIsRenewedWhenHalfOfItsTimeIsLeft) {
  Guarded device;
  device.heal(29 * kSecond);
  EXPECT_EQ(device.server.renewals, 0);
  device.heal(2 * kSecond);
  EXPECT_EQ(device.server.renewals, 1);
  device.heal(60 * kSecond);
  EXPECT_EQ(device.server.renewals, 3);
  EXPECT_EQ(device.recorder.count(Probe::kTokenRenewed), 3);
}

TEST(Access, ARenewalWithoutAnAnswerIsAskedForAgain) {
  Guarded device;
  device.server.answers_access = false;
  device.heal(50 * kSecond);
  EXPECT_GE(device.server.renewals, 2);
  EXPECT_LE(device.server.renewals, 4);
  device.server.answers_access = true;
  device.heal(10 * kSecond);
  EXPECT_EQ(device.recorder.count(Probe::kTokenRenewed), 1);
}

TEST(Access, AnAppThatDoesNotKnowHowNeverRenews) {
  Guarded device(false);
  device.heal(100 * kSecond);
  EXPECT_EQ(device.server.renewals, 0);
  device.client->set_renewing(true);  // after an update
  device.heal(60 * kSecond);
  EXPECT_GE(device.server.renewals, 1);
}

TEST(Access, WhoIsRefusedForGoodDialsNoMore) {
  for (const ErrorCode code : {ErrorCode::kUnauthenticated, ErrorCode::kDeviceRemoved}) {
    Guarded device;
    device.receive(protocol::make_frame(protocol::Error{code, 0}));
    EXPECT_EQ(device.client->signed_out_by(), code);
    EXPECT_FALSE(device.client->is_running());
    const int dials = device.dials;
    device.heal(100 * kSecond);
    device.start();  // the user opens the app
    device.heal(100 * kSecond);
    EXPECT_EQ(device.dials, dials);
    device.step(
        [&](Client& machine, Effects& effects) { machine.sign_in(Slice("newer"), 1, device.now, effects); });
    EXPECT_EQ(device.client->is_signed_out(), code == ErrorCode::kDeviceRemoved);
    EXPECT_EQ(device.recorder.signed_outs, 1);
    if (code == ErrorCode::kDeviceRemoved) continue;
    device.settle();
    EXPECT_TRUE(device.client->is_connected());
    EXPECT_EQ(device.server.hellos.back().generation, 1U);
    EXPECT_EQ(device.server.hellos.back().access_token.view(), "newer");
    EXPECT_EQ(device.recorder.signed_ins, 1);
  }
}

// Also one that is not let in, and has never had a session.
TEST(Access, ARefusalInPlaceOfAWelcomeIsForGoodToo) {
  Harness device;
  device.start();
  device.accept_dial();
  device.receive(protocol::make_frame(protocol::Error{ErrorCode::kDeviceRemoved, 0}));
  EXPECT_TRUE(device.client->is_signed_out());
  EXPECT_EQ(device.recorder.refusals, std::vector<ErrorCode>{ErrorCode::kDeviceRemoved});
  device.heal(100 * kSecond);
  EXPECT_EQ(device.dials, 1);
}

TEST(Access, ARemovalIsRepeatedUntilItIsAnswered) {
  Guarded device;
  device.server.answers_access = false;
  for (int wish = 0; wish < 2; ++wish) {
    device.step([&](Client& machine, Effects& effects) { machine.remove_device(1, device.now, effects); });
  }
  device.heal(20 * kSecond);
  device.lose_connection();
  device.heal(20 * kSecond);
  EXPECT_GE(device.server.removals.size(), 4U);
  EXPECT_TRUE(device.recorder.removed.empty());
  device.server.answers_access = true;
  device.heal(10 * kSecond);
  EXPECT_EQ(device.recorder.removed, std::vector<DeviceIndex>{1});
  const std::size_t asked = device.server.removals.size();
  device.heal(30 * kSecond);
  EXPECT_EQ(device.server.removals.size(), asked);
}

TEST(Access, WithoutAWordOfItNothingIsAsked) {
  Harness device;
  device.start();
  device.settle();
  device.heal(100 * kSecond);
  EXPECT_EQ(device.server.renewals, 0);
  EXPECT_FALSE(device.client->is_signed_out());
}

}  // namespace
}  // namespace wavetank::client::test
