// What devices owe of their limit of sends while they have no session: kept by the home of their user, so
// that whoever comes back, wherever, goes on from there (LIM-SCOPE).
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>

#include "reference/environment/time.hpp"
#include "reference/protocol/identifiers.hpp"
#include "reference/server/config.hpp"
#include "reference/server/gcra.hpp"

namespace wavetank::server {

// A debt travels as a relative time in milliseconds, rounded up: clocks of nodes differ, and what is under
// way does not get less on the way, so that nobody earns anything by moving.
//
// What is not known counts as the whole burst used up (Gcra::full()): the device goes on at its even pace and
// has earned its burst back when it was silent for so long. That is what it owes at most, wherever it was, so
// a dead node gives nothing away, and whoever writes no faster than the pace does not notice. Not known is
// what a device owes whose gateway was lost, and everybody's debt for full() after the shard's start.
//
// Memory: some 24 bytes for each device that has left within full(). All methods are O(1) amortised.
class SendDebts {
 public:
  explicit SendDebts(const ServerConfig& config)
      : limit_(config.sends_per_s, config.send_burst), is_on_(config.sends_per_s != 0) {}

  bool is_on() const { return is_on_; }
  // The shard's process begins at `now`, and knows nothing of what was before.
  void begin(TimeNs now) { unknown_until_ = now + limit_.full(); }

  // A session of the device begins: what it owes. The account is the session's from now on.
  DurationNs take(UserId user, DeviceIndex device, TimeNs now) {
    DurationNs owed = Gcra::debt(unknown_until_, now);
    const auto found = due_.find(Id128{user, device});
    if (found == due_.end()) return owed;
    owed = std::max(owed, Gcra::debt(found->second, now));
    due_.erase(found);
    return owed;
  }
  // The device's session has ended and owes so much.
  void put(UserId user, DeviceIndex device, DurationNs debt, TimeNs now) {
    if (debt <= 0) return;
    if (due_.size() >= sweep_at_) sweep(now);
    TimeNs& due = due_[Id128{user, device}];
    due = std::max(due, now + std::min(debt, limit_.full()));
  }
  // It ended with its gateway: nobody knows.
  void put_unknown(UserId user, DeviceIndex device, TimeNs now) { put(user, device, limit_.full(), now); }

  DurationNs full() const { return limit_.full(); }
  std::size_t size() const { return due_.size(); }

  static std::uint32_t to_ms(DurationNs debt) {
    return static_cast<std::uint32_t>((debt + kMillisecond - 1) / kMillisecond);
  }

 private:
  static constexpr std::size_t kFewest = 1024;

  // Forgets debts that time has paid; the next time when there are twice as many as are left.
  void sweep(TimeNs now) {
    erase_if(due_, [now](const auto& entry) { return entry.second <= now; });
    sweep_at_ = std::max(kFewest, due_.size() * 2);
  }

  Gcra limit_;
  bool is_on_;
  TimeNs unknown_until_ = 0;
  std::size_t sweep_at_ = kFewest;
  boost::unordered_flat_map<Id128, TimeNs, IdHash> due_;  // by {user, device}
};

}  // namespace wavetank::server
