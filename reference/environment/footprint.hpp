// What containers hold on the heap: for tables of memory by owner, which name where it goes to the byte a
// reader cares about and not to the last one.
#pragma once

#include <cstddef>
#include <vector>

namespace wavetank {

// What glibc's allocator takes for a block of so many bytes: 8 more, in steps of 16, no less than 32. 0 for
// none.
constexpr std::size_t block_bytes(std::size_t bytes) {
  if (bytes == 0) return 0;
  return bytes <= 24 ? 32 : (bytes + 8 + 15) / 16 * 16;
}

// Without what the elements own.
template <class T>
std::size_t vector_bytes(const std::vector<T>& vector) {
  return block_bytes(vector.capacity() * sizeof(T));
}

// Of a boost::unordered_flat_map or _set: its places, free ones too, and a byte and a fifteenth of each one's
// hash.
template <class Table>
std::size_t flat_bytes(const Table& table) {
  const std::size_t places = table.bucket_count();
  return block_bytes(places * sizeof(typename Table::value_type) + places * 16 / 15);
}

}  // namespace wavetank
