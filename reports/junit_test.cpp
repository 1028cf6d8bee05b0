#include "reports/junit.hpp"

#include <gtest/gtest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <map>
#include <sstream>

#include "reports/sample_result.hpp"

namespace wavetank::reports {
namespace {

using boost::property_tree::ptree;

ptree parse(const std::string& xml) {
  std::istringstream in(xml);
  ptree tree;
  boost::property_tree::read_xml(in, tree, boost::property_tree::xml_parser::trim_whitespace);
  return tree;
}

std::map<std::string, ptree> cases(const ptree& tree) {
  std::map<std::string, ptree> out;
  for (const auto& [name, node] : tree.get_child("testsuites.testsuite")) {
    if (name == "testcase") out[node.get<std::string>("<xmlattr>.name")] = node;
  }
  return out;
}

TEST(JUnit, OneCasePerPropertyAndNoneFailsInAPass) {
  const ptree tree = parse(render_junit(passing_sample()));
  const auto all = cases(tree);
  EXPECT_EQ(all.size(), 18U);
  EXPECT_EQ(tree.get<int>("testsuites.<xmlattr>.tests"), 18);
  EXPECT_EQ(tree.get<int>("testsuites.<xmlattr>.failures"), 0);
  EXPECT_EQ(tree.get<int>("testsuites.<xmlattr>.skipped"), 0);
  for (const auto& [id, node] : all) {
    EXPECT_EQ(node.count("failure") + node.count("skipped") + node.count("error"), 0U) << id;
    EXPECT_EQ(node.get<std::string>("<xmlattr>.classname"), "wavetank.college");
  }
}

TEST(JUnit, FailureOnlyForFailSkippedForTheRest) {
  const Result r = failing_sample();
  const ptree tree = parse(render_junit(r));
  const auto all = cases(tree);
  EXPECT_EQ(tree.get<int>("testsuites.testsuite.<xmlattr>.failures"), 1);
  EXPECT_EQ(tree.get<int>("testsuites.testsuite.<xmlattr>.skipped"), 2);
  EXPECT_EQ(tree.get<int>("testsuites.testsuite.<xmlattr>.errors"), 0);
  const ptree& failure = all.at("DUR-ACKED").get_child("failure");
  EXPECT_NE(failure.get<std::string>("<xmlattr>.message").find(r.properties[9].note), std::string::npos);
  EXPECT_NE(failure.data().find(r.stories[0].replay_command), std::string::npos);
  EXPECT_TRUE(
      all.at("RD-MULTIDEV").get<std::string>("skipped.<xmlattr>.message").starts_with("inconclusive"));
  EXPECT_TRUE(
      all.at("SND-DEFINITE").get<std::string>("skipped.<xmlattr>.message").starts_with("not exercised"));
}

TEST(JUnit, AnEngineErrorIsAnError) {
  Result r = passing_sample();
  r.engine_error = "lost \x01 & <found>";
  const ptree tree = parse(render_junit(r));
  EXPECT_EQ(tree.get<int>("testsuites.<xmlattr>.errors"), 1);
  EXPECT_EQ(tree.get<int>("testsuites.<xmlattr>.tests"), 19);
  EXPECT_EQ(cases(tree).at("engine").get<std::string>("error.<xmlattr>.message"),
            "lost \xEF\xBF\xBD & <found>");
}

}  // namespace
}  // namespace wavetank::reports
