#include "conformance/history/forks.hpp"

#include <algorithm>

namespace wavetank::history {

void ForkFilter::on(const Record& record) {
  if (record.kind == Kind::kForked || record.kind == Kind::kEpochAdopted) learn(record);
  waiting_.push_back(record);
  if (window_ == kNever) return;
  while (!waiting_.empty() && waiting_.front().time + window_ <= record.time) {
    release(waiting_.front());
    waiting_.pop_front();
  }
}

void ForkFilter::finish() {
  for (const Record& record : waiting_) release(record);
  waiting_.clear();
}

// The owner's word counts; a device's when there is none.
void ForkFilter::learn(const Record& record) {
  const bool is_device = record.kind == Kind::kEpochAdopted;
  if (is_device && record.size == 0) return;
  if (record.size >= record.epoch) return;
  auto& forks = forks_[record.conversation];
  if (is_device && forks.contains(record.epoch)) return;
  forks[record.epoch] = record.seq;
  const auto passed = passed_.find(record.conversation);
  if (passed == passed_.end()) return;
  const auto [epoch, seq] = passed->second;
  if (epoch < record.epoch && seq > record.seq) ++too_late_;
}

std::uint64_t ForkFilter::limit(ConversationIndex conversation, std::uint32_t epoch) const {
  std::uint64_t result = kNoLimit;
  const auto forks = forks_.find(conversation);
  if (forks == forks_.end()) return result;
  for (auto fork = forks->second.upper_bound(epoch); fork != forks->second.end(); ++fork)
    result = std::min(result, fork->second);
  return result;
}

std::uint32_t ForkFilter::epoch_of(ConversationIndex conversation, std::uint64_t seq) const {
  std::uint32_t result = 1;
  for (const auto& [epoch, fork] : forks_.at(conversation)) {
    if (seq > fork) result = epoch;
  }
  return result;
}

std::uint32_t ForkFilter::known_to(const Record& record) const {
  const auto known = known_.find({record.device, record.conversation});
  return known == known_.end() ? 1 : known->second;
}

void ForkFilter::pass(const Record& record) {
  if (window_ != kNever && (record.kind == Kind::kReceived || record.kind == Kind::kSendAcked)) {
    auto& highest = passed_[record.conversation];
    highest = std::max(highest, {record.epoch, record.seq});
  }
  out_.on(record);
}

void ForkFilter::replace(Record record, std::uint8_t why) {
  record.kind = Kind::kVoided;
  record.code = why;
  out_.on(record);
}

void ForkFilter::release(Record record) {
  if (record.kind == Kind::kEnd && record.value != 0) {
    record.value = record.value - left_out_ + added_;
    return pass(record);
  }
  if (record.kind == Kind::kEpochAdopted) {
    known_[{record.device, record.conversation}] = record.epoch;
    return pass(record);
  }
  if (record.kind == Kind::kSendInvoked && record.value2 != 0 && forks_.contains(record.conversation) &&
      record.value2 > limit(record.conversation, known_to(record))) {
    orphans_.insert(record.key);
  }
  if (record.kind == Kind::kForked || record.conversation == kNone || !forks_.contains(record.conversation))
    return pass(record);
  if (record.kind == Kind::kSendAcked || record.kind == Kind::kReceived) {
    const bool is_void = record.seq > limit(record.conversation, record.epoch);
    if (!is_void) {
      if (record.kind == Kind::kReceived && record.value2 != 0 && orphans_.contains(record.key)) {
        replace(record, 3);
        ++added_;
      }
      if (record.epoch == epoch_of(record.conversation, record.seq)) record.epoch = 1;
      return pass(record);
    }
    if (record.kind == Kind::kSendAcked && record.flag) {
      replace(record, 2);
      ++added_;
      return pass(record);
    }
    if (record.kind == Kind::kSendAcked) return replace(record, 0);
    if (record.flag && known_to(record) > record.epoch) return replace(record, 1);
    ++left_out_;
    return;
  }
  if (!cut(record)) {
    ++left_out_;
    return;
  }
  pass(record);
}

bool ForkFilter::cut(Record& record) {
  const std::uint32_t epoch =
      record.kind == Kind::kEventLeavesGateway ? std::max(record.epoch, 1U) : known_to(record);
  const std::uint64_t end = limit(record.conversation, epoch);
  if (record.kind == Kind::kSnapshotRow) record.epoch = 1;
  if (record.kind == Kind::kEventLeavesGateway) record.epoch = 0;
  if (end == kNoLimit) return true;
  switch (record.kind) {
    case Kind::kTombstone:
      if (record.seq > end) return false;
      record.value = std::min(record.value, end);
      return true;
    case Kind::kFetchInvoked:
      if (record.value > end) record.value = end;
      return record.seq <= end;
    case Kind::kFetchCompleted:
      if (record.value >= end) record.flag = false;
      record.value = std::min(record.value, end);
      record.value2 = std::min(record.value2, end);
      return record.seq <= end;
    case Kind::kDeliveredSent:
    case Kind::kReadInvoked:
      record.seq = std::min(record.seq, end);
      return record.seq != 0;
    case Kind::kCursorAcked:
      return record.seq <= end && record.value <= end && record.value2 <= end;
    case Kind::kReceiptSeen:
    case Kind::kConversationState:
      record.seq = std::min(record.seq, end);
      record.value = std::min(record.value, end);
      if (record.kind == Kind::kConversationState) record.value2 = std::min(record.value2, end);
      return true;
    case Kind::kPointer:
    case Kind::kSnapshotRow:
    case Kind::kSkipped:
    case Kind::kBeyond:
    case Kind::kPoisoned:
    case Kind::kParked:
    case Kind::kEventLeavesGateway:
      return record.seq <= end;
    default:
      return true;
  }
}

}  // namespace wavetank::history
