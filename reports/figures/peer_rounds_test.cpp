#include "reports/figures/peer_rounds.hpp"

#include <gtest/gtest.h>

namespace wavetank::figures {
namespace {

std::string rounds_problem(const std::string& text) {
  try {
    parse_rounds(text);
  } catch (const FiguresError& error) {
    return error.what();
  }
  return "none";
}

TEST(PeerRounds, RatiosAreTakenRoundByRound) {
  // Ours slows down with the machine, and so does the peer: the ratio stays.
  const std::string text = render_rounds(parse_rounds(
      "1\tmessages\twavetank\t20000\t4\n1\tmessages\tslow\t20000\t8\n1\tmessages\tquick\t20000\t2\n"
      "2\tmessages\twavetank\t20000\t8\n2\tmessages\tslow\t20000\t16\n2\tmessages\tquick\t20000\t5\n"
      "3\tmessages\twavetank\t20000\t2\n3\tmessages\tslow\t20000\t5\n3\tmessages\tquick\t20000\t1\n"
      "1\thold\twavetank\t1e6\t0.1\n1\thold\tqueue\t1e6\t0.7\n1\thold\tstd::x\t1e6\t0.2\n"));
  EXPECT_NE(
      text.find("slow                                            2.50 k   1.25 k .. 4.00 k                "
                "2   2 .. 2.5\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("against the fastest peer (quick): 0.5 (0.5 .. 0.625 over 3 rounds)\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("against the fastest peer (queue): 7 (7 .. 7 over 1 rounds)\n"), std::string::npos)
      << text;
}

TEST(PeerRounds, APeerWithoutARoundInCommonHasNoRatio) {
  const std::string text =
      render_rounds(parse_rounds("1\tmessages\twavetank\t10\t1\n2\tmessages\tpeer\t10\t1\n"));
  EXPECT_EQ(text.find("against"), std::string::npos) << text;
  EXPECT_NE(text.find("peer                                              10.0   10.0 .. 10.0\n"),
            std::string::npos)
      << text;
}

TEST(PeerRounds, TheirRatiosAreFigures) {
  const auto figures = figures_of_rounds(parse_rounds(
      "1\tmessages\twavetank\t20\t1\n1\tmessages\tns-3, UDP\t20\t6\n1\tmessages\tSimGrid, actors\t20\t2\n"
      "2\tmessages\twavetank\t20\t1\n2\tmessages\tns-3, UDP\t20\t8\n"
      "1\thold\twavetank\t10\t1\n1\thold\tns-3 a\t10\t9\n1\thold\tns-3 b\t10\t5\n1\thold\tstd::x\t10\t2\n"));
  ASSERT_EQ(figures.size(), 3U);
  std::vector<Figure> table;
  add_figures(table, figures);  // all of them have names there
  EXPECT_EQ(table[0].name, "peers.hold");
  EXPECT_DOUBLE_EQ(table[0].value, 5);
  EXPECT_EQ(table[1].name, "peers.ns3");
  EXPECT_DOUBLE_EQ(table[1].value, 7);
  EXPECT_EQ(table[2].name, "peers.simgrid");
  EXPECT_DOUBLE_EQ(table[2].value, 2);
  EXPECT_TRUE(figures_of_rounds(parse_rounds("1\thold\twavetank\t10\t1\n")).empty());
}

TEST(PeerRounds, WhatIsMalformedIsSaidWithItsLine) {
  const std::string good = "1\thold\twavetank\t10\t1\n";
  EXPECT_EQ(rounds_problem(good), "none");
  EXPECT_EQ(rounds_problem(""), "no round in it");
  EXPECT_EQ(rounds_problem(good + "\n"), "line 2: not five fields with tabs between them");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\t10\n"), "line 1: not five fields with tabs between them");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\t10\t1\t1\n"),
            "line 1: not five fields with tabs between them");
  EXPECT_EQ(rounds_problem("0\thold\twavetank\t10\t1\n"), "line 1: the round is no number");
  EXPECT_EQ(rounds_problem("1\tholt\twavetank\t10\t1\n"), "line 1: the job is neither messages nor hold");
  EXPECT_EQ(rounds_problem("1\thold\t\t10\t1\n"), "line 1: the tool has no name");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\t\t1\n"), "line 1: the work is no number above 0");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\tinf\t1\n"), "line 1: the work is no number above 0");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\t10\t1s\n"), "line 1: the processor time is no number above 0");
  EXPECT_EQ(rounds_problem("1\thold\twavetank\t10\t0\n"), "line 1: the processor time is no number above 0");
  EXPECT_EQ(rounds_problem(good + good), "line 2: this tool has done this job in this round already");
}

}  // namespace
}  // namespace wavetank::figures
