// The truth's rows: found, asked for before they are needed, and accounted for.
#include "conformance/properties/truth.hpp"

namespace wavetank::conformance {

Log& Truth::open_log(Observation& seen) {
  Conversation& conversation = *seen.conversation;
  if (conversation.log == kNone) {
    conversation.log = static_cast<std::uint32_t>(logs_.size());
    logs_.append();
  }
  Log& log = logs_[conversation.log];
  seen.log = &log;
  return log;
}

void Truth::open_subscription(Observation& seen) {
  subscription_row_ = &open_log(seen).subscriptions.find_or_add(seen.record.device, memory_.subscriptions);
  subscription_ = packer_.load(*subscription_row_);
  seen.subscription = &subscription_;
}

void Truth::find_member(Observation& seen) {
  const Log& log = *seen.log;
  const MemberRow* row = log.members.find(seen.device->user);
  if (row == nullptr) return;
  member_ = packer_.load(*row, log.subscriptions);
  seen.member = &member_;
}

void Truth::open_member(Observation& seen) {
  Log& log = open_log(seen);
  member_row_ = &log.members.find_or_add(seen.device->user, memory_.members);
  member_ = packer_.load(*member_row_, log.subscriptions);
  seen.member = &member_;
}

const PointedRow* Truth::pointed(const Record& record) const {
  const auto rows = pointed_.find(conversations_[record.conversation].log);
  return rows == pointed_.end() ? nullptr : rows->second.find(record.device);
}

void Truth::expect(DeviceTag device) const {
  if (device >= devices_.size()) return;
  if (const Device* row = devices_.find(device)) prefetch(row, sizeof(Device));
}

void Truth::expect(const Record& record) const {
  expect(record.device);
  if (record.key.device != record.device) expect(record.key.device);
  if (record.conversation < conversations_.size())
    prefetch(&conversations_[record.conversation], sizeof(Conversation));
}

// What its device's window keeps of it; the device is looked at now.
void Truth::expect(MessageKey key) const {
  if (key.device >= devices_.size()) return;
  const Device* device = devices_.find(key.device);
  const Send* send = device == nullptr ? nullptr : device->sends.find(key.counter);
  if (send != nullptr) prefetch(send, sizeof(Send));
}

void Truth::expect_logs(const Record& record) const {
  expect(record.key);
  if (record.conversation >= conversations_.size()) return;
  const std::uint32_t log = conversations_[record.conversation].log;
  if (log != kNone) prefetch(&logs_[log], sizeof(Log));
}

template <class Fn>
void Truth::for_each_block(const Record& record, Fn&& fn) const {
  static constexpr KindSet kWithMember =
      kinds_of(Kind::kDeliveredSent, Kind::kReadInvoked, Kind::kCursorAcked);
  static constexpr KindSet kWithRow =
      kWithMember | kinds_of(Kind::kReceived, Kind::kPointer, Kind::kTombstone, Kind::kFetchCompleted);
  if (record.kind >= Kind::kCount || record.conversation >= conversations_.size()) return;
  const Conversation& conversation = conversations_[record.conversation];
  if (conversation.log == kNone) return;
  const Log& log = logs_[conversation.log];
  if (kWithRow.contains(record.kind)) fn(log.subscriptions, record.device);
  const bool asks_membership = record.kind == Kind::kReceived && conversation.is_group();
  if (asks_membership || kWithMember.contains(record.kind)) fn(log.members, user_of(record.device));
  if (record.kind == Kind::kSendAcked) fn(log.writers, record.device);
}

void Truth::expect_blocks(const Record& record) const {
  for_each_block(record, [](const auto& block, std::uint32_t) { block.expect(); });
  static constexpr KindSet kWithEntry = kinds_of(Kind::kReceived, Kind::kSendAcked);
  if (record.kind >= Kind::kCount || !kWithEntry.contains(record.kind)) return;
  if (record.conversation >= conversations_.size()) return;
  const Entry* entry = log_of(record.conversation).entries.find(record.seq);
  if (entry != nullptr) prefetch(entry, sizeof(Entry));
}

void Truth::expect_rows(const Record& record) const {
  for_each_block(record, [](const auto& block, std::uint32_t who) { block.expect(who); });
}

JudgeMemory Truth::memory() const {
  JudgeMemory memory = memory_;
  memory.devices = {devices_.size(), devices_.bytes() + users_.bytes()};
  memory.conversations = {conversations_.size(), conversations_.bytes()};
  memory.logs = {logs_.size(), logs_.bytes() + table_bytes(floors_)};
  memory.subscriptions.bytes += packer_.subscription_bytes();
  memory.members.bytes += packer_.member_bytes() + intervals_.capacity() * sizeof(Interval);
  memory.pointed.bytes += table_bytes(pointed_);
  for (DeviceTag tag = 0; tag < devices_.size(); ++tag) {
    if (const Device* row = devices_.find(tag)) memory.messages.bytes += row->sends.bytes();
  }
  memory.messages.rows = memory.messages.bytes / sizeof(Send);
  memory.entries.bytes = budget_.used - memory.messages.bytes;
  memory.entries.rows = memory.entries.bytes / sizeof(Entry);
  memory.under_way = pages_.capacity() * sizeof(FetchPage) + free_pages_.capacity() * sizeof(std::uint32_t) +
                     parked_total_ * sizeof(ParkedCheck) + newly_known_.capacity() * sizeof(KnownEntry) +
                     table_bytes(open_fetches_) + table_bytes(open_marks_) + table_bytes(accepted_in_age_);
  return memory;
}

}  // namespace wavetank::conformance
