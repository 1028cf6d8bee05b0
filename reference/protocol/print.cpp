#include "reference/protocol/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/field_shape.hpp"

namespace wavetank::protocol {
namespace {

constexpr std::size_t kShownPayloadBytes = 40;
constexpr std::size_t kShownElements = 3;

template <class Enum>
std::string_view pick(Enum value, std::span<const std::string_view> names) {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : "?";
}

constexpr std::array<std::string_view, 42> kBodyNames = {
    "Empty",         "Hello",         "Welcome",         "Heartbeat",       "HeartbeatAck",
    "GoAway",        "SendMessage",   "SendAck",         "FetchRange",      "RangeResult",
    "Sync",          "SyncResult",    "ChangePush",      "DeliveredCursor", "ReadWatermark",
    "CursorAck",     "Error",         "Attach",          "AttachResult",    "Detach",
    "OutboxBatch",   "OutboxAck",     "PutSetting",      "SettingAck",      "SessionNotice",
    "FrameAck",      "PushGap",       "SignalEphemeral", "RelayEphemeral",  "SubscribePresence",
    "PresenceState", "PresenceLease", "FetchSnapshot",   "SnapshotPage",    "RenewToken",
    "TokenRenewed",  "RemoveDevice",  "DeviceRemoved",   "CredentialLease", "PlacementUpdate",
    "BucketMove",    "EpochChanged"};
static_assert(kBodyNames.size() == std::variant_size_v<Body>);

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  template <class T>
  void operator()(int, const T& value, const char* name) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (shape == FieldShape::kEnum) {
      if (value != T{}) print_enum(name, value);
    } else if constexpr (shape == FieldShape::kId) {
      if (value != Id128{}) put("{}={}", name, to_string(value));
    } else if constexpr (shape == FieldShape::kBytes) {
      if (!value.empty()) print_bytes(name, value.view());
    } else if constexpr (shape == FieldShape::kMessage) {
      put("{}=", name);
      braces(value);
    } else if constexpr (shape == FieldShape::kOptionalMessage) {
      if (!value) return;
      put("{}=", name);
      braces(*value);
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      print_list(name, value,
                 [this](std::uint64_t element) { fmt::format_to(std::back_inserter(out_), "{}", element); });
    } else if constexpr (shape == FieldShape::kRepeatedMessage) {
      print_list(name, value, [this](const auto& element) { this->braces(element); });
    } else {
      if (value != T{}) put("{}={}", name, value);
    }
  }

  template <ListsFields M>
  void braces(const M& message) {
    out_ += '{';
    M::fields(message, *this);
    if constexpr (KeepsUnknown<M>) print_unknown(message.unknown);
    out_ += '}';
  }
  void print_unknown(const Slice& unknown) {
    if (!unknown.empty()) put("unknown={}B", unknown.size());
  }

 private:
  // Appends with a space before it unless it opens the line or a brace.
  template <class... Arguments>
  void put(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (!out_.empty() && out_.back() != '{') out_ += ' ';
    fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
  }

  template <class Enum>
  void print_enum(const char* name, Enum value) {
    const std::string_view value_name = name_of(value);
    if (value_name == "?") {
      put("{}={}", name, static_cast<std::uint32_t>(value));
    } else {
      put("{}={}", name, value_name);
    }
  }

