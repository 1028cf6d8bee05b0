#include "reports/junit.hpp"

#include <fmt/format.h>

#include <iterator>

#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

// Escapes for XML 1.0, attribute values included (line ends and tabs survive as character references).
std::string xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    const bool whitespace = c == '\t' || c == '\n' || c == '\r';
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&apos;";
    else if (whitespace)
      out += fmt::format("&#{};", static_cast<unsigned>(c));
    else if (c < 0x20 || c == 0xFFFE || c == 0xFFFF)
      append_utf8(out, 0xFFFD);
    else
      append_utf8(out, c);
  }
  return out;
}

std::string seconds_text(std::int64_t ns) { return fmt::format("{:.3f}", static_cast<double>(ns) / 1e9); }

std::string counts_of(const PropertyResult& property) {
  return fmt::format("{} antecedents (minimum {}), {} violations", property.antecedents, property.minimum,
                     property.violations);
}

std::string message_of(const PropertyResult& property, PropertyVerdict verdict) {
  std::string message = verdict == PropertyVerdict::kNotExercised
                            ? "not exercised: nothing triggered the property"
                        : verdict == PropertyVerdict::kInconclusive ? "inconclusive: " + counts_of(property)
                                                                    : counts_of(property);
  if (!property.note.empty()) message += "; " + property.note;
  return message;
}

void append_property(std::string& out, const std::string& name, const std::string& value) {
  fmt::format_to(std::back_inserter(out), "        <property name=\"{}\" value=\"{}\"/>\n", xml(name),
                 xml(value));
}

void append_stories(std::string& out, const Result& result, const PropertyResult& property) {
  for (const auto& story : result.stories) {
    if (story.property != property.id) continue;
    std::string text = story.headline + "\n";
    for (const auto& line : story.prose) text += line + "\n";
    out += xml(text + "replay: " + story.replay_command + "\n");
  }
}

void append_case(std::string& out, const Result& result, const PropertyResult& property) {
  const PropertyVerdict verdict = effective_verdict(property);
  fmt::format_to(std::back_inserter(out), "    <testcase name=\"{}\" classname=\"wavetank.{}\" time=\"0\">\n",
                 xml(property.id), xml(result.scenario));
  out += "      <properties>\n";
  append_property(out, "level", property.level);
  append_property(out, "title", property.title);
  append_property(out, "verdict", std::string(to_string(verdict)));
  append_property(out, "antecedents", std::to_string(property.antecedents));
  append_property(out, "minimum", std::to_string(property.minimum));
  out += "      </properties>\n";
  const std::string message = xml(message_of(property, verdict));
  switch (verdict) {
    case PropertyVerdict::kPass:
      break;
    case PropertyVerdict::kFail:
      out += "      <failure type=\"violation\" message=\"" + message + "\">";
      append_stories(out, result, property);
      out += "</failure>\n";
      break;
    case PropertyVerdict::kInconclusive:
    case PropertyVerdict::kNotExercised:
      out += "      <skipped message=\"" + message + "\"/>\n";
      break;
  }
  out += "    </testcase>\n";
}

}  // namespace

std::string render_junit(const Result& result) {
  std::int64_t failures = 0;
  std::int64_t skipped = 0;
  for (const auto& property : result.properties) {
    const PropertyVerdict verdict = effective_verdict(property);
    failures += verdict == PropertyVerdict::kFail ? 1 : 0;
    skipped += verdict == PropertyVerdict::kInconclusive || verdict == PropertyVerdict::kNotExercised ? 1 : 0;
  }
  const int errors = result.engine_error.empty() ? 0 : 1;
  const auto tests = static_cast<std::int64_t>(result.properties.size()) + errors;
  const std::string totals = fmt::format(
      "name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
      xml("wavetank " + result.scenario), tests, failures, errors, skipped, seconds_text(result.wall_ns));
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + totals + ">\n  <testsuite " +
                    totals + ">\n    <properties>\n";
  append_property(out, "verdict", std::string(to_string(effective_verdict(result))));
  append_property(out, "seed", std::to_string(result.seed));
  append_property(out, "scenarioDigest", result.scenario_digest);
  append_property(out, "traceHash", result.trace_hash);
  append_property(out, "historyHash", result.history_hash);
  append_property(out, "command", result.command);
  if (!result.defect.empty()) append_property(out, "defect", result.defect);
  out += "    </properties>\n";
  for (const auto& property : result.properties) append_case(out, result, property);
  if (errors != 0) {
    out += "    <testcase name=\"engine\" classname=\"wavetank." + xml(result.scenario) +
           "\" time=\"0\">\n      <error type=\"engine\" message=\"" + xml(result.engine_error) +
           "\"/>\n    </testcase>\n";
  }
  out += "  </testsuite>\n</testsuites>\n";
  return out;
}

}  // namespace wavetank::reports
