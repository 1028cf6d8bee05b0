#include "sim/kernel/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace wavetank::sim {

void RollingHash::add_bytes(const void* data, std::size_t size) { add(XXH3_64bits(data, size)); }

}  // namespace wavetank::sim