  void print_bytes(const char* name, std::string_view bytes) {
    put("{}={}B\"", name, bytes.size());
    for (const char c : bytes.substr(0, kShownPayloadBytes)) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (c >= ' ' && c <= '~') {
        out_ += c;
      } else {
        fmt::format_to(std::back_inserter(out_), "\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    out_ += bytes.size() > kShownPayloadBytes ? "...\"" : "\"";
  }

  template <class T, class Each>
  void print_list(const char* name, const std::vector<T>& list, Each each) {
    if (list.empty()) return;
    put("{}={}[", name, list.size());
    for (std::size_t i = 0; i < std::min(list.size(), kShownElements); ++i) {
      if (i != 0) out_ += ' ';
      each(list[i]);
    }
    out_ += list.size() > kShownElements ? " ...]" : "]";
  }

  std::string& out_;
};

}  // namespace

std::string_view body_name(const Frame& frame) { return body_name(frame.body.index()); }
std::string_view body_name(std::size_t index) { return kBodyNames[index]; }

std::string to_string(const Frame& frame) {
  std::string out(body_name(frame));
  Printer printer(out);
  Frame::fields(frame, printer);
  out += ' ';
  std::visit(
      [&](const auto& body) {
        if constexpr (std::same_as<std::decay_t<decltype(body)>, std::monostate>) {
          out += "{}";
        } else {
          printer.braces(body);
        }
      },
      frame.body);
  printer.print_unknown(frame.unknown);
  return out;
}

std::string to_string(const Event& event) {
  std::string out;
  Printer(out).braces(event);
  return out;
}

std::string to_string(const Id128& id) { return fmt::format("{:016x}:{:x}", id.hi, id.lo); }

std::string_view name_of(EntryKind value) {
  static constexpr std::string_view names[] = {"MESSAGE", "JOIN", "LEAVE", "REACTION"};
  return pick(value, names);
}
std::string_view name_of(SendStatus value) {
  static constexpr std::string_view names[] = {"ACCEPTED", "DUPLICATE", "REJECTED"};
  return pick(value, names);
}
std::string_view name_of(Durability value) {
  static constexpr std::string_view names[] = {"LOCAL", "REGION_QUORUM", "MULTI_REGION"};
  return pick(value, names);
}
std::string_view name_of(TombstoneReason value) {
  static constexpr std::string_view names[] = {"DELETED", "EXPIRED", "NOT_VISIBLE", "ERASED", "PARKED"};
  return pick(value, names);
}
std::string_view name_of(ErrorCode value) {
  static constexpr std::string_view names[] = {"NONE",
                                               "MALFORMED",
                                               "TOO_LARGE",
                                               "FORBIDDEN",
                                               "IDEMPOTENCY_CONFLICT",
                                               "UNSUPPORTED_VERSION",
                                               "UNAUTHENTICATED",
                                               "UNAVAILABLE",
                                               "WRONG_HOME",
                                               "BUSY",
                                               "INTERNAL",
                                               "EPOCH_MISMATCH",
                                               "RATE_LIMITED",
                                               "RANGE_TOO_OLD",
                                               "SYNC_TOO_LONG",
                                               "SNAPSHOT_EXPIRED",
                                               "DEVICE_REMOVED"};
  return pick(value, names);
}
std::string_view name_of(GoAwayReason value) {
  static constexpr std::string_view names[] = {"SHUTDOWN", "SLOW_CONSUMER", "REPLACED", "PROTOCOL_ERROR"};
  return pick(value, names);
}
std::string_view name_of(ChangeKind value) {
  static constexpr std::string_view names[] = {"EVENT", "POINTER", "RECEIPT", "SETTING", "EPOCH"};
  return pick(value, names);
}
std::string_view name_of(SettingKind value) {
  static constexpr std::string_view names[] = {"NONE",   "DRAFT",         "MUTE_UNTIL", "ARCHIVED",
                                               "PINNED", "MARKED_UNREAD", "PRESENCE"};
  return pick(value, names);
}
std::string_view name_of(EphemeralKind value) {
  static constexpr std::string_view names[] = {"TYPING", "RECORDING"};
  return pick(value, names);
}
std::string_view name_of(StoredRowKind value) {
  static constexpr std::string_view names[] = {"NONE",       "CONVERSATION", "ENTRY",      "SEND_KEY",
                                               "LOG_FLOOR",  "MEMBERSHIP",   "MARK",       "CHANGE",
                                               "FEED_FLOOR", "FEED_STATE",   "SETTING_OP", "DEVICE",
                                               "FAILURE",    "LAST_SEEN",    "OWED_FANOUT"};
  return pick(value, names);
}
std::string_view name_of(MoveStep value) {
  static constexpr std::string_view names[] = {"BEGIN", "ROWS",  "STORED", "HOLD",  "HELD",
                                               "TAKE",  "TAKEN", "COPY",   "COPIED"};
  return pick(value, names);
}

}  // namespace wavetank::protocol
