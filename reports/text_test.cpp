#include "reports/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace wavetank::reports {
namespace {

TEST(Text, NumbersReadWell) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1'000), "1,000");
  EXPECT_EQ(with_thousands(-1'234'567), "-1,234,567");
  EXPECT_EQ(with_thousands(INT64_MIN), "-9,223,372,036,854,775,808");
  EXPECT_EQ(duration_text(17), "17 ns");
  EXPECT_EQ(duration_text(412'000), "412 us");
  EXPECT_EQ(duration_text(41'233'000'000), "41.2 s");
  EXPECT_EQ(duration_text(7'205'000'000'000), "2 h 0 min");
  EXPECT_EQ(milliseconds_text(12'345'678), "12.3");
  EXPECT_EQ(milliseconds_text(254'900'000), "255");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1'288'490'189), "1.20 GiB");
  EXPECT_EQ(per_second(10, 0), 0);
  EXPECT_EQ(per_second(10, 4'000'000'000), 3);
}

TEST(Text, ControlCharactersAndBadBytesAreReplaced) {
  EXPECT_EQ(one_line("a\tb\nc"), "a b c");
  EXPECT_EQ(one_line("\x1b[2J"), "\xEF\xBF\xBD[2J");
  EXPECT_EQ(one_line("\xC3\x28"), "\xEF\xBF\xBD(");
  EXPECT_EQ(one_line("\xC2\x9B"), "\xEF\xBF\xBD");                   // C1 control sequence introducer
  EXPECT_EQ(one_line("\xE2\x80\xAE"), "\xEF\xBF\xBD");               // right-to-left override
  EXPECT_EQ(one_line("\xED\xA0\x80").substr(0, 3), "\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(one_line("\xC0\xAF").substr(0, 3), "\xEF\xBF\xBD");      // overlong
  EXPECT_EQ(one_line("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
}

TEST(Text, OneLineIsWellFormedAndAFixedPoint) {
  EXPECT_TRUE(rc::check("one_line", [](const std::string& text) {
    const std::string once = one_line(text);
    RC_ASSERT(one_line(once) == once);
    std::string copied;
    for (std::size_t position = 0; position < once.size();)
      append_utf8(copied, next_code_point(once, position));
    RC_ASSERT(copied == once);
    RC_ASSERT(columns(shorten(once, 10)) <= 10U);
  }));
}

TEST(Text, ShortensByCodePoints) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdefg", 6), "abcde…");
  EXPECT_EQ(shorten("äöüäöüä", 3), "äö…");
  EXPECT_EQ(shorten("abc", 0), "");
}

}  // namespace
}  // namespace wavetank::reports
