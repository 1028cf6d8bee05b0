#include "sim/runner/history_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace wavetank::sim {

std::expected<std::unique_ptr<HistoryFile>, std::string> HistoryFile::create(const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  return std::unique_ptr<HistoryFile>(new HistoryFile(std::move(file)));
}

bool HistoryFile::close() {
  const bool whole = writer_.finish();
  file_.close();
  return whole && file_.good();
}

}  // namespace wavetank::sim
