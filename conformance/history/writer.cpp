#include "conformance/history/writer.hpp"

#include <zlib.h>

#include <array>
#include <new>
#include <stdexcept>

namespace wavetank::history {

namespace {
// Half the time of zlib's own choice for files a few per cent larger.
constexpr int kLevel = 4;
}  // namespace

struct Writer::Deflater {
  z_stream stream{};
  Deflater() {
    if (deflateInit(&stream, kLevel) != Z_OK) throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
};

Writer::Writer(std::ostream& out) : out_(out), deflater_(std::make_unique<Deflater>()) {}

Writer::~Writer() = default;

void Writer::begin(const Header& header) {
  std::string prefix(kMagic);
  prefix.push_back(static_cast<char>(kFormatVersion));
  put(prefix);
  plain_ = pack_header(header);
}

void Writer::on(const Record& record) {
  if (record.kind >= Kind::kCount) throw std::invalid_argument("a record of a history has no kind");
  encoder_.encode(record, plain_);
  ++records_;
  if (plain_.size() >= kPiece) flush(false);
}

bool Writer::finish() {
  plain_.push_back(static_cast<char>(kEndMark));
  put_number(plain_, records_);
  flush(true);
  std::string hash;
  put_word(hash, hash_.value());
  put(hash);
  out_.flush();
  return out_.good();
}

void Writer::put(std::string_view bytes) {
  hash_.add(bytes);
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void Writer::flush(bool is_last) {
  z_stream& stream = deflater_->stream;
  // zlib's interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(plain_.data());
  stream.avail_in = static_cast<uInt>(plain_.size());
  std::array<char, kPiece> packed;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, is_last ? Z_FINISH : Z_NO_FLUSH);
    put({packed.data(), packed.size() - stream.avail_out});
  } while (stream.avail_out == 0);
  plain_.clear();
}

}  // namespace wavetank::history
