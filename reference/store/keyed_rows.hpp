// Rows of one conversation in memory, each found by its user and a second number.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "reference/environment/footprint.hpp"
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
    if (index_ == nullptr) {
      for (Row& row : rows_) {
        if (row.user == like.user && row.*kSecond == like.*kSecond) return &row;
      }
      return nullptr;
    }
    const auto found = index_->find(key_of(like));
    return found == index_->end() ? nullptr : &rows_[found->second];
  }
  // There is no row of this key.
  void append(const Row& row) {
    rows_.push_back(row);
    if (index_ != nullptr) {
      index_->emplace(key_of(row), rows_.size() - 1);
    } else if (rows_.size() > kSearched) {
      index_ = std::make_unique<Index>();
      for (std::size_t i = 0; i < rows_.size(); ++i) index_->emplace(key_of(rows_[i]), i);
    }
  }
  // There is a row.
  void take_newest() {
    if (index_ != nullptr) index_->erase(key_of(rows_.back()));
    rows_.pop_back();
  }
  // On the heap. O(1).
  std::size_t heap_bytes() const {
    return vector_bytes(rows_) + (index_ == nullptr ? 0 : block_bytes(sizeof(Index)) + flat_bytes(*index_));
  }

 private:
  using Index = boost::unordered_flat_map<Id128, std::size_t, IdHash>;
  static Id128 key_of(const Row& row) { return {row.user, static_cast<std::uint64_t>(row.*kSecond)}; }

  std::vector<Row> rows_;
  std::unique_ptr<Index> index_;  // none as long as rows are searched
};

}  // namespace wavetank::store
