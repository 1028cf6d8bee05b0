// Writes a history file while its run goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "conformance/history/format.hpp"
#include "conformance/history/header.hpp"
#include "conformance/history/record.hpp"
#include "conformance/history/record_codec.hpp"

namespace wavetank::history {

// begin(), every record in the order of its time, finish(). `out` must outlive the writer; it gets whole
// pieces, and the file is not valid before finish() has returned true. Memory: about 4 MiB.
class Writer final : public Sink {
 public:
  explicit Writer(std::ostream& out);
  ~Writer() override;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Once, before the first record.
  void begin(const Header& header);
  // Throws std::invalid_argument for a record without a kind.
  void on(const Record& record) override;
  // The end mark and the hash. False when anything could not be written (a full disk). Once, after begin().
  bool finish();

  std::uint64_t records() const { return records_; }

 private:
  struct Deflater;
  void flush(bool is_last);
  void put(std::string_view bytes);

  std::ostream& out_;
  std::unique_ptr<Deflater> deflater_;
  RecordEncoder encoder_;
  StreamHash hash_;
  std::string plain_;
  std::uint64_t records_ = 0;
};

}  // namespace wavetank::history
