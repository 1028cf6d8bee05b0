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

// Room for that many elements, and an eighth of them more when it has to be made: what one array of a million
// sessions would waste by doubling is more than the copies cost. O(1) amortised for each element.
template <class T>
void make_room(std::vector<T>& vector, std::size_t count) {
  if (count > vector.capacity()) vector.reserve(count + count / 8);
}
// At least that many elements.
template <class T>
void grow_to(std::vector<T>& vector, std::size_t count) {
  if (count <= vector.size()) return;
  make_room(vector, count);
  vector.resize(count);
}

// Of a boost::unordered_flat_map or _set: its places, free ones too, and a byte and a fifteenth of each one's
// hash.
template <class Table>
std::size_t flat_bytes(const Table& table) {
  const std::size_t places = table.bucket_count();
  return block_bytes(places * sizeof(typename Table::value_type) + places * 16 / 15);
}

}  // namespace wavetank
