#include "conformance/suite/mistakes.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr Mutant kSettingMutants[] = {
    {"settings-repeat-as-new",
     "A put that was taken before is answered ACCEPTED.",
     {"SET-IDEM-001"},
     [] {
       return tells<SettingAck>([](Line&, SettingAck& ack) {
         if (ack.status == SendStatus::kDuplicate) ack.status = SendStatus::kAccepted;
       });
     }},
    {"settings-of-the-device",
     "A setting is told to the device that has put it and to no other.",
     {"SET-PUSH-001"},
     [] {
       return tells_changes([](Line& line, const Change& change) {
         return !change.setting || change.setting->device == line.device();
       });
     }},
    {"settings-of-strangers",
     "A put for a conversation of two others is answered ACCEPTED.",
     {"SET-OWN-001"},
     [] {
       return tells<SettingAck>([](Line&, SettingAck& ack) {
         if (ack.error != ErrorCode::kForbidden) return;
         ack.status = SendStatus::kAccepted;
         ack.error = ErrorCode::kNone;
       });
     }},
    {"settings-keep-their-first-place",
     "A newer value takes the place of the older in the feed and its number, too.",
     {"SET-COALESCE-001"},
     [] {
       return tells<SyncResult>([](Line&, SyncResult& page) {
         if (page.changes.size() != 1 || !page.changes[0].setting) return;
         if (page.from_user_seq > 0) {
           page.changes.clear();  // the place of the older has been passed
         } else {
           page.changes[0].user_seq = 1;
         }
       });
     }},
};

}  // namespace

std::span<const Mutant> setting_mutants() { return kSettingMutants; }

}  // namespace wavetank::conformance
