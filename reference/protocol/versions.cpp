#include "reference/protocol/versions.hpp"

#include <string_view>
#include <utility>
#include <variant>

namespace wavetank::protocol {
namespace {

constexpr std::uint32_t kClientTimeField = 15;
constexpr std::uint32_t kVarint = 0;

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// False when there is none: the bytes were encoded by us or have passed the codec, so that is a rare foreign
// form, which stays unknown.
bool take_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Passes over one field behind its tag; groups are left to the end of the bytes.
bool skip_field(std::string_view& bytes, std::uint32_t wire_type) {
  std::uint64_t length = 0;
  switch (wire_type) {
    case kVarint:
      return take_varint(bytes, length);
    case 1:
      length = 8;
      break;
    case 2:
      if (!take_varint(bytes, length)) return false;
      break;
    case 5:
      length = 4;
      break;
    default:
      return false;
  }
  if (length > bytes.size()) return false;
  bytes.remove_prefix(length);
  return true;
}

void hide(Event& event) {
  if (event.client_time_ms == 0) return;
  std::string bytes;
  put_varint(bytes, kClientTimeField << 3 | kVarint);
  put_varint(bytes, std::exchange(event.client_time_ms, 0));
  bytes.append(event.unknown.view());
  event.unknown = Slice(bytes);
}

void reveal(Event& event) {
  if (event.unknown.empty()) return;
  std::string rest;
  std::string_view left = event.unknown.view();
  bool found = false;
  while (!left.empty()) {
    const std::string_view field = left;
    std::uint64_t tag = 0;
    std::uint64_t value = 0;
    if (!take_varint(left, tag)) return;
    if (tag == (kClientTimeField << 3 | kVarint)) {
      if (!take_varint(left, value)) return;
      event.client_time_ms = value;
      found = true;
      continue;
    }
    if (!skip_field(left, static_cast<std::uint32_t>(tag & 7))) left = {};
    rest.append(field.substr(0, field.size() - left.size()));
  }
  if (found) event.unknown = rest.empty() ? Slice() : Slice(rest);
}

void each_event(std::vector<Change>& changes, void (*act)(Event&)) {
  for (Change& change : changes) {
    if (change.event) act(*change.event);
  }
}

void each_event(Body& body, void (*act)(Event&)) {
  if (auto* push = std::get_if<ChangePush>(&body)) {
    each_event(push->changes, act);
  } else if (auto* page = std::get_if<SyncResult>(&body)) {
    each_event(page->changes, act);
  } else if (auto* range = std::get_if<RangeResult>(&body)) {
    for (Event& event : range->events) act(event);
  } else if (auto* batch = std::get_if<OutboxBatch>(&body)) {
    for (OutboxItem& item : batch->items) {
      if (item.change.event) act(*item.change.event);
    }
  } else if (auto* snapshot = std::get_if<SnapshotPage>(&body)) {
    for (ConversationState& state : snapshot->conversations) each_event(state.latest, act);
  } else if (auto* move = std::get_if<BucketMove>(&body)) {
    for (StoredRow& row : move->rows) {
      if (row.event) act(*row.event);
      if (row.change && row.change->event) act(*row.change->event);
    }
  }
}

}  // namespace

std::uint64_t feature_of(const Body& body) {
  if (std::holds_alternative<ReadWatermark>(body)) return kFeatureReceipts;
  if (std::holds_alternative<SignalEphemeral>(body)) return kFeatureTyping;
  const bool is_presence =
      std::holds_alternative<SubscribePresence>(body) || std::holds_alternative<PresenceState>(body);
  return is_presence ? std::uint64_t{kFeaturePresence} : 0;
}

void hide_newer(Frame& frame, std::uint32_t version) {
  if (version < kNextVersion) each_event(frame.body, hide);
}

void reveal_known(Frame& frame) { each_event(frame.body, reveal); }

std::string beyond_released(const Event& event) {
  Event hidden;
  hidden.client_time_ms = event.client_time_ms;
  hidden.unknown = event.unknown;
  hide(hidden);
  return std::string(hidden.unknown.view());
}

}  // namespace wavetank::protocol
