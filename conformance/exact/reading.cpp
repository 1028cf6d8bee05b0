// RD-MONO, RD-MULTIDEV, RD-LEQ, RD-PRIVATE.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

bool is_answer(const Record& r) { return r.kind == Kind::kCursorAcked && r.code == 0; }

const Marks& marks_of(const Facts& facts, UserIndex user, ConversationIndex conversation) {
  return value_or_default(facts.marks, {user, conversation});
}

// Whether the highest read mark that was set before `at` was set by this device alone.
bool is_only_reader(const Marks& marks, DeviceTag device, Index at) {
  const std::uint64_t highest = marks.read_asked.before(at);
  std::set<DeviceTag> readers;
  for (const ReadMark& read : marks.reads) {
    if (read.at < at && read.seq == highest && highest > 0) readers.insert(read.device);
  }
  return readers == std::set<DeviceTag>{device};
}

// "lost", "kept" or "": what became of the user's feed from this number on when it was taken over before
// `at`.
std::string takeover_of_feed(const Facts& facts, UserIndex user, std::uint64_t first, Index at) {
  std::string what;
  for (const auto& [index, r] : facts.takeovers) {
    if (index >= at || r->kind != Kind::kFeedForked || r->user != user || r->value != first) continue;
    if (what != "lost") what = r->flag ? "lost" : "kept";
  }
  return what;
}

// Whether a shard has begun the epoch of this answer, or a later one, before it came.
bool has_begun(const Facts& facts, const Record& answer, Index at) {
  return std::any_of(facts.takeovers.begin(), facts.takeovers.end(), [&](const auto& takeover) {
    const auto& [index, r] = takeover;
    return index < at && r->kind == Kind::kForked && r->conversation == answer.conversation &&
           r->epoch >= answer.epoch;
  });
}

// The least that this answer says of what the user has read: what had been accepted before the question,
// without what may have been lost since. One of a later age than all of that owes nothing, one of the first
// age all, and others what was accepted in the last age.
std::uint64_t owed_in(const Facts& facts, const Record& answer, Index at) {
  const OpenMark& question = value_or_default(facts.mark_of, at);
  const std::uint32_t age = facts.age_of(answer, at);
  if (age == 0) return question.read_accepted;
  std::uint32_t last = 0;
  std::uint64_t accepted = 0;
  for (const Marks::Answer& known :
       marks_of(facts, facts.user_of(answer.device), answer.conversation).answers) {
    if (known.at >= question.asked) break;
    if (known.age > last) accepted = 0;
    if (known.age < last) continue;
    last = known.age;
    accepted = std::max(accepted, known.read);
  }
  return age <= last ? accepted : 0;
}

// The visible messages of others in (read, head]. A forged key may name a device that comes to be only later:
// until then it is nobody's own.
std::uint64_t unread(const Facts& facts, const Log& log, UserIndex user, std::uint64_t read,
                     std::uint64_t head, Index now) {
  std::uint64_t count = 0;
  for (auto at = log.entries.upper_bound(read); at != log.entries.end() && at->first <= head; ++at) {
    const Entry& entry = at->second;
    if (entry.kind != EntryClass::kMessage || facts.user_of(entry.key.device, now) == user) continue;
    if (log.is_member(user, at->first)) ++count;
  }
  return count;
}

