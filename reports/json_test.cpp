#include "reports/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "reports/sample_result.hpp"

namespace wavetank::reports {
namespace {

using nlohmann::json;

TEST(Json, HasWhatOthersRelyOn) {
  const Result r = failing_sample();
  const json j = json::parse(render_json(r));
  EXPECT_EQ(j["verdict"], "FAIL");
  EXPECT_EQ(j["scenario"], "college");
  EXPECT_EQ(j["seed"].get<std::uint64_t>(), r.seed);
  EXPECT_EQ(j["traceHash"], r.trace_hash);
  EXPECT_EQ(j["historyHash"], r.history_hash);
  EXPECT_EQ(j["events"], r.events);
  EXPECT_EQ(j["eventsByKind"]["timer fired"], 6'190'455);
  EXPECT_EQ(j["messagesSent"], r.messages_sent);
  EXPECT_EQ(j["deliveries"], r.deliveries);
  EXPECT_EQ(j["devices"], r.devices);
  EXPECT_EQ(j["conversations"], r.conversations);
  EXPECT_DOUBLE_EQ(j["virtualSeconds"].get<double>(), 7500.0);
  EXPECT_DOUBLE_EQ(j["wallSeconds"].get<double>(), 41.233);
  EXPECT_EQ(j["eventsPerSecond"], 730'289);
  EXPECT_EQ(j["messagesPerSecond"], 2'269);
  EXPECT_EQ(j["peakRssBytes"], r.peak_rss_bytes);
  EXPECT_EQ(j["properties"][9]["id"], "DUR-ACKED");
  EXPECT_EQ(j["properties"][9]["verdict"], "FAIL");
  EXPECT_EQ(j["properties"][9]["violations"], 3);
  EXPECT_EQ(j["properties"][8]["verdict"], "NOT_EXERCISED");
  const json& latency = j["latencies"][0];
  EXPECT_EQ(latency["metric"], "service_share");
  EXPECT_EQ(latency["phase"], "calm");
  EXPECT_EQ(latency["count"], 9000);
  for (const char* name : {"p50", "p95", "p99", "p999"}) EXPECT_GT(latency[name].get<double>(), 1.0) << name;
  EXPECT_LT(latency["p50"].get<double>(), 100.0);  // milliseconds
}

TEST(Json, ReadsBackWhatItWrote) {
  for (const Result& r : {passing_sample(), failing_sample(), Result{}}) {
    const std::string text = render_json(r);
    EXPECT_EQ(render_json(parse_result_json(text)), text);
  }
  const Result back = parse_result_json(render_json(failing_sample()));
  EXPECT_EQ(back.seed, 18'446'744'073'709'551'557ULL);
  EXPECT_EQ(back.latencies[3].histogram, failing_sample().latencies[3].histogram);
  EXPECT_EQ(back.stories[0].diagram.arrows[4].arrival_ns, kNeverArrived);
}

TEST(Json, BadBytesBecomeReplacementCharacters) {
  Result r = passing_sample();
  r.properties[0].note = "\xFF\xFE bad";
  const std::string text = render_json(r);
  EXPECT_EQ(render_json(parse_result_json(text)), text);
}

TEST(Json, AFalsePassIsNotWritten) {
  Result r = passing_sample();
  r.properties[3].antecedents = 0;
  const json j = json::parse(render_json(r));
  EXPECT_EQ(j["verdict"], "INCONCLUSIVE");
  EXPECT_EQ(j["properties"][3]["verdict"], "INCONCLUSIVE");
}

std::string error_of(const std::string& text) {
  try {
    parse_result_json(text);
  } catch (const ResultError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, ErrorsNameTheFieldInOneLine) {
  EXPECT_TRUE(error_of("{\"a\":\n").starts_with("not JSON"));
  EXPECT_EQ(error_of("{\"a\":\n").find('\n'), std::string::npos);
  EXPECT_EQ(error_of("{}"), "the field 'schemaVersion' is missing");
  EXPECT_EQ(error_of("[]"), "expected an object with the field 'schemaVersion'");
  json j = json::parse(render_json(passing_sample()));
  const auto with = [&](const char* pointer, const json& value) {
    json changed = j;
    changed[json::json_pointer(pointer)] = value;
    return error_of(changed.dump());
  };
  EXPECT_EQ(with("/schemaVersion", 2), "schema version 2 is not 1");
  EXPECT_EQ(with("/events", 1.5), "the field 'events' must be a 64-bit integer");
  EXPECT_EQ(with("/events", UINT64_MAX), "the field 'events' must be a 64-bit integer");
  EXPECT_EQ(with("/seed", -1), "the field 'seed' must not be negative");
  EXPECT_EQ(with("/verdict", "GREEN"), "the field 'verdict' has the unknown value 'GREEN'");
  EXPECT_EQ(with("/properties", 1), "the field 'properties' must be a list");
  EXPECT_EQ(with("/latencies/0/histogram/subBucketBits", 5),
            "the histogram has another bucket layout (subBucketBits)");
  EXPECT_NE(with("/latencies/0/histogram/buckets/0", json::array({1, -1})), "no error");
}

// Another version of the code may not have counted them yet; its result is read all the same.
TEST(Json, AResultWithoutFramesAndLoadIsRead) {
  json j = json::parse(render_json(passing_sample()));
  ASSERT_EQ(j.erase("frames"), 1U);
  ASSERT_EQ(j.erase("load"), 1U);
  const Result r = parse_result_json(j.dump());
  EXPECT_TRUE(r.frames.empty());
  EXPECT_TRUE(r.load.empty());
}

TEST(Json, ATruncatedOrChangedFileNeverCrashesTheReader) {
  const std::string text = render_json(failing_sample());
  EXPECT_TRUE(rc::check("mutated result", [&] {
    std::string changed = text;
    const auto position = *rc::gen::inRange<std::size_t>(0, changed.size());
    if (*rc::gen::arbitrary<bool>())
      changed.resize(position);
    else
      changed[position] = *rc::gen::arbitrary<char>();
    try {
      const Result r = parse_result_json(changed);
      RC_ASSERT(!render_json(r).empty());
    } catch (const ResultError&) {
    }
  }));
}

}  // namespace
}  // namespace wavetank::reports
