#include "reports/terminal.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <sstream>

#include "reports/sample_result.hpp"
#include "reports/text.hpp"

namespace wavetank::reports {
namespace {

void expect_one_screen(const std::string& screen) {
  EXPECT_LE(std::count(screen.begin(), screen.end(), '\n'), kTerminalLines);
  std::istringstream lines(screen);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(columns(line), static_cast<std::size_t>(kTerminalColumns)) << line;
  }
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Terminal, APassFitsOneScreenWithEveryProperty) {
  const Result r = passing_sample();
  const std::string screen = render_terminal(r, false);
  expect_one_screen(screen);
  EXPECT_TRUE(screen.starts_with("PASS  college  seed 1"));
  for (const auto& p : r.properties) EXPECT_TRUE(has(screen, p.id + " ")) << p.id;
  EXPECT_TRUE(has(screen, "reproduce: ./wavetank sim run college --seed 1\n"));
  EXPECT_FALSE(has(screen, "\x1b"));
}

TEST(Terminal, AFailureShowsItsPropertyFirstAndItsStory) {
  const std::string screen = render_terminal(failing_sample(), false);
  expect_one_screen(screen);
  EXPECT_TRUE(screen.starts_with("FAIL  college"));
  EXPECT_LT(screen.find("DUR-ACKED"), screen.find("ORD-AGREE"));
  EXPECT_TRUE(has(screen, "NOT EXERCISED"));
  EXPECT_TRUE(has(screen, "INCONCLUSIVE"));
  EXPECT_TRUE(has(screen, "An acknowledged message is gone"));
  EXPECT_TRUE(has(screen, "replay: ./wavetank sim run college"));
  EXPECT_TRUE(has(screen, "ack-before-commit"));
}

TEST(Terminal, ProbesAreCounted) {
  Result result = passing_sample();
  EXPECT_EQ(render_terminal(result, false).find("probes"), std::string::npos);
  result.resources.push_back({"probe: duplicate suppressed", 7, "times"});
  result.resources.push_back({"probe: torn batch recovered", 0, "times"});
  EXPECT_NE(render_terminal(result, false).find("; 1 of 2 probes hit"), std::string::npos);
}

TEST(Terminal, ABigWorldSaysWhereItsMemoryIs) {
  Result result = passing_sample();
  result.devices = 1000;
  result.resources = {{"memory: devices", 516'000, "bytes"},
                      {"memory: servers: sessions", 230'000, "bytes"},
                      {"memory: servers: caches", 390'000, "bytes"},
                      {"memory: servers: logs and keys of sends", 300'000, "bytes"},
                      {"memory: servers: members and marks", 100'000, "bytes"},
                      {"memory: servers: feeds", 30'000, "bytes"},
                      {"memory: servers: other rows", 4'000, "bytes"},
                      {"memory: monitors", 1'620'000, "bytes"},
                      {"memory: network", 100'000, "bytes"},
                      {"memory: event queue", 10'000, "bytes"},
                      {"memory: notes of history and people", 1'000, "bytes"}};
  const std::string line =
      "bytes a device: client 516; session 230, cache 390, log 300, rows 134; monitors 1,620; world 111\n";
  expect_one_screen(render_terminal(result, false));
  EXPECT_TRUE(has(render_terminal(result, false), line)) << render_terminal(result, false);
  result.devices = 999;
  EXPECT_FALSE(has(render_terminal(result, false), "bytes a device"));
}

TEST(Terminal, SaysWhatIsNotClaimedAndOfWhatItIsASample) {
  Result result = passing_sample();
  EXPECT_FALSE(has(render_terminal(result, false), "Not claimed: "));
  EXPECT_FALSE(has(render_terminal(result, false), "scale: "));
  for (int i = 0; i < 50; ++i) {
    result.fidelity.claims.push_back("Not claimed: the moon, or part " + std::to_string(i));
    result.factors.push_back({"scale", "2,000 of 2,000,000 meant", "a sample"});
  }
  const std::string screen = render_terminal(result, false);
  expect_one_screen(screen);
  EXPECT_TRUE(has(screen, "\nNot claimed: the moon, or part 0\n"));
  EXPECT_FALSE(has(screen, "part 1"));
  EXPECT_TRUE(has(screen, "\nscale: 2,000 of 2,000,000 meant\n"));
}

TEST(Terminal, NotExercisedNeverReadsAsPass) {
  Result r = passing_sample();
  for (auto& p : r.properties) p.antecedents = p.minimum = 0;
  const std::string screen = render_terminal(r, false);
  EXPECT_TRUE(screen.starts_with("INCONCLUSIVE"));
  EXPECT_FALSE(has(screen, "PASS"));
}

TEST(Terminal, ManyPropertiesAreCountedNotDropped) {
  Result r = passing_sample();
  for (int i = 0; i < 60; ++i) r.properties.push_back(r.properties.front());
  r.properties.back().violations = 1;
  const std::string screen = render_terminal(r, false);
  expect_one_screen(screen);
  EXPECT_TRUE(has(screen, " more: "));
  EXPECT_TRUE(has(screen, "FAIL"));
}

TEST(Terminal, ColoursOnlyWhenAsked) {
  EXPECT_TRUE(has(render_terminal(passing_sample(), true), "\x1b[1;32mPASS"));
  EXPECT_FALSE(has(render_terminal(failing_sample(), false), "\x1b"));
}

TEST(Terminal, HostileTextsStayInTheirLines) {
  EXPECT_TRUE(rc::check("one screen", [](const std::string& text) {
    Result r = failing_sample();
    r.scenario = r.command = r.engine_error = r.trace_hash = text;
    r.properties[0].id = r.properties[0].title = r.properties[0].note = text;
    r.latencies[0].metric = r.latencies[0].phase = text;
    r.stories[0].headline = r.stories[0].replay_command = text;
    r.stories[0].prose.assign(50, text + "\x1b[31m");
    const std::string screen = render_terminal(r, false);
    RC_ASSERT(std::count(screen.begin(), screen.end(), '\n') <= kTerminalLines);
    RC_ASSERT(screen.find('\x1b') == std::string::npos);
    std::istringstream lines(screen);
    for (std::string line; std::getline(lines, line);) {
      RC_ASSERT(columns(line) <= static_cast<std::size_t>(kTerminalColumns));
    }
  }));
}

TEST(Terminal, AnEmptyResultIsSaid) {
  const std::string screen = render_terminal(Result{}, false);
  expect_one_screen(screen);
  EXPECT_TRUE(has(screen, "No property was checked"));
}

}  // namespace
}  // namespace wavetank::reports
