#include "sim/runner/memory_limit.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wavetank::sim {
namespace {

constexpr std::int64_t kGiB = 1LL << 30;

TEST(MemoryLimit, SaysWhenAndHowMuch) {
  const MemoryLimit limit(2 * kGiB, "--max-memory allows");
  const Progress progress{1500 * kMillisecond, 60 * kSecond, 0, 0, {}};
  EXPECT_NO_THROW(limit.check(progress, 2 * kGiB));
  try {
    limit.check(progress, 3 * kGiB);
    FAIL() << "three are more than two";
  } catch (const MemoryExceeded& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("after 1.5 of 60 s the run has taken 3.00 GiB, more than the 2.00 GiB that "
                        "--max-memory allows; "),
              std::string::npos)
        << text;
  }
}

TEST(MemoryLimit, NoneLetsEverythingPass) { EXPECT_NO_THROW(MemoryLimit(0, "").check({}, 1000 * kGiB)); }

TEST(MemoryLimit, ReadsTheKernelsBook) {
  const std::int64_t before = resident_bytes();
  EXPECT_GT(before, 0);
  EXPECT_GE(peak_resident_bytes(), before);
  EXPECT_GT(available_bytes(), 0);
  EXPECT_NO_THROW(MemoryLimit::of_machine().check({}, before));
}

}  // namespace
}  // namespace wavetank::sim
