#include "reference/server/placement.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace wavetank::server {
namespace {

TEST(Placement, IdsStayInTheirRegionAndSpreadInsideIt) {
  const Placement placement = Placement::even(1, 64, {{10, 11}, {20, 21, 22}});
  EXPECT_EQ(placement.regions(), 2u);
  EXPECT_EQ(placement.shards(), (std::vector<NodeId>{10, 11, 20, 21, 22}));
  std::map<NodeId, int> users;
  std::map<NodeId, int> groups;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ++users[placement.home((UserId{1} << kRegionShift) | i)];
    ++groups[placement.home(group_conversation(1, i))];
  }
  for (const NodeId shard : {20u, 21u, 22u}) {
    EXPECT_NEAR(users[shard], 1000, 150);
    EXPECT_NEAR(groups[shard], 1000, 150);
  }
  EXPECT_EQ(users.size(), 3u);
  EXPECT_EQ(groups.size(), 3u);
}

TEST(Placement, RegionsThatDoNotExistHaveNoHome) {
  const Placement placement = Placement::even(1, 64, {{10}});
  EXPECT_EQ(placement.home(UserId{1} << kRegionShift), kNoNode);
  EXPECT_EQ(placement.home(ConversationId{~0ULL, 0}), kNoNode);
}

TEST(Placement, AHigherVersionOfABucketIsLearntAndNothingElse) {
  Placement placement = Placement::even(3, 2, {{10, 11}});
  EXPECT_EQ(placement.version_of(1), 3u);
  EXPECT_TRUE(placement.learn(1, 10, 4));
  EXPECT_EQ(placement.home_of_bucket(1), 10u);
  EXPECT_EQ(placement.version_of(1), 4u);
  EXPECT_EQ(placement.home_of_bucket(0), 10u);
  EXPECT_EQ(placement.version_of(0), 3u);
  EXPECT_FALSE(placement.learn(1, 11, 4));
  EXPECT_FALSE(placement.learn(1, 11, 3));
  EXPECT_FALSE(placement.learn(2, 11, 9));  // there is no such bucket
  EXPECT_EQ(placement.home_of_bucket(1), 10u);
  EXPECT_EQ(placement.home_of_bucket(2), kNoNode);
  EXPECT_EQ(placement.version_of(2), 0u);
  EXPECT_EQ(placement.shards(), (std::vector<NodeId>{10, 11}));
}

TEST(Placement, RefusesTablesThatAreNotWhole) {
  EXPECT_THROW(Placement(1, 0, {}), std::invalid_argument);
  EXPECT_THROW(Placement(1, 2, {1, 2, 3}), std::invalid_argument);
  EXPECT_THROW(Placement::even(1, 2, {{}}), std::invalid_argument);
}

}  // namespace
}  // namespace wavetank::server
