#include "sim/runner/first_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "sim/runner/prose.hpp"

namespace wavetank::sim {
namespace {

using history::Kind;
using history::Record;

constexpr std::size_t kRecordsBefore = 3;

struct Member {
  const char* name;
  std::uint64_t value;
};

// Every member of a record, each as a number; the one list that digests and differences walk.
template <class Fn>
void for_each_member(const Record& r, Fn&& fn) {
  for (const Member& member : {Member{"time", static_cast<std::uint64_t>(r.time)},
                               {"kind", static_cast<std::uint64_t>(r.kind)},
                               {"code", r.code},
                               {"entry kind", r.entry_kind},
                               {"flag", r.flag ? 1ULL : 0ULL},
                               {"device", r.device},
                               {"user", r.user},
                               {"conversation", r.conversation},
                               {"subject", r.subject},
                               {"sender", r.sender},
                               {"connection", r.connection},
                               {"epoch", r.epoch},
                               {"size", r.size},
                               {"key's device", r.key.device},
                               {"key's counter", r.key.counter},
                               {"seq", r.seq},
                               {"value", r.value},
                               {"second value", r.value2},
                               {"digest", r.digest},
                               {"canary", r.canary}})
    fn(member);
}

std::uint64_t digest_of(const Record& r) {
  std::uint64_t digest = 0;
  for_each_member(r, [&](const Member& member) { digest = mix64(digest ^ member.value); });
  return digest;
}

std::string differing_members(const Record& a, const Record& b) {
  std::vector<std::uint64_t> ours;
  for_each_member(a, [&](const Member& member) { ours.push_back(member.value); });
  std::string names;
  std::size_t at = 0;
  for_each_member(b, [&](const Member& member) {
    if (ours[at++] != member.value) names += (names.empty() ? "" : ", ") + std::string(member.name);
  });
  return names;
}

struct Mark {
  TimeNs time;
  std::uint64_t digest;
};

// Side A, conversation by conversation, kept as digests.
struct Marks final : history::Sink {
  std::vector<std::vector<Mark>> conversations;
  void on(const Record& r) override {
    if (r.conversation == history::kNone) return;
    if (r.conversation >= conversations.size()) conversations.resize(r.conversation + 1ULL);
    conversations[r.conversation].push_back({r.time, digest_of(r)});
  }
};

// Side B against the marks of side A.
class Finder final : public history::Sink {
 public:
  explicit Finder(const Marks& marks) : marks_(marks.conversations) {}

  void on(const Record& r) override {
    if (r.conversation == history::kNone) return;
    if (r.conversation >= heard_.size()) heard_.resize(r.conversation + 1ULL);
    Heard& heard = heard_[r.conversation];
    if (heard.differs) return;
    const std::vector<Mark>& marks = r.conversation < marks_.size() ? marks_[r.conversation] : none_;
    if (heard.records < marks.size()) {
      const Mark& mark = marks[heard.records];
      heard.differs = mark.digest != digest_of(r);
      if (heard.differs) consider(std::min(mark.time, r.time), r.conversation);
    } else {
      heard.differs = true;
      consider(r.time, r.conversation);
    }
    ++heard.records;
  }

  // After the run: conversations that only side A goes on with count too.
  std::optional<std::uint32_t> earliest() {
    for (std::uint32_t c = 0; c < marks_.size(); ++c) {
      const Heard heard = c < heard_.size() ? heard_[c] : Heard();
      if (!heard.differs && heard.records < marks_[c].size()) consider(marks_[c][heard.records].time, c);
    }
    return earliest_;
  }

 private:
  struct Heard {
    std::size_t records = 0;
    bool differs = false;
  };
  void consider(TimeNs time, std::uint32_t conversation) {
    if (earliest_ && (time_ < time || (time_ == time && *earliest_ <= conversation))) return;
    time_ = time;
    earliest_ = conversation;
  }

  const std::vector<std::vector<Mark>>& marks_;
  const std::vector<Mark> none_;
  std::vector<Heard> heard_;
  TimeNs time_ = kNever;
  std::optional<std::uint32_t> earliest_;
};

// The records of one conversation, and how many conversations there were.
struct OneConversation final : history::Sink {
  explicit OneConversation(std::uint32_t wanted) : number(wanted) {}
  std::uint32_t number;
  std::uint32_t conversations = 0;
  std::vector<Record> records;
  void on(const Record& r) override {
    if (r.conversation == history::kNone) return;
    conversations = std::max(conversations, r.conversation + 1);
    if (r.conversation == number) records.push_back(r);
  }
};

std::string told(const Record& r) {
  std::string what = sentence(r);
  if (r.kind == Kind::kConversation) what = "the conversation exists";
  return fmt::format("{}.{:09} s  {}", r.time / kSecond, r.time % kSecond, what);
}

reports::FirstDifference compare(const std::vector<Record>& a, const std::vector<Record>& b) {
  reports::FirstDifference first;
  std::size_t equal = 0;
  while (equal < a.size() && equal < b.size() && digest_of(a[equal]) == digest_of(b[equal])) ++equal;
  first.records_equal = static_cast<std::int64_t>(equal);
  first.different = equal < a.size() || equal < b.size();
  if (!first.different) return first;
  for (std::size_t i = equal - std::min(equal, kRecordsBefore); i < equal; ++i)
    first.before.push_back(told(a[i]));
  const char* const nothing = "nothing more happens in this conversation";
  first.a = equal < a.size() ? told(a[equal]) : nothing;
  first.b = equal < b.size() ? told(b[equal]) : nothing;
  first.members = equal < a.size() && equal < b.size() ? differing_members(a[equal], b[equal]) : "presence";
  return first;
}

}  // namespace

std::expected<reports::FirstDifference, std::string> first_difference(
    const HistoryRun& a, const HistoryRun& b, std::optional<std::uint32_t> conversation) {
  if (!conversation) {
    Marks marks;
    if (const auto ran = a(marks); !ran) return std::unexpected(ran.error());
    Finder finder(marks);
    if (const auto ran = b(finder); !ran) return std::unexpected(ran.error());
    conversation = finder.earliest();
    if (!conversation) return reports::FirstDifference{};
  }
  OneConversation ours(*conversation);
  if (const auto ran = a(ours); !ran) return std::unexpected(ran.error());
  OneConversation theirs(*conversation);
  if (const auto ran = b(theirs); !ran) return std::unexpected(ran.error());
  const std::uint32_t conversations = std::max(ours.conversations, theirs.conversations);
  if (*conversation >= conversations) {
    return std::unexpected(
        fmt::format("--conversation {}: no such conversation; there are {}{}", *conversation, conversations,
                    conversations == 0 ? "" : fmt::format(", from 0 to {}", conversations - 1)));
  }
  reports::FirstDifference first = compare(ours.records, theirs.records);
  first.conversation = *conversation;
  return first;
}

}  // namespace wavetank::sim
