#include "sim/runner/history_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace wavetank::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(history::Kind::kCount)> kKindNames = {
    "device",
    "conversation",
    "phase",
    "fault",
    "heal",
    "crash",
    "restart",
    "quiesce",
    "end",
    "connected",
    "disconnected",
    "device_restart",
    "send_invoked",
    "send_transmitted",
    "send_acked",
    "send_failed",
    "received",
    "tombstone",
    "sync_invoked",
    "sync_completed",
    "fetch_invoked",
    "fetch_completed",
    "delivered_sent",
    "read_invoked",
    "cursor_acked",
    "receipt_seen",
    "send_at_gateway",
    "event_leaves_gateway",
    "device_state",
    "conversation_state"};

std::string or_dash(std::uint32_t number) { return number == history::kNone ? "-" : std::to_string(number); }

}  // namespace

std::expected<std::unique_ptr<HistoryFile>, std::string> HistoryFile::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  std::fputs(
      "time_ns\tkind\tcode\tentry_"
      "kind\tflag\tdevice\tuser\tconversation\tsubject\tsender\tconnection\tepoch\tsize\tkey_device\tkey_"
      "counter\t"
      "seq\tvalue\tvalue2\tdigest\tcanary\n",
      file);
  return std::unique_ptr<HistoryFile>(new HistoryFile(file));
}

HistoryFile::~HistoryFile() { close(); }

bool HistoryFile::close() {
  if (file_ == nullptr) return true;
  const bool whole = std::ferror(file_) == 0;
  const bool closed = std::fclose(file_) == 0;
  file_ = nullptr;
  return whole && closed;
}

void HistoryFile::on(const history::Record& r) {
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line),
                 "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:016x}\t{:016x}\n",
                 r.time, kKindNames[static_cast<std::size_t>(r.kind)], r.code, r.entry_kind, r.flag ? 1 : 0,
                 or_dash(r.device), or_dash(r.user), or_dash(r.conversation), or_dash(r.subject),
                 or_dash(r.sender), r.connection, r.epoch, r.size, or_dash(r.key.device), r.key.counter,
                 r.seq, r.value, r.value2, r.digest, r.canary);
  std::fwrite(line.data(), 1, line.size(), file_);
}

}  // namespace wavetank::sim
