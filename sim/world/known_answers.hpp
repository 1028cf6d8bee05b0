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
inline constexpr KnownAnswer kSmallStar = {0xf7b29bc63128d928, 0xa25424bd2318c251};
// small_campus(), seed 1, whatever its fidelity.
inline constexpr KnownAnswer kSmallCampus = {0x356c98c8aa6a8279, 0x3c128117c0b59983};

}  // namespace wavetank::sim
