#include "reports/measures.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/sample_result.hpp"

namespace wavetank::reports {
namespace {

Latency latency(const std::string& phase, const std::string& cohort, std::int64_t milliseconds) {
  Latency l{"end_to_end", phase, cohort, {}, 0, 1};
  l.histogram.record(milliseconds * 1'000'000, 100);
  return l;
}

Result small_result() {
  Result r;
  r.latencies = {latency("calm", "fibre", 10), latency("calm", "3g", 300), latency("fault", "3g", 900)};
  r.resources = {{"device links: packets", 70, "packets"},
                 {"device links: bytes", 900, "bytes"},
                 {"rows written", 12, "rows"},
                 {"commits", 5, "commits"},
                 {"log reads", 4, "reads"},
                 {"log rows read", 40, "rows"},
                 {"inbox overflows", 2, "inputs"}};
  r.frames = {{"device", "SendMessage", 30, 400}};
  r.load = {{"gateways", 2, 1'000'000'000, 250'000, 7}};
  r.virtual_ns = 10'000'000'000;
  r.events = 99;
  r.messages_sent = 3;
  return r;
}

const Measure* find(const std::vector<Measure>& measures, const std::string& name) {
  const auto found =
      std::find_if(measures.begin(), measures.end(), [&](const auto& m) { return m.name == name; });
  return found == measures.end() ? nullptr : &*found;
}

double value(const std::string& name) {
  const auto measures = measures_of(small_result());
  const Measure* measure = find(measures, name);
  EXPECT_NE(measure, nullptr) << name;
  return measure == nullptr ? -1 : measure->value;
}

TEST(Measures, AreWhatTheResultSays) {
  EXPECT_NEAR(value("end_to_end.calm.fibre.p50"), 10, 0.08);
  EXPECT_NEAR(value("end_to_end.fault.3g.p99"), 900, 8);
  EXPECT_EQ(value("end_to_end.calm.fibre.unfinished"), 1);
  EXPECT_EQ(value("device_links.frames"), 70);
  EXPECT_EQ(value("device_links.bytes"), 900);
  EXPECT_EQ(value("device_links.SendMessage.frames"), 30);
  EXPECT_EQ(value("store.rows"), 12);
  EXPECT_EQ(value("store.commits"), 5);
  EXPECT_EQ(value("store.log_reads"), 4);
  EXPECT_EQ(value("store.log_rows_read"), 40);
  EXPECT_DOUBLE_EQ(value("gateways.utilisation.mean"), 5);  // one second of two times ten
  EXPECT_DOUBLE_EQ(value("gateways.utilisation.peak"), 25);
  EXPECT_EQ(value("gateways.inbox.peak"), 7);
  EXPECT_EQ(value("gateways.inbox.overflows"), 2);
  EXPECT_EQ(value("events"), 99);
  EXPECT_EQ(value("virtual.time"), 10);
}

TEST(Measures, PutTheCohortsTogether) {
  EXPECT_NEAR(value("end_to_end.calm.all.p50"), 10, 0.08);
  EXPECT_NEAR(value("end_to_end.calm.all.p99"), 300, 2.4);
  EXPECT_EQ(value("end_to_end.calm.all.unfinished"), 2);
  EXPECT_NEAR(value("end_to_end.fault.all.p99"), 900, 8);
}

TEST(Measures, LeaveOutWhatWasNotMeasured) {
  const auto measures = measures_of(small_result());
  EXPECT_EQ(find(measures, "end_to_end.fault.fibre.p50"), nullptr);
  EXPECT_EQ(find(measures, "server_links.bytes"), nullptr);
}

TEST(Measures, AreVirtual) {
  Result slow = failing_sample();
  slow.wall_ns *= 7;
  slow.peak_rss_bytes *= 3;
  slow.environment.machine = "another one";
  const auto before = measures_of(failing_sample());
  const auto after = measures_of(slow);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(before[i].value, after[i].value) << before[i].name;
}

TEST(Measures, HaveNamesOfTheirOwn) {
  const auto measures = measures_of(failing_sample());
  for (std::size_t i = 0; i < measures.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(measures[i].name, measures[j].name);
  }
}

TEST(NearestName, IsTheOneWithTheFewestEdits) {
  EXPECT_EQ(nearest_name("end_to_end.clam.wifi.p99", {"end_to_end.calm.3g.p50", "end_to_end.calm.wifi.p99"}),
            "end_to_end.calm.wifi.p99");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace wavetank::reports
