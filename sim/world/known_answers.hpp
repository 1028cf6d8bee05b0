// The hashes that two small worlds must have on every compiler, optimisation level and machine. A change of
// behaviour, protocol or scenario changes them; a change of anything else must not.
//
// To pin them anew, run
//   <build>/bin/world_test --gtest_filter='KnownAnswers.*'
// and copy the numbers that the failures print.
#pragma once

#include <cstdint>

namespace wavetank::sim {

struct KnownAnswer {
  std::uint64_t trace;
  std::uint64_t history;
};

// small_star(), seed 1.
inline constexpr KnownAnswer kSmallStar = {0x5e0bd33e679150c2, 0xe919a46f7ead5ba8};
// small_campus(), seed 1, whatever its fidelity.
inline constexpr KnownAnswer kSmallCampus = {0x77c58def270831c9, 0xc4f31294102b9b64};

}  // namespace wavetank::sim
