// ORD-AGREE, ORD-REALTIME, ORD-FIFO.
#include <algorithm>
#include <map>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

// All witnesses of an entry agree with the first on what it is.
Findings order_agreement(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if ((r.kind != Kind::kReceived && r.kind != Kind::kSendAcked) || facts.is_forked(r, i)) continue;
    const Entry* entry = facts.entry(r.conversation, r.seq);
    if (entry == nullptr || entry->witnessed >= i) continue;  // the first has nothing to agree with
    out.fired();
    if (r.key != entry->key) {
      out.violate(r, "entry {} of conversation {} is {} to device {}, but was {} to the first who saw it",
                  r.seq, r.conversation, name_of(r.key), r.device, name_of(entry->key));
    } else if (entry->classified < i && entry->kind == EntryClass::kMessage && r.entry_kind == 0 &&
               r.value != entry->number) {
      out.violate(r,
                  "{} at {} of conversation {} has message number {} for device {}, but {} for the first who "
                  "saw it",
                  name_of(r.key), r.seq, r.conversation, r.value, r.device, entry->number);
    } else if (r.kind == Kind::kReceived && entry->described < i &&
               (r.digest != entry->digest || r.sender != entry->sender || r.entry_kind != entry->entry_kind ||
                r.epoch != entry->epoch)) {
      out.violate(r,
                  "{} at {} of conversation {} reached device {} with another content or sender than before",
                  name_of(r.key), r.seq, r.conversation, r.device);
    }
  }
  return out;
}

// An entry that anybody had seen when a message was invoked stands before that message.
Findings order_realtime(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kSendAcked || facts.is_forked(r, i)) continue;
    const Message* message = facts.message(r.key, i);
    if (message == nullptr || message->conversation != r.conversation) continue;
    if (message->is_reused(i)) continue;  // which invocation is answered cannot be told
    out.fired();
    const std::uint64_t head = facts.log(r.conversation).head.before(message->invoked);
    if (r.seq > head) continue;
    out.violate(r, "{} was sent to conversation {} when its entry {} had been seen, and got number {}",
                name_of(r.key), r.conversation, head, r.seq);
  }
  return out;
}

// Two acknowledged messages of one device in one conversation are numbered in the order of their
// transmission, when both were transmitted once on the same connection; and whenever the second was
// transmitted after the first had been acknowledged. Every pair is looked at.
Findings order_fifo(const Facts& facts) {
  struct Acked {
    MessageKey key;
    Index acked;
    Index transmitted;
    std::uint32_t connection;
    bool retried;
    std::uint64_t seq;
  };
  Findings out;
  std::map<DeviceConversation, std::vector<Acked>> all;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kSendAcked || facts.is_forked(r, i)) continue;
    const Message* message = facts.message(r.key, i);
    if (message == nullptr || message->acked != i || message->is_reused(i)) continue;
    const Transmission* first = message->first_attempt(i);
    if (first == nullptr) continue;
    const Acked b{r.key, i, first->at, first->connection, message->is_retried(i), r.seq};
    bool is_compared = false;
    const Acked* wrong = nullptr;
    for (const Acked& a : all[{r.key.device, r.conversation}]) {
      const bool is_once = !a.retried && !b.retried && a.connection == b.connection;
      const bool is_after = a.acked < b.transmitted;
      if (!is_once && !is_after) continue;
      is_compared = true;
      const bool is_ordered = (a.transmitted < b.transmitted) == (a.seq < b.seq) && a.seq != b.seq;
      if (!is_ordered && wrong == nullptr) wrong = &a;
    }
    if (is_compared) out.fired();
    if (wrong != nullptr) {
      const Acked& first_sent = wrong->transmitted < b.transmitted ? *wrong : b;
      const Acked& then_sent = wrong->transmitted < b.transmitted ? b : *wrong;
      out.violate(r,
                  "device {} sent its messages {} and {} in this order, and got {} and {} in conversation {}",
                  r.key.device, first_sent.key.counter, then_sent.key.counter, first_sent.seq, then_sent.seq,
                  r.conversation);
    }
    all[{r.key.device, r.conversation}].push_back(b);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
