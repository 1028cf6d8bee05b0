#include "reports/sample_result.hpp"

#include <array>
#include <iterator>

namespace wavetank::reports {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kRun = 125 * kMinute;

// A small fixed mixing function (SplitMix64): samples must be the same everywhere.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// Latencies with a body around `typical` and a tail: the more leading zero bits the draw has, the slower.
Histogram latencies(std::uint64_t key, std::int64_t typical, int number) {
  Histogram h;
  for (int i = 0; i < number; ++i) {
    const std::uint64_t draw = mix(key * 1'000'003 + static_cast<std::uint64_t>(i));
    const std::int64_t tail = __builtin_clzll((draw >> 16) | 1) - 15;
    h.record(typical * (60 + static_cast<std::int64_t>(draw % 80)) / 100 + typical * tail * tail / 25);
  }
  return h;
}

std::vector<FaultRecord> faults() {
  return {
      {"outage of 2015-12-31", "node down", "gateways eu-1, eu-2", 14 * kMinute, 19 * kMinute},
      {"outage of 2017-05-03", "node down", "gateways us-1, us-2, us-3", 27 * kMinute, 34 * kMinute},
      {"kill a gateway", "kill and restart", "gateway ap-2", 41 * kMinute, 41 * kMinute + 8 * kSecond},
      {"kill with a commit pending", "kill and restart", "shard eu-conversation-3", 46 * kMinute,
       46 * kMinute + 11 * kSecond},
      {"region cut off, one way", "partition", "ap to eu, us", 55 * kMinute, 60 * kMinute},
      {"region cut off", "partition", "ap", 60 * kMinute, 66 * kMinute},
      {"carrier loses state", "half-open", "4g in us, 30 %", 63 * kMinute, 71 * kMinute},
      {"slow disk", "slow disk", "shard us-feed-1", 78 * kMinute, 83 * kMinute},
      {"everybody at once", "mass disconnect", "all devices", 95 * kMinute, 95 * kMinute + kSecond},
  };
}

void add_series(Result& r) {
  constexpr std::int64_t kInterval = 10 * kSecond;
  const auto number = static_cast<std::size_t>(kRun / kInterval);
  Series connections{"connections", "connections", "connections", SeriesKind::kGauge, kInterval, 0, {}};
  Series sends{"sends", "messages", "messages", SeriesKind::kCount, kInterval, 0, {}};
  Series deliveries{"deliveries", "messages", "messages", SeriesKind::kCount, kInterval, 0, {}};
  std::array<Series, 3> queues;
  std::array<Series, 3> loads;
  constexpr std::array<const char*, 3> kRegions{"eu", "us", "ap"};
  for (std::size_t region = 0; region < 3; ++region) {
    const std::string name = std::string("gateways ") + kRegions[region];
    queues[region] = {name, "queue_depth", "inputs", SeriesKind::kGauge, kInterval, 0, {}};
    loads[region] = {name, "utilisation", "per mille", SeriesKind::kGauge, kInterval, 0, {}};
  }
  for (std::size_t i = 0; i < number; ++i) {
    const auto noise = [&](std::uint64_t key, std::int64_t range) {
      return static_cast<std::int64_t>(mix(key * 7919 + i) % static_cast<std::uint64_t>(range));
    };
    const std::int64_t now = static_cast<std::int64_t>(i) * kInterval;
    std::int64_t share = 1000;  // of the devices that are connected, in thousandths
    for (const auto& fault : r.faults) {
      if (now >= fault.start_ns && now < fault.end_ns + 20 * kSecond) share = share * 7 / 10;
    }
    const std::int64_t wave = 800 + static_cast<std::int64_t>(i % 180) * 2;
    connections.values.push_back(2900 * share / 1000 + noise(1, 60));
    sends.values.push_back(130 * wave / 1000 * share / 1000 + noise(2, 40));
    deliveries.values.push_back(420 * wave / 1000 * share / 1000 + noise(3, 130));
    for (std::size_t region = 0; region < 3; ++region) {
      const std::int64_t trouble = (1000 - share) * static_cast<std::int64_t>(region + 1) / 12;
      queues[region].values.push_back(noise(10 + region, 6) + trouble);
      loads[region].values.push_back(60 + noise(20 + region, 50) + (1000 - share) / 2);
    }
  }
  r.series = {connections, sends, deliveries};
  r.series.insert(r.series.end(), queues.begin(), queues.end());
  r.series.insert(r.series.end(), loads.begin(), loads.end());
  Series curve{"everybody at once", "", "per mille", SeriesKind::kGauge, kSecond, 0, {}};
  std::int64_t missing = 1000;
  for (int i = 0; i < 90; ++i) {
    curve.values.push_back(1000 - missing);
    missing = missing * (i < 4 ? 98 : 92) / 100;
  }
  r.reconnect_curves = {curve};
}

void add_latencies(Result& r) {
  constexpr std::array<const char*, 3> kPhases{"calm", "fault", "recovery"};
  constexpr std::array<std::int64_t, 3> kSlower{1, 6, 2};
  for (std::size_t phase = 0; phase < 3; ++phase) {
    const auto add = [&](const char* metric, const char* cohort, std::int64_t typical_ms, int number,
                         std::int64_t bound_ms) {
      r.latencies.push_back(
          {metric, kPhases[phase], cohort,
           latencies(phase * 100 + r.latencies.size(), typical_ms * kMs * kSlower[phase], number),
           phase == 0 ? bound_ms * kMs : 0, phase == 1 ? 17 : 0});
    };
    add("service_share", "all", 4, 9000, 150);
    add("send_to_deliver", "fibre", 21, 5000, 150);
    add("send_to_deliver", "wifi", 29, 5000, 150);
    add("send_to_deliver", "4g", 74, 4000, 0);
    add("send_to_deliver", "3g", 160, 2000, 0);
    add("send_to_ack", "all", 31, 9000, 0);
  }
}

struct PropertyRow {
  const char* id;
  const char* title;
  std::int64_t antecedents;
};

constexpr PropertyRow kProperties[] = {
    {"ORD-AGREE", "All devices see a conversation's entries in one order", 1'204'418},
    {"ORD-REALTIME", "A message sent after another was acknowledged stands after it", 93'555},
    {"ORD-FIFO", "Messages of one device keep the order in which they were sent", 88'310},
    {"DLV-GAPFREE", "No entry is skipped between two that were shown", 1'201'006},
    {"DLV-NODUP", "No entry is shown twice", 1'204'418},
    {"DLV-INTEGRITY", "What is shown is what was sent, byte by byte", 1'204'418},
    {"SYN-CURSOR", "A cursor never passes an entry that is not stored", 611'902},
    {"SND-IDEM", "A repeated send has the effect of one", 4'127},
    {"SND-DEFINITE", "A definite error means that nothing was stored", 318},
    {"DUR-ACKED", "What was acknowledged survives every crash", 93'555},
    {"DUR-NOREUSE", "No place in a log is given out twice", 93'555},
    {"RD-MONO", "A read watermark never moves back", 40'811},
    {"RD-MULTIDEV", "All devices of a user end with the same watermark", 1'899},
    {"RD-LEQ", "Nobody has read more than was delivered", 40'811},
    {"ACL-BOUNDARY", "No entry outside a membership reaches a device", 212'077},
    {"LIV-CONVERGE", "After the faults everything converges within the bound", 3'702},
    {"SLO-AVAIL", "Sends are accepted in calm phases", 71'204},
    {"SLO-PCT", "The 99th percentile within a region stays under 150 ms", 9'000},
};

}  // namespace

Result passing_sample() {
  Result r;
  r.verdict = Verdict::kPass;
  r.scenario = "college";
  r.seed = 1;
  r.scenario_digest = "5f0c7a6e21d94b38";
  r.trace_hash = "b9d41c07e2a85f36";
  r.history_hash = "02e6f1d87c49ab53";
  r.command = "./wavetank sim run college --seed 1";
  r.fidelity = {
      "bytes",
      "sqlite",
      {"Every hop was encoded and decoded; sizes are exact.",
       "Durability means one node's own disk. Nothing is claimed about replicas.",
       "Latencies hold for the shipped table of service costs; compare designs with them, not machines."}};
  r.factors = {{"gaps between human actions", "1 : 2324.6", "CollegeMsg: 193.7 days in 2 virtual hours"},
               {"device sessions", "1 : 12", "StudentLife phone locks, assumption for the factor"},
               {"outage durations", "1 : 20", "WhatsApp outage log"},
               {"forum ids to users", "keyed injection", "invented"}};
  r.phases = {{"calm", 0, 12 * kMinute},
              {"fault", 12 * kMinute, 97 * kMinute},
              {"recovery", 97 * kMinute, 107 * kMinute},
              {"calm", 107 * kMinute, kRun}};
  r.faults = faults();
  for (const auto& row : kProperties) {
    r.properties.push_back(
        {row.id, row.title, "MUST", PropertyVerdict::kPass, row.antecedents, row.antecedents / 20, 0, ""});
  }
  add_latencies(r);
  add_series(r);
  r.resources = {{"bytes between regions", 1'310'442'120, "bytes"},
                 {"bytes on disk", 402'653'184, "bytes"},
                 {"rows written", 2'013'440, "rows"},
                 {"commits", 311'207, "commits"},
                 {"connections opened", 48'117, "connections"}};
  r.frames = {{"device", "SendMessage", 93'555, 9'402'118}, {"server", "OutboxBatch", 310'220, 77'190'455}};
  r.load = {{"gateways", 6, 412'000'000'000, 318'000, 210}, {"shards", 6, 733'000'000'000, 942'000, 1'404}};
  r.events = 30'112'001;
  r.events_by_kind = {{"frame arrived", 17'402'118},
                      {"timer fired", 6'190'455},
                      {"commit durable", 4'311'207},
                      {"human action", 1'871'040},
                      {"connection opened or closed", 334'872},
                      {"fault", 2'309}};
  r.messages_sent = 93'555;
  r.deliveries = 1'204'418;
  r.devices = 3'702;
  r.users = 1'899;
  r.conversations = 21'182;
  r.virtual_ns = kRun;
  r.wall_ns = 41'233 * kMs;
  r.peak_rss_bytes = 1'288'490'188;
  r.environment = {"g++ 12.2.0", "Release, 6ab7083", "2 cores, 8 GiB"};
  return r;
}

Result failing_sample() {
  Result r = passing_sample();
  r.verdict = Verdict::kFail;
  r.seed = 18'446'744'073'709'551'557ULL;
  r.defect = "ack-before-commit";
  r.command =
      "./wavetank sim run college --seed 18446744073709551557 --set messages=3000 --set "
      "population.devices_per_user=2 --defect ack-before-commit";
  r.properties[9].verdict = PropertyVerdict::kFail;
  r.properties[9].violations = 3;
  r.properties[9].note =
      "user 88's message 41 was acknowledged at conv 17 seq 204 and is missing after the restart "
      "</script><b>&\"'";
  r.properties[12].verdict = PropertyVerdict::kInconclusive;
  r.properties[12].antecedents = 31;
  r.properties[12].note = "only 31 of 94 users had two devices online";
  r.properties[8].verdict = PropertyVerdict::kNotExercised;
  r.properties[8].antecedents = 0;
  r.properties[8].minimum = 0;
  Story story;
  story.property = "DUR-ACKED";
  story.headline = "An acknowledged message is gone after shard eu-conversation-3 restarted";
  story.prose = {
      "User 88 sends \"canary-88-41\" from device 88.1 at 46:00.012.",
      "The gateway eu-1 passes it to shard eu-conversation-3, which appends it as conversation 17, seq 204.",
      "The shard acknowledges at 46:00.019, while its commit number 7,311 is still pending.",
      "Fault 4 kills the shard at 46:00.021. The pending commit is lost, and with it seq 204.",
      "Device 88.1 is shown the acknowledgement at 46:00.030 and drops the message from its outbox.",
      "The shard comes back at 46:11.021. Its log of conversation 17 ends with seq 203.",
      "User 12's message is appended as seq 204 at 46:14.377: the place is given out a second time."};
  story.diagram.lifelines = {"device 88.1", "gateway eu-1", "shard eu-conv-3", "device 12.2"};
  const std::int64_t t = 46 * kMinute;
  story.diagram.arrows = {{0, 1, t + 12 * kMs, t + 15 * kMs, "SendMessage canary-88-41", false},
                          {1, 2, t + 15 * kMs, t + 16 * kMs, "append", false},
                          {2, 2, t + 17 * kMs, t + 17 * kMs, "commit 7311 pending, seq 204", false},
                          {2, 1, t + 19 * kMs, t + 20 * kMs, "SendAck seq 204", true},
                          {2, 3, t + 20 * kMs, kNeverArrived, "Event seq 204", false},
                          {2, 2, t + 21 * kMs, t + 21 * kMs, "killed: commit 7311 lost", true},
                          {1, 0, t + 20 * kMs, t + 30 * kMs, "SendAck seq 204", true},
                          {2, 2, t + 11'021 * kMs, t + 11'021 * kMs, "restarted, last seq 203", false},
                          {3, 2, t + 14'310 * kMs, t + 14'370 * kMs, "SendMessage", false},
                          {2, 0, t + 14'377 * kMs, t + 14'431 * kMs, "Event seq 204, another message", true}};
  story.replay_command =
      "./wavetank sim run college --seed 18446744073709551557 --defect ack-before-commit --history "
      "out/h.jsonl";
  r.stories = {story};
  return r;
}

}  // namespace wavetank::reports
