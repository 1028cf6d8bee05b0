#include "reference/store/known_send_keys.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace wavetank::store {
namespace {

SendKey key_of(std::uint64_t hi, std::uint64_t lo = 0, DeviceIndex device = 0) {
  return {{1, 2}, 3, device, {hi, lo}};
}
SendKeyRow row_at(std::uint64_t seq) { return {seq, seq, 0, 0}; }

TEST(KnownSendKeys, ANewerKeyThanAllOfTheTableIsNowhereElse) {
  const KnownSendKeys keys(100);
  EXPECT_FALSE(keys.find(key_of(101)));
  EXPECT_FALSE(keys.may_be_elsewhere(key_of(101)));
  EXPECT_TRUE(keys.may_be_elsewhere(key_of(100)));
  EXPECT_TRUE(keys.may_be_elsewhere(key_of(1)));
}

TEST(KnownSendKeys, TellsApartWhatDiffersInOnePartOnly) {
  KnownSendKeys keys(0);
  keys.put(key_of(5, 1), row_at(9));
  EXPECT_EQ(keys.find(key_of(5, 1))->conv_seq, 9u);
  EXPECT_FALSE(keys.find(key_of(5, 2)));
  EXPECT_FALSE(keys.find(key_of(5, 1, 1)));
  EXPECT_FALSE(keys.may_be_elsewhere(key_of(5, 2)));
}

// Beside a map of everything: what the object denies has no row, and what it holds is right, whatever the
// order of the ids and however much it let go.
TEST(KnownSendKeys, NeverDeniesARow) {
  const auto prop = [](std::uint64_t newest, const std::vector<std::uint16_t>& steps) {
    KnownSendKeys keys(newest);
    std::map<std::uint64_t, std::uint64_t> all;  // key to seq; all at or below `newest` may be in the table
    std::uint64_t seq = 0;
    const auto put = [&](std::uint64_t hi) {
      keys.put(key_of(hi), row_at(++seq));
      all[hi] = seq;
    };
    for (const std::uint16_t step : steps) {
      put(step);
      // Now and then enough to make it forget.
      if (step % 7 == 0) {
        for (std::uint64_t i = 0; i < KnownSendKeys::kMost; ++i) put(70'000 + i);
      }
      for (const std::uint64_t probe :
           {std::uint64_t{step}, std::uint64_t{step} + 1, std::uint64_t{69'999}}) {
        const auto found = keys.find(key_of(probe));
        const auto truth = all.find(probe);
        if (found) RC_ASSERT(truth != all.end() && found->conv_seq == truth->second);
        if (!found && !keys.may_be_elsewhere(key_of(probe))) {
          RC_ASSERT(truth == all.end() && probe > newest);
        }
      }
    }
  };
  EXPECT_TRUE(rc::check("a denied key has no row", [&] {
    prop(*rc::gen::inRange<std::uint64_t>(0, 70'000),
         *rc::gen::resize(20, rc::gen::arbitrary<std::vector<std::uint16_t>>()));
  }));
}

}  // namespace
}  // namespace wavetank::store
