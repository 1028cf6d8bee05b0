#include "conformance/requirements/registry.hpp"

#include <array>

namespace wavetank::conformance {

namespace {

constexpr std::array kRequirements = std::to_array<Requirement>({
    {"ORD-AGREE", "MUST", "All witnesses of an entry agree",
     "For every conversation and number, every acknowledgement, push, sync and page names the same entry: "
     "same key, "
     "sender, content and message number.",
     "A conversation that reads differently on two devices is two conversations.",
     "ejabberd 1352: room history in another order than sent; PeerioTechnologies/peerio-client 85"},
    {"ORD-REALTIME", "MUST", "The log's order respects real time",
     "An entry that anybody has seen before another message is sent has the lower number.",
     "An answer must not stand before its question.", "etcd 17780: revisions fall after a crash; etcd 20418"},
    {"ORD-FIFO", "MUST", "One device's messages keep their order",
     "Two messages of one device in one conversation, each transmitted once on the same connection, or the "
     "second only "
     "after the first was acknowledged, are numbered in the order of transmission.",
     "People write in sentences.", "kontalk/androidclient 32; Signal-Desktop 342, 924"},
    {"DLV-GAPFREE", "MUST", "Nothing is skipped in silence",
     "What a device is shown of a conversation has no hole but explicit tombstones of entries it may not "
     "see, and a "
     "healthy connection is pushed every change.",
     "A missing message that nobody notices is the worst loss.",
     "synapse 7206, 9424, 14158; mattermost 23332"},
    {"DLV-NODUP", "MUST", "Nothing is delivered twice",
     "On one connection an entry is pushed at most once unless its range was asked for again; after a "
     "reconnect nothing "
     "is pushed again whose delivery was acknowledged; no device shows an entry twice; a page holds only "
     "what was asked "
     "for.",
     "Repeats cost battery and trust.",
     "Conversations 879: a frozen counter resends for ever; etcd 17247, 15271"},
    {"DLV-INTEGRITY", "MUST", "Content and sender are the sender's own",
     "Every delivered entry carries the key, sender, kind and content of a message that this sender's device "
     "has sent.",
     "A server can be trusted only as far as forgery shows.",
     "CVE-2017-5589, CVE-2020-26547: forged carbons"},
    {"SYN-CURSOR", "MUST", "A page is exactly what it says",
     "A page covers its range exactly once and in order, reaches the head or says that there is more; feed "
     "pages touch "
     "and never end before what was known when they were asked for.",
     "A client that trusts a page's bounds must lose nothing by it.", "synapse 14158, 15260, 12281"},
    {"SND-IDEM", "MUST", "A key makes one entry",
     "However often a message is transmitted under its key, exactly one entry results, and every "
     "acknowledgement names "
     "its place; the same key with other content is refused and changes nothing.",
     "Mobile networks lose acknowledgements all day.",
     "synapse 3365; element-ios 512; zulip 31219; dendrite 327"},
    {"SND-DEFINITE", "MUST", "Refused means never",
     "A message refused with a definite error never becomes an entry.", "The user will write it again.",
     "synapse pull request 5576: 429 returned after the e-mail went out"},
    {"DUR-ACKED", "MUST", "Acknowledged means kept",
     "An acknowledged entry is found at its place by every later read, over crashes and power cuts, at the "
     "durability the "
     "acknowledgement named.",
     "The sender's device forgets the message once it is acknowledged.",
     "etcd 14370, 13766; ejabberd 1151, 2713, 3225"},
    {"DUR-NOREUSE", "MUST", "Numbers are given once",
     "No number is acknowledged for two entries, heads never fall, and message numbers are dense.",
     "Cursors outlive servers.", "etcd 17780; mattermost 30388; mattermost-mobile 10183"},
    {"RD-MONO", "MUST", "Read marks never fall",
     "No device is told a lower read mark than before, and what the server has accepted is seen by whatever "
     "asks later.",
     "An unread mark that comes back is never believed again.", "element-web 23508; synapse 3318"},
    {"RD-MULTIDEV", "MUST", "A user reads on all devices",
     "A user's read mark is the maximum of what the user's devices have set; all of them end up with it.",
     "Reading on one device is reading.", "Rocket.Chat 27776; RocketChat/feature-requests 709"},
    {"RD-LEQ", "MUST", "Read, delivered and head keep their order",
     "Read is at most delivered, delivered at most the head; nobody is shown a delivery that has not "
     "happened; unread "
     "counts the visible messages of others above the read mark.",
     "Marks that contradict each other mislead everyone.", "Rocket.Chat 6069"},
    {"ACL-BOUNDARY", "MUST", "Only members see, at the exact entry",
     "A device gets an entry's content only if its user was a member at that entry, no entry comes from a "
     "non-member, a "
     "member is not refused, and receipts stay with members.",
     "Membership is a promise to the others.", "Rocket.Chat 32246; stream-chat-net 62; CVE-2022-39335"},
    {"LIV-CONVERGE", "MUST", "Everything converges",
     "When faults and sends have stopped, within the printed bound every core device holds every entry its "
     "user may see "
     "and waits for nothing.",
     "Safety alone is kept by a server that is switched off.", "td 3465, 2937"},
    {"SLO-AVAIL", "SHOULD", "Sends are acknowledged promptly",
     "Outside of faults and recovery the stated share of transmitted messages is acknowledged within 5 s.",
     "Available is what answers.", "the project's own goal: 99.95 % of seeds' sends"},
    {"SLO-PCT", "SHOULD", "Delivery is fast within a region",
     "In calm phases the 99th percentile stays below the bound: from the last byte of the send at the "
     "sender's gateway to "
     "the first byte at the recipient's for all, end to end for the judged cohorts.",
     "An average hides everyone who waited.", "tlp-stress 131: coordinated omission"},
});

}  // namespace

std::span<const Requirement> requirements() { return kRequirements; }

const Requirement* find_requirement(std::string_view id) {
  for (const Requirement& requirement : kRequirements) {
    if (requirement.id == id) return &requirement;
  }
  return nullptr;
}

}  // namespace wavetank::conformance
