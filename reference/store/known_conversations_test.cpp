#include "reference/store/known_conversations.hpp"

#include <gtest/gtest.h>

namespace wavetank::store {
namespace {

TEST(KnownConversations, AnEmptyStoreHasNone) {
  const KnownConversations known;
  EXPECT_FALSE(known.may_exist({1, 2}));
}

TEST(KnownConversations, WhatIsWrittenMayExist) {
  KnownConversations known;
  known.put({1, 2});
  EXPECT_TRUE(known.may_exist({1, 2}));
  EXPECT_FALSE(known.may_exist({2, 1}));
}

TEST(KnownConversations, OnlyAConversationBornHereHasNoMarks) {
  KnownConversations known;
  known.add_found({1, 1});
  known.put({1, 1});  // its head moves
  known.put({2, 2});
  EXPECT_TRUE(known.may_have_marks({1, 1}));
  EXPECT_FALSE(known.may_have_marks({2, 2}));
  EXPECT_TRUE(known.may_have_marks({3, 3}));  // the seeded mistakes mark what does not exist
  known.put_mark({2, 2});
  known.put({2, 2});
  EXPECT_TRUE(known.may_have_marks({2, 2}));
}

TEST(KnownConversations, WithOneTooManyItDeniesNothing) {
  KnownConversations known;
  for (std::uint64_t i = 0; i < KnownConversations::kMost; ++i) known.put({i, 0});
  EXPECT_FALSE(known.may_exist({0, 1}));
  known.put({0, 1});
  EXPECT_TRUE(known.may_exist({0, 2}));
  EXPECT_TRUE(known.may_have_marks({1, 0}));
  known.put({0, 3});
  EXPECT_TRUE(known.may_exist({0, 4}));
}

}  // namespace
}  // namespace wavetank::store
