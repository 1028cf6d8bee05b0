// Every check of the gate, shown on a registry that is broken in this one way.
#include "conformance/requirements/gate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wavetank::conformance {
namespace {

constexpr std::string_view kProperties = R"(
property { id: "ORD-ONE" level: "MUST" title: "One" text: "All is one." rationale: "So it is." source: "Own" }
)";
constexpr std::string_view kOrder = R"(
requirement {
  id: "ORD-ONE-001" level: "MUST" since: 1 text: "Each is one." rationale: "So it is." source: "Own"
  oracle: "ORD-ONE" test: "Order.IsKept" test: "conf/order/ORD-ONE-001/one" defect: "not-one" mutant: "two-for-one"
}
requirement {
  id: "ORD-ONE-002" level: "MUST" since: 2 profile: "groups" text: "Each is one, too." rationale: "So it is." source: "Own"
  test: "Order.IsKept"
}
requirement {
  id: "ORD-TWO-001" level: "SHOULD" since: 1 text: "Two is fine." rationale: "So it is." source: "Own"
}
)";
constexpr std::string_view kClient = R"(
requirement { id: "CLI-ONE-001" level: "MUST" since: 1 text: "It is one." rationale: "So it is." source: "Own" }
)";
constexpr std::string_view kDebt = R"(
unbroken: "ORD-ONE-002" unbroken: "CLI-ONE-001"
unproved: "CLI-ONE-001"
)";

// A whole registry of four rules and one property, and what it speaks of. A test breaks one thing.
struct House {
  std::string properties{kProperties};
  std::string order{kOrder};
  std::string client{kClient};
  std::string debt{kDebt};
  Evidence evidence{{"Order.IsKept", "Order.OfNoRule"},
                    {{"conf/order/ORD-ONE-001/one", "ORD-ONE-001"}},
                    {{"not-one", "ORD-ONE"}},
                    {{"two-for-one", {"ORD-ONE-001"}}, {"one-at-last", {}}},
                    2};

  // Replaces the only `from` in `text`.
  static void change(std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    ASSERT_EQ(text.find(from, at + to.size()), std::string::npos) << from << " stands there twice";
  }
  std::vector<std::string> complaints() const {
    const RecordFile files[] = {
        {"properties", properties}, {"order", order}, {"client", client}, {"debt", debt}};
    const auto registry = Registry::read(files);
    if (!registry) return {registry.error()};
    return conformance::complaints(*registry, evidence);
  }
  // There is this complaint and no other.
  void expect(const std::string& complaint) const {
    EXPECT_EQ(complaints(), std::vector<std::string>{complaint});
  }
};

TEST(Gate, LetsAWholeRegistryPass) { EXPECT_EQ(House().complaints(), std::vector<std::string>{}); }

TEST(Gate, AnIdIsGivenOnce) {
  House house;
  House::change(house.client, "CLI-ONE-001", "ORD-ONE-001");
  const auto complaints = house.complaints();
  ASSERT_FALSE(complaints.empty());
  EXPECT_EQ(complaints[0], "ORD-ONE-001: the id is given twice");
}

TEST(Gate, AnIdHasItsForm) {
  for (const char* id : {"CLI-ONE-1", "cli-ONE-001", "CLI-001", "CLIENT-ONE-001", "CLI-ONE001", "", "X"}) {
    House house;
    House::change(house.client, "CLI-ONE-001", id);
    house.debt = "unbroken: \"ORD-ONE-002\"";
    const auto complaints = house.complaints();
    ASSERT_FALSE(complaints.empty()) << id;
    EXPECT_EQ(complaints[0], std::string(id) + ": the id of a rule is AREA-TOPIC-number, as SND-IDEM-002");
  }
  House house;
  House::change(house.properties, "ORD-ONE", "ORD-ONE-001");
  EXPECT_NE(house.complaints(), std::vector<std::string>{});
  house = House();
  house.properties +=
      R"(property { id: "LONE" level: "MUST" title: "L" text: "T." rationale: "R." source: "S" })";
  house.expect("LONE: the id of a property is AREA-TOPIC, as SND-IDEM");
}

