#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/result.hpp"

// For tests only: what the simulator leaves of a run with people who write from second 1 to second 9.
namespace wavetank::capacity {

struct RunShape {
  std::int64_t sends = 1000;       // a second
  std::int64_t acks = 1000;        // a second while people write; the rest comes behind
  std::int64_t deliveries = 2000;  // the same; 2 for each send in the end
  std::int64_t latency_ns = 5'000'000;
};

inline reports::Result run_of(const RunShape& shape) {
  reports::Result result;
  result.seed = 1;
  result.messages_sent = 8 * shape.sends;
  // Twice what was pushed: in the end all logs are read again.
  result.deliveries = 4 * result.messages_sent;
  const auto series = [&](std::string plot, std::string name, std::int64_t rate, std::int64_t total,
                          std::int64_t again) {
    reports::Series s;
    s.plot = std::move(plot);
    s.name = std::move(name);
    s.kind = reports::SeriesKind::kCount;
    s.values = {0};
    for (int i = 0; i < 8; ++i) s.values.push_back(rate);
    s.values.push_back(total - 8 * rate);  // the drain
    s.values.insert(s.values.end(), {0, 0, again});
    result.series.push_back(std::move(s));
  };
  const std::int64_t sent = result.messages_sent;
  series("messages", "sends", shape.sends, sent, 0);
  series("messages", "acknowledged", shape.acks, sent, 0);
  series("deliveries", "deliveries", shape.deliveries, 2 * sent, 2 * sent);
  for (const char* role : {"gateways", "shards"}) {
    reports::Series busy;
    busy.plot = "utilisation";
    busy.name = role;
    busy.values.assign(13, role[0] == 'g' ? 250 : 500);
    result.series.push_back(busy);
    result.load.push_back({role, 2, 1'000'000'000, 500'000, role[0] == 'g' ? 3 : 7});
  }
  for (const char* phase : {"calm", "fault", "drain"}) {
    reports::Latency latency{"service_share", phase, "all", {}, 0, 0};
    // Stragglers of the drain do not count.
    latency.histogram.record(phase[0] == 'd' ? 900'000'000 : shape.latency_ns, 500);
    result.latencies.push_back(std::move(latency));
  }
  return result;
}

}  // namespace wavetank::capacity
