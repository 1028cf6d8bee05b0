// A sliding window over dense numbers: what happened to the messages n, n + 1, ... of one counter.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

namespace wavetank::conformance {

// The memory that all windows of one judge share. Up to its limit every window grows and nothing is
// forgotten; above it a window keeps its last kLeast elements and slides.
struct HistoryBudget {
  std::size_t limit = 512ULL << 20;
  std::size_t used = 0;
  std::uint64_t forgotten = 0;  // elements that slid out
};

// Elements by number. T is default-constructible and cheap to copy; a default one means "nothing known".
// 16 bytes when empty. find and open are O(1), amortised over growth.
template <class T>
class Window {
 public:
  static constexpr std::uint32_t kLeast = 64;        // never slides below this many
  static constexpr std::uint64_t kFarthest = 65536;  // a number this far above the window is not believed

  Window() = default;
  Window(Window&&) noexcept = default;
  Window& operator=(Window&&) noexcept = default;

  // The element with this number, or nullptr when the window does not hold it.
  T* find(std::uint64_t number) {
    if (number - base_ >= capacity_) return nullptr;
    return &ring_[number & (capacity_ - 1)];
  }
  const T* find(std::uint64_t number) const { return const_cast<Window*>(this)->find(number); }

  // The element, made room for when needed; nullptr when it is older than the window or absurdly far above
  // it.
  T* open(std::uint64_t number, HistoryBudget& budget) {
    if (number - base_ < capacity_) return &ring_[number & (capacity_ - 1)];
    if (number < base_ || number - base_ - capacity_ > kFarthest) return nullptr;
    make_room(static_cast<std::uint32_t>(number), budget);
    return &ring_[number & (capacity_ - 1)];
  }

  // Numbers below this one were forgotten (or never existed: numbers start at 1).
  std::uint32_t first() const { return base_; }
  bool has_forgotten(std::uint64_t number) const { return number < base_; }
  std::size_t bytes() const { return capacity_ * sizeof(T); }

 private:
  void make_room(std::uint32_t number, HistoryBudget& budget) {
    const std::uint32_t wanted = std::bit_ceil(std::max<std::uint32_t>(2, number - base_ + 1));
    const std::size_t extra = (wanted - capacity_) * sizeof(T);
    if (wanted <= kLeast || budget.used + extra <= budget.limit) {
      grow(wanted);
      budget.used += extra;
      return;
    }
    if (capacity_ < kLeast) {
      budget.used += (kLeast - capacity_) * sizeof(T);
      grow(kLeast);
    }
    slide_to(number, budget);
  }

  void grow(std::uint32_t capacity) {
    auto ring = std::make_unique<T[]>(capacity);
    for (std::uint32_t i = 0; i < capacity_; ++i) {
      ring[(base_ + i) & (capacity - 1)] = ring_[(base_ + i) & (capacity_ - 1)];
    }
    ring_ = std::move(ring);
    capacity_ = capacity;
  }

  // Drops the oldest until `number` fits.
  void slide_to(std::uint32_t number, HistoryBudget& budget) {
    const std::uint32_t steps = number - base_ - capacity_ + 1;
    for (std::uint32_t i = 0; i < std::min(steps, capacity_); ++i) ring_[(base_ + i) & (capacity_ - 1)] = T();
    budget.forgotten += steps;
    base_ += steps;
  }

  std::unique_ptr<T[]> ring_;
  std::uint32_t capacity_ = 0;  // 0 or a power of two
  std::uint32_t base_ = 1;
};

}  // namespace wavetank::conformance
