#include "sim/runner/history_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
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

constexpr const char* kColumns =
    "time_ns\tkind\tcode\tentry_"
    "kind\tflag\tdevice\tuser\tconversation\tsubject\tsender\tconnection\tepoch\tsize\t"
    "key_device\tkey_counter\tseq\tvalue\tvalue2\tdigest\tcanary";

// Takes the columns of one line from left to right.
class Columns {
 public:
  explicit Columns(std::string_view line) : rest_(line) {}

  template <class Number>
  void number(Number& out, int base = 10) {
    const std::string_view word = next();
    const auto read = std::from_chars(word.data(), word.data() + word.size(), out, base);
    ok_ = ok_ && read.ec == std::errc() && read.ptr == word.data() + word.size();
  }
  void number_or_dash(std::uint32_t& out) {
    if (rest_.starts_with("-\t")) {
      next();
      out = history::kNone;
    } else {
      number(out);
    }
  }
  void kind(history::Kind& out) {
    const auto found = std::find(kKindNames.begin(), kKindNames.end(), next());
    ok_ = ok_ && found != kKindNames.end();
    if (ok_) out = static_cast<history::Kind>(found - kKindNames.begin());
  }
  // Everything was read, and nothing is left.
  [[nodiscard]] bool whole() const { return ok_ && ended_; }

 private:
  std::string_view next() {
    ok_ = ok_ && !ended_;
    const std::size_t tab = rest_.find('\t');
    const std::string_view word = rest_.substr(0, tab);
    ended_ = tab == std::string_view::npos;
    rest_ = ended_ ? std::string_view() : rest_.substr(tab + 1);
    return word;
  }

  std::string_view rest_;
  bool ok_ = true;
  bool ended_ = false;
};

bool read_record(std::string_view line, history::Record& r) {
  Columns columns(line);
  std::uint8_t flag = 0;
  columns.number(r.time);
  columns.kind(r.kind);
  columns.number(r.code);
  columns.number(r.entry_kind);
  columns.number(flag);
  columns.number_or_dash(r.device);
  columns.number_or_dash(r.user);
  columns.number_or_dash(r.conversation);
  columns.number_or_dash(r.subject);
  columns.number_or_dash(r.sender);
  columns.number(r.connection);
  columns.number(r.epoch);
  columns.number(r.size);
  columns.number_or_dash(r.key.device);
  columns.number(r.key.counter);
  columns.number(r.seq);
  columns.number(r.value);
  columns.number(r.value2);
  columns.number(r.digest, 16);
  columns.number(r.canary, 16);
  r.flag = flag == 1;
  return columns.whole() && flag <= 1;
}

std::string or_dash(std::uint32_t number) { return number == history::kNone ? "-" : std::to_string(number); }

}  // namespace

std::expected<std::unique_ptr<HistoryFile>, std::string> HistoryFile::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  std::fprintf(file, "%s\n", kColumns);
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

std::expected<void, std::string> read_history(const std::string& path, history::Sink& sink) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return std::unexpected(path + ": cannot be read");
  if (line != kColumns) return std::unexpected(path + ":1: not the columns of a history");
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    history::Record record;
    if (!read_record(line, record))
      return std::unexpected(fmt::format("{}:{}: not a record of a history", path, number));
    sink.on(record);
  }
  return {};
}

}  // namespace wavetank::sim