TEST(Gate, NumbersHaveNoGap) {
  House house;
  House::change(house.order, "ORD-TWO-001", "ORD-TWO-002");
  house.expect("ORD-TWO-002: number 001 of its topic is missing");
}

TEST(Gate, AnAreaStandsInOneFile) {
  House house;
  house.client +=
      R"(requirement { id: "ORD-SIX-001" level: "SHOULD" since: 1 text: "T." rationale: "R." source: "S" })";
  house.expect("ORD-SIX-001: its area stands in order.txtpb, not in client.txtpb");
}

TEST(Gate, EveryFieldIsThere) {
  const struct {
    const char* from;
    const char* to;
    const char* complaint;
  } mistakes[] = {
      {"level: \"MUST\"", "", "level '' is neither MUST nor SHOULD"},
      {"\"MUST\"", "\"MAY\"", "level 'MAY' is neither MUST nor SHOULD"},
      {"text: \"It is one.\"", "", "text must be whole and end with a full stop"},
      {"It is one.", "It is one", "text must be whole and end with a full stop"},
      {"It is one.", "It is one. Or two.", "text is more than one sentence"},
      {"It is one.", "It | is one.", "text cannot stand in a table"},
      {"rationale: \"So it is.\"", "", "rationale must be whole and end with a full stop"},
      {"source: \"Own\"", "", "source is missing"},
      {"since: 1", "", "since must be a version of the protocol, 1 to 2"},
      {"since: 1", "since: 3", "since must be a version of the protocol, 1 to 2"},
      {"since: 1", "since: 1 profile: \"extra\"",
       "there is no profile 'extra'; there are core, groups, receipts, typing, presence"},
  };
  for (const auto& mistake : mistakes) {
    House house;
    House::change(house.client, mistake.from, mistake.to);
    const auto complaints = house.complaints();
    ASSERT_FALSE(complaints.empty()) << mistake.complaint;
    EXPECT_EQ(complaints[0], "CLI-ONE-001: " + std::string(mistake.complaint));
  }
  House house;
  House::change(house.properties, "title: \"One\"", "");
  house.expect("ORD-ONE: title must have 1 to 60 characters");
  house = House();
  House::change(house.properties, "title: \"One\"", "title: \"" + std::string(61, 'x') + "\"");
  house.expect("ORD-ONE: title must have 1 to 60 characters");
}

TEST(Gate, NothingIsNamedTwice) {
  House house;
  House::change(house.order, "defect: \"not-one\"", "defect: \"not-one\" defect: \"not-one\"");
  house.expect("ORD-ONE-001: names something twice");
  house = House();
  House::change(house.order, "mutant: \"two-for-one\"", "mutant: \"two-for-one\" mutant: \"two-for-one\"");
  house.expect("ORD-ONE-001: names something twice");
}

TEST(Gate, WhatARecordNamesIsThere) {
  House house;
  House::change(house.order, "oracle: \"ORD-ONE\"", "oracle: \"ORD-ONE\" oracle: \"ORD-NONE\"");
  house.expect("ORD-ONE-001: there is no property 'ORD-NONE'");
  house = House();
  House::change(house.order, "oracle: \"ORD-ONE\"", "oracle: \"ORD-ONE-001\"");  // a rule is no property
  house.expect("ORD-ONE-001: there is no property 'ORD-ONE-001'");
  house = House();
  house.evidence.tests.erase("Order.IsKept");
  EXPECT_EQ(house.complaints(), (std::vector<std::string>{"ORD-ONE-001: there is no test 'Order.IsKept'",
                                                          "ORD-ONE-002: there is no test 'Order.IsKept'"}));
  house = House();
  house.evidence.cases.clear();
  house.expect("ORD-ONE-001: there is no black-box case 'conf/order/ORD-ONE-001/one'");
  house = House();
  house.evidence.mutants.erase("two-for-one");
  house.expect("ORD-ONE-001: there is no mutant 'two-for-one'");
  house = House();
  house.evidence.defects.clear();
  house.expect("ORD-ONE-001: there is no seeded defect 'not-one'");
}

