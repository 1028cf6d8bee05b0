#include "conformance/history/reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <utility>

#include "conformance/history/format.hpp"
#include "conformance/history/packing.hpp"

namespace wavetank::history {

namespace {

constexpr std::size_t kLongestHeader = 1U << 26;

std::unexpected<std::string> damaged(std::string_view why) {
  return std::unexpected(fmt::format("is damaged or cut short: {}", why));
}

}  // namespace

std::expected<std::string, std::string> read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);  // house: read after the run, by a judge
  std::string bytes;
  std::array<char, kPiece> piece;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
    bytes.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  if (!in.is_open() || in.bad()) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  return bytes;
}

struct Reader::Inflater {
  z_stream stream{};
  bool ended = false;
  Inflater() {
    if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

Reader::Reader(std::string bytes) : bytes_(std::move(bytes)), inflater_(std::make_unique<Inflater>()) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

std::expected<Reader, std::string> Reader::open(std::string bytes) {
  const std::string_view all = bytes;
  if (!all.starts_with(kMagic)) {
    const bool is_short = !all.empty() && kMagic.starts_with(all);
    return is_short ? damaged("it ends within its first bytes")
                    : std::unexpected<std::string>(
                          "is no history file ('./wavetank sim run ... --history FILE' "
                          "writes one)");
  }
  if (all.size() < kPrefixBytes) return damaged("it ends within its first bytes");
  const auto version = static_cast<std::uint8_t>(all[kMagic.size()]);
  if (version < kOldestFormat || version > kFormatVersion) {
    return std::unexpected(fmt::format("is a history of format {}; this wavetank reads formats {} to {}",
                                       version, kOldestFormat, kFormatVersion));
  }
  if (all.size() < kPrefixBytes + kHashBytes) return damaged("it ends before its records");
  const std::string_view body = all.substr(0, all.size() - kHashBytes);
  StreamHash hash;
  hash.add(body);
  if (Unpacker(all.substr(body.size())).word() != hash.value()) return damaged("its hash does not match");

  Reader reader(std::move(bytes));
  reader.inflated_ = kPrefixBytes;
  for (std::size_t wanted = 1024;; wanted *= 4) {
    if (!reader.fill(wanted)) return damaged("its compressed part cannot be read");
    if (unpack_header(reader.plain_, reader.header_, reader.taken_, version)) return reader;
    if (reader.inflater_->ended || wanted > kLongestHeader) return damaged("its header cannot be read");
    reader.header_ = {};
  }
}

bool Reader::fill(std::size_t wanted) {
  if (plain_.size() - taken_ >= wanted || inflater_->ended) return true;
  plain_.erase(0, taken_);
  taken_ = 0;
  z_stream& stream = inflater_->stream;
  const std::size_t end = bytes_.size() - kHashBytes;
  std::array<char, kPiece> piece;
  while (plain_.size() < wanted && !inflater_->ended) {
    const auto given = static_cast<uInt>(std::min<std::size_t>(end - inflated_, 1U << 30));
    // zlib's interface is older than const.
    stream.next_in = reinterpret_cast<Bytef*>(bytes_.data() + inflated_);
    stream.avail_in = given;
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    inflated_ += given - stream.avail_in;
    if (code != Z_OK && code != Z_STREAM_END) return false;
    plain_.append(piece.data(), piece.size() - stream.avail_out);
    inflater_->ended = code == Z_STREAM_END;
  }
  return true;
}

bool Reader::is_at_end() const {
  return inflater_->ended && taken_ == plain_.size() && inflated_ == bytes_.size() - kHashBytes;
}

std::expected<bool, std::string> Reader::next(Record& record) {
  if (ended_) return false;
  if (!fill(kLongestRecord)) return damaged("its compressed part cannot be read");
  Unpacker in(std::string_view(plain_).substr(taken_));
  const std::uint8_t kind = in.byte();
  if (in.ok() && kind == kEndMark) {
    const std::uint64_t count = in.number();
    taken_ = plain_.size() - in.rest().size();
    ended_ = true;
    if (!in.ok() || count != records_ || !is_at_end()) return damaged("it holds other records than it says");
    return false;
  }
  if (kind >= static_cast<std::uint8_t>(Kind::kCount)) in.refuse();
  record = decoder_.decode(static_cast<Kind>(kind), in);
  if (!in.ok()) return damaged(fmt::format("record {} cannot be read", records_ + 1));
  taken_ = plain_.size() - in.rest().size();
  ++records_;
  return true;
}

std::expected<Header, std::string> read_file(const std::string& path,
                                             const std::function<void(const Record&)>& take) {
  auto bytes = read_bytes(path);
  if (!bytes) return std::unexpected(bytes.error());
  auto reader = Reader::open(std::move(*bytes));
  if (!reader) return std::unexpected(fmt::format("{} {}", path, reader.error()));
  Record record;
  while (true) {
    const auto more = reader->next(record);
    if (!more) return std::unexpected(fmt::format("{} {}", path, more.error()));
    if (!*more) return reader->header();
    take(record);
  }
}

}  // namespace wavetank::history
