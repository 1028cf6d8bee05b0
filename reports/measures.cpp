#include "reports/measures.hpp"

#include <algorithm>
#include <numeric>

namespace wavetank::reports {
namespace {

constexpr std::string_view kAll = "all";

class List {
 public:
  void add(std::string name, std::string unit, double value, bool detail = false) {
    measures_.push_back({std::move(name), std::move(unit), value, Better::kLower, detail});
  }
  void add(std::string name, std::string unit, std::int64_t value, bool detail = false) {
    add(std::move(name), std::move(unit), static_cast<double>(value), detail);
  }
  void add_neutral(std::string name, std::string unit, double value) {
    measures_.push_back({std::move(name), std::move(unit), value, Better::kNeutral, false});
  }
  std::vector<Measure> take() { return std::move(measures_); }

 private:
  std::vector<Measure> measures_;
};

void add_latency(const Latency& l, List& list) {
  const std::string name = l.metric + "." + l.phase + "." + l.cohort;
  const bool detail = l.cohort != kAll || l.phase == "drain" || l.metric.ends_with("_cross_region");
  if (!l.histogram.empty()) {
    for (const auto& [suffix, thousandths] : {std::pair{".p50", 500}, {".p95", 950}, {".p99", 990}}) {
      list.add(name + suffix, "ms",
               static_cast<double>(l.histogram.value_at_quantile(thousandths, 1000)) / 1e6,
               detail || thousandths == 950);
    }
  }
  list.add(name + ".unfinished", "operations", l.unfinished, true);
}

// Those of one metric and phase, with their sum over all cohorts in front.
void add_latencies(const Result& result, List& list) {
  const std::vector<Latency>& rows = result.latencies;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    Latency all = rows[begin];
    bool has_all = false;
    for (; end < rows.size() && rows[end].metric == all.metric && rows[end].phase == all.phase; ++end) {
      has_all = has_all || rows[end].cohort == kAll;
      if (end == begin) continue;
      all.histogram.merge(rows[end].histogram);
      all.unfinished += rows[end].unfinished;
    }
    all.cohort = kAll;
    if (!has_all) add_latency(all, list);
    for (; begin < end; ++begin) add_latency(rows[begin], list);
  }
}

void add_wire(const Result& result, List& list) {
  for (const auto& [name, resource] :
       {std::pair{"device_links", "device links"}, {"server_links", "server links"}}) {
    for (const auto& [suffix, unit] : {std::pair{"packets", "frames"}, {"bytes", "bytes"}}) {
      for (const Counter& counter : result.resources) {
        if (counter.name == std::string(resource) + ": " + suffix)
          list.add(std::string(name) + "." + unit, unit, counter.value);
      }
    }
  }
  for (const FrameCount& count : result.frames) {
    const std::string name = count.link + "_links." + count.body;
    list.add(name + ".frames", "frames", count.frames, true);
    list.add(name + ".bytes", "bytes", count.bytes, true);
  }
}

void add_store(const Result& result, List& list) {
  for (const auto& [name, resource] : {std::pair{"store.rows", "rows written"},
                                       {"store.commits", "commits"},
                                       {"store.log_reads", "log reads"},
                                       {"store.log_rows_read", "log rows read"}}) {
    for (const Counter& counter : result.resources) {
      if (counter.name == resource) list.add(name, counter.unit, counter.value);
    }
  }
}

void add_load(const Result& result, List& list) {
  for (const RoleLoad& load : result.load) {
    const double time = static_cast<double>(load.nodes) * static_cast<double>(result.virtual_ns);
    list.add(load.role + ".utilisation.mean", "%",
             time > 0 ? 100 * static_cast<double>(load.busy_ns) / time : 0.0);
    list.add(load.role + ".utilisation.peak", "%", static_cast<double>(load.busy_peak_ppm) / 1e4);
    list.add(load.role + ".inbox.peak", "inputs", load.inbox_peak);
  }
  for (const Counter& counter : result.resources) {
    if (counter.name == "inbox overflows") list.add("gateways.inbox.overflows", "inputs", counter.value);
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<Measure> measures_of(const Result& result) {
  List list;
  add_latencies(result, list);
  add_wire(result, list);
  add_store(result, list);
  add_load(result, list);
  list.add("events", "events", result.events);
  list.add_neutral("messages.sent", "messages", static_cast<double>(result.messages_sent));
  list.add_neutral("messages.delivered", "messages", static_cast<double>(result.deliveries));
  // A run ends when everything has converged, so its length may differ; shares of time must be read with it.
  list.add_neutral("virtual.time", "s", static_cast<double>(result.virtual_ns) / 1e9);
  return list.take();
}

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names) {
  const auto nearest = std::min_element(names.begin(), names.end(), [&](const auto& x, const auto& y) {
    return edit_distance(wrong, x) < edit_distance(wrong, y);
  });
  return nearest == names.end() ? std::string() : *nearest;
}

}  // namespace wavetank::reports
