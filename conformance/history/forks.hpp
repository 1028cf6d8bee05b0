// A history in which logs are forked, read as if nothing that a fork has made void had ever been told.
//
// When an owner's disk is lost, its log goes on from a copy: entries above the fork are void, and their
// numbers stand for other entries of a new epoch. That an entry is void is known afterwards only. So records
// wait here for a while, and what has turned out to be void by then is left out, or cut to the fork; what
// passes is the history of one log, in which each number has one entry, and every property may be asked of it
// as of any other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "conformance/history/record.hpp"
#include "reference/environment/time.hpp"

namespace wavetank::history {

// Left out: what was acknowledged LOCAL, shown, pointed to or fetched of void entries. Cut to the fork:
// marks, heads and pages of devices that did not know yet. Instead of an acknowledgement stands kVoided with
// code 0; instead of a void entry that is shown to a device which knew, kVoided with code 1. An
// acknowledgement that named more than LOCAL is never void: it stays, with a kVoided of code 2 before it. So
// does an entry that names another which it cannot answer, since that one is void, with a code of 3. The
// epochs of entries that are where they belong become 1, so that an epoch that nobody has announced is still
// seen as what it is.
//
// kEnd's count is kept right. Memory: the records of the window, and a row for each conversation that was
// forked and each device that has learnt of it; with a bounded window also a row for each conversation.
class ForkFilter final : public Sink {
 public:
  // Records are passed on to `out`, which must outlive the filter, when `window` has passed since their time;
  // kNever: by finish() alone.
  ForkFilter(DurationNs window, Sink& out) : window_(window), out_(out) {}

  void on(const Record& record) override;
  // No more records.
  void finish();
  // Forks that made something void which had been passed on before.
  std::uint64_t too_late() const { return too_late_; }
  std::size_t bytes() const { return waiting_.size() * sizeof(Record); }

 private:
  static constexpr std::uint64_t kNoLimit = UINT64_MAX;
  void learn(const Record& record);
  void release(Record record);
  void pass(const Record& record);
  // Whether the record is still there when it is cut to what is not void.
  bool cut(Record& record);
  void replace(Record record, std::uint8_t why);
  // The highest entry of this epoch that no fork has made void.
  std::uint64_t limit(ConversationIndex conversation, std::uint32_t epoch) const;
  std::uint32_t epoch_of(ConversationIndex conversation, std::uint64_t seq) const;
  std::uint32_t known_to(const Record& record) const;

  DurationNs window_;
  Sink& out_;
  std::deque<Record> waiting_;
  std::map<ConversationIndex, std::map<std::uint32_t, std::uint64_t>>
      forks_;                     // by epoch: the fork it begins at
  std::set<MessageKey> orphans_;  // messages that answer a void entry
  std::map<std::pair<DeviceTag, ConversationIndex>, std::uint32_t> known_;  // the epoch that a device follows
  std::map<ConversationIndex, std::pair<std::uint32_t, std::uint64_t>> passed_;  // highest (epoch, number)
  std::uint64_t left_out_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t too_late_ = 0;
};

}  // namespace wavetank::history
