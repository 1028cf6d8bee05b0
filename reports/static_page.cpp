#include "reports/static_page.hpp"

#include <fmt/format.h>

namespace wavetank::reports {
namespace {

constexpr std::string_view kSharedStyle =
    R"(:root{color-scheme:light dark;font:15px/1.4 system-ui,sans-serif}
body{margin:1.5rem;max-width:90rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse}
th,td{padding:.25rem .5rem;border-bottom:1px solid #8884;text-align:center;white-space:nowrap}
th[scope=row],td.story{text-align:left}
td.story{white-space:normal;min-width:22rem;font-size:.9em}
td.good{background:#2a7d4f;color:#fff;font-weight:600}
tr.bad>th,td.bad{background:#b3261e;color:#fff}
)";

}  // namespace

std::string static_page(std::string_view title, std::string_view heading, std::string_view style,
                        std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{} - Wavetank</title><style>\n{}{}</style></head><body>\n<h1>{}</h1>\n{}</body></html>\n",
      escaped_html(title), kSharedStyle, style, escaped_html(heading), body);
}

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace wavetank::reports
