// DUR-ACKED: what was acknowledged stays, over crashes and power cuts.
//
// A claimed head never lies below what had been acknowledged when the claim was asked for; no witness shows
// another entry in an acknowledged one's place; after the quiesce every acknowledged entry comes back in the
// auditors' re-read, unless it lies below a floor that they were told and that retention allows.
#include <algorithm>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class DurabilityAcked final : public Monitor {
 public:
  DurabilityAcked(Truth& truth, const JudgeConfig& config)
      : Monitor("DUR-ACKED", truth),
        final_audit_(config.final_audit),
        retain_entries_(config.retain_entries) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kReceived, Kind::kSendAcked, Kind::kFetchCompleted, Kind::kCursorAcked);
  }

  void on(const Observation& seen) override {
    if (seen.is_forked) return;
    const Record& record = seen.record;
    if (record.kind == Kind::kReceived || record.kind == Kind::kSendAcked) return on_witness(seen);
    if (record.code != 0) return;
    if (record.kind == Kind::kFetchCompleted) {
      if (const OpenFetch* open = truth().open_fetch(record)) check_claim(seen, open->acked, record.value2);
      return;
    }
    // Only an acknowledgement that covers the latest mark is surely an answer to a request that followed it.
    const OpenMark* open = truth().open_mark(record);
    if (open != nullptr && record.seq >= open->seq) check_claim(seen, open->acked, record.value2);
  }

  void finish() override {
    if (!final_audit_ || !truth().has_auditors() || truth().quiesced_at() == kNever) return;
    for (ConversationIndex index = 0; index < truth().conversation_count(); ++index) audit(index);
    if (not_reread_ > 0) {
      inconclusive(fmt::format("{} acknowledged entries were not reached by the final re-read", not_reread_));
    }
  }

 private:
  void on_witness(const Observation& seen) {
    const Record& record = seen.record;
    if (seen.entry == nullptr || seen.entry->acked == 0) return;
    if (record.kind == Kind::kReceived) fired();
    if (record.key == seen.entry->key) return;
    violate(record, "{} was acknowledged as entry {} of conversation {}, but device {} finds {} there",
            name_of(seen.entry->key), record.seq, record.conversation, record.device, name_of(record.key));
  }

  void check_claim(const Observation& seen, std::uint32_t acked, std::uint64_t claimed) {
    if (acked == 0 || (seen.conversation->is_group() && seen.log->known < acked)) return;
    const Record& record = seen.record;
    const std::uint64_t least = truth().last_visible(*seen.conversation, seen.device->user, acked);
    if (least == 0) return;
    fired();
    if (claimed >= least) return;
    violate(
        record,
        "device {} is told that conversation {} ends at {}, but entry {} was acknowledged before it asked",
        record.device, record.conversation, claimed, least);
  }

  bool has_auditor(UserIndex user) {
    for (DeviceTag tag = truth().first_device(user); tag != kNone; tag = truth().outline(tag).next_of_user) {
      if (truth().outline(tag).has(Device::kAuditor)) return true;
    }
    return false;
  }

  // The newest entries have to be there, whatever anybody was told.
  std::uint64_t lawful_floor(ConversationIndex index) {
    const std::uint32_t head = truth().log_of(index).head;
    if (retain_entries_ == 0 || head < retain_entries_) return 0;
    return std::min(truth().floor_of(index), head - retain_entries_ + 1);
  }

  void audit(ConversationIndex index) {
    const Log& log = truth().log_of(index);
    if (log.acked == 0 || truth().conversation(index).has(Conversation::kForked)) return;
    if (log.entries.first() > 1) unverified(log.entries.first() - 1);
    const std::uint64_t floor = lawful_floor(index);
    for (std::uint64_t seq = log.entries.first(); seq <= log.acked; ++seq) {
      const Entry* entry = log.entries.find(seq);
      if (entry == nullptr || !entry->is_held() || entry->acked == 0) continue;
      if (!has_auditor(truth().user_of(entry->key.device))) continue;
      fired();
      if (entry->reread != 0 || seq < floor) continue;
      if (seq > log.reread_to) {
        ++not_reread_;
        continue;
      }
      violate_at(
          truth().now(), index, entry->key.device, seq, entry->key,
          "{} was acknowledged as entry {} of conversation {}, but the final re-read did not bring it back",
          name_of(entry->key), seq, index);
    }
  }

  bool final_audit_;
  std::uint32_t retain_entries_;
  std::uint64_t not_reread_ = 0;
};

}  // namespace

std::unique_ptr<Monitor> make_durability_acked(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<DurabilityAcked>(truth, config);
}

}  // namespace wavetank::conformance
