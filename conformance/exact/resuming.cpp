// SES-RESUME: a resumed session goes on as if its connection had not been lost.
//
// What a Welcome says of resuming is judged by the Welcome before it: the token that was shown is the one
// given there, for the same session, and the token given now is another. While the connection of a resumed
// session lasts, no Sync begins below the head that was named, and no push brings what a push or a Sync had
// brought before that connection.
#include <algorithm>
#include <map>
#include <optional>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

namespace {

struct Places {
  std::map<DeviceTag, std::vector<Index>> answers;             // kResume
  std::map<DeviceTag, std::vector<Index>> turns;               // connections begin and end
  std::map<DeviceConversation, std::vector<Index>> feed_rows;  // pushes and rows of a Sync
};

Places read_resumes(const Facts& facts) {
  Places places;
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kResume) places.answers[r.device].push_back(i);
    if (!places.answers.contains(r.device)) continue;  // it was not offered to resume by now
    if (r.kind == Kind::kConnected || r.kind == Kind::kDisconnected || r.kind == Kind::kDeviceRestart)
      places.turns[r.device].push_back(i);
    const bool is_row = r.kind == Kind::kReceived || r.kind == Kind::kPointer;
    if (is_row && static_cast<Via>(r.code) != Via::kFetch)
      places.feed_rows[{r.device, r.conversation}].push_back(i);
  }
  return places;
}

std::optional<Index> last_before(const std::vector<Index>& places, Index at) {
  const auto next = std::lower_bound(places.begin(), places.end(), at);
  return next == places.begin() ? std::nullopt : std::optional(*(next - 1));
}

// The Welcome that resumed the session on whose connection record `at` stands; nothing when it was a login.
const Record* resuming_welcome(const Facts& facts, const Places& places, Index at) {
  const DeviceTag device = facts.records[at]->device;
  const auto welcome = last_before(value_or_default(places.answers, device), at);
  if (!welcome || !facts.records[*welcome]->flag) return nullptr;
  const auto turn = last_before(value_or_default(places.turns, device), at);
  return turn && *turn > *welcome ? nullptr : facts.records[*welcome];
}

void judge_answer(const Facts& facts, const Places& places, Index at, Findings& out) {
  const Record& r = *facts.records[at];
  const auto earlier = last_before(value_or_default(places.answers, r.device), at);
  const Record* before = earlier ? facts.records[*earlier] : nullptr;
  if (r.flag) {
    out.fired();
    const bool is_its_own =
        before != nullptr && r.digest != 0 && before->canary == r.digest && before->seq == r.seq;
    if (!is_its_own)
      out.violate(r, "device {} resumed session {:x} and has shown no token of it", r.device, r.seq);
  }
  if (before != nullptr && r.canary != 0 && r.canary == before->canary)
    out.violate(r, "device {} was given the same token twice", r.device);
}

// A push that the device did not show: whether the feed had brought it before this connection.
void judge_push(const Facts& facts, const Places& places, Index at, Findings& out) {
  const Record& r = *facts.records[at];
  if (resuming_welcome(facts, places, at) == nullptr) return;
  const auto turn = last_before(value_or_default(places.turns, r.device), at);
  for (const Index row : value_or_default(places.feed_rows, {r.device, r.conversation})) {
    if (!turn || row > *turn) return;
    if (facts.records[row]->seq < r.seq) continue;
    out.violate(r, "device {} resumed its session and was pushed entry {} of conversation {} again", r.device,
                r.seq, r.conversation);
    return;
  }
}

}  // namespace

Findings session_resume(const Facts& facts) {
  Findings out;
  const Places places = read_resumes(facts);
  for (Index i = 0; i < facts.records.size(); ++i) {
    const Record& r = *facts.records[i];
    if (r.kind == Kind::kResume) judge_answer(facts, places, i, out);
    if (r.kind == Kind::kSyncInvoked) {
      const Record* welcome = resuming_welcome(facts, places, i);
      if (welcome != nullptr && r.value < welcome->value2) {
        out.violate(r, "device {} resumed its session and had to ask for its feed from {} on, below {}",
                    r.device, r.value, welcome->value2);
      }
    }
    const bool is_row = r.kind == Kind::kReceived || r.kind == Kind::kPointer;
    if (is_row && static_cast<Via>(r.code) == Via::kLive && !r.flag) judge_push(facts, places, i, out);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
