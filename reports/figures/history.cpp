#include "reports/figures/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace wavetank::figures {
namespace {

using nlohmann::ordered_json;

constexpr int kHistoryVersion = 1;
constexpr const char* kHistoryKind = "figures";

std::string text_of(const ordered_json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) {
    throw FiguresError(fmt::format("'{}' is missing or not a text", field));
  }
  return found->get<std::string>();
}

FigureRun run_of_line(std::string_view line) {
  const ordered_json object = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) throw FiguresError("not JSON, or cut off");
  if (!object.is_object() || object.value("kind", ordered_json()) != ordered_json(kHistoryKind)) {
    throw FiguresError("not a line of figures");
  }
  if (object.value("schemaVersion", ordered_json()) != ordered_json(kHistoryVersion)) {
    throw FiguresError(fmt::format("not of schemaVersion {}", kHistoryVersion));
  }
  FigureRun run{text_of(object, "date"), text_of(object, "commit"),   text_of(object, "machine"),
                text_of(object, "load"), text_of(object, "compiler"), {}};
  const auto figures = object.find("figures");
  if (figures == object.end() || !figures->is_array()) throw FiguresError("'figures' is missing or no list");
  for (const ordered_json& entry : *figures) {
    if (!entry.is_object()) throw FiguresError("a figure is no object");
    const std::string name = text_of(entry, "name");
    const auto value = entry.find("value");
    if (value == entry.end() || !value->is_number() || !(value->get<double>() > 0) ||
        !std::isfinite(value->get<double>())) {
      throw FiguresError("a figure has no value above 0");
    }
    run.figures.push_back({name, value->get<double>(), text_of(entry, "unit")});
  }
  return run;
}

}  // namespace

std::string history_line(const FigureRun& run) {
  ordered_json out;
  out["kind"] = kHistoryKind;
  out["schemaVersion"] = kHistoryVersion;
  out["date"] = run.date;
  out["commit"] = run.commit;
  out["machine"] = run.machine;
  out["load"] = run.load;
  out["compiler"] = run.compiler;
  out["figures"] = ordered_json::array();
  for (const Figure& figure : run.figures) {
    out["figures"].push_back({{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}});
  }
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::vector<FigureRun> runs_of(std::string_view text) {
  std::size_t number = 0;
  std::vector<FigureRun> runs;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    try {
      runs.push_back(run_of_line(line));
    } catch (const FiguresError& error) {
      throw FiguresError(fmt::format("line {}: {}", number, error.what()));
    }
  }
  if (runs.empty()) throw FiguresError("no line of figures in it");
  return runs;
}

FigureRun last_run(std::string_view text) { return runs_of(text).back(); }

}  // namespace wavetank::figures
