// What answers to fetches say: pages whose rows are coming, floors, and what the re-read has covered.
#include <algorithm>

#include "conformance/properties/truth.hpp"

namespace wavetank::conformance {

namespace {
constexpr std::size_t kMostOpenFetches = 1U << 20;

std::uint64_t fetch_key(const Record& record) {
  return mix64(mix64(static_cast<std::uint64_t>(record.device) << 32 | record.conversation) ^ record.size);
}

// 1 + 2 + ... + n and 1 + 4 + ... + n^2, modulo 2^64.
std::uint64_t sum_to(std::uint64_t n) {
  return static_cast<std::uint64_t>(static_cast<Uint128>(n) * (n + 1) / 2);
}
std::uint64_t squares_to(std::uint64_t n) {
  n &= 0xffffffffULL;
  return static_cast<std::uint64_t>(static_cast<Uint128>(n) * (n + 1) * (2 * n + 1) / 6);
}
}  // namespace

OpenFetch* Truth::open_fetch(const Record& record) {
  const auto found = open_fetches_.find(fetch_key(record));
  return found == open_fetches_.end() ? nullptr : &found->second;
}

void Truth::apply_fetch(Observation& seen) {
  const Record& record = seen.record;
  if (record.kind == Kind::kFetchInvoked) {
    if (open_fetches_.size() >= kMostOpenFetches) open_fetches_.clear();
    OpenFetch& open = open_fetches_[fetch_key(record)];
    if (open.count == 0)
      open = {seen.log->acked, 0, record.value, record.time, floor_of(record.conversation)};
    // Asked twice: an answer may be to either, so the weaker claim of the two is what it is held to.
    if (open.count > 0 && open.to != 0)
      open.to = record.value == 0 ? open.to : std::min(open.to, record.value);
    ++open.count;
    return;
  }
  Device& device = *seen.device;
  TimeNs asked_at = record.time;
  const auto open = open_fetches_.find(fetch_key(record));
  if (open != open_fetches_.end()) {
    asked_at = open->second.at;
    if (--open->second.count == 0) open_fetches_.erase(open);
  }
  if (device.page != kNone) {
    free_pages_.push_back(device.page);
    pages_[device.page].device = kNone;
    device.page = kNone;
  }
  const bool is_too_old = record.code == static_cast<std::uint8_t>(protocol::ErrorCode::kRangeTooOld);
  if (record.code == 0 || is_too_old) raise_floor(record.conversation, record.digest);
  Log& log = logs_[seen.conversation->log];
  const bool continues_reread = asked_at >= quiesced_at_ && record.seq <= log.reread_to + 1ULL;
  // The re-read goes on at the floor.
  if (is_too_old && continues_reread && record.digest != 0)
    log.reread_to = std::max(log.reread_to, narrow(record.digest - 1));
  if (record.code != 0) return;
  seen.subscription->claimed_head = std::max(seen.subscription->claimed_head, narrow(record.value2));
  if (continues_reread) log.reread_to = std::max(log.reread_to, narrow(record.value));
  if (record.value < record.seq || record.seq == 0 || record.value > UINT32_MAX) return;
  if (free_pages_.empty()) {
    free_pages_.push_back(static_cast<std::uint32_t>(pages_.size()));
    pages_.emplace_back();
  }
  device.page = free_pages_.back();
  free_pages_.pop_back();
  FetchPage& page = pages_[device.page];
  page = FetchPage();
  page.device = record.device;
  page.conversation = record.conversation;
  page.at = asked_at;
  page.from = record.seq;
  page.to = record.value;
  page.rows_left = record.value - record.seq + 1;
  page.sum_left = sum_to(record.value) - sum_to(record.seq - 1);
  page.squares_left = squares_to(record.value) - squares_to(record.seq - 1);
}

void Truth::raise_floor(ConversationIndex index, std::uint64_t floor) {
  if (floor == 0) return;
  std::uint32_t& highest = floors_[index];
  highest = std::max(highest, narrow(floor));
}

void Truth::apply_floor(Observation& seen) {
  const Record& record = seen.record;
  if (record.kind == Kind::kSnapshotRow) {
    raise_floor(record.conversation, record.value);
  } else if (!seen.is_forked && record.seq != 0) {
    seen.subscription->cur = std::max(seen.subscription->cur, narrow(record.seq - 1));
  }
}

void Truth::apply_page_row(Device& device, std::uint64_t from, std::uint64_t to, bool is_event) {
  FetchPage& page = pages_[device.page];
  std::uint64_t& last = is_event ? page.last_event : page.last_tombstone;
  if (from > to || from <= last || from < page.from || to > page.to) page.in_order = false;
  last = std::max(last, to);
  page.rows_left -= to - from + 1;
  page.sum_left -= sum_to(to) - sum_to(from - 1);
  page.squares_left -= squares_to(to) - squares_to(from - 1);
  if (page.rows_left != 0 || page.sum_left != 0 || page.squares_left != 0) return;
  page.device = kNone;
  free_pages_.push_back(device.page);
  device.page = kNone;
}

}  // namespace wavetank::conformance
