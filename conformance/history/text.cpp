#include "conformance/history/text.hpp"

#include <fmt/format.h>

#include <array>

namespace wavetank::history {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::kCount)> kKindNames = {
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
    "conversation_state",
    "pointer",
    "node_drains",
    "go_away",
    "app_closed",
    "resume",
    "setting_put",
    "setting_resolved",
    "setting_seen",
    "setting_state",
    "app_opened",
    "login_refused",
    "asked",
    "answered",
    "link_stalled",
    "typing_sent",
    "typing_shown",
    "typing_hidden",
    "presence_watched",
    "presence_shown",
    "send_refused",
    "push_queue",
    "push_gap",
    "reading",
    "skipped",
    "snapshot_invoked",
    "snapshot_page",
    "snapshot_row",
    "versions",
    "unnamed",
    "beyond",
    "credential",
    "removal",
    "sign_in",
    "served",
    "bucket_served",
    "attack",
    "attack_outcome",
    "tick",
    "poisoned",
    "parked",
    "effect_parked",
    "last_seen_shown",
    "forked",
    "epoch_adopted",
    "voided",
    "feed_cut",
    "feed_forked"};

std::string or_dash(std::uint32_t number) { return number == kNone ? "-" : std::to_string(number); }

}  // namespace

std::string_view name_of(Kind kind) {
  return kind < Kind::kCount ? kKindNames[static_cast<std::size_t>(kind)] : "?";
}

std::string column_line() {
  return "time_ns\tkind\tcode\tentry_"
         "kind\tflag\tdevice\tuser\tconversation\tsubject\tsender\tconnection\tepoch\t"
         "size\tkey_device\tkey_counter\tseq\tvalue\tvalue2\tdigest\tcanary\n";
}

std::string text_line(const Record& r) {
  return fmt::format(
      "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:016x}\t{:016x}\n", r.time,
      name_of(r.kind), r.code, r.entry_kind, r.flag ? 1 : 0, or_dash(r.device), or_dash(r.user),
      or_dash(r.conversation), or_dash(r.subject), or_dash(r.sender), r.connection, r.epoch, r.size,
      or_dash(r.key.device), r.key.counter, r.seq, r.value, r.value2, r.digest, r.canary);
}

}  // namespace wavetank::history
