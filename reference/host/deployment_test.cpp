#include "reference/host/deployment.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "reference/host/test_folder.hpp"

namespace wavetank::host {
namespace {

TEST(Deployment, CountsItsStarts) {
  const TestFolder folder;
  EXPECT_EQ(enter_deployment(folder / "data", 2).boots, 1u);
  EXPECT_EQ(enter_deployment(folder / "data", 2).boots, 2u);
  EXPECT_EQ(enter_deployment(folder / "other", 2).boots, 1u);
}

TEST(Deployment, RefusesAnotherNumberOfShards) {
  const TestFolder folder;
  enter_deployment(folder / "data", 2);
  EXPECT_THROW(enter_deployment(folder / "data", 3), StartFailure);
  EXPECT_EQ(enter_deployment(folder / "data", 2).boots, 2u);
}

TEST(Deployment, RefusesWhatItCannotRead) {
  const TestFolder folder;
  std::ofstream(folder / "data.deployment") << "wavetank-deployment 99\n";
  EXPECT_THROW(enter_deployment(folder / "data", 1), StartFailure);
  EXPECT_THROW(enter_deployment(folder / "missing/data", 1), StartFailure);
  std::ofstream(folder / "bare") << "rows";
  EXPECT_THROW(enter_deployment(folder / "bare", 1), StartFailure);
}

TEST(Deployment, EveryShardHasAFileOfItsOwn) {
  EXPECT_EQ(shard_file("a/data", 0), "a/data");
  EXPECT_EQ(shard_file("a/data", 2), "a/data.2");
}

}  // namespace
}  // namespace wavetank::host
