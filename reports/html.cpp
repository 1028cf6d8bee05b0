#include "reports/html.hpp"

#include "reports/json.hpp"
#include "reports/page_assets.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

// JSON inside a <script> element: '<' only ever stands inside a JSON text, where \u003c means the same, so
// neither
// "</script" nor "<!--" can end or change the element.
std::string for_script_element(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string render_html(const Result& result) {
  const std::string title =
      html_text(std::string(to_string(effective_verdict(result))) + " " + result.scenario + " - Wavetank");
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      // The page may draw and run what it carries, and ask nobody for anything.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<title>" +
      title + "</title>\n<style>";
  out += page_style();
  // JavaScript numbers cannot hold every seed, so the page gets them as texts of their own.
  std::string merged_seeds;
  for (const auto& run : result.merged_from) {
    merged_seeds += (merged_seeds.empty() ? "" : " ") + std::to_string(run.seed);
  }
  out += "</style>\n</head>\n<body data-seed=\"" + std::to_string(result.seed) + "\" data-merged-seeds=\"" +
         merged_seeds + "\">\n<noscript>" + title +
         ". This report draws itself with a script that it carries; the same data is in "
         "result.json.</noscript>\n"
         "<main id=\"report\"></main>\n<script type=\"application/json\" id=\"result\">\n";
  out += for_script_element(render_json(result));
  out += "</script>\n<script>";
  out += page_script();
  out += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace wavetank::reports
