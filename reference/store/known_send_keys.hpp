// The idempotency rows written last, and the knowledge that a new key is none of the others.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>

#include "reference/protocol/identifiers.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::store {

// Nearly every send brings a key that nobody has seen, and a client's message id begins with a time: a key
// that is newer than all that this object has let go is either held here or in no row at all. So a store asks
// its table only for keys that come late: re-sent after a restart, or from a clock far behind. Exact for any
// ids, also for those that lie about their time: they only make it ask more often.
class KnownSendKeys {
 public:
  // `newest` is the greatest client_msg_id.hi of the table as it is found.
  explicit KnownSendKeys(std::uint64_t newest) : let_go_(newest), newest_(newest) {}

  void put(const SendKey& key, const SendKeyRow& row) {
    if (rows_.size() >= kMost) {
      rows_.clear();
      let_go_ = newest_;
    }
    newest_ = std::max(newest_, key.client_msg_id.hi);
    rows_[key] = row;
  }
  // The row, if it is held here.
  std::optional<SendKeyRow> find(const SendKey& key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? std::nullopt : std::optional(found->second);
  }
  // The key's row is deleted.
  void erase(const SendKey& key) { rows_.erase(key); }
  // Whether a key that is not held here may have a row all the same.
  bool may_be_elsewhere(const SendKey& key) const { return key.client_msg_id.hi <= let_go_; }

  static constexpr std::size_t kMost = 1 << 14;  // of about 100 bytes

 private:
  struct Hash {
    std::size_t operator()(const SendKey& key) const {
      return IdHash()(Id128{IdHash()(key.client_msg_id), IdHash()(key.conversation) + key.sender});
    }
  };
  boost::unordered_flat_map<SendKey, SendKeyRow, Hash> rows_;
  std::uint64_t let_go_;
  std::uint64_t newest_;
};

}  // namespace wavetank::store
