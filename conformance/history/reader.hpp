// Reads a history file back. A file that is cut short, damaged or of another version is an error before its
// first record is handed out.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "conformance/history/header.hpp"
#include "conformance/history/record.hpp"
#include "conformance/history/record_codec.hpp"

namespace wavetank::history {

// The bytes of a file. Errors are one line: the path and what the system says.
std::expected<std::string, std::string> read_bytes(const std::string& path);

class Reader {
 public:
  // Checks the magic, the version and the hash of the whole, then reads the header. Errors are what is wrong,
  // without a path: "is no history file", ...
  static std::expected<Reader, std::string> open(std::string bytes);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  const Header& header() const { return header_; }

  // The next record; false after the last one. An error is final. O(1) amortised.
  std::expected<bool, std::string> next(Record& record);

 private:
  struct Inflater;
  explicit Reader(std::string bytes);
  // Makes at least `wanted` plain bytes ready, or all that are left. False when the stream is damaged.
  bool fill(std::size_t wanted);
  bool is_at_end() const;

  std::string bytes_;
  std::unique_ptr<Inflater> inflater_;
  std::size_t inflated_ = 0;  // of bytes_
  std::string plain_;
  std::size_t taken_ = 0;  // of plain_
  Header header_;
  RecordDecoder decoder_;
  std::uint64_t records_ = 0;
  bool ended_ = false;
};

// Hands out every record of a file, in their order, and returns its header. Errors are one line that begins
// with the path; what a truncated or damaged file holds is not handed out.
std::expected<Header, std::string> read_file(const std::string& path,
                                             const std::function<void(const Record&)>& take);

}  // namespace wavetank::history
