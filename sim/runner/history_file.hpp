// The history of a run as a file on disk; the format is conformance/history's.
#pragma once

#include <expected>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "conformance/history/writer.hpp"

namespace wavetank::sim {

class HistoryFile final : public history::Sink {
 public:
  // Errors are one line: the path and what the system says.
  static std::expected<std::unique_ptr<HistoryFile>, std::string> create(const std::string& path);

  // Once, before the first record.
  void begin(const history::Header& header) { writer_.begin(header); }
  void on(const history::Record& record) override { writer_.on(record); }
  // After the last record; once. False when a write failed (a full disk): the file is then not whole.
  bool close();

 private:
  explicit HistoryFile(std::ofstream file) : file_(std::move(file)), writer_(file_) {}
  std::ofstream file_;
  history::Writer writer_;
};

}  // namespace wavetank::sim
