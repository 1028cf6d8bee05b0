// Numbers and texts as bytes: the alphabet of the history file. Integers are little-endian base 128 with a
// continuation bit (varint), at most ten bytes; texts are their length and their bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wavetank::history {

// Bytes that pass through zlib at a time.
inline constexpr std::size_t kPiece = 1U << 16;

inline void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}
// Small whatever the sign.
inline void put_signed(std::string& out, std::int64_t number) {
  put_number(out, static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63));
}
// Eight bytes, for what has no small values.
inline void put_word(std::string& out, std::uint64_t word) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(word >> (8 * i)));
}
inline void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}

// Takes them back. What goes beyond the bytes, or is no number, makes ok() false for good and gives zeros.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  // The reader has found something that cannot be.
  void refuse() { fail(); }
  std::string_view rest() const { return rest_; }

  std::uint8_t byte() {
    if (!ok_ || rest_.empty()) return fail();
    const auto taken = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return taken;
  }
  std::uint64_t number() {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      if (shift == 63 && part > 1) return fail();
      number |= static_cast<std::uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) return ok_ ? number : 0;
    }
    return fail();
  }
  // A number of at most 32 bits.
  std::uint32_t number32() {
    const std::uint64_t wide = number();
    return wide > UINT32_MAX ? fail() : static_cast<std::uint32_t>(wide);
  }
  std::int64_t signed_number() {
    const std::uint64_t folded = number();
    return static_cast<std::int64_t>(folded >> 1 ^ (0 - (folded & 1)));
  }
  std::uint64_t word() {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word |= static_cast<std::uint64_t>(byte()) << (8 * i);
    return word;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (!ok_ || size > rest_.size()) {
      fail();
      return {};
    }
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::uint8_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace wavetank::history
