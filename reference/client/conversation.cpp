#include "reference/client/conversation.hpp"

#include <algorithm>

namespace wavetank::client {

std::uint32_t ConversationTable::find(const ConversationId& id) const {
  if (slots_ == nullptr) {
    for (std::uint32_t index = 0; index < size(); ++index) {
      if (rows_[index].id == id) return index;
    }
    return kMissing;
  }
  const std::size_t mask = slots_->size() - 1;
  for (std::size_t slot = IdHash{}(id)&mask;; slot = (slot + 1) & mask) {
    const std::uint32_t stored = (*slots_)[slot];
    if (stored == 0) return kMissing;
    if (rows_[stored - 1].id == id) return stored - 1;
  }
}

std::uint32_t ConversationTable::find_or_add(const ConversationId& id) {
  const std::uint32_t found = find(id);
  if (found != kMissing) return found;
  if (rows_.size() == rows_.capacity()) {
    // A quarter more instead of twice as much: with a million devices the slack is what costs.
    rows_.reserve(rows_.size() + std::max<std::size_t>(1, rows_.size() / 4));
  }
  const std::uint32_t index = size();
  rows_.emplace_back().id = id;
  if (size() > kScanLimit) {
    if (slots_ == nullptr || std::size_t{size()} * 4 > slots_->size() * 3) {
      rebuild_index();
    } else {
      insert_slot(index);
    }
  }
  return index;
}

void ConversationTable::reserve(std::size_t count) { rows_.reserve(count); }

void ConversationTable::clear() {
  rows_.clear();
  slots_.reset();
}

std::size_t ConversationTable::heap_bytes() const {
  std::size_t bytes = rows_.capacity() * sizeof(Conversation);
  if (slots_ != nullptr) bytes += sizeof(*slots_) + slots_->capacity() * sizeof(std::uint32_t);
  return bytes;
}

void ConversationTable::insert_slot(std::uint32_t index) {
  const std::size_t mask = slots_->size() - 1;
  std::size_t slot = IdHash{}(rows_[index].id) & mask;
  while ((*slots_)[slot] != 0) slot = (slot + 1) & mask;
  (*slots_)[slot] = index + 1;
}

void ConversationTable::rebuild_index() {
  std::size_t slots = 64;
  while (slots < static_cast<std::size_t>(size()) * 2) slots *= 2;
  slots_ = std::make_unique<std::vector<std::uint32_t>>(slots, 0U);
  for (std::uint32_t index = 0; index < size(); ++index) insert_slot(index);
}

}  // namespace wavetank::client
