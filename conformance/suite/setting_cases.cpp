// Settings of conversations: put on one device, seen on the others, by nobody else.
#include <vector>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

PutSetting draft(const ConversationId& conversation, std::uint64_t op, std::string_view text) {
  PutSetting put;
  put.conversation = conversation;
  put.kind = SettingKind::kDraft;
  put.op = op;
  put.text = Slice(text);
  return put;
}

SettingAck accepted(Trial& trial, Device& device, const PutSetting& put) {
  const auto ack = device.ask<SettingAck>(put);
  trial.expect_equal("status", ack.status, SendStatus::kAccepted);
  return ack;
}

// The settings among the changes, which must be this one.
void expect_draft(Trial& trial, const std::vector<Change>& changes, std::string_view text,
                  std::uint64_t revision) {
  std::uint64_t count = 0;
  for (const Change& change : changes) {
    if (change.kind != ChangeKind::kSetting) continue;
    ++count;
    trial.expect(change.setting && change.setting->kind == SettingKind::kDraft, "another kind of setting");
    trial.expect(change.setting && change.setting->text.view() == text, "another text");
    trial.expect_equal("revision", change.user_seq, revision);
  }
  trial.expect_equal("settings told", count, std::uint64_t{1});
}

void put_seen_on_the_second_device(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  const SettingAck ack = accepted(trial, phone, draft(trial.chat(), 1, "not said yet"));
  expect_draft(trial, desk.pushes_until_quiet(1), "not said yet", ack.revision);
  expect_draft(trial, phone.pushes_until_quiet(1), "not said yet", ack.revision);
}

void repeated_put_gets_duplicate(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device desk(trial, trial.user(1), 1);
  const PutSetting mine = draft(trial.chat(), 7, "mine");
  accepted(trial, phone, mine);
  const SettingAck newer = accepted(trial, desk, draft(trial.chat(), 1, "newer"));
  phone.reconnect();
  const auto repeat = phone.ask<SettingAck>(mine);
  trial.expect_equal("status", repeat.status, SendStatus::kDuplicate);
  trial.expect_equal("the present revision", repeat.revision, newer.revision);
  expect_draft(trial, phone.sync_all(0), "newer", newer.revision);
}

void the_newest_by_sync(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  accepted(trial, phone, draft(trial.chat(), 1, "a"));
  const SettingAck second = accepted(trial, phone, draft(trial.chat(), 2, "ab"));
  const SettingAck third = accepted(trial, phone, draft(trial.chat(), 3, "abc"));
  trial.expect(third.revision > second.revision, "revisions do not rise");
  Device desk(trial, trial.user(1), 1);
  expect_draft(trial, desk.sync_all(0), "abc", third.revision);
  // One that had passed the older value meets the newer.
  expect_draft(trial, desk.sync_all(second.revision), "abc", third.revision);
}

void nobody_else_is_told(Trial& trial) {
  Device phone(trial, trial.user(1), 0);
  Device peer(trial, trial.user(2), 0);
  accepted(trial, phone, draft(trial.chat(), 1, "not said yet"));
  trial.expect_equal("changes pushed to the other", peer.pushes_until_quiet().size(), std::size_t{0});
  trial.expect_equal("changes in the other's feed", peer.sync_all(0).size(), std::size_t{0});
  const auto foreign =
      phone.ask<SettingAck>(draft(direct_conversation(trial.user(2), trial.user(3)), 2, "foreign"));
  trial.expect_equal("status", foreign.status, SendStatus::kRejected);
  trial.expect_equal("error", foreign.error, ErrorCode::kForbidden);
}

constexpr Case kSettingCases[] = {
    {"conf/setting/SET-PUSH-001/put-seen-on-the-second-device",
     "Put a draft while two devices are connected.",
     "Both are pushed it once, with the revision of the answer.", put_seen_on_the_second_device},
    {"conf/setting/SET-IDEM-001/repeat-gets-duplicate",
     "Put on one device, then on another, then the first put again on a new connection.",
     "DUPLICATE with the revision of the second, whose value stays.", repeated_put_gets_duplicate},
    {"conf/setting/SET-COALESCE-001/the-newest-by-sync", "Put three drafts; another device syncs.",
     "It is told of the newest alone, from the beginning and from behind the second.", the_newest_by_sync},
    {"conf/setting/SET-OWN-001/nobody-else-is-told",
     "Put a draft of a conversation, and one of a conversation of two others.",
     "The other user is told nothing; the second put is REJECTED FORBIDDEN.", nobody_else_is_told},
};

}  // namespace

std::span<const Case> setting_cases() { return kSettingCases; }

}  // namespace wavetank::conformance
