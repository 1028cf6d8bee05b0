#include "reports/figures/scenario_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "reports/verdict.hpp"

namespace wavetank::figures {
namespace {

using Measure = std::function<double(const ScenarioRun&)>;

double events_per_s(const ScenarioRun& run) {
  return static_cast<double>(run.result.events) / run.processor_s;
}
double messages_per_s(const ScenarioRun& run) {
  return static_cast<double>(run.result.messages_sent) / run.processor_s;
}
double peak(const ScenarioRun& run) { return static_cast<double>(run.result.peak_rss_bytes); }
double peak_by_device(const ScenarioRun& run) { return peak(run) / static_cast<double>(run.result.devices); }
double processor_s(const ScenarioRun& run) { return run.processor_s; }
double virtual_by_wall(const ScenarioRun& run) {
  return static_cast<double>(run.result.virtual_ns) / static_cast<double>(run.result.wall_ns);
}

// What clients, servers and monitors hold for a device, without logs and keys of sends, which grow with the
// messages.
double held_by_device(const ScenarioRun& run) {
  double bytes = 0;
  for (const reports::Counter& part : run.result.resources) {
    const bool is_of_servers =
        part.name.starts_with("memory: servers: ") && part.name != "memory: servers: logs and keys of sends";
    if (part.name == "memory: devices" || part.name == "memory: monitors" || is_of_servers)
      bytes += static_cast<double>(part.value);
  }
  return bytes / static_cast<double>(run.result.devices);
}

struct ReadFigure {
  std::string workload;
  std::string figure;
  Measure measure;
};

const std::vector<ReadFigure>& read_figures() {
  static const std::vector<ReadFigure> kRead{
      {"star", "star.events", events_per_s},
      {"star", "star.messages", messages_per_s},
      {"star", "star.bytes", peak_by_device},
      {"star_1m", "star_1m.events", events_per_s},
      {"star_1m", "star_1m.messages", messages_per_s},
      {"star_1m", "star_1m.bytes", held_by_device},
      {"star_1m_sqlite", "star_1m_sqlite.events", events_per_s},
      {"growth_10m", "growth_10m.peak", peak},
      {"region", "region.speed", virtual_by_wall},
      {"college", "college.seconds", processor_s},
      {"college_frames", "college_frames.seconds", processor_s},
  };
  return kRead;
}

std::optional<double> median_of(const std::vector<ScenarioRun>& runs, const std::string& workload,
                                const Measure& measure) {
  std::vector<double> values;
  for (const ScenarioRun& run : runs) {
    if (run.workload == workload) values.push_back(measure(run));
  }
  if (values.empty()) return std::nullopt;
  return median(std::move(values));
}

void check(const ScenarioRun& run) {
  if (std::ranges::find(workload_names(), run.workload) == workload_names().end()) {
    throw FiguresError(fmt::format("no workload is called '{}'; there are {}", run.workload,
                                   fmt::join(workload_names(), ", ")));
  }
  if (effective_verdict(run.result) != reports::Verdict::kPass) {
    throw FiguresError(fmt::format("a run of {} did not pass: its speed says nothing", run.workload));
  }
  if (!(run.processor_s > 0) || run.result.devices <= 0 || run.result.wall_ns <= 0) {
    throw FiguresError(fmt::format("a run of {} without time or devices", run.workload));
  }
}

}  // namespace

const std::vector<std::string>& workload_names() {
  static const std::vector<std::string> kNames{"star",       "star_1m", "star_1m_sqlite", "growth_10k",
                                               "growth_10m", "region",  "college",        "college_frames"};
  return kNames;
}

std::vector<Figure> figures_of_runs(const std::vector<ScenarioRun>& runs) {
  std::ranges::for_each(runs, check);
  std::vector<Figure> figures;
  const auto add = [&](const std::string& name, std::optional<double> value) {
    const auto known = std::ranges::find(figure_names(), name, &FigureName::name);
    if (value && *value > 0) figures.push_back({name, *value, known->unit});
  };
  for (const ReadFigure& read : read_figures())
    add(read.figure, median_of(runs, read.workload, read.measure));
  const auto few = median_of(runs, "growth_10k", events_per_s);
  const auto many = median_of(runs, "growth_10m", events_per_s);
  if (few && many && *many > 0) add("growth.ratio", *few / *many);
  return figures;
}

}  // namespace wavetank::figures
