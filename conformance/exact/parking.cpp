// PRK-LOOP: nothing is delivered to a device for ever, and nothing is given up that has not failed often.
// DLV-CONSERVE: nothing comes into being and nothing disappears.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "conformance/exact/properties.hpp"
#include "conformance/requirements/parking_bounds.hpp"

namespace wavetank::conformance::exact {

namespace {

// An entry on its way to a device.
using Delivery = std::tuple<DeviceTag, ConversationIndex, std::uint64_t>;
Delivery delivery_of(const Record& r) { return {r.device, r.conversation, r.seq}; }

constexpr auto kParkedReason = static_cast<std::uint8_t>(protocol::TombstoneReason::kParked);
constexpr auto kFetched = static_cast<std::uint8_t>(Via::kFetch);

// How many records before `at` are of one of these kinds.
std::uint64_t count_between(const Facts& facts, Index from, Index at, const std::set<Kind>& kinds) {
  std::uint64_t count = 0;
  for (Index i = from; i < at; ++i) count += kinds.contains(facts.records[i]->kind) ? 1 : 0;
  return count;
}

// Sessions of the device that ended before `at`.
std::uint64_t ended_before(const Facts& facts, DeviceTag device, Index at) {
  std::uint64_t count = 0;
  for (Index i = 0; i < at; ++i) {
    const Record& r = *facts.records[i];
    count += r.kind == Kind::kDisconnected && r.device == device ? 1 : 0;
  }
  return count;
}

// Where each entry was parked for a device.
using Parkings = std::map<Delivery, std::vector<Index>>;
Parkings parkings_of(const Facts& facts) {
  Parkings parkings;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kParked) parkings[delivery_of(r)].push_back(i);
  }
  return parkings;
}
// The last of them before `at`; kNowhere: there was none.
Index parked_before(const Parkings& parkings, const Delivery& delivery, Index at) {
  Index last = kNowhere;
  for (const Index place : value_or_default(parkings, delivery)) {
    if (place < at) last = place;
  }
  return last;
}

// Whether the node died afterwards, before anybody was told.
bool is_void(const Facts& facts, Index parked, Index at) {
  const Record& p = *facts.records[parked];
  for (Index i = parked + 1; i < at; ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kTombstone && r.code == kParkedReason && delivery_of(r) == delivery_of(p))
      return false;
    if (r.kind == Kind::kCrash && r.value == p.size) return true;
  }
  return false;
}

}  // namespace

Findings parked_loop(const Facts& facts) {
  Findings out;
  const std::uint32_t park_after = facts.config.park_after;
  const Parkings parkings = parkings_of(facts);
  std::map<Delivery, std::vector<Index>> crashes;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kPoisoned) {
      out.fired();
      std::vector<Index>& times = crashes[delivery_of(r)];
      times.push_back(i);
      const std::uint64_t spare = count_between(facts, times.front(), i, {Kind::kCrash, Kind::kBucketServed});
      if (times.size() <= most_deliveries(park_after) + spare) continue;
      out.violate(r, "device {} was given entry {} of conversation {} for the {}th time, and crashed on it",
                  r.device, r.seq, r.conversation, times.size());
    } else if (r.kind == Kind::kParked) {
      out.fired();
      const std::uint64_t ended = park_after == 0 ? 0 : ended_before(facts, r.device, i);
      if (park_after != 0 && std::min(r.value, ended) >= park_after) continue;
      out.violate(r,
                  "entry {} of conversation {} was parked for device {} after {} failures, and {} sessions "
                  "that ended",
                  r.seq, r.conversation, r.device, r.value, ended);
    } else if (r.kind == Kind::kTombstone && r.code == kParkedReason) {
      out.fired();
      if (r.seq == r.value && parked_before(parkings, delivery_of(r), i) != kNowhere) continue;
      out.violate(
          r, "device {} was told that entries {} to {} of conversation {} are parked for it; they are not",
          r.device, r.seq, r.value, r.conversation);
    }
  }
  return out;
}