TEST(Gate, ACaseIsMadeForARule) {
  House house;
  house.evidence.cases["conf/order/ORD-SIX-001/six"] = "ORD-SIX-001";
  house.expect(
      "conf/order/ORD-SIX-001/six: the case is made for 'ORD-SIX-001', which is not in the registry");
  house = House();
  house.evidence.cases["conf/order/ORD-ONE/property"] = "ORD-ONE";
  house.expect("conf/order/ORD-ONE/property: the case is made for 'ORD-ONE', which is not in the registry");
  house = House();
  house.evidence.cases["conf/order/ORD-ONE-001/two"] = "ORD-ONE-001";
  house.expect("conf/order/ORD-ONE-001/two: the case is made for ORD-ONE-001, whose record does not name it");
}

TEST(Gate, ADefectIsCaughtByAProperty) {
  House house;
  house.evidence.defects["not-two"] = "ORD-TWO";
  house.expect("not-two: the defect must be caught by 'ORD-TWO', which is no property of the registry");
}

TEST(Gate, AMutantBreaksWhatNamesItAndIsSeenByACase) {
  House house;
  house.evidence.mutants["three"] = {"ORD-SIX-001"};
  house.expect("three: the mutant breaks 'ORD-SIX-001', which is not in the registry");
  house = House();
  house.evidence.mutants["two-for-one"].push_back("ORD-ONE-002");
  house.expect("two-for-one: the mutant breaks ORD-ONE-002, whose record does not name it");
  house = House();
  house.evidence.mutants["two-for-one"].clear();
  house.expect("ORD-ONE-001: the mutant two-for-one does not say that it breaks it");
  house = House();
  house.evidence.cases.clear();
  House::change(house.order, " test: \"conf/order/ORD-ONE-001/one\"", "");
  house.expect("ORD-ONE-001: a mutant breaks it, and it names no black-box case");
}

TEST(Gate, AMustIsHeldByAPropertyOrATest) {
  House house;
  House::change(house.debt, "unproved: \"CLI-ONE-001\"", "");
  house.expect("CLI-ONE-001: neither a property nor a test holds it");
  for (const char* held :
       {"source: \"Own\" oracle: \"ORD-ONE\"", "source: \"Own\" test: \"Order.OfNoRule\""}) {
    House with;
    House::change(with.client, "source: \"Own\"", held);
    with.expect("CLI-ONE-001: it is held now; take it from the unproved in debt.txtpb");
    House::change(with.debt, "unproved: \"CLI-ONE-001\"", "");
    EXPECT_EQ(with.complaints(), std::vector<std::string>{});
  }
}

TEST(Gate, DebtIsListedAndOnlyShrinks) {
  House house;
  House::change(house.debt, "unbroken: \"ORD-ONE-002\"", "");
  house.expect(
      "ORD-ONE-002: neither a seeded defect nor a mutant breaks it, and debt.txtpb does not list it as "
      "unbroken");
  house = House();
  house.debt += "unbroken: \"ORD-ONE-001\"";
  const char* const paid =
      "ORD-ONE-001: a seeded defect or a mutant breaks it; take it from the unbroken in debt.txtpb";
  house.expect(paid);
  House::change(house.order, "defect: \"not-one\"", "");  // the mutant is enough
  house.expect(paid);
  house = House();
  house.debt += "unbroken: \"ORD-ONE-002\"";
  house.expect("ORD-ONE-002: is listed twice as unbroken");
  house = House();
  house.debt += "unproved: \"ORD-SIX-001\"";
  house.expect("ORD-SIX-001: is listed as unproved and is no rule");
  house = House();
  house.debt += "unbroken: \"ORD-TWO-001\"";
  house.expect("ORD-TWO-001: is listed as unbroken and is no MUST");
}

}  // namespace
}  // namespace wavetank::conformance
