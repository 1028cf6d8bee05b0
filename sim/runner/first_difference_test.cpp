#include "sim/runner/first_difference.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

Record send(TimeNs time, std::uint32_t conversation, std::uint32_t counter) {
  Record r;
  r.time = time;
  r.kind = Kind::kSendInvoked;
  r.device = 3;
  r.user = 1;
  r.conversation = conversation;
  r.key = {3, counter};
  return r;
}

HistoryRun tells(std::vector<Record> records) {
  return [records = std::move(records)](history::Sink& sink) -> std::expected<void, std::string> {
    for (const Record& record : records) sink.on(record);
    return {};
  };
}

reports::FirstDifference compared(std::vector<Record> a, std::vector<Record> b,
                                  std::optional<std::uint32_t> conversation = {}) {
  const auto first = first_difference(tells(std::move(a)), tells(std::move(b)), conversation);
  EXPECT_TRUE(first) << first.error();
  return *first;
}

TEST(FirstDifference, EqualHistoriesHaveNone) {
  const std::vector<Record> both{send(1, 0, 1), send(2, 1, 2)};
  EXPECT_FALSE(compared(both, both).different);
  EXPECT_EQ(compared(both, both).conversation, -1);
  EXPECT_FALSE(compared(both, both, 1).different);
  EXPECT_EQ(compared(both, both, 1).records_equal, 1);
}

TEST(FirstDifference, IsOfTheConversationThatPartsFirst) {
  // Conversation 1 parts at 30, conversation 2 already at 20, though side B comes to it late.
  const std::vector<Record> a{send(10, 1, 1), send(20, 2, 2), send(30, 1, 3)};
  const std::vector<Record> b{send(10, 1, 1), send(31, 1, 3), send(40, 2, 2)};
  const reports::FirstDifference first = compared(a, b);
  EXPECT_TRUE(first.different);
  EXPECT_EQ(first.conversation, 2);
  EXPECT_EQ(first.records_equal, 0);
  EXPECT_EQ(first.members, "time");
  EXPECT_EQ(first.a, "0.000000020 s  device 3 (user 1) wants to send message 2 of device 3");
  const reports::FirstDifference other = compared(a, b, 1);
  EXPECT_EQ(other.records_equal, 1);
  ASSERT_EQ(other.before.size(), 1U);
  EXPECT_NE(other.before[0].find("message 1 of device 3"), std::string::npos);
}

TEST(FirstDifference, ASideMayEndEarlier) {
  const std::vector<Record> longer{send(10, 0, 1), send(20, 0, 2)};
  const std::vector<Record> shorter{send(10, 0, 1)};
  for (const bool a_longer : {true, false}) {
    const reports::FirstDifference first = a_longer ? compared(longer, shorter) : compared(shorter, longer);
    EXPECT_TRUE(first.different);
    EXPECT_EQ(first.conversation, 0);
    EXPECT_EQ((a_longer ? first.b : first.a), "nothing more happens in this conversation");
  }
}

TEST(FirstDifference, NamesTheMembersThatTheProseDoesNotSay) {
  Record a = send(10, 0, 1);
  Record b = a;
  b.digest = 7;
  b.flag = true;
  const reports::FirstDifference first = compared({a}, {b});
  EXPECT_EQ(first.a, first.b);
  EXPECT_EQ(first.members, "flag, digest");
}

TEST(FirstDifference, SaysWhatCannotBe) {
  const auto none = first_difference(tells({send(1, 0, 1)}), tells({send(1, 0, 1)}), 4);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), "--conversation 4: no such conversation; there are 1, from 0 to 0");
  const HistoryRun broken = [](history::Sink&) -> std::expected<void, std::string> {
    return std::unexpected("no trace");
  };
  EXPECT_EQ(first_difference(broken, tells({}), {}).error(), "no trace");
}

}  // namespace
}  // namespace wavetank::sim
