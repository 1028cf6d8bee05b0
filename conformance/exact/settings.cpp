// SET-CONVERGE, SET-MONO, SET-ONCE, SET-OWN.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// A setting of a conversation, of a user or on a device.
using Place = std::tuple<std::uint32_t, ConversationIndex, std::uint8_t>;

bool has_status(const Record& r, protocol::SendStatus status) {
  return r.kind == Kind::kSettingResolved && r.code == static_cast<std::uint8_t>(status);
}
bool is_shown(const Record& r) { return r.kind == Kind::kSettingSeen || r.kind == Kind::kSettingState; }
// Whether the record says that revision `value` is the put `key`.
bool names_put(const Record& r) { return is_shown(r) || has_status(r, protocol::SendStatus::kAccepted); }

std::string name_of_put(MessageKey key) {
  return fmt::format("put {} of device {}", key.counter, key.device);
}

}  // namespace

// In the end every converged device shows of each setting the value of the highest revision that the server
// has acknowledged to a device of the user, or that one of them has shown.
Findings setting_convergence(const Facts& facts) {
  struct Newest {
    std::uint64_t revision = 0;
    std::set<MessageKey> puts;  // said to be it
    MessageKey first;
  };
  Findings out;
  std::map<Place, Newest> newest;
  std::map<Place, std::pair<std::uint64_t, MessageKey>> states;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kSettingState) states[{r.device, r.conversation, r.entry_kind}] = {r.value, r.key};
    const bool is_answer =
        r.kind == Kind::kSettingResolved && !has_status(r, protocol::SendStatus::kRejected);
    if (!is_answer && r.kind != Kind::kSettingSeen) continue;
    if (is_answer && r.value == 0) {
      out.violate(r, "device {} is told that {} was taken, and that the setting has no value", r.device,
                  name_of_put(r.key));
      continue;
    }
    Newest& top = newest[{facts.user_of(r.device), r.conversation, r.entry_kind}];
    if (r.value > top.revision) top = {r.value, {}, {}};
    if (r.value != top.revision || !names_put(r)) continue;
    if (top.puts.empty()) top.first = r.key;
    top.puts.insert(r.key);
  }
  for (const auto& [place, top] : newest) {
    const auto& [user, conversation, kind] = place;
    for (const DeviceTag tag : value_or_default(facts.devices_of_user, user)) {
      if (!facts.devices.at(tag).converged_before(kNowhere)) continue;
      out.fired();
      const auto& [revision, put] = value_or_default(states, {tag, conversation, kind});
      if (revision == top.revision && (top.puts.empty() || put == top.first)) continue;
      out.violate_at(facts.end, conversation, tag, 0, {},
                     "device {} ends with revision {} of setting {} of conversation {}; the newest is {}",
                     tag, revision, kind, conversation, top.revision);
    }
  }
  return out;
}

// On one device the revisions of a setting that are shown rise, and the last one is shown in the end.
Findings setting_monotone(const Facts& facts) {
  Findings out;
  std::map<Place, std::uint64_t> highest;
  std::map<Place, std::uint64_t> ranks;  // by the old revisions of what was put again
  std::map<MessageKey, std::uint64_t> former;
  std::set<Place> states;
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kSettingPut && r.value != 0) former.try_emplace(r.key, r.value);
    if (!names_put(r)) continue;
    out.fired();
    const auto lost = former.find(r.key);
    const std::uint64_t rank_now = lost == former.end() ? r.value : lost->second;
    std::uint64_t& rank = ranks[{r.device, r.conversation, r.entry_kind}];
    if (r.kind == Kind::kSettingState && rank_now < rank &&
        facts.devices.at(r.device).converged_before(kNowhere)) {
      out.violate(r, "device {} ends with setting {} of conversation {} as of revision {}, and has shown {}",
                  r.device, r.entry_kind, r.conversation, rank_now, rank);
    }
    rank = std::max(rank, rank_now);
    const Place place{r.device, r.conversation, r.entry_kind};
    std::uint64_t& before = highest[place];
    if (r.kind == Kind::kSettingState ? r.value < before : is_shown(r) && r.value <= before) {
      out.violate(r, "device {} shows revision {} of setting {} of conversation {} after revision {}",
                  r.device, r.value, r.entry_kind, r.conversation, before);
    }
    before = std::max(before, r.value);
    if (r.kind == Kind::kSettingState) states.insert(place);
  }
  for (const auto& [place, revision] : highest) {
    const auto& [device, conversation, kind] = place;
    if (states.contains(place) || !facts.devices.at(device).converged_before(kNowhere)) continue;
    out.violate_at(facts.end, conversation, device, 0, {},
                   "device {} ends without a value of setting {} of conversation {} after revision {}",
                   device, kind, conversation, revision);
  }
  return out;
}

// A put and a revision of its user belong to each other alone, but for revisions that were lost.
Findings setting_once(const Facts& facts) {
  Findings out;
  std::map<MessageKey, std::set<std::uint64_t>> revisions_of;
  std::map<std::pair<UserIndex, std::uint64_t>, MessageKey> put_of;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (!names_put(r)) continue;
    out.fired();
    const UserIndex user = facts.user_of(r.device);
    std::set<std::uint64_t>& revisions = revisions_of[r.key];
    const bool is_fine = std::all_of(revisions.begin(), revisions.end(), [&](std::uint64_t other) {
      return other == r.value || facts.is_loss_between(user, other, r.value, i);
    });
    const MessageKey put = put_of.try_emplace({user, r.value}, r.key).first->second;
    if (is_fine) revisions.insert(r.value);
    if (is_fine && put == r.key) continue;
    out.violate(r, "device {} is told that revision {} is {}; that has revision {}, and the revision is {}",
                r.device, r.value, name_of_put(r.key), *revisions.begin(), name_of_put(put));
  }
  return out;
}

// What a device shows was put before by a device of its user, in that place and with that value.
Findings setting_own(const Facts& facts) {
  Findings out;
  std::map<MessageKey, const Record*> puts;
  for (const Record* record : facts.records) {
    const Record& r = *record;
    if (r.kind == Kind::kSettingPut) puts.try_emplace(r.key, record);
    if (!is_shown(r)) continue;
    out.fired();
    const Record* put = value_or_default(puts, r.key);
    const bool is_own = put != nullptr && facts.user_of(put->device) == facts.user_of(r.device) &&
                        put->conversation == r.conversation && put->entry_kind == r.entry_kind &&
                        put->digest == r.digest;
    if (is_own) continue;
    out.violate(r,
                "device {} shows a value of setting {} of conversation {} as {}, which is none of its user's",
                r.device, r.entry_kind, r.conversation, name_of_put(r.key));
  }
  return out;
}

}  // namespace wavetank::conformance::exact
