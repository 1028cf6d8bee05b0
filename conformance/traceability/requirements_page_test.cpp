#include "conformance/traceability/requirements_page.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wavetank::conformance {
namespace {

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(RequirementsPage, HasEveryRecordOnceBesideWhatProvesIt) {
  const std::string page = requirements_page(registry());
  for (const Requirement& property : registry().properties())
    EXPECT_EQ(times(page, "<tr id=\"" + property.id + "\">"), 1U) << property.id;
  for (const Requirement& rule : registry().rules())
    EXPECT_EQ(times(page, "<tr id=\"" + rule.id + "\">"), 1U) << rule.id;
  EXPECT_NE(page.find("<td class=\"names\"><a href=\"#ORD-FIFO\">ORD-FIFO</a></td>"), std::string::npos);
  EXPECT_NE(page.find("conf/send/ORD-FIFO-001/order-on-one-socket"), std::string::npos);
  EXPECT_EQ(times(page, ">broken by none<"), registry().unbroken().size());
  EXPECT_EQ(times(page, ">neither judged nor tested<"), registry().unproved().size());
}

TEST(RequirementsPage, MarksWhatIsOwedAndEscapesWhatIsText) {
  static constexpr RecordFile kOwed[] = {{"demo", R"(
requirement { id: "AAA-BBB-001" level: "MUST" since: 1 text: "Less < more & \"quoted\"." rationale: "r" source: "s" }
requirement { id: "AAA-BBB-002" level: "SHOULD" since: 1 text: "t" rationale: "r" source: "s" }
unbroken: "AAA-BBB-001"
unproved: "AAA-BBB-001"
)"}};
  const auto small = Registry::read(kOwed);
  ASSERT_TRUE(small.has_value()) << small.error();
  const std::string page = requirements_page(*small);
  EXPECT_EQ(times(page, ">broken by none<"), 1U) << page;
  EXPECT_EQ(times(page, ">neither judged nor tested<"), 1U) << page;
  EXPECT_NE(page.find("Less &lt; more &amp; &quot;quoted&quot;."), std::string::npos) << page;
}

}  // namespace
}  // namespace wavetank::conformance
