// The gate: the records are whole and true, and what is written from them is up to date.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conformance/requirements/gate.hpp"
#include "conformance/requirements/version_rules.hpp"
#include "conformance/traceability/documents.hpp"
#include "conformance/traceability/evidence.hpp"
#include "reference/protocol/versions.hpp"

namespace wavetank::conformance {
namespace {

TEST(Repository, TheRegistryIsWholeAndTrue) {
  const auto evidence = evidence_of(checkout());
  ASSERT_TRUE(evidence.has_value()) << evidence.error();
  for (const std::string& complaint : complaints(registry(), *evidence)) ADD_FAILURE() << complaint;
}

// A number only ever gets smaller here.
TEST(Repository, TheDebtHasNotGrown) {
  EXPECT_EQ(registry().unbroken().size(), 8U) << "debt.txtpb: paid some back? then lower the number here";
  EXPECT_EQ(registry().unproved().size(), 0U) << "debt.txtpb: paid some back? then lower the number here";
}

TEST(Repository, WrittenDocumentsAreUpToDate) {
  const auto list = documents(registry(), checkout());
  ASSERT_TRUE(list.has_value()) << list.error();
  for (const Document& document : *list) {
    EXPECT_TRUE(document.found == document.wanted)
        << document.path << " differs from the records; mend with ./wavetank conform list --write";
  }
}

// The judges have their own words of versions; they must say what the protocol says.
TEST(Repository, TheJudgesKnowTheVersionsOfTheProtocol) {
  for (std::uint32_t version = 1; version <= protocol::kNextVersion; ++version) {
    EXPECT_EQ(features_known(version), protocol::features_of(version));
    for (std::uint8_t kind = 0; kind < 16; ++kind) {
      const auto entry = static_cast<protocol::EntryKind>(kind);
      EXPECT_EQ(is_entry_kind_known(kind, version), protocol::is_known(entry, version)) << +kind;
      EXPECT_EQ(feature_of_entry(kind), protocol::feature_of(entry)) << +kind;
    }
    EXPECT_EQ(is_newer_version(version), version > protocol::kVersion);
  }
}

// The gate can only be as good as what it is told of.
TEST(Repository, TheEvidenceIsTheWholeCheckout) {
  const auto evidence = evidence_of(checkout());
  ASSERT_TRUE(evidence.has_value()) << evidence.error();
  EXPECT_GT(evidence->tests.size(), 500U);
  EXPECT_TRUE(evidence->tests.contains("Repository.TheEvidenceIsTheWholeCheckout"));
  EXPECT_TRUE(evidence->tests.contains("DifferentialTest.WeReadTheGeneratedBytes"));  // RC_GTEST_PROP
  EXPECT_TRUE(evidence->tests.contains("StoreContract.MarksAreOneRowPerDevice"));     // TEST_P
  EXPECT_GT(evidence->cases.size(), 40U);
  EXPECT_EQ(evidence->defects.size(), 179U);
  EXPECT_EQ(evidence->defects.at("ack-before-sync"), "DUR-ACKED");
  EXPECT_GT(evidence->mutants.size(), 100U);
  EXPECT_EQ(evidence->mutants.at("sends-overtake"), std::vector<std::string>{"ORD-FIFO-001"});
  EXPECT_TRUE(evidence->mutants.at("slow-answers").empty());
  EXPECT_EQ(evidence->protocol_version, 2U);
  EXPECT_FALSE(evidence_of(checkout() / "no-such-folder").has_value());
}

}  // namespace
}  // namespace wavetank::conformance
