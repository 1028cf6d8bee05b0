#include "reports/static_page.hpp"

#include <gtest/gtest.h>

namespace wavetank::reports {
namespace {

TEST(StaticPage, IsOneDocumentWithoutRequestsOrScripts) {
  const std::string page = static_page("a < b", "\"a\" & b", ".own{}\n", "<p>body</p>\n");
  EXPECT_TRUE(page.starts_with("<!doctype html>\n"));
  EXPECT_TRUE(page.ends_with("<p>body</p>\n</body></html>\n"));
  EXPECT_NE(page.find("<title>a &lt; b - Wavetank</title>"), std::string::npos);
  EXPECT_NE(page.find("<h1>&quot;a&quot; &amp; b</h1>"), std::string::npos);
  EXPECT_NE(page.find(".own{}\n</style>"), std::string::npos);
  for (const char* request : {"<script", "src=", "url(", "http"}) {
    EXPECT_EQ(page.find(request), std::string::npos) << request;
  }
}

TEST(StaticPage, TextIsNoMarkup) {
  EXPECT_EQ(escaped_html("plain, with 'quotes'"), "plain, with 'quotes'");
  EXPECT_EQ(escaped_html("<b title=\"x\">&amp;"), "&lt;b title=&quot;x&quot;>&amp;amp;");
}

}  // namespace
}  // namespace wavetank::reports
