// Deliveries that end a device's session instead of being taken (PRK-*): a message on which an app crashes is
// not given to it for ever.
//
//   device                              home (of the user, or of the conversation)
//      | Sync (after 7)                    |
//      |---------------------------------->|  remembers: this session is given 8 to 20
//      |   SyncResult (8 .. 20)            |
//      |<----------------------------------|
//      x  the session ends                 |
//      | Sync (after 7), another session   |
//      |---------------------------------->|  8 has failed once: a row
//
// Whoever asks again from the same place in another session has not taken what the last answer began with.
// Only the first entry of an answer can be told apart, so that after two such failures answers hold one entry
// at a time, up to the end of those that failed. What fails park_after times is parked.
//
// What an answer held and who asked is kept in memory only: when the shard dies one failure is not counted.
// The count is a row, written where a failure is found; a delivery that succeeds writes nothing.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "reference/environment/observer.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/server/config.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

// The part of one shard. Does nothing while park_after is 0. An answer costs one read of the queue's rows.
class Deliveries {
 public:
  Deliveries(const ServerConfig& config, store::LogStore& store, ServerObserver& observer)
      : config_(config), store_(store), observer_(observer) {}

  bool is_on() const { return config_.park_after != 0; }

  // An answer is about to leave for the session `to`: what is parked for its device is marked as parked, and
  // what follows a suspect is left for the next answer. A change without an entry is never parked.
  void check(const protocol::Route& to, protocol::SyncResult& answer);
  void check(const protocol::Route& to, protocol::RangeResult& answer);

  // The next effect of the source cannot be applied. True when that has happened park_after times: it is
  // parked, and what follows it is to be taken.
  bool park_effect(NodeId source, std::uint64_t number);

  // Who was given what is forgotten: buckets have come or gone. The counts stay.
  void forget() {
    given_.clear();
    counted_.clear();
  }
  void bound_cache() {
    if (given_.size() > config_.cache_limit) forget();
  }

 private:
  struct Recipient {
    ConversationId queue;
    UserId user = 0;
    DeviceIndex device = 0;
    friend bool operator==(const Recipient&, const Recipient&) = default;
  };
  struct RecipientHash {
    std::size_t operator()(const Recipient& recipient) const {
      return IdHash()(Id128{IdHash()(recipient.queue), IdHash::mix(recipient.user) + recipient.device});
    }
  };
  // What the last answer to a device began and ended with.
  struct Given {
    SessionId session = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  // An entry of the answer in hand.
  struct Item {
    std::uint64_t number = 0;  // in its queue
    ConversationId conversation;
    std::uint64_t seq = 0;  // 0: a change without an entry
    bool parked = false;
  };

  // Judges items_, and returns how many of them are to be delivered.
  std::size_t judge(const ConversationId& queue, Via via, const protocol::Route& to);
  // The answers that begin with this item have failed once more. Whether it is parked now.
  bool fail(const ConversationId& queue, Via via, const protocol::Route& to, const Item& item,
            std::uint64_t last);
  const store::FailureRow* row_of(std::uint64_t number) const;
  std::uint32_t limit() const {
    return config_.defects.has(Defect::kParksAfterFirstFailure) ? 1 : config_.park_after;
  }

  const ServerConfig& config_;
  store::LogStore& store_;
  ServerObserver& observer_;
  boost::unordered_flat_map<Recipient, Given, RecipientHash> given_;
  boost::unordered_flat_map<Recipient, std::uint64_t, RecipientHash> counted_;  // by this process, last
  std::vector<Item> items_;
  std::vector<store::FailureRow> rows_;  // of the device in hand
};

}  // namespace wavetank::server
