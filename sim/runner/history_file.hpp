// Writes a history as text, and reads it back: one line for each record, tab-separated, after one line that
// names the columns.
#pragma once

#include <cstdio>
#include <expected>
#include <memory>
#include <string>

#include "conformance/history/record.hpp"

namespace wavetank::sim {

class HistoryFile final : public history::Sink {
 public:
  // Errors are one line: the path and what the system says.
  static std::expected<std::unique_ptr<HistoryFile>, std::string> create(const std::string& path);
  ~HistoryFile() override;
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  void on(const history::Record& record) override;
  // False when a write failed (a full disk): the file is then not whole.
  bool close();

 private:
  explicit HistoryFile(std::FILE* file) : file_(file) {}
  std::FILE* file_;
};

// Lets the sink hear every record of such a file, in its order. Errors are one line: the file, the line and
// what is wrong with it. Memory: one line.
std::expected<void, std::string> read_history(const std::string& path, history::Sink& sink);

}  // namespace wavetank::sim
