#include "reports/page_shell.hpp"

#include "reports/page_assets.hpp"
#include "reports/text.hpp"

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

std::string self_contained_page(const std::string& title, const std::string& attributes,
                                const std::string& json, const std::string& json_file) {
  const std::string heading = html_text(title);
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      // The page may draw and run what it carries, and ask nobody for anything.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<title>" +
      heading + "</title>\n<style>";
  out += page_style();
  out += "</style>\n</head>\n<body " + attributes + ">\n<noscript>" + heading +
         ". This report draws itself with a script that it carries; the same data is in " + json_file +
         ".</noscript>\n"
         "<main id=\"report\"></main>\n<script type=\"application/json\" id=\"result\">\n";
  out += for_script_element(json);
  out += "</script>\n<script>";
  out += page_script();
  out += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace wavetank::reports
