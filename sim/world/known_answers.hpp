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
inline constexpr KnownAnswer kSmallStar = {0x59152cb6c64a6ee2, 0x38ac7ad5f6fd8fa8};
// small_campus(), seed 1, whatever its fidelity.
inline constexpr KnownAnswer kSmallCampus = {0xebee10bb525daa02, 0x01f7d8ff27b35ba6};

}  // namespace wavetank::sim
