// The frame of a history file. README.md describes the whole of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conformance/history/header.hpp"

namespace wavetank::history {

// The first bytes; one byte with the version of the format follows them.
inline constexpr std::string_view kMagic = "wthist\n";
inline constexpr std::uint8_t kFormatVersion = 9;
// Files of this and all formats since are read and judged: kinds are appended, and what a header lacks has
// its default.
inline constexpr std::uint8_t kOldestFormat = 5;
inline constexpr std::size_t kPrefixBytes = kMagic.size() + 1;
// The last bytes: the hash of all before them.
inline constexpr std::size_t kHashBytes = 8;
// Stands where a record's kind would stand, after the last record.
inline constexpr std::uint8_t kEndMark = 0xff;

std::string pack_header(const Header& header);
// False when the bytes are no header of this format. On success `taken` is how many they were.
bool unpack_header(std::string_view bytes, Header& header, std::size_t& taken,
                   std::uint8_t format = kFormatVersion);

// XXH3 over bytes that come piece by piece.
class StreamHash {
 public:
  StreamHash();
  ~StreamHash();
  StreamHash(const StreamHash&) = delete;
  StreamHash& operator=(const StreamHash&) = delete;
  void add(std::string_view bytes);
  std::uint64_t value() const;

 private:
  void* state_;
};

}  // namespace wavetank::history
