#include "reports/figures/benchmark_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "reports/text.hpp"

namespace wavetank::figures {
namespace {

using nlohmann::json;

std::string text_field(const json& entry, const char* field, const std::string& where) {
  const auto found = entry.find(field);
  if (found == entry.end() || !found->is_string()) {
    throw FiguresError(fmt::format("{}: '{}' is missing or not a text", where, field));
  }
  return found->get<std::string>();
}

double time_field(const json& entry, const char* field, const std::string& where) {
  const auto found = entry.find(field);
  if (found == entry.end() || !found->is_number() || !std::isfinite(found->get<double>()) ||
      found->get<double>() < 0) {
    throw FiguresError(fmt::format("{}: '{}' is missing or not a time", where, field));
  }
  return found->get<double>();
}

double nanoseconds_of(const std::string& unit, const std::string& where) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  throw FiguresError(fmt::format("{}: unknown time_unit '{}'", where, reports::one_line(unit)));
}

bool says_how_repeated(std::string_view part) {
  return part == "real_time" || part == "manual_time" || part == "process_time" ||
         part.starts_with("iterations:") || part.starts_with("repeats:") || part.starts_with("min_time:") ||
         part.starts_with("min_warmup_time:");
}

std::string plain_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    if (!says_how_repeated(part)) {
      if (!out.empty()) out += '/';
      out += part;
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return out;
}

// Every number of an entry that is neither a time nor the harness's own book.
std::map<std::string, double> counters_of(const json& entry) {
  static const std::set<std::string> kHarness{
      "cpu_time",  "family_index",     "iterations",  "per_family_instance_index",
      "real_time", "repetition_index", "repetitions", "threads"};
  std::map<std::string, double> counters;
  for (const auto& [name, value] : entry.items()) {
    if (value.is_number() && !kHarness.contains(name)) counters[name] = value.get<double>();
  }
  return counters;
}

struct Samples {
  std::vector<double> processor_ns;
  std::vector<double> real_ns;
  std::map<std::string, std::vector<double>> counters;

  void add(const json& entry, const std::string& where) {
    const double unit = nanoseconds_of(text_field(entry, "time_unit", where), where);
    processor_ns.push_back(time_field(entry, "cpu_time", where) * unit);
    real_ns.push_back(time_field(entry, "real_time", where) * unit);
    for (const auto& [name, value] : counters_of(entry)) counters[name].push_back(value);
  }
  [[nodiscard]] BenchmarkTimes medians() const {
    BenchmarkTimes times{median(processor_ns), median(real_ns), {}};
    for (const auto& [name, values] : counters) times.counters[name] = median(values);
    return times;
  }
};

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Benchmarks parse_benchmarks(std::string_view text) {
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) throw FiguresError("not JSON, or cut off");
  if (!file.is_object() || !file.contains("benchmarks") || !file["benchmarks"].is_array()) {
    throw FiguresError("not a file of Google Benchmark: it has no list 'benchmarks'");
  }
  std::map<std::string, Samples> single;
  std::map<std::string, Samples> aggregated;
  for (const json& entry : file["benchmarks"]) {
    if (!entry.is_object()) throw FiguresError("an element of 'benchmarks' is no object");
    const std::string run = text_field(entry, "run_name", "a benchmark");
    const std::string where = reports::one_line(run);
    if (entry.value("error_occurred", json(false)) == json(true)) {
      throw FiguresError(
          fmt::format("{} failed: {}", where, reports::one_line(text_field(entry, "error_message", where))));
    }
    const std::string type = text_field(entry, "run_type", where);
    if (type == "iteration") {
      single[plain_name(run)].add(entry, where);
    } else if (type == "aggregate" && text_field(entry, "aggregate_name", where) == "median") {
      aggregated[plain_name(run)].add(entry, where);
    }
  }
  Benchmarks out;
  for (const auto& [name, samples] : aggregated) out[name] = samples.medians();
  for (const auto& [name, samples] : single) out[name] = samples.medians();
  return out;
}

}  // namespace wavetank::figures
