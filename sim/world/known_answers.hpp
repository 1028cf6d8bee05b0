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
inline constexpr KnownAnswer kSmallStar = {0x59aca98e6fdb563e, 0x969435132048a5b9};
// small_campus(), seed 1, whatever its fidelity.
inline constexpr KnownAnswer kSmallCampus = {0xbd03dba22c3778aa, 0xe96cd032f4fec0e8};

}  // namespace wavetank::sim
