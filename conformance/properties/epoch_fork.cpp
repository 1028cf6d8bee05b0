// ORD-FORK: all agree where a log was forked, and what stands above the fork is nothing to anybody but its
// writer.
#include <map>
#include <utility>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class EpochFork final : public Monitor {
 public:
  explicit EpochFork(Truth& truth) : Monitor("ORD-FORK", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kForked, Kind::kEpochAdopted, Kind::kVoided, Kind::kSendAcked, Kind::kSendFailed);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    switch (record.kind) {
      case Kind::kForked:
      case Kind::kEpochAdopted:
        return on_fork(record);
      case Kind::kVoided:
        return on_void(record);
      default:
        if (!owed_.empty()) owed_.erase(record.key);
        return;
    }
  }

  void finish() override {
    for (const auto& [key, record] : owed_) {
      if (!truth().knows_device(key.device) || !truth().device(key.device).has(Device::kConverged)) continue;
      violate(record,
              "message {} of device {} was acknowledged as entry {}, which a fork made void, and never again",
              key.counter, key.device, record.seq);
    }
  }

  std::size_t bytes() const override {
    return forks_.size() * sizeof(*forks_.begin()) + owed_.size() * sizeof(*owed_.begin());
  }

 private:
  void on_fork(const Record& record) {
    if (record.size == 0) return;  // a conversation that the device had not known
    fired();
    const bool is_device = record.kind == Kind::kEpochAdopted;
    if (record.epoch <= record.size) {
      violate(record, "node {} has taken conversation {} over and gone on in epoch {}", record.value,
              record.conversation, record.size);
      return;
    }
    if (is_device && record.value > record.seq) {
      violate(record, "device {} holds conversation {} up to {} although it knows that it was forked at {}",
              record.device, record.conversation, record.value, record.seq);
    }
    if (is_device && record.size + 1 != record.epoch) return;  // told the lowest of several
    const auto [known, fresh] = forks_.try_emplace({record.conversation, record.epoch}, record.seq);
    if (fresh || known->second == record.seq) return;
    violate(record, "epoch {} of conversation {} begins above {}, and {} was told that it begins above {}",
            record.epoch, record.conversation, known->second, is_device ? "a device" : "another", record.seq);
  }

  void on_void(const Record& record) {
    fired();
    if (record.code == 0) {
      owed_[record.key] = record;
    } else if (record.code == 1) {
      violate(record, "device {} was shown entry {} of conversation {}, of which it knew that it is void",
              record.device, record.seq, record.conversation);
    } else if (record.code == 3) {
      violate(record, "entry {} of conversation {} answers an entry that is void, and names {} for it",
              record.seq, record.conversation, record.value2);
    } else {
      violate(record,
              "entry {} of conversation {} was acknowledged for more than one node's disk, and is void",
              record.seq, record.conversation);
    }
  }

  std::map<std::pair<ConversationIndex, std::uint32_t>, std::uint64_t> forks_;
  std::map<MessageKey, Record> owed_;  // acknowledged, void, and not acknowledged again
};

}  // namespace

std::unique_ptr<Monitor> make_epoch_fork(Truth& truth) { return std::make_unique<EpochFork>(truth); }

}  // namespace wavetank::conformance
