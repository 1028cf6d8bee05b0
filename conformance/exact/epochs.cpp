// ORD-FORK.
#include <map>
#include <utility>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// The first word of where this epoch of the conversation begins.
const Record* first_word(const Facts& facts, const Record& of, Index before) {
  for (Index i = 0; i < before; ++i) {
    const Record& r = *facts.records[i];
    const bool is_device = r.kind == Kind::kEpochAdopted;
    if (r.kind != Kind::kForked && !is_device) continue;
    if (r.conversation != of.conversation || r.epoch != of.epoch || r.epoch <= r.size || r.size == 0)
      continue;
    if (!is_device || r.size + 1 == r.epoch) return &r;
  }
  return nullptr;
}

// Acknowledged, or refused for good, after `at`.
bool is_settled_after(const Facts& facts, MessageKey key, Index at) {
  for (Index i = at + 1; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if ((r.kind == Kind::kSendAcked || r.kind == Kind::kSendFailed) && r.key == key) return true;
  }
  return false;
}

}  // namespace

Findings epoch_fork(const Facts& facts) {
  Findings out;
  std::map<MessageKey, Index> owed;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    const bool is_device = r.kind == Kind::kEpochAdopted;
    if (r.kind == Kind::kVoided) {
      out.fired();
      if (r.code == 0) {
        owed[r.key] = i;
      } else if (r.code == 3) {
        out.violate(r,
                    "entry {} of conversation {} names entry {} for the one that it answers, which is void",
                    r.seq, r.conversation, r.value2);
      } else {
        out.violate(
            r, "entry {} of conversation {} is void, and was {}", r.seq, r.conversation,
            r.code == 1 ? "shown to a device that knew it" : "acknowledged for more than one node's disk");
      }
    }
    if ((r.kind != Kind::kForked && !is_device) || r.size == 0) continue;
    out.fired();
    if (r.epoch <= r.size) {
      out.violate(r, "conversation {} was taken over and went on in epoch {}", r.conversation, r.size);
      continue;
    }
    if (is_device && r.value > r.seq) {
      out.violate(r, "device {} holds conversation {} up to {}, above the fork at {} that it knows of",
                  r.device, r.conversation, r.value, r.seq);
    }
    if (is_device && r.size + 1 != r.epoch) continue;
    const Record* first = first_word(facts, r, i);
    if (first != nullptr && first->seq != r.seq) {
      out.violate(r, "epoch {} of conversation {} begins above {} by one word and above {} by another",
                  r.epoch, r.conversation, first->seq, r.seq);
    }
  }
  for (const auto& [key, at] : owed) {
    const auto device = facts.devices.find(key.device);
    if (device == facts.devices.end() || !device->second.converged_before(kNowhere)) continue;
    if (is_settled_after(facts, key, at)) continue;
    out.violate(*facts.records[at], "message {} of device {} is void, and was not sent again", key.counter,
                key.device);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
