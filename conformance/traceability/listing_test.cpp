#include "conformance/traceability/listing.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace wavetank::conformance {
namespace {

std::string list(const ListOptions& options) {
  const auto lines = listing(registry(), options);
  EXPECT_TRUE(lines.has_value()) << lines.error();
  return lines.value_or("");
}

TEST(Listing, APropertyNamesItsDefectsAndItsRules) {
  const std::string lines = list({false, false, "ORD-FIFO"});
  EXPECT_EQ(lines,
            "property       level   what it demands\n"
            "ORD-FIFO       MUST    One device's messages keep their order\n"
            "                       proved by socket-sends-reordered\n"
            "                       judges ORD-FIFO-001, CLI-OUTBOX-003\n");
}

TEST(Listing, ARuleNamesWhatProvesIt) {
  const std::string lines = list({true, false, "ORD-FIFO-001"});
  for (const char* part :
       {"ORD-FIFO-001        MUST    core      First transmissions of one device", " judged by ORD-FIFO\n",
        " proved by conf/send/ORD-FIFO-001/order-on-one-socket\n", " broken by socket-sends-reordered\n"}) {
    EXPECT_NE(lines.find(part), std::string::npos) << part << "\n" << lines;
  }
}

TEST(Listing, OnlyTakesAnAreaATopicOrAnId) {
  const auto count = [](const std::string& only) {
    return nlohmann::json::parse(list({true, true, only})).size();
  };
  EXPECT_EQ(count(""), registry().rules().size());
  EXPECT_EQ(count("SND"), 16U);
  EXPECT_EQ(count("SND-IDEM"), 5U);
  EXPECT_EQ(count("SND-IDEM-002"), 1U);
  for (const char* none : {"SN", "SND-ID", "SND-IDEM-00", "snd", "SND-"}) {
    const auto lines = listing(registry(), {true, false, none});
    ASSERT_FALSE(lines.has_value()) << none;
    EXPECT_EQ(lines.error(), "--only " + std::string(none) +
                                 ": no requirement of that area or id; without --only all are listed");
  }
}

TEST(Listing, JsonHasEveryField) {
  const auto rule = nlohmann::json::parse(list({true, true, "SND-IDEM-003"})).at(0);
  EXPECT_EQ(rule.at("id"), "SND-IDEM-003");
  EXPECT_EQ(rule.at("since"), 1);
  for (const char* field : {"level", "profile", "text", "rationale", "source"}) {
    EXPECT_FALSE(rule.at(field).get<std::string>().empty()) << field;
  }
  for (const char* field : {"oracle", "tests", "defects", "mutants"})
    EXPECT_FALSE(rule.at(field).empty()) << field;
  const auto properties = nlohmann::json::parse(list({false, true, ""}));
  EXPECT_EQ(properties.size(), registry().properties().size());
  for (const auto& property : properties) EXPECT_FALSE(property.at("defects").empty()) << property;
}

}  // namespace
}  // namespace wavetank::conformance