void check_answer(const Facts& facts, const Record& r, Index i, Findings& out, std::uint64_t& counted) {
  const UserIndex user = facts.user_of(r.device);
  const Marks& marks = marks_of(facts, user, r.conversation);
  const std::uint64_t cur = value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
  out.fired();
  if (r.seq > r.value2 || r.value > r.value2) {
    out.violate(r, "device {} is told of delivered {} and read {} in conversation {}, which ends at {}",
                r.device, r.seq, r.value, r.conversation, r.value2);
  } else if (r.seq > cur) {
    out.violate(r,
                "the server holds device {} to have conversation {} up to {}; it was shown entries up to {}",
                r.device, r.conversation, r.seq, cur);
  } else if (r.value > marks.delivered_asked.before(i)) {
    out.violate(r,
                "user {} is said to have read conversation {} up to {}; no device of the user reported "
                "delivery beyond {}",
                user, r.conversation, r.value, marks.delivered_asked.before(i));
  } else if (r.value > r.seq && r.value == marks.read_asked.before(i) && is_only_reader(marks, r.device, i)) {
    out.violate(r, "device {} has read conversation {} up to {} and is held to have got only {}", r.device,
                r.conversation, r.value, r.seq);
  }
  const Log& log = facts.log(r.conversation);
  if (r.value2 > log.known) return;  // some entry of it was never witnessed
  ++counted;
  // What is no longer kept counts for nobody.
  const std::uint64_t below = std::max<std::uint64_t>(r.digest, 1) - 1;
  const std::uint64_t there = unread(facts, log, user, std::max(r.value, below), r.value2, i);
  if (there == r.size) return;
  out.violate(r,
              "device {} is told of {} unread messages in conversation {} (read {}, head {}); there are {}",
              r.device, r.size, r.conversation, r.value, r.value2, there);
}

}  // namespace

// A device is never told a lower read mark than before; an answer to a request that began after the server
// had accepted a mark includes it; the marks of one user never fall for one observer. What was told before
// the world saw an owner lost alone binds nobody after it.
Findings read_monotone(const Facts& facts) {
  struct Seen {
    std::uint64_t delivered = 0;
    std::uint64_t read = 0;
  };
  Findings out;
  const bool has_world = facts.config.fork_window > 0;
  // By the last loss of the device's feed, too: it tells again what it has left.
  std::map<std::tuple<DeviceTag, std::uint64_t, ConversationIndex, UserIndex>, Seen> observed;
  std::map<DeviceTag, std::uint64_t> cuts;
  // What the device was told last of an age, and that age.
  std::map<std::pair<DeviceTag, ConversationIndex>, std::pair<std::uint32_t, std::uint64_t>> ages;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kFeedCut) {
      const std::string what = takeover_of_feed(facts, facts.user_of(r.device), r.value, i);
      if (has_world && (what.empty() || (r.flag && what != "lost"))) {
        out.violate(r, "device {} is told that its feed has lost its rows from {} on, which nobody has lost",
                    r.device, r.value);
      }
      if (r.flag && what == "lost") cuts[r.device] = std::max(cuts[r.device], r.value);
    }
    if (facts.is_forked(r, i)) continue;
    if (is_answer(r)) {
      out.fired();
      if (has_world && r.epoch > 1 && !has_begun(facts, r, i)) {
        out.violate(r, "device {} is told of marks of epoch {} of conversation {}, which nobody has begun",
                    r.device, r.epoch, r.conversation);
        continue;
      }
      const std::uint32_t age = facts.age_of(r, i);
      const auto known = ages.find({r.device, r.conversation});
      std::uint64_t told = 0;
      if (age == 0 && known == ages.end())
        told = value_or_default(facts.views, {r.device, r.conversation}).read_seen.before(i);
      if (age > 0 && known != ages.end() && known->second.first == age) told = known->second.second;
      if (age > 0 && (known == ages.end() || age >= known->second.first))
        ages[{r.device, r.conversation}] = {age, std::max(told, r.value)};
      const std::uint64_t owed = owed_in(facts, r, i);
      if (r.value < told) {
        out.violate(r,
                    "device {} is told that its user has read conversation {} up to {}, after it was told {}",
                    r.device, r.conversation, r.value, told);
      } else if (r.value < owed) {
        out.violate(r,
                    "device {} is told that its user has read conversation {} up to {}, but {} was accepted "
                    "before it asked",
                    r.device, r.conversation, r.value, owed);
      }
    }
    if (r.kind != Kind::kReceiptSeen) continue;
    out.fired();
    Seen& seen = observed[{r.device, value_or_default(cuts, r.device), r.conversation, r.subject}];
    // A mark of 0 says nothing (a private read).
    if ((r.seq != 0 && r.seq < seen.delivered) || (r.value != 0 && r.value < seen.read)) {
      out.violate(
          r, "device {} sees user {}'s marks in conversation {} fall from delivered {}, read {} to {}, {}",
          r.device, r.subject, r.conversation, seen.delivered, seen.read, r.seq, r.value);
    }
    seen.delivered = std::max(seen.delivered, r.seq);
    seen.read = std::max(seen.read, r.value);
  }
  return out;
}

