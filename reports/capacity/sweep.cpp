#include "reports/capacity/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

namespace wavetank::capacity {
namespace {

using reports::Result;
using reports::Series;

constexpr std::int64_t kFewestSamples = 100;  // fewer cannot show a 99th percentile
constexpr double kMostGrowth = 0.01;          // of what was sent; chance of a Poisson count comes on top

// A name as a part of a path.
std::string folder_name(std::string_view text) {
  std::string out;
  for (const char c : text) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return out;
}

std::string beside(const std::string& folder, const std::string& file) {
  const std::filesystem::path path = std::filesystem::path(folder) / file;
  return std::filesystem::is_regular_file(path) ? path.lexically_normal().string() : file;
}

const Series* find_series(const Result& result, std::string_view plot, std::string_view name) {
  for (const Series& series : result.series) {
    if (series.plot == plot && series.name == name) return &series;
  }
  return nullptr;
}

// The intervals in which people wrote, without the first and the last, which they may have shared with
// silence.
struct Window {
  std::size_t first = 0;
  std::size_t last = 0;  // one behind
  [[nodiscard]] bool empty() const { return last <= first; }
};

Window writing_window(const Series& sends) {
  Window window;
  for (std::size_t i = 0; i < sends.values.size(); ++i) {
    if (sends.values[i] == 0) continue;
    if (window.last == 0) window.first = i;
    window.last = i + 1;
  }
  if (window.last - window.first >= 4) {
    ++window.first;
    --window.last;
  }
  return window;
}

double sum_of(const Series* series, std::size_t first, std::size_t last) {
  double sum = 0;
  if (series == nullptr) return sum;
  for (std::size_t i = first; i < std::min(last, series->values.size()); ++i)
    sum += static_cast<double>(series->values[i]);
  return sum;
}

double mean_of(const Series* series, Window window) {
  return window.empty()
             ? 0
             : sum_of(series, window.first, window.last) / static_cast<double>(window.last - window.first);
}

// The first interval from `begin` on in which nothing happens.
std::size_t silence_after(const Series* series, std::size_t begin) {
  if (series == nullptr) return 0;
  std::size_t i = begin;
  while (i < series->values.size() && series->values[i] != 0) ++i;
  return i;
}

// Of one run, added to the others of its load.
class Sums {
 public:
  void add(const Result& result, const std::string& metric) {
    add_latencies(result, metric);
    add_series(result);
    for (const reports::RoleLoad& load : result.load) {
      const bool gateways = load.role == "gateways";
      auto& inbox = gateways ? point_.gateway_inbox : point_.shard_inbox;
      inbox = std::max(inbox, load.inbox_peak);
      (gateways ? point_.gateways : point_.shards) = static_cast<double>(load.nodes);
    }
    for (const reports::PropertyResult& property : result.properties) {
      if (property.violations == 0 || property.id.starts_with("SLO-") || property.id.starts_with("LIV-"))
        continue;
      if (std::find(point_.violated.begin(), point_.violated.end(), property.id) == point_.violated.end())
        point_.violated.push_back(property.id);
    }
    ++runs_;
  }

  SweepPoint finish(double slo_ns) {
    point_.samples = histogram_.count();
    point_.p50_ns = histogram_.value_at_quantile(50, 100);
    point_.p95_ns = histogram_.value_at_quantile(95, 100);
    point_.p99_ns = histogram_.value_at_quantile(99, 100);
    point_.p999_ns = histogram_.value_at_quantile(999, 1000);
    point_.offered = seconds_ > 0 ? sends_ / seconds_ : 0;
    point_.acknowledged = seconds_ > 0 ? acks_ / seconds_ : 0;
    point_.gateway_busy = gateway_permille_ / 1000 / runs_;
    point_.shard_busy = shard_permille_ / 1000 / runs_;
    point_.growth = late_sends_ > 0 ? std::max(late_unacknowledged_, late_undelivered_) / late_sends_ : 0;
    // A difference of two counts is off by chance; four standard deviations of a Poisson count are granted.
    const double granted = kMostGrowth + (late_sends_ > 0 ? 4 / std::sqrt(late_sends_) : 0);
    point_.stable = late_sends_ > 0 && point_.growth <= granted;
    point_.in_time = point_.samples >= kFewestSamples && static_cast<double>(point_.p99_ns) <= slo_ns;
    return point_;
  }

 private:
  void add_latencies(const Result& result, const std::string& metric) {
    // A row of all cohorts together says it all; where there is none, the cohorts are put together here.
    const bool has_all = std::any_of(result.latencies.begin(), result.latencies.end(), [&](const auto& row) {
      return row.metric == metric && row.cohort == "all";
    });
    for (const reports::Latency& row : result.latencies) {
      // While people wrote; the drain has the stragglers of all phases.
      if (row.metric != metric || row.phase == "drain" || (has_all && row.cohort != "all")) continue;
      histogram_.merge(row.histogram);
    }
  }

