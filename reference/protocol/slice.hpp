// Shared immutable bytes: payloads and unknown fields travel through the whole house without being copied.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace wavetank {

// A reference-counted, immutable run of bytes. Copying is O(1) and shares; the bytes live until the last copy
// dies. Safe to copy between threads. At most 2^32 - 1 bytes.
class Slice {
 public:
  Slice() = default;
  // Copies `bytes` into a block of its own.
  explicit Slice(std::string_view bytes) : Slice(allocate(bytes.size())) {
    if (!bytes.empty()) std::memcpy(block_->data(), bytes.data(), bytes.size());
  }
  Slice(const Slice& other) : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Slice(Slice&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Slice() { release(); }

  // A slice of `size` bytes that `fill(char*)` writes once, before anybody else sees them.
  template <class Fill>
  static Slice make(std::size_t size, Fill&& fill) {
    Slice slice = allocate(size);
    if (size != 0) fill(slice.block_->data());
    return slice;
  }

  std::string_view view() const {
    return block_ == nullptr ? std::string_view() : std::string_view(block_->data(), block_->size);
  }
  const char* data() const { return block_ == nullptr ? nullptr : block_->data(); }
  std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  bool empty() const { return size() == 0; }
  friend bool operator==(const Slice& a, const Slice& b) { return a.view() == b.view(); }

 private:
  struct Block {
    std::atomic<std::uint32_t> references;
    std::uint32_t size;
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };

  static Slice allocate(std::size_t size) {
    Slice slice;
    if (size != 0) {
      slice.block_ = new (::operator new(sizeof(Block) + size)) Block{1, static_cast<std::uint32_t>(size)};
    }
    return slice;
  }
  void release() {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      block_->~Block();
      ::operator delete(block_);
    }
  }

  Block* block_ = nullptr;
};

}  // namespace wavetank
