#include "reports/figures/scenario_figures.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/sample_result.hpp"

namespace wavetank::figures {
namespace {

reports::Result result_of_run() {
  reports::Result result = reports::passing_sample();
  result.events = 1'000'000;
  result.messages_sent = 20'000;
  result.devices = 10'000;
  result.peak_rss_bytes = 300'000'000;
  result.virtual_ns = 660'000'000'000;
  result.wall_ns = 330'000'000'000;
  result.resources = {{"rows written", 5, "rows"},
                      {"memory: devices", 4'000'000, "bytes"},
                      {"memory: servers: sessions", 2'000'000, "bytes"},
                      {"memory: servers: logs and keys of sends", 90'000'000, "bytes"},
                      {"memory: network", 90'000'000, "bytes"},
                      {"memory: monitors", 3'000'000, "bytes"},
                      {"memory: monitors: devices", 1'000'000, "bytes"}};
  return result;
}

double figure_value(const std::vector<Figure>& figures, const std::string& name) {
  const auto found = std::ranges::find(figures, name, &Figure::name);
  return found == figures.end() ? -1 : found->value;
}

TEST(ScenarioFigures, OfSeveralRunsTheMedianCounts) {
  const auto figures = figures_of_runs(
      {{"star", result_of_run(), 4.0}, {"star", result_of_run(), 5.0}, {"star", result_of_run(), 9.0}});
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_DOUBLE_EQ(figure_value(figures, "star.events"), 200'000);
  EXPECT_DOUBLE_EQ(figure_value(figures, "star.messages"), 4'000);
  EXPECT_DOUBLE_EQ(figure_value(figures, "star.bytes"), 30'000);
}

TEST(ScenarioFigures, EachWorkloadHasItsOwn) {
  reports::Result few = result_of_run();
  few.events = 3'000'000;
  const auto figures = figures_of_runs({{"star_1m", result_of_run(), 2.0},
                                        {"star_1m_sqlite", result_of_run(), 8.0},
                                        {"growth_10k", few, 2.0},
                                        {"growth_10m", result_of_run(), 1.0},
                                        {"region", result_of_run(), 500.0},
                                        {"college", result_of_run(), 50.0},
                                        {"college_frames", result_of_run(), 20.0}});
  EXPECT_DOUBLE_EQ(figure_value(figures, "star_1m.events"), 500'000);
  EXPECT_DOUBLE_EQ(figure_value(figures, "star_1m.messages"), 10'000);
  EXPECT_DOUBLE_EQ(figure_value(figures, "star_1m.bytes"),
                   900);  // without logs, network, and parts of a part
  EXPECT_DOUBLE_EQ(figure_value(figures, "star_1m_sqlite.events"), 125'000);
  EXPECT_DOUBLE_EQ(figure_value(figures, "growth_10m.peak"), 300e6);
  EXPECT_DOUBLE_EQ(figure_value(figures, "growth.ratio"), 1.5);
  EXPECT_DOUBLE_EQ(figure_value(figures, "region.speed"), 2);
  EXPECT_DOUBLE_EQ(figure_value(figures, "college.seconds"), 50);
  EXPECT_DOUBLE_EQ(figure_value(figures, "college_frames.seconds"), 20);
  EXPECT_EQ(figures.size(), 9U);
  std::vector<Figure> table;
  add_figures(table, figures);  // all of them have names there
}

TEST(ScenarioFigures, GrowthNeedsBothEnds) {
  EXPECT_EQ(figure_value(figures_of_runs({{"growth_10m", result_of_run(), 1.0}}), "growth.ratio"), -1);
  EXPECT_TRUE(figures_of_runs({{"growth_10k", result_of_run(), 1.0}}).empty());
}

TEST(ScenarioFigures, ARunThatFailedHasNoSpeed) {
  EXPECT_THROW(figures_of_runs({{"star", reports::failing_sample(), 4.0}}), FiguresError);
  EXPECT_THROW(figures_of_runs({{"star", result_of_run(), 0.0}}), FiguresError);
  EXPECT_THROW(figures_of_runs({{"stars", result_of_run(), 1.0}}), FiguresError);
  reports::Result empty = result_of_run();
  empty.devices = 0;
  EXPECT_THROW(figures_of_runs({{"star", empty, 4.0}}), FiguresError);
  reports::Result instant = result_of_run();
  instant.wall_ns = 0;
  EXPECT_THROW(figures_of_runs({{"region", instant, 4.0}}), FiguresError);
}

}  // namespace
}  // namespace wavetank::figures
