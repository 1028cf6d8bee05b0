#include "reports/figures/figures.hpp"

#include <gtest/gtest.h>

#include "reports/figures/figures_page.hpp"
#include "reports/figures/figures_table.hpp"
#include "reports/figures/history.hpp"

namespace wavetank::figures {
namespace {

BenchmarkTimes times(double processor_ns) { return {processor_ns, processor_ns, {}}; }

double value_of(const std::vector<Figure>& figures, const std::string& name) {
  for (const Figure& figure : figures) {
    if (figure.name == name) return figure.value;
  }
  return -1;
}

// Every benchmark that a figure is read from.
Benchmarks whole_run() {
  Benchmarks b;
  b["hold/wheel/1000000"] = times(50);
  b["hold/binary_heap/1000000"] = times(400);
  b["hold/wheel/10000000"] = times(80);
  b["hold/binary_heap/10000000"] = times(720);
  b["encode_ours/send"] = times(20);
  b["encode_generated_fresh/send"] = times(90);
  b["encode_generated_reused/send"] = times(80);
  b["decode_ours/send"] = times(50);
  b["decode_generated_fresh/send"] = times(75);
  b["decode_generated_reused/send"] = times(85);
  b["mixed<SqliteEngine>"] = {500, 1000, {{"rows/s", 20'000}}};  // half of the time it waited for the disk
  b["mixed<MemoryEngine>"] = {100, 100, {{"rows/s", 800'000}}};
  b["judge_records/devices:100000/members:2/each:4/ahead:1"] = {1, 1, {{"items_per_second", 5e6}}};
  b["judge_records/devices:100000/members:20/each:4/ahead:1"] = {1, 1, {{"items_per_second", 4e6}}};
  b["judge_records/devices:100000/members:200/each:1/ahead:1"] = {1, 1, {{"items_per_second", 3e6}}};
  return b;
}

TEST(Figures, EachIsReadFromItsBenchmarks) {
  const auto figures = figures_of(whole_run());
  ASSERT_EQ(figures.size(), 12U);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    EXPECT_EQ(figures[i].name, figure_names()[i].name);
    EXPECT_EQ(figures[i].unit, figure_names()[i].unit);
  }
  EXPECT_DOUBLE_EQ(value_of(figures, "kernel.events.1m"), 20e6);
  EXPECT_DOUBLE_EQ(value_of(figures, "kernel.events.10m"), 12.5e6);
  EXPECT_DOUBLE_EQ(value_of(figures, "kernel.ratio.1m"), 8);
  EXPECT_DOUBLE_EQ(value_of(figures, "kernel.ratio.10m"), 9);
  EXPECT_DOUBLE_EQ(value_of(figures, "codec.encode"), 4);    // against the faster way, reused
  EXPECT_DOUBLE_EQ(value_of(figures, "codec.decode"), 1.5);  // against the faster way, fresh
  EXPECT_DOUBLE_EQ(value_of(figures, "store.sqlite"), 40'000);
  EXPECT_DOUBLE_EQ(value_of(figures, "store.memory"), 800'000);
  EXPECT_DOUBLE_EQ(value_of(figures, "store.ratio"), 20);
  EXPECT_DOUBLE_EQ(value_of(figures, "monitors.2"), 5e6);
  EXPECT_DOUBLE_EQ(value_of(figures, "monitors.20"), 4e6);
  EXPECT_DOUBLE_EQ(value_of(figures, "monitors.200"), 3e6);
}

TEST(Figures, WhatDidNotRunIsLeftOutAndNothingElse) {
  for (const auto& [gone, times_of_it] : whole_run()) {
    Benchmarks benchmarks = whole_run();
    benchmarks.erase(gone);
    const std::size_t lost = figures_of(whole_run()).size() - figures_of(benchmarks).size();
    const bool other_way_is_left = gone.contains("generated");
    EXPECT_EQ(lost == 0, other_way_is_left) << gone;
    EXPECT_LE(lost, 2U) << gone;
  }
  EXPECT_TRUE(figures_of({}).empty());
}

TEST(Figures, AreAddedInTheOrderOfTheTable) {
  std::vector<Figure> figures = figures_of(whole_run());
  add_figures(figures, {{"star.bytes", 2, "bytes/device"}, {"star.events", 1, "events/s"}});
  ASSERT_EQ(figures.size(), 14U);
  EXPECT_EQ(figures[12].name, "star.events");
  EXPECT_EQ(figures[13].name, "star.bytes");
  EXPECT_THROW(add_figures(figures, {{"star.events", 1, "events/s"}}), FiguresError);
  EXPECT_THROW(add_figures(figures, {{"star.evnts", 1, "events/s"}}), FiguresError);
}

FigureRun sample_run() {
  return {"2026-01-02T03:04:05Z", "abc1234", "a \"quoted\" machine, 2 processors", "2.5", "g++ 12",
          figures_of(whole_run())};
}

TEST(FiguresHistory, ALineComesBackAsItWas) {
  const FigureRun run = sample_run();
  FigureRun first = run;
  first.date = "2025";
  const std::string text = history_line(first) + history_line(run);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const FigureRun back = last_run(text);
  EXPECT_EQ(back.date, run.date);
  EXPECT_EQ(back.commit, run.commit);
  EXPECT_EQ(back.machine, run.machine);
  EXPECT_EQ(back.load, run.load);
  EXPECT_EQ(back.compiler, run.compiler);
  ASSERT_EQ(back.figures.size(), run.figures.size());
  for (std::size_t i = 0; i < run.figures.size(); ++i) {
    EXPECT_EQ(back.figures[i].name, run.figures[i].name);
    EXPECT_EQ(back.figures[i].unit, run.figures[i].unit);
    EXPECT_DOUBLE_EQ(back.figures[i].value, run.figures[i].value);
  }
}

std::string history_problem(const std::string& text) {
  try {
    last_run(text);
  } catch (const FiguresError& error) {
    return error.what();
  }
  return "none";
}

TEST(FiguresHistory, WhatIsWrongIsSaidWithItsLine) {
  const std::string good = history_line(sample_run());
  EXPECT_EQ(history_problem(good + "\n" + good), "none");
  EXPECT_EQ(history_problem(""), "no line of figures in it");
  EXPECT_EQ(history_problem(good + good.substr(0, 80)), "line 2: not JSON, or cut off");
  EXPECT_EQ(history_problem("{}\n" + good), "line 1: not a line of figures");
  EXPECT_EQ(history_problem("[1]\n"), "line 1: not a line of figures");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string line = good;
    return line.replace(line.find(from), from.size(), to);
  };
  EXPECT_EQ(history_problem(changed("\"schemaVersion\":1", "\"schemaVersion\":2")),
            "line 1: not of schemaVersion 1");
  EXPECT_EQ(history_problem(changed("\"commit\"", "\"comit\"")), "line 1: 'commit' is missing or not a text");
  EXPECT_EQ(history_problem(changed("20000000.0", "\"fast\"")), "line 1: a figure has no value above 0");
  EXPECT_EQ(history_problem(changed("20000000.0", "-1")), "line 1: a figure has no value above 0");
  EXPECT_EQ(history_problem(changed("\"figures\":[", "\"figures\":[7,")), "line 1: a figure is no object");
}

TEST(FiguresTable, ValuesRatiosAndWhatIsMissing) {
  FigureRun run = sample_run();
  const std::string alone = render_figures(run, std::nullopt);
  EXPECT_NE(
      alone.find(
          "bare kernel, 1 M events pending                     20.0 M  events/s        2.00 of 10.0 M\n"),
      std::string::npos)
      << alone;
  EXPECT_EQ(alone.find("against the earlier"), std::string::npos);

  FigureRun earlier = run;
  earlier.date = "2025-12-31T00:00:00Z";
  earlier.figures[0].value *= 2;
  earlier.figures.pop_back();
  run.figures.erase(run.figures.begin() + 1);
  const std::string both = render_figures(run, earlier);
  EXPECT_NE(both.find("earlier: 2025-12-31T00:00:00Z, commit abc1234"), std::string::npos) << both;
  EXPECT_NE(both.find("20.0 M  events/s        2.00 of 10.0 M    0.50\n"), std::string::npos) << both;
  EXPECT_NE(
      both.find("bare kernel, 10 M events pending                         -  not measured in this run\n"),
      std::string::npos)
      << both;
  EXPECT_NE(both.find("3.00 M  records/s                         -\n"), std::string::npos) << both;
  EXPECT_EQ(both.find("differ"), std::string::npos);
  earlier.machine = "another";
  EXPECT_NE(render_figures(run, earlier).find("only \"times as fast\" can be compared"), std::string::npos);
}

TEST(FiguresPage, OfEachFigureTheLastValueIsShown) {
  FigureRun older{"2026-01-02T03:04:05Z",
                  "old|1",
                  "M",
                  "1",
                  "C",
                  {{"kernel.events.1m", 5e6, "events/s"}, {"college.seconds", 60, "s"}}};
  FigureRun newer{"2026-02-02T03:04:05Z",
                  "new1",
                  "M",
                  "1",
                  "C",
                  {{"kernel.events.1m", 20e6, "events/s"}, {"star.events", 7, "events/s"}}};
  EXPECT_EQ(render_page({older, newer}),
            "| figure | value | goal | reached | measured |\n| --- | --- | --- | --- | --- |\n"
            "| bare kernel, 1 M events pending | 20.0 M events/s | 10.0 M | 2.00 | 2026-02-02, new1 |\n"
            "| star, 10,000 devices: events | 7.00 events/s |  |  | 2026-02-02, new1 |\n"
            "| college on one core, bytes, SQLite | 60.0 s | 30.0 | 0.50 | 2026-01-02, old1 |\n"
            "\nM, C. Where less is better, `reached` is the goal divided by the value.\n");
}

TEST(FiguresTable, OfAGoalWithLessTheValueDivides) {
  FigureRun run = sample_run();
  run.figures = {{"growth.ratio", 1.5, "times as long"}, {"college.seconds", 60, "s"}};
  const std::string table = render_figures(run, std::nullopt);
  EXPECT_NE(table.find("1.50  times as long   2.00 of 3.00\n"), std::string::npos) << table;
  EXPECT_NE(table.find("60.0  s               0.50 of 30.0\n"), std::string::npos) << table;
}

TEST(FiguresTable, NumbersKeepThreeDigits) {
  EXPECT_EQ(figure_text(8.806), "8.81");
  EXPECT_EQ(figure_text(9.996), "10.0");
  EXPECT_EQ(figure_text(99.96), "100");
  EXPECT_EQ(figure_text(123.4), "123");
  EXPECT_EQ(figure_text(999.9), "1.00 k");
  EXPECT_EQ(figure_text(13'240'000), "13.2 M");
  EXPECT_EQ(figure_text(2.5e9), "2.50 G");
}

}  // namespace
}  // namespace wavetank::figures
