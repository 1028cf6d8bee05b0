#include "reports/html.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/json.hpp"
#include "reports/sample_result.hpp"

namespace wavetank::reports {
namespace {

TEST(Html, CarriesTheWholeResult) {
  const Result r = failing_sample();
  const std::string page = render_html(r);
  const std::string open = "<script type=\"application/json\" id=\"result\">";
  const std::size_t from = page.find(open) + open.size();
  const std::size_t to = page.find("</script>", from);
  const std::string data = page.substr(from, to - from);
  EXPECT_EQ(render_json(parse_result_json(data)), render_json(r));
  EXPECT_NE(page.find("data-seed=\"18446744073709551557\""), std::string::npos);
}

TEST(Html, TextsCannotLeaveTheirElement) {
  Result r = failing_sample();
  r.scenario = "</title><script>alert(1)</script><!--<script>";
  const std::string page = render_html(r);
  EXPECT_EQ(occurrences(page, "<script>"), 1U);  // the page's own
  EXPECT_EQ(occurrences(page, "</script>"), 2U);
  EXPECT_EQ(occurrences(page, "</title>"), 1U);
  EXPECT_EQ(occurrences(page, "<!--"), 0U);
}

TEST(Html, AsksNobodyForAnything) {
  const std::string page = render_html(passing_sample());
  for (const char* part : {"src=\"", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket"}) {
    EXPECT_EQ(occurrences(page, part), 0U) << part;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::reports
