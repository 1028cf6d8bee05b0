// A vector whose object takes 16 bytes in place of 24: for what millions of devices have, mostly empty.
#pragma once

#include <algorithm>
#include <boost/container/vector.hpp>
#include <cstdint>

namespace wavetank {

// At most 2^32 - 1 elements; else as std::vector.
template <class T>
using CompactVector = boost::container::vector<
    T, void, boost::container::vector_options_t<boost::container::stored_size<std::uint32_t>>>;
static_assert(sizeof(CompactVector<std::uint64_t>) == 16);

// As std::erase_if, without the count.
template <class T, class Predicate>
void erase_if(CompactVector<T>& vector, Predicate&& predicate) {
  vector.erase(std::remove_if(vector.begin(), vector.end(), predicate), vector.end());
}

}  // namespace wavetank
