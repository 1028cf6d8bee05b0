// ORD-CAUSAL: nothing stands before what it could know of.
//
// (i) A message gets a number above every entry that its device had been shown, or had been acknowledged, in
// the same conversation before it was invoked. (ii) An entry that answers another one is shown to a device
// only when the device's cursor stands at or above that one, unless its user may not see it; and it answers
// nothing that does not stand before it.
#include <algorithm>
#include <map>
#include <utility>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// Acknowledged to the device, by conversation.
std::map<DeviceConversation, Rising> read_own(const Facts& facts) {
  std::map<DeviceConversation, Rising> own;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kSendAcked && !facts.is_forked(r, i))
      own[{r.key.device, r.conversation}].raise(i, r.seq);
  }
  return own;
}

// The number that a message got, at the first record that tells it.
void judge_place(const Facts& facts, const std::map<DeviceConversation, Rising>& own, const Record& r,
                 const Message& message, Findings& out) {
  const DeviceConversation here{r.key.device, message.conversation};
  const std::uint64_t known = std::max(value_or_default(facts.views, here).cur.before(message.invoked),
                                       value_or_default(own, here).before(message.invoked));
  if (known == 0) return;
  out.fired();
  if (r.seq > known) return;
  out.violate(r, "device {} knew entry {} of conversation {} when it sent {}, which got number {}",
              r.key.device, known, message.conversation, name_of(r.key), r.seq);
}

void judge_answer(const Facts& facts, const Record& r, Index i, Findings& out) {
  out.fired();
  const std::uint64_t parent = r.value2;
  if (parent <= value_or_default(facts.views, {r.device, r.conversation}).cur.before(i)) return;
  if (parent < r.seq) {
    const Log& log = facts.log(r.conversation);
    if (log.is_group && parent > log.known) {
      ++out.unverified;
      return;
    }
    if (!log.is_member(facts.user_of(r.device), parent)) return;
  }
  out.violate(
      r, "device {} was shown entry {} of conversation {}, and not, before it, entry {}, which it answers",
      r.device, r.seq, r.conversation, parent);
}

}  // namespace

Findings order_causal(const Facts& facts) {
  Findings out;
  const auto own = read_own(facts);
  std::map<MessageKey, bool> is_told;  // its number, or that it was refused
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_placed = r.kind == Kind::kSendAcked || r.kind == Kind::kReceived;
    if ((!is_placed && r.kind != Kind::kSendFailed) || facts.is_forked(r, i)) continue;
    const Message* message = facts.message(r.key, i);
    const bool counts = message != nullptr && message->conversation == r.conversation &&
                        !facts.is_forked(*facts.records[message->invoked], message->invoked);
    if (counts && !std::exchange(is_told[r.key], true) && is_placed)
      judge_place(facts, own, r, *message, out);
    if (r.kind == Kind::kReceived && r.flag && r.value2 != 0) judge_answer(facts, r, i, out);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
