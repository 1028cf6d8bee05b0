#include "reference/host/authenticators.hpp"

#include <gtest/gtest.h>

namespace wavetank::host {
namespace {

protocol::Hello hello(UserId user, DeviceIndex device, std::string_view token) {
  protocol::Hello out;
  out.user = user;
  out.device = device;
  out.access_token = Slice(token);
  return out;
}

TEST(Authenticators, TokenIsTheHmacOfUserAndDevice) {
  // printf '7:1' | openssl dgst -sha256 -hmac secret
  EXPECT_EQ(make_token("secret", 7, 1), "f02348e3ee62d3f7852f3a8d6c5f78454edea73f7d50d38b221efe0bd3369588");
}

TEST(Authenticators, TokenSpeaksForOneDeviceOnly) {
  SignedTokens door("secret");
  const std::string token = make_token("secret", 7, 1);
  EXPECT_TRUE(door.accept(hello(7, 1, token)));
  EXPECT_FALSE(door.accept(hello(7, 2, token)));
  EXPECT_FALSE(door.accept(hello(8, 1, token)));
  EXPECT_FALSE(door.accept(hello(7, 1, "")));
  EXPECT_FALSE(door.accept(hello(7, 1, token.substr(1))));
  EXPECT_FALSE(door.accept(hello(7, 1, make_token("other", 7, 1))));
}

TEST(Authenticators, TokenSpeaksForOneSignInOnly) {
  SignedTokens door("secret");
  protocol::Hello second = hello(7, 1, make_token("secret", 7, 1, 1));
  EXPECT_FALSE(door.accept(second));
  second.generation = 1;
  EXPECT_TRUE(door.accept(second));
  second.generation = 2;
  EXPECT_FALSE(door.accept(second));
  EXPECT_EQ(make_token("secret", 7, 1, 0), make_token("secret", 7, 1));
}

}  // namespace
}  // namespace wavetank::host
