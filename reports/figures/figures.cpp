#include "reports/figures/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wavetank::figures {
namespace {

// Collects the figures; one that lacks an input, or whose divisor is 0, is left out.
class Collector {
 public:
  explicit Collector(const Benchmarks& benchmarks) : benchmarks_(benchmarks) {}

  void add(const std::string& name, std::optional<double> value) {
    const auto known = std::ranges::find(figure_names(), name, &FigureName::name);
    if (value && std::isfinite(*value) && *value > 0) figures_.push_back({name, *value, known->unit});
  }

  [[nodiscard]] std::optional<double> processor_ns(const std::string& benchmark) const {
    const auto found = benchmarks_.find(benchmark);
    if (found == benchmarks_.end()) return std::nullopt;
    return found->second.processor_ns;
  }
  [[nodiscard]] std::optional<double> counter(const std::string& benchmark, const std::string& name) const {
    const auto found = benchmarks_.find(benchmark);
    if (found == benchmarks_.end() || !found->second.counters.contains(name)) return std::nullopt;
    return found->second.counters.at(name);
  }
  // A rate that the benchmark gave per second of real time, per second of processor time.
  [[nodiscard]] std::optional<double> processor_rate(const std::string& benchmark,
                                                     const std::string& name) const {
    const auto rate = counter(benchmark, name);
    if (!rate) return std::nullopt;
    const BenchmarkTimes& times = benchmarks_.at(benchmark);
    return *rate * times.real_ns / times.processor_ns;
  }

  std::vector<Figure> take() { return std::move(figures_); }

 private:
  const Benchmarks& benchmarks_;
  std::vector<Figure> figures_;
};

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return std::nullopt;
  return *a / *b;
}

std::optional<double> least(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

double reached(const FigureName& name, double value) {
  return name.less_is_better ? name.goal / value : value / name.goal;
}

const std::vector<FigureName>& figure_names() {
  static const std::vector<FigureName> kNames{
      {"kernel.events.1m", "bare kernel, 1 M events pending", "events/s", false, 10e6},
      {"kernel.events.10m", "bare kernel, 10 M events pending", "events/s"},
      {"kernel.ratio.1m", "bare kernel against std::priority_queue, 1 M", "times as fast"},
      {"kernel.ratio.10m", "bare kernel against std::priority_queue, 10 M", "times as fast"},
      {"codec.encode", "codec, encode a send, against protobuf", "times as fast"},
      {"codec.decode", "codec, decode a send, against protobuf", "times as fast"},
      {"store.sqlite", "store, mixed rows, SQLite", "rows/s"},
      {"store.memory", "store, mixed rows, memory", "rows/s"},
      {"store.ratio", "store, memory against SQLite", "times as fast"},
      {"monitors.2", "all monitors, 2 members a conversation", "records/s"},
      {"monitors.20", "all monitors, 20 members", "records/s"},
      {"monitors.200", "all monitors, 200 members", "records/s"},
      {"star.events", "star, 10,000 devices: events", "events/s"},
      {"star.messages", "star, 10,000 devices: messages", "messages/s"},
      {"star.bytes", "star, 10,000 devices: peak of the process", "bytes/device", /*less_is_better=*/true},
      {"peers.hold", "bare kernel against ns-3's fastest scheduler", "times as many", false, 5},
      {"peers.ns3", "star, 10,000 devices: messages against ns-3", "times as many"},
      {"peers.simgrid", "star, 10,000 devices: against SimGrid", "times as many", false, 4},
      {"star_1m.events", "star, 1 M devices: events", "events/s", false, 1.5e6},
      {"star_1m.messages", "star, 1 M devices: messages", "messages/s", false, 83e3},
      {"star_1m.bytes", "star, 1 M: held by client, server, monitors", "bytes/device", true, 2048},
      {"star_1m_sqlite.events", "star, 1 M devices, bytes, SQLite: events", "events/s", false, 0.5e6},
      {"growth_10m.peak", "star, 10 M devices: peak of the process", "bytes", true, 20.0 * (1 << 30)},
      {"growth.ratio", "star: time of an event, 10 M against 10,000", "times as long", true, 3},
      {"region.speed", "region, 2 M connections, against real time", "times as fast", false, 4},
      {"college.seconds", "college on one core, bytes, SQLite", "s", true, 30},
      {"college_frames.seconds", "college on one core, frames, memory store", "s", true, 12},
      {"build.seconds", "a server file changed: build and its tests", "s", true, 20},
  };
  return kNames;
}

std::vector<Figure> figures_of(const Benchmarks& benchmarks) {
  Collector out(benchmarks);
  const auto wheel = [&](const char* n) { return out.processor_ns(fmt::format("hold/wheel/{}", n)); };
  const auto heap = [&](const char* n) { return out.processor_ns(fmt::format("hold/binary_heap/{}", n)); };
  out.add("kernel.events.1m", ratio(1e9, wheel("1000000")));
  out.add("kernel.events.10m", ratio(1e9, wheel("10000000")));
  out.add("kernel.ratio.1m", ratio(heap("1000000"), wheel("1000000")));
  out.add("kernel.ratio.10m", ratio(heap("10000000"), wheel("10000000")));
  // Against the faster way to use the generated classes, whichever it was in this run.
  for (const std::string way : {"encode", "decode"}) {
    const auto generated = least(out.processor_ns(way + "_generated_fresh/send"),
                                 out.processor_ns(way + "_generated_reused/send"));
    out.add("codec." + way, ratio(generated, out.processor_ns(way + "_ours/send")));
  }
  const auto sqlite = out.processor_rate("mixed<SqliteEngine>", "rows/s");
  const auto memory = out.processor_rate("mixed<MemoryEngine>", "rows/s");
  out.add("store.sqlite", sqlite);
  out.add("store.memory", memory);
  out.add("store.ratio", ratio(memory, sqlite));
  for (const auto& [members, each] : {std::pair("2", "4"), std::pair("20", "4"), std::pair("200", "1")}) {
    out.add(fmt::format("monitors.{}", members),
            out.counter(fmt::format("judge_records/devices:100000/members:{}/each:{}/ahead:1", members, each),
                        "items_per_second"));
  }
  return out.take();
}

void add_figures(std::vector<Figure>& figures, std::vector<Figure> more) {
  const auto place = [](const Figure& figure) {
    return std::ranges::find(figure_names(), figure.name, &FigureName::name) - figure_names().begin();
  };
  for (Figure& figure : more) {
    if (place(figure) == std::ssize(figure_names()))
      throw FiguresError(fmt::format("there is no figure '{}'", figure.name));
    if (std::ranges::find(figures, figure.name, &Figure::name) != figures.end())
      throw FiguresError(fmt::format("the figure '{}' is given twice", figure.name));
    figures.push_back(std::move(figure));
  }
  std::ranges::sort(figures, {}, place);
}

}  // namespace wavetank::figures
