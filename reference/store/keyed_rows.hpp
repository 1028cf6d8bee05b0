// Rows of one conversation in memory, each found by its user and a second number.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <utility>
#include <vector>

#include "reference/protocol/identifiers.hpp"

namespace wavetank::store {

// In the order in which they came; only the newest can be taken out. `kSecond` is the member of a row that
// makes its key with `user`. Few rows are searched; beyond kSearched an index of 24 bytes a row is kept.
// O(1) amortised.
template <class Row, auto kSecond>
class KeyedRows {
 public:
  static constexpr std::size_t kSearched = 32;

  const std::vector<Row>& all() const { return rows_; }

  // The row of the same key; nullptr when there is none. Valid until the next call that is not const.
  Row* find(const Row& like) {
    if (index_.empty()) {
      for (Row& row : rows_) {
        if (row.user == like.user && row.*kSecond == like.*kSecond) return &row;
      }
      return nullptr;
    }
    const auto found = index_.find(key_of(like));
    return found == index_.end() ? nullptr : &rows_[found->second];
  }
  // There is no row of this key.
  void append(const Row& row) {
    rows_.push_back(row);
    if (!index_.empty()) {
      index_.emplace(key_of(row), rows_.size() - 1);
    } else if (rows_.size() > kSearched) {
      for (std::size_t i = 0; i < rows_.size(); ++i) index_.emplace(key_of(rows_[i]), i);
    }
  }
  // There is a row.
  void take_newest() {
    if (!index_.empty()) index_.erase(key_of(rows_.back()));
    rows_.pop_back();
  }

 private:
  static Id128 key_of(const Row& row) { return {row.user, static_cast<std::uint64_t>(row.*kSecond)}; }

  std::vector<Row> rows_;
  boost::unordered_flat_map<Id128, std::size_t, IdHash> index_;  // empty as long as rows are searched
};

}  // namespace wavetank::store
