// DLV-NODUP, DLV-INTEGRITY.
#include <algorithm>
#include <map>
#include <set>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

// What reached one device of one conversation over the feed.
struct Fed {
  Index connection = kNowhere;
  std::uint64_t top = 0;           // the highest entry that came over the feed or was pointed to, ever
  std::uint64_t before = 0;        // came, and was acknowledged, before the present connection
  std::set<std::uint64_t> pushed;  // on this connection, and not asked for or synced since
  std::set<std::uint64_t> synced;  // in syncs of ranges that do not overlap
};

}  // namespace

// No device shows an entry twice. On one connection an entry is pushed once unless the device has asked for
// it since; what it had got and acknowledged before the connection is not pushed again; two syncs of separate
// ranges do not bring the same; a page holds nothing from before its range that was shown. A pointer counts
// as the entry at its head.
Findings delivery_duplicates(const Facts& facts) {
  Findings out;
  std::map<DeviceConversation, Fed> rows;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kConnected) {
      // A new connection: what was acknowledged up to now counts as had.
      for (auto row = rows.lower_bound({r.device, 0}); row != rows.end() && row->first.first == r.device;
           ++row) {
        Fed& fed = row->second;
        const View& view = value_or_default(facts.views, row->first);
        fed.before = std::max(fed.before, std::min(fed.top, view.delivered_acked.before(i)));
        fed.pushed.clear();
        fed.synced.clear();
      }
      continue;
    }
    if (r.kind == Kind::kSyncCompleted && r.code == 0 && r.value < facts.feed_of.at(i).covered) {
      // The range comes again, so its rows may.
      for (auto row = rows.lower_bound({r.device, 0}); row != rows.end() && row->first.first == r.device;
           ++row)
        row->second.synced.clear();
      continue;
    }
    if ((r.kind != Kind::kReceived && r.kind != Kind::kPointer) || facts.is_forked(r, i)) continue;
    Fed& fed = rows[{r.device, r.conversation}];
    const std::uint64_t cur = value_or_default(facts.views, {r.device, r.conversation}).cur.before(i);
    const Via via = static_cast<Via>(r.code);
    out.fired();
    if (r.kind == Kind::kReceived && r.flag) {
      if (r.seq <= cur) {
        out.violate(r, "device {} showed entry {} of conversation {} a second time", r.device, r.seq,
                    r.conversation);
      }
    } else if (via == Via::kLive && fed.pushed.contains(r.seq)) {
      out.violate(r, "device {} was pushed entry {} of conversation {} twice on one connection", r.device,
                  r.seq, r.conversation);
    } else if (via == Via::kLive && r.seq <= fed.before) {
      out.violate(r,
                  "device {} was pushed entry {} of conversation {} again after it had acknowledged it and "
                  "reconnected",
                  r.device, r.seq, r.conversation);
    } else if (via == Via::kSync && fed.synced.contains(r.seq)) {
      out.violate(r,
                  "device {} got entry {} of conversation {} in two sync pages of ranges that do not overlap",
                  r.device, r.seq, r.conversation);
    } else if (const auto page = facts.page_of.find(i); via == Via::kFetch && page != facts.page_of.end() &&
                                                        r.seq < facts.pages[page->second].from &&
                                                        r.seq <= cur) {
      out.violate(r, "device {} asked for conversation {} from {} on and got entry {} again", r.device,
                  r.conversation, facts.pages[page->second].from, r.seq);
    }
    if (via == Via::kLive) {
      fed.pushed.insert(r.seq);
    } else {
      fed.pushed.erase(r.seq);
    }
    if (via == Via::kSync) fed.synced.insert(r.seq);
    if (via != Via::kFetch) fed.top = std::max(fed.top, r.seq);
  }
  return out;
}

// Every delivered entry carries the key, sender, conversation, kind and content of a message that was invoked
// before.
Findings delivery_integrity(const Facts& facts) {
  Findings out;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind != Kind::kReceived) continue;
    out.fired();
    const Message* message = facts.message(r.key, i);
    if (message == nullptr) {
      out.violate(r, "device {} got {} at {} of conversation {}, which nobody has sent", r.device,
                  name_of(r.key), r.seq, r.conversation);
    } else if (facts.user_of(r.key.device) != r.sender) {
      out.violate(r, "device {} got {} at {} of conversation {} as if user {} had sent it; user {} did",
                  r.device, name_of(r.key), r.seq, r.conversation, r.sender, facts.user_of(r.key.device));
    } else if (r.digest != r.canary) {
      out.violate(r, "device {} got {} at {} of conversation {} with other bytes than were sent", r.device,
                  name_of(r.key), r.seq, r.conversation);
    } else if (message->conversation != r.conversation) {
      out.violate(r, "device {} got {} in conversation {}; it was sent to conversation {}", r.device,
                  name_of(r.key), r.conversation, message->conversation);
    } else if (!message->is_reused(i) && !(message->kind != 0 && message->target == kNone) &&
               (message->kind != r.entry_kind || message->digest != r.digest)) {
      // A membership change without a target means its sender; the server names it, so the digests differ.
      out.violate(
          r, "device {} got {} at {} of conversation {} with another kind, length or target than was sent",
          r.device, name_of(r.key), r.seq, r.conversation);
    }
  }
  return out;
}

}  // namespace wavetank::conformance::exact