namespace {

// What the device took of each conversation, entry by entry or run by run, and what it says it holds.
void check_devices(const Facts& facts, Findings& out) {
  std::map<DeviceTag, std::map<ConversationIndex, std::uint64_t>> taken;
  std::map<DeviceTag, std::uint64_t> held;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kConversationState) {
      held[r.device] += r.seq;
    } else if (r.kind == Kind::kReceived && r.flag) {
      ++taken[r.device][r.conversation];
    } else if (r.kind == Kind::kTombstone && r.flag) {
      const std::uint64_t cur = value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
      if (r.value > cur) taken[r.device][r.conversation] += r.value - cur;
    } else if (r.kind == Kind::kSkipped && r.seq > r.value) {
      taken[r.device][r.conversation] += r.seq - r.value;
    }
  }
  for (const auto& [tag, device] : facts.devices) {
    if (device.states.empty()) continue;
    out.fired();
    std::uint64_t sum = 0;
    for (const auto& [conversation, entries] : taken[tag]) sum += entries;
    if (sum == held[tag]) continue;
    out.violate_at(facts.end, kNone, tag, 0, {}, "device {} took {} entries and holds {}", tag, sum,
                   held[tag]);
  }
}

void count_on_devices(const Facts& facts, ConversationIndex index, const Log& log, UserIndex user,
                      Findings& out) {
  const std::uint64_t last = log.last_visible(user, log.head.last());
  for (const DeviceTag tag : value_or_default(facts.devices_of_user, user)) {
    if (!facts.devices.at(tag).converged_before(kNowhere)) continue;
    out.fired();
    const std::uint64_t cur = value_or_default(facts.views, {tag, index}).cur.last();
    if (cur >= last) continue;
    out.violate_at(facts.end, index, tag, last, {},
                   "of {} entries of conversation {} device {} has {}: nobody knows of the others", last,
                   index, tag, cur);
  }
}

void check_entries(const Facts& facts, Findings& out) {
  for (const auto& [index, log] : facts.logs) {
    if (log.head.last() == 0) continue;
    if (!log.is_group) {
      for (const UserIndex user : std::set<UserIndex>{log.first_user, log.second_user})
        count_on_devices(facts, index, log, user, out);
      continue;
    }
    for (const auto& [user, intervals] : log.members) {
      if (log.known < log.head.last()) {
        ++out.unverified;
      } else {
        count_on_devices(facts, index, log, user, out);
      }
    }
  }
}

void check_sends(const Facts& facts, Findings& out) {
  std::uint64_t acked = 0;
  std::uint64_t refused = 0;
  for (const auto& [key, message] : facts.messages) {
    if (message.acked < message.failed) ++acked;
    if (message.failed < message.acked) ++refused;
  }
  std::uint64_t entries = 0;
  for (const auto& [index, log] : facts.logs) entries += log.head.last();
  out.fired();
  if (acked <= entries && entries <= facts.messages.size() - refused) return;
  out.violate_at(facts.end, kNone, kNone, 0, {},
                 "the logs hold {} entries, of {} messages that were sent, {} acknowledged and {} refused",
                 entries, facts.messages.size(), acked, refused);
}

// What is parked on a way does not come on that way.
void check_parked(const Facts& facts, Findings& out) {
  const Parkings parkings = parkings_of(facts);
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kReceived || !r.flag) continue;
    const Index parked = parked_before(parkings, delivery_of(r), i);
    if (parked == kNowhere || is_void(facts, parked, i)) continue;
    if ((r.code == kFetched) != (facts.records[parked]->code == kFetched)) continue;
    out.violate(r, "device {} shows entry {} of conversation {}, which is parked for it", r.device, r.seq,
                r.conversation);
  }
}

}  // namespace

Findings delivery_conserve(const Facts& facts) {
  Findings out;
  check_parked(facts, out);
  if (facts.quiesced_at == kNever || facts.forked_conversations() > 0) return out;
  check_sends(facts, out);
  check_devices(facts, out);
  check_entries(facts, out);
  return out;
}

}  // namespace wavetank::conformance::exact
