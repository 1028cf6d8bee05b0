#include "sim/disk/sqlite_process.hpp"

#include <sqlite3.h>

#include "reference/environment/randomness.hpp"

namespace wavetank::sim {
namespace {

bool configure_and_initialise() {
  // MULTITHREAD: connections carry no mutex, and worlds on several threads stay possible.
  bool pinned = sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK;
  pinned = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK && pinned;
  pinned = sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, sqlite3_int64{0}, sqlite3_int64{0}) == SQLITE_OK && pinned;
  pinned = sqlite3_initialize() == SQLITE_OK && pinned;
  sqlite3_soft_heap_limit64(0);
  sqlite3_hard_heap_limit64(0);
  reset_sqlite_prng(1);
  return pinned;
}

}  // namespace

bool pin_sqlite_process() {
  static const bool pinned = configure_and_initialise();
  return pinned;
}

void reset_sqlite_prng(std::uint64_t seed) {
  // SQLite takes 32 bits and reads 0 as "ask the operating system".
  const std::uint64_t bits = Randomness(seed).bits(Purpose::kSqlite, 1, 0);
  const int narrow = static_cast<int>((bits >> 33) | 1U);
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, narrow, static_cast<sqlite3*>(nullptr));
}

}  // namespace wavetank::sim