  void add_series(const Result& result) {
    const Series* sends = find_series(result, "messages", "sends");
    if (sends == nullptr) return;
    const Window window = writing_window(*sends);
    if (window.empty()) return;
    const Series* acks = find_series(result, "messages", "acknowledged");
    const Series* deliveries = find_series(result, "deliveries", "deliveries");
    seconds_ +=
        static_cast<double>(window.last - window.first) * static_cast<double>(sends->interval_ns) / 1e9;
    sends_ += sum_of(sends, window.first, window.last);
    acks_ += sum_of(acks, window.first, window.last);
    // How many deliveries a message has: all up to the silence behind the drain; what comes later reads logs
    // again.
    const double all_sends = sum_of(sends, 0, sends->values.size());
    const double ratio =
        all_sends > 0 ? sum_of(deliveries, 0, silence_after(deliveries, window.last)) / all_sends : 0;
    const std::size_t half = (window.first + window.last) / 2;
    const double late = sum_of(sends, half, window.last);
    late_sends_ += late;
    late_unacknowledged_ += late - sum_of(acks, half, window.last);
    if (ratio > 0) late_undelivered_ += late - sum_of(deliveries, half, window.last) / ratio;
    gateway_permille_ +=
        mean_of(find_series(result, "utilisation", "gateways"), {window.first + 1, window.last + 1});
    shard_permille_ +=
        mean_of(find_series(result, "utilisation", "shards"), {window.first + 1, window.last + 1});
  }

  SweepPoint point_;
  reports::Histogram histogram_;
  double seconds_ = 0;
  double sends_ = 0;
  double acks_ = 0;
  double late_sends_ = 0;
  double late_unacknowledged_ = 0;
  double late_undelivered_ = 0;
  double gateway_permille_ = 0;
  double shard_permille_ = 0;
  double runs_ = 0;
};

bool is_good(const SweepPoint& point) { return point.in_time && point.stable; }

}  // namespace

std::vector<SweepRun> runs_of(const Sweep& sweep, const std::string& sheet_folder) {
  std::vector<SweepRun> runs;
  const std::string scenario = beside(sheet_folder, sweep.scenario());
  for (int k = 0; k <= sweep.state_size(); ++k) {
    const Sweep::State* state = k == 0 ? nullptr : &sweep.state(k - 1);
    for (int i = 0; i < sweep.load_factor_size(); ++i) {
      const double factor = sweep.load_factor(i);
      const double value =
          sweep.load_is_interval() ? sweep.load_at_one() / factor : sweep.load_at_one() * factor;
      for (int seed = 1; seed <= sweep.seeds(); ++seed) {
        SweepRun run;
        run.state = static_cast<std::size_t>(k);
        run.load = static_cast<std::size_t>(i);
        run.seed = static_cast<std::uint64_t>(seed);
        run.settings.assign(sweep.set().begin(), sweep.set().end());
        if (state != nullptr)
          run.settings.insert(run.settings.end(), state->set().begin(), state->set().end());
        run.settings.push_back(
            fmt::format("{}={}", sweep.load_field(), std::max<std::int64_t>(1, std::llround(value))));
        run.arguments = {"run", scenario, "--seed", std::to_string(seed)};
        for (const std::string& setting : run.settings) {
          run.arguments.emplace_back("--set");
          run.arguments.push_back(setting);
        }
        if (state != nullptr && !state->plan().empty()) {
          run.arguments.emplace_back("--plan");
          run.arguments.push_back(beside(sheet_folder, state->plan()));
        }
        run.folder =
            fmt::format("{}-{}/load-{:g}/seed-{}", k,
                        state == nullptr ? "everything-up" : folder_name(state->name()), factor, seed);
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

SweepPoint point_of(const std::vector<Result>& results, const std::string& metric, double slo_ns) {
  Sums sums;
  for (const Result& result : results) sums.add(result, metric);
  return sums.finish(slo_ns);
}

void find_knee(SweepState& state) {
  state.knee = -1;
  while (state.knee + 1 < static_cast<int>(state.points.size()) &&
         is_good(state.points[static_cast<std::size_t>(state.knee) + 1]))
    ++state.knee;
  state.beyond = !state.points.empty() && state.knee + 1 == static_cast<int>(state.points.size());
}

std::expected<SweepOutcome, std::string> sweep_of(
    const Sweep& sweep, const std::string& sheet_folder,
    const std::function<std::expected<Result, std::string>(const SweepRun&)>& result) {
  SweepOutcome outcome;
  outcome.scenario = sweep.scenario();
  outcome.metric = sweep.metric();
  outcome.slo_ns = sweep.slo_p99_ms().value() * 1e6;
  outcome.seeds = static_cast<std::uint64_t>(sweep.seeds());
  outcome.states.resize(static_cast<std::size_t>(sweep.state_size()) + 1);
  outcome.states[0].name = "everything up";
  for (int k = 0; k < sweep.state_size(); ++k)
    outcome.states[static_cast<std::size_t>(k) + 1].name = sweep.state(k).name();
  std::vector<Result> seeds;
  for (const SweepRun& run : runs_of(sweep, sheet_folder)) {
    auto one = result(run);
    if (!one) return std::unexpected(one.error());
    if (outcome.command.empty()) outcome.command = one->command;
    outcome.trace_hashes.push_back(one->trace_hash);
    seeds.push_back(std::move(*one));
    if (seeds.size() < outcome.seeds) continue;
    SweepPoint point = point_of(seeds, outcome.metric, outcome.slo_ns);
    point.factor = sweep.load_factor(static_cast<int>(run.load));
    outcome.states[run.state].points.push_back(std::move(point));
    seeds.clear();
  }
  for (SweepState& state : outcome.states) find_knee(state);
  return outcome;
}

}  // namespace wavetank::capacity
