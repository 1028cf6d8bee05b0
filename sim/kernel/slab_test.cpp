#include "sim/kernel/slab.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace wavetank::sim {
namespace {

TEST(Slab, KeepsValuesByIndex) {
  Slab<std::string> slab;
  const std::uint32_t first = slab.put("first");
  const std::uint32_t second = slab.put(std::string(100, 'x'));
  EXPECT_EQ(slab.size(), 2u);
  EXPECT_EQ(slab.at(first), "first");
  slab.at(first) += " changed";
  EXPECT_EQ(slab.take(first), "first changed");
  EXPECT_FALSE(slab.is_live(first));
  EXPECT_TRUE(slab.is_live(second));
  EXPECT_EQ(slab.put("third"), first) << "the place freed last is used first";
  EXPECT_EQ(slab.take(second).size(), 100u);
  EXPECT_EQ(slab.size(), 1u);
}

TEST(Slab, RefusesToTakeWhatIsNotThere) {
  Slab<int> slab;
  EXPECT_THROW(slab.take(0), std::logic_error);
  const std::uint32_t index = slab.put(1);
  slab.take(index);
  EXPECT_THROW(slab.take(index), std::logic_error);
  EXPECT_THROW(slab.take(UINT32_MAX), std::logic_error);
}

TEST(Slab, NeverMovesAValue) {
  Slab<std::uint64_t> slab;
  const std::uint32_t first = slab.put(std::uint64_t{42});
  const std::uint64_t* address = &slab.at(first);
  for (std::uint64_t i = 0; i < 300'000; ++i) slab.put(i);
  EXPECT_EQ(&slab.at(first), address);
  EXPECT_EQ(*address, 42u);
  EXPECT_LT(slab.bytes(), 300'001 * 9u);  // 8 bytes of value, a bit of liveness, one chunk begun
}

TEST(Slab, DestroysEachValueOnce) {
  const auto counter = std::make_shared<int>(0);
  {
    Slab<std::shared_ptr<int>> slab;
    for (int i = 0; i < 10'000; ++i) slab.put(counter);
    EXPECT_EQ(counter.use_count(), 10'001);
    for (std::uint32_t i = 0; i < 10'000; i += 3) slab.take(i);
    EXPECT_EQ(counter.use_count(), 1 + 10'000 - 3'334);
  }
  EXPECT_EQ(counter.use_count(), 1);
}

TEST(Slab, HoldsMoveOnlyAndLargeValues) {
  struct Large {
    std::unique_ptr<int> pointer;
    char bytes[5000];
  };
  Slab<Large> slab;
  for (int i = 0; i < 200; ++i) slab.put(Large{std::make_unique<int>(i), {}});
  for (std::uint32_t i = 0; i < 200; ++i) EXPECT_EQ(*slab.take(i).pointer, static_cast<int>(i));
  EXPECT_TRUE(slab.empty());
}

// The reader sees what was put before, in places next to those that are filled meanwhile.
TEST(Slab, OneThreadMayPutWhileAnotherUsesWhatIsThere) {
  constexpr std::uint32_t kThere = 100;
  Slab<std::uint64_t> slab;
  for (std::uint64_t value = 0; value < kThere; ++value) slab.put(value);
  slab.begin_beside();
  std::thread writer([&] {
    for (std::uint64_t value = 0; value < 100'000; ++value) slab.put(value);
  });
  for (std::uint32_t round = 0; round < 10'000; ++round) {
    const std::uint32_t index = round % kThere;
    ASSERT_TRUE(slab.is_live(index));
    ASSERT_EQ(slab.at(index), index);
    slab.at(index) = index;
  }
  writer.join();
  slab.end_beside();
  EXPECT_EQ(slab.size(), 100'000U + kThere);
}

RC_GTEST_PROP(SlabProperty, AgreesWithAMap, ()) {
  const auto steps = *rc::gen::scale(20.0, rc::gen::arbitrary<std::vector<std::uint32_t>>());
  Slab<std::string> slab;
  std::map<std::uint32_t, std::string> model;
  for (const std::uint32_t step : steps) {
    if (step % 3 != 0 || model.empty()) {
      const std::string value = std::to_string(step) + " and some more, beyond the small string";
      const std::uint32_t index = slab.put(value);
      RC_ASSERT(model.emplace(index, value).second);
    } else {
      auto it = model.lower_bound(step % 64);
      if (it == model.end()) it = model.begin();
      RC_ASSERT(slab.take(it->first) == it->second);
      model.erase(it);
    }
    RC_ASSERT(slab.size() == model.size());
  }
  for (const auto& [index, value] : model) RC_ASSERT(slab.at(index) == value);
}

}  // namespace
}  // namespace wavetank::sim
