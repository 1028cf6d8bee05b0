// The writes of one transaction, as statements and their values, until somebody runs them.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wavetank::store {

// One run of words: no allocation per write once it has grown. A write is a header, its numbers and, when the
// statement has one, its blob padded to whole words.
class WriteLog {
 public:
  // `statement` is the caller's name for it. Numbers by their 64 bits; at most one blob, the last value,
  // which is copied.
  template <class... Values>
  void add(std::uint8_t statement, const Values&... values) {
    [[maybe_unused]] const std::size_t header = words_.size();  // unused without values
    words_.push_back(statement);
    (put(header, values), ...);
  }

  bool empty() const { return words_.empty(); }
  void clear() { words_.clear(); }

  // Calls fn(statement, numbers, blob) for each write in their order. The views live until the next change.
  template <class Fn>
  void each(Fn&& fn) const {
    for (std::size_t at = 0; at < words_.size();) {
      const std::uint64_t header = words_[at++];
      const std::span<const std::uint64_t> numbers(words_.data() + at, header >> kCountShift & 0xff);
      at += numbers.size();
      std::optional<std::string_view> blob;
      if ((header & kHasBlob) != 0) {
        blob.emplace(reinterpret_cast<const char*>(words_.data() + at), header >> kSizeShift);
        at += words_of(blob->size());
      }
      fn(static_cast<std::uint8_t>(header), numbers, blob);
    }
  }

 private:
  static constexpr unsigned kCountShift = 8;
  static constexpr std::uint64_t kHasBlob = 1 << 16;
  static constexpr unsigned kSizeShift = 32;
  static constexpr std::size_t words_of(std::size_t bytes) {
    return (bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  }

  template <std::integral Value>
  void put(std::size_t header, const Value& value) {
    words_[header] += 1U << kCountShift;
    words_.push_back(static_cast<std::uint64_t>(value));
  }
  void put(std::size_t header, std::string_view blob) {
    words_[header] |= kHasBlob | static_cast<std::uint64_t>(blob.size()) << kSizeShift;
    const std::size_t at = words_.size();
    words_.resize(at + words_of(blob.size()));
    if (!blob.empty()) std::memcpy(words_.data() + at, blob.data(), blob.size());
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace wavetank::store
