#include "conformance/history/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace wavetank::history {
namespace {

TEST(HistoryText, EveryKindHasItsName) {
  std::set<std::string_view> names;
  for (int kind = 0; kind < static_cast<int>(Kind::kCount); ++kind)
    EXPECT_TRUE(names.insert(name_of(static_cast<Kind>(kind))).second) << kind;
  EXPECT_EQ(name_of(Kind::kDevice), "device");
  EXPECT_EQ(name_of(Kind::kConversationState), "conversation_state");
  EXPECT_EQ(name_of(Kind::kCount), "?");
}

TEST(HistoryText, OneLineWithAsManyFieldsAsColumns) {
  Record r;
  r.time = 17;
  r.kind = Kind::kSendAcked;
  r.device = 3;
  r.key = {3, 9};
  r.seq = 4;
  r.digest = 255;
  const std::string line = text_line(r);
  EXPECT_EQ(line, "17\tsend_acked\t0\t0\t0\t3\t-\t-\t-\t-\t0\t0\t0\t3\t9\t4\t0\t0\t00000000000000ff\t" +
                      std::string(16, '0') + "\n");
  const std::string columns = column_line();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), std::count(columns.begin(), columns.end(), '\t'));
}

}  // namespace
}  // namespace wavetank::history
