#include "conformance/defects/kill_matrix.hpp"

#include <gtest/gtest.h>

namespace wavetank::conformance {
namespace {

Kill kill_of(std::size_t number, std::vector<Catch> caught_by, std::uint64_t seed = 1) {
  Kill kill;
  kill.record = &seeded_defects()[number];
  for (const Catch& one : caught_by) kill.killed = kill.killed || one.property == kill.record->property;
  kill.seed = seed;
  kill.seeds_tried = 1;
  kill.caught_by = std::move(caught_by);
  return kill;
}

// Of the catalogue's first record: sequence-per-connection, ORD-AGREE.
TEST(KillMatrix, ALineSaysWhoSawIt) {
  EXPECT_EQ(kill_line(kill_of(0, {{"ORD-AGREE", 7}, {"DLV-GAPFREE", 2}}, 3)),
            "| sequence-per-connection | community | 3 | ORD-AGREE | ORD-AGREE, DLV-GAPFREE |\n");
  EXPECT_EQ(kill_line(kill_of(0, {{"DLV-GAPFREE", 2}})),
            "| sequence-per-connection | community | 1 | SURVIVED | DLV-GAPFREE |\n");
}

TEST(KillMatrix, AgreesWithWhatItWrote) {
  const std::vector<Kill> kills = {kill_of(0, {{"ORD-AGREE", 7}}), kill_of(1, {{"ORD-AGREE", 1}})};
  EXPECT_EQ(kill_differences(kill_table(kills), kills, true), "");
  // How many violations and how long it took are not of the table.
  std::vector<Kill> slower = kills;
  slower[0].caught_by[0].violations = 9;
  slower[0].seconds = 100;
  EXPECT_EQ(kill_differences(kill_table(kills), slower, true), "");
}

TEST(KillMatrix, NamesWhatIsAnotherMissingOrTooMuch) {
  const Kill first = kill_of(0, {{"ORD-AGREE", 7}});
  const Kill second = kill_of(1, {{"ORD-AGREE", 7}});
  const std::string table = kill_table(std::vector{first, second});
  const Kill other = kill_of(0, {{"ORD-AGREE", 7}}, 2);
  EXPECT_EQ(kill_differences(table, std::vector{other, second}, true),
            "+ | sequence-per-connection | community | 2 | ORD-AGREE | ORD-AGREE |\n"
            "- | sequence-per-connection | community | 1 | ORD-AGREE | ORD-AGREE |\n");
  EXPECT_EQ(kill_differences(table, std::vector{first}, true),
            "- | history-sorted-by-time | pages | 1 | ORD-AGREE | ORD-AGREE |\n");
  EXPECT_EQ(kill_differences(table, std::vector{first}, false), "");
  EXPECT_EQ(kill_differences("", std::vector{first}, false),
            "+ | sequence-per-connection | community | 1 | ORD-AGREE | ORD-AGREE |\n");
}

TEST(KillMatrix, ThePageShowsCatchesMissesAndSurvivors) {
  const std::string page =
      kill_page(std::vector{kill_of(0, {{"ORD-AGREE", 7}, {"DLV-GAPFREE", 2}}), kill_of(1, {})});
  EXPECT_NE(page.find("1 of 2 seeded defects killed"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"good\">7</td>"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"seen\">2</td>"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"bad\">missed</td>"), std::string::npos);
  EXPECT_NE(page.find("<tr class=\"bad\">"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::conformance
