// SND-IDEM, SND-DEFINITE.
#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// Whoever is told of a message finds it where the first was told it is.
void check_place(const Facts& facts, const Record& r, Index i, const Message& message, Findings& out) {
  if (facts.is_forked(r, i) || message.placed >= i) return;
  if (message.seq == r.seq && message.conversation == r.conversation) return;
  out.violate(r, "{} is entry {} of conversation {} to device {}, and entry {} of conversation {} elsewhere",
              name_of(r.key), r.seq, r.conversation, r.device, message.seq, message.conversation);
}

}  // namespace

// However often a message is transmitted, its key makes one entry; other content under a used key is refused
// and changes nothing.
Findings send_idempotency(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const Message* message = facts.message(r.key, i);
    if (message == nullptr) {
      if (r.kind == Kind::kSendTransmitted) {
        out.violate(r, "device {} transmitted {}, which nobody has asked for: a repetition under a new key",
                    r.device, name_of(r.key));
      }
      continue;
    }
    const bool is_reused = message->is_reused(i);
    if (r.kind == Kind::kSendFailed) {
      if (r.code != static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict)) continue;
      out.fired();
      if (!is_reused) {
        out.violate(r, "{} was refused as a conflict although its key was used for nothing else",
                    name_of(r.key));
      }
    } else if (r.kind == Kind::kSendAcked) {
      if (message->is_retried(i) || r.code == static_cast<std::uint8_t>(protocol::SendStatus::kDuplicate))
        out.fired();
      if (is_reused && message->acked < i) {
        out.fired();
        out.violate(r, "{} was acknowledged with other content under a key that was in use", name_of(r.key));
        continue;
      }
      check_place(facts, r, i, *message, out);
    } else if (r.kind == Kind::kReceived) {
      if (message->is_retried(i)) out.fired();
      if (is_reused && message->kind == 0 && message->digest != r.digest) {
        out.violate(r, "{} at {} of conversation {} was overwritten by a later use of its key",
                    name_of(r.key), r.seq, r.conversation);
      }
      check_place(facts, r, i, *message, out);
    }
  }
  return out;
}

// What was refused for good is never an entry, before or after. A conflict refuses the second use of a key
// only. What was refused at every attempt so far is none yet.
Findings send_definite(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kSendFailed && r.kind != Kind::kSendAcked && r.kind != Kind::kReceived &&
        r.kind != Kind::kSendRefused) {
      continue;
    }
    const Message* message = facts.message(r.key, i);
    if (message == nullptr) continue;
    if (r.kind == Kind::kSendRefused) {
      out.fired();
      continue;
    }
    const bool is_early = (r.kind == Kind::kReceived || r.kind == Kind::kSendAcked) && message->acked >= i &&
                          message->is_refused_so_far(i);
    if (is_early) {
      out.violate(r, "{} was refused every time, and yet device {} finds it at {} of conversation {}",
                  name_of(r.key), r.device, r.seq, r.conversation);
    }
    if (r.kind == Kind::kSendFailed) {
      const bool is_conflict = r.code == static_cast<std::uint8_t>(protocol::ErrorCode::kIdempotencyConflict);
      if (is_conflict && message->is_reused(i)) continue;
      out.fired();
      if (message->acked < i || message->received < i) {
        out.violate(r, "{} was refused for good, but is entry {} of conversation {}", name_of(r.key),
                    message->seq, message->conversation);
      }
    } else if (message->failed < i) {
      out.violate(r, "{} was refused for good, and yet device {} finds it at {} of conversation {}",
                  name_of(r.key), r.device, r.seq, r.conversation);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
