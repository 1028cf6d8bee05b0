// Page buffers of one simulated disk: taken and given back in constant time, without an allocation per page.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

namespace wavetank::sim {

inline constexpr std::size_t kDiskPageBytes = 4096;

struct DiskPage {
  alignas(64) std::byte bytes[kDiskPageBytes];
};

// Owns every page it ever handed out; memory goes back to the host when the pool is destroyed.
class PagePool {
 public:
  // A page with undefined content. It stays valid until release() or the end of the pool.
  DiskPage* acquire() {
    if (free_.empty()) grow();
    DiskPage* page = free_.back();
    free_.pop_back();
    return page;
  }

  DiskPage* acquire_zeroed() {
    DiskPage* page = acquire();
    std::memset(page->bytes, 0, kDiskPageBytes);
    return page;
  }

  // Gives a page back; null is allowed and ignored.
  void release(DiskPage* page) {
    if (page != nullptr) free_.push_back(page);
  }

  // Bytes of host memory held, free pages included.
  std::size_t reserved_bytes() const {
    return slabs_.size() * kPagesPerSlab * kDiskPageBytes + free_.capacity() * sizeof(DiskPage*);
  }

  std::size_t pages_in_use() const { return slabs_.size() * kPagesPerSlab - free_.size(); }

 private:
  static constexpr std::size_t kPagesPerSlab = 64;

  void grow() {
    slabs_.push_back(std::make_unique_for_overwrite<DiskPage[]>(kPagesPerSlab));
    free_.reserve(slabs_.size() * kPagesPerSlab);
    // Lowest address last, so that consecutive pages of a file are neighbours in memory.
    for (std::size_t i = kPagesPerSlab; i > 0; --i) free_.push_back(&slabs_.back()[i - 1]);
  }

  std::vector<std::unique_ptr<DiskPage[]>> slabs_;
  std::vector<DiskPage*> free_;
};

}  // namespace wavetank::sim
