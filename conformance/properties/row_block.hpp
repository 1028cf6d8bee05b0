// The rows of one conversation: one for each device or user that has anything to do with it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "conformance/properties/memory.hpp"
#include "reference/environment/randomness.hpp"

namespace wavetank::conformance {

// 32 bits that may stand at any even address.
class Packed32 {
 public:
  Packed32() = default;
  Packed32(std::uint32_t value)
      : low_(static_cast<std::uint16_t>(value)), high_(static_cast<std::uint16_t>(value >> 16)) {}
  operator std::uint32_t() const { return static_cast<std::uint32_t>(high_) << 16 | low_; }

 private:
  std::uint16_t low_ = 0;
  std::uint16_t high_ = 0;
};

// Rows by the number of their owner, `Row::who`, which is below 2^32 - 1. Rows are copied as bytes when the
// block grows: references hold until the next row is added. Nothing is removed, and a row keeps its position.
// find and find_or_add are O(1), amortised over growth.
//
// An owner's rows lie side by side: what goes to all members of a conversation goes through one stretch of
// memory. An empty block is 8 bytes; others are one block on the heap: 4 bytes, the rows with room for a
// sixteenth more of them (or one), and above kScanned rows an index of 1.5 slots of 1 byte each, above 254
// of 1.25 slots of 2, above 65,534 of 4 bytes.
template <class Row>
class RowBlock {
  static_assert(std::is_trivially_copyable_v<Row> && alignof(Row) <= 2);

 public:
  std::uint32_t size() const {
    std::uint32_t size = 0;
    if (memory_ != nullptr) std::memcpy(&size, memory_.get(), sizeof size);
    return size;
  }
  Row& row(std::uint32_t position) { return rows()[position]; }
  const Row& row(std::uint32_t position) const { return const_cast<RowBlock*>(this)->row(position); }

  // Where the owner's row is; size() when there is none.
  std::uint32_t position_of(std::uint32_t who) const {
    const std::uint32_t count = size();
    if (count == 0) return 0;
    const Row* const rows = const_cast<RowBlock*>(this)->rows();
    const Layout layout = layout_of(count);
    if (layout.slots == 0) {
      std::uint32_t at = 0;
      while (at < count && rows[at].who != who) ++at;
      return at;
    }
    for (std::uint32_t slot = first_slot(who, layout);; slot = next(slot, layout)) {
      const std::uint32_t at = read_slot(slot, layout);
      if (at == layout.free()) return count;
      if (rows[at].who == who) return at;
    }
  }
  Row* find(std::uint32_t who) {
    const std::uint32_t at = position_of(who);
    return at == size() ? nullptr : &row(at);
  }
  const Row* find(std::uint32_t who) const { return const_cast<RowBlock*>(this)->find(who); }

  // Counts what it adds in `account`.
  Row& find_or_add(std::uint32_t who, JudgeMemory::Rows& account) {
    const std::uint32_t count = size();
    const std::uint32_t at = position_of(who);
    if (at < count) return row(at);
    if (count == layout_of(count).capacity) grow(count, account);
    Row fresh{};
    fresh.who = who;
    std::memcpy(static_cast<void*>(&row(count)), &fresh, sizeof fresh);
    set_size(count + 1);
    const Layout layout = layout_of(count + 1);
    if (layout.slots != 0) enter(count, layout);
    ++account.rows;
    return row(count);
  }

  // Asks for the memory that find() will look at first, and, when that is there, for what find(who) looks at
  // then. O(1).
  void expect() const {
    if (memory_ != nullptr) prefetch(memory_.get(), kHead + 2 * sizeof(Row));
  }
  void expect(std::uint32_t who) const {
    if (memory_ == nullptr) return;
    const Layout layout = layout_of(size());
    if (layout.slots != 0) prefetch(slot_at(first_slot(who, layout), layout), 1);
  }

 private:
  static constexpr std::uint32_t kScanned = 8;
  static constexpr std::size_t kHead = sizeof(std::uint32_t);

  // All of it follows from the number of rows.
  struct Layout {
    std::uint32_t capacity = 0;
    std::uint32_t slots = 0;
    std::uint32_t width = 0;  // of a slot, in bytes
    std::uint32_t free() const { return width == 1 ? 0xffU : width == 2 ? 0xffffU : 0xffffffffU; }
    std::size_t bytes() const { return kHead + capacity * sizeof(Row) + std::size_t{slots} * width; }
  };
  static Layout layout_of(std::uint32_t count) {
    Layout layout;
    if (count == 0) return layout;
    const std::uint32_t step = std::max<std::uint32_t>(2, std::bit_floor(count) / 16);
    layout.capacity = (count + step - 1) & ~(step - 1);
    if (layout.capacity <= kScanned) return layout;
    layout.width = layout.capacity < 0xff ? 1 : layout.capacity < 0xffff ? 2 : 4;
    layout.slots = layout.capacity + layout.capacity / (layout.width == 1 ? 2 : 4);
    return layout;
  }

  Row* rows() { return reinterpret_cast<Row*>(memory_.get() + kHead); }
  void set_size(std::uint32_t size) { std::memcpy(memory_.get(), &size, sizeof size); }

  static std::uint32_t first_slot(std::uint32_t who, const Layout& layout) {
    return static_cast<std::uint32_t>((mix64(who) >> 32) * layout.slots >> 32);
  }
  static std::uint32_t next(std::uint32_t slot, const Layout& layout) {
    return slot + 1 == layout.slots ? 0 : slot + 1;
  }
  std::byte* slot_at(std::uint32_t slot, const Layout& layout) const {
    return memory_.get() + kHead + layout.capacity * sizeof(Row) + std::size_t{slot} * layout.width;
  }
  std::uint32_t read_slot(std::uint32_t slot, const Layout& layout) const {
    const std::byte* at = slot_at(slot, layout);
    if (layout.width == 1) return static_cast<std::uint8_t>(*at);
    std::uint32_t value = 0;
    std::memcpy(&value, at, layout.width);  // little-endian
    return value;
  }
  void enter(std::uint32_t position, const Layout& layout) {
    std::uint32_t slot = first_slot(row(position).who, layout);
    while (read_slot(slot, layout) != layout.free()) slot = next(slot, layout);
    std::memcpy(slot_at(slot, layout), &position, layout.width);
  }

  void grow(std::uint32_t count, JudgeMemory::Rows& account) {
    const Layout before = layout_of(count);
    const Layout after = layout_of(count + 1);
    auto memory = std::make_unique<std::byte[]>(after.bytes());
    if (count > 0) std::memcpy(memory.get(), memory_.get(), kHead + count * sizeof(Row));
    memory_ = std::move(memory);
    if (after.slots != 0) {
      std::memset(slot_at(0, after), 0xff, std::size_t{after.slots} * after.width);
      for (std::uint32_t position = 0; position < count; ++position) enter(position, after);
    }
    if (count > 0) account.bytes -= heap_bytes(before.bytes());
    account.bytes += heap_bytes(after.bytes());
  }

  std::unique_ptr<std::byte[]> memory_;
};
static_assert(std::endian::native == std::endian::little);

}  // namespace wavetank::conformance