// No device is told of a read mark that no device of the user has set; of several devices, an answer includes
// what had been accepted from any of them when it was asked for; at the end all have the mark.
Findings read_devices(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.device == kNone || facts.is_forked(r, i)) continue;
    const UserIndex user = facts.user_of(r.device);
    if (is_answer(r) || (r.kind == Kind::kReceiptSeen && r.subject == user)) {
      const std::uint64_t asked = marks_of(facts, user, r.conversation).read_asked.before(i);
      out.fired();
      if (r.value > asked) {
        out.violate(r,
                    "device {} is told that user {} has read conversation {} up to {}; no device of the user "
                    "has read beyond {}",
                    r.device, user, r.conversation, r.value, asked);
      }
    }
    if (is_answer(r) && facts.devices_of(user, i + 1) > 1) {
      const std::uint64_t accepted = owed_in(facts, r, i);
      if (r.value < accepted) {
        out.violate(r,
                    "device {} is told that user {} has read conversation {} up to {}; {} had been accepted "
                    "from the user's devices",
                    r.device, user, r.conversation, r.value, accepted);
      }
    }
    if (r.kind != Kind::kConversationState) continue;
    if (!facts.devices.at(r.device).converged_before(i)) continue;
    const Marks& marks = marks_of(facts, user, r.conversation);
    const std::uint64_t accepted = marks.read_accepted.before(i);
    const std::uint64_t asked = marks.read_asked.before(i);
    out.fired();
    if (r.value2 >= accepted && r.value2 <= asked) continue;
    out.violate(
        r, "device {} ends with user {}'s read mark of conversation {} at {}; accepted was {}, asked for {}",
        r.device, user, r.conversation, r.value2, accepted, asked);
  }
  return out;
}

// Of what a user has read privately others are shown at most what a device of the user has read otherwise.
Findings read_private(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kReceiptSeen || facts.is_forked(r, i) || facts.user_of(r.device) == r.subject)
      continue;
    std::uint64_t open = 0;
    bool has_private = false;
    for (const ReadMark& read : marks_of(facts, r.subject, r.conversation).reads) {
      if (read.at >= i) break;
      has_private = has_private || read.is_private;
      if (!read.is_private) open = std::max(open, read.seq);
    }
    if (!has_private) continue;
    out.fired();
    if (r.value <= open) continue;
    out.violate(r,
                "device {} sees that user {} has read conversation {} up to {}; beyond {} that was private",
                r.device, r.subject, r.conversation, r.value, open);
  }
  return out;
}

// Read and delivered are within the head, delivered within what was shown, read within what the user's
// devices reported; nobody is shown marks that were not set; unread counts the visible messages of others
// above the read mark.
Findings read_bounds(const Facts& facts) {
  Findings out;
  std::uint64_t counted = 0;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (facts.is_forked(r, i)) continue;
    if (is_answer(r)) check_answer(facts, r, i, out, counted);
    if (r.kind != Kind::kReceiptSeen) continue;
    const Marks& marks = marks_of(facts, r.subject, r.conversation);
    const std::uint64_t delivered = marks.delivered_asked.before(i);
    const std::uint64_t read = marks.read_asked.before(i);
    out.fired();
    if (r.value > r.seq) {
      out.violate(r, "device {} sees that user {} has read conversation {} up to {} with only {} delivered",
                  r.device, r.subject, r.conversation, r.value, r.seq);
    } else if (r.seq > delivered || r.value > read) {
      out.violate(r,
                  "device {} sees user {} in conversation {} at delivered {}, read {}; the user's devices "
                  "reported {}, {}",
                  r.device, r.subject, r.conversation, r.seq, r.value, delivered, read);
    }
  }
  out.note = fmt::format("{} unread numbers checked", counted);
  return out;
}

}  // namespace wavetank::conformance::exact
