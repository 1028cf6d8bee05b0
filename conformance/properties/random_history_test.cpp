// Random histories of the tiny messenger: the correct ones raise no alarm, and a single change is caught by
// the property whose business it is.
#include <rapidcheck.h>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// What happens next, as numbers so that a failing history shrinks.
struct Step {
  std::uint8_t action;
  std::uint8_t who;
  std::uint8_t where;
  std::uint8_t number;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{" << +step.action << "," << +step.who << "," << +step.where << "," << +step.number << "}";
}

rc::Gen<std::vector<Step>> steps() {
  const auto step =
      rc::gen::construct<Step>(rc::gen::inRange<std::uint8_t>(0, 100), rc::gen::inRange<std::uint8_t>(0, 5),
                               rc::gen::inRange<std::uint8_t>(0, 3), rc::gen::arbitrary<std::uint8_t>());
  return rc::gen::resize(120, rc::gen::container<std::vector<Step>>(step));
}

// Four users, five devices, a direct conversation and two groups; links break, pushes get lost and are found
// again. Of a group of three and more the feeds get pointers.
class Story {
 public:
  explicit Story(const std::vector<Step>& steps, bool with_end = true) {
    h.inline_limit = 2;
    for (const UserIndex user : {0U, 1U, 1U, 2U, 3U}) h.device(user);
    h.direct(0, 1);
    for (int i = 0; i < 2; ++i) h.group();
    h.chat(0, 1, 1, 0);
    h.chat(1, 2, 1, 1);
    h.chat(0, 1, 1, 1);
    h.chat(0, 1, 1, 2);
    h.write(Kind::kFault).value2 = 2;  // in another region
    h.phase(Phase::kFault);
    for (const Step& step : steps) play(step);
    if (with_end) h.end();
  }

  HistoryBuilder h;

 private:
  void play(const Step& step) {
    const DeviceTag who = step.who;
    const ConversationIndex where = step.where;
    const bool member = h.is_member(where, h.user_of(who));
    if (step.action < 40) {
      if (member) send(who, where, step);
    } else if (step.action < 50) {
      change_membership(who, where, static_cast<UserIndex>(step.number % 4));
    } else if (step.action < 60) {
      reconnect(who, step.number % 3);
    } else if (step.action < 70) {
      if (h.is_online(who)) h.report_delivered(who, where);
    } else if (step.action < 80) {
      if (h.is_online(who)) h.read(who, where, step.number % 8 + 1U);
    } else if (step.action < 85) {
      receipt(who, where);
    } else if (step.action < 93) {
      if (h.is_online(who) && (member || h.cur(who, where) > 0)) h.fetch(who, where, h.cur(who, where) + 1);
    } else if (step.action < 96) {
      h.transmit(refused(who, where));
      h.refuse({who, counter_});
    } else if (h.head(where) > 0) {
      push_unseen(where, h.head(where));
    }
  }

  MessageKey refused(DeviceTag who, ConversationIndex where) {
    const MessageKey key = h.invoke(who, where, 1, 0);
    counter_ = key.counter;
    return key;
  }

  // With or without the first answer, pushed to all, to some or to nobody for now.
  void send(DeviceTag who, ConversationIndex where, const Step& step) {
    const MessageKey key = h.invoke(who, where, 0, kNone, step.number % 5 == 0 ? h.cur(who, where) : 0);
    h.transmit(key);
    h.store(key);
    if (step.number % 4 == 0) {
      h.disconnect(who);
      h.connect(who);
      h.transmit(key);
    }
    if (step.number % 2 == 0) h.acknowledge(key);
    if (step.number % 3 != 0) push_unseen(where, h.place(key));
    if (step.number % 2 != 0) h.acknowledge(key);
  }

  void push_unseen(ConversationIndex where, std::uint64_t seq) {
    for (DeviceTag tag = 0; tag < 5; ++tag) {
      const bool wanted =
          h.is_online(tag) && h.is_member(where, h.user_of(tag)) && !h.was_fed(tag, where, seq);
      if (wanted) h.push(tag, where, seq);
    }
  }

  void change_membership(DeviceTag who, ConversationIndex where, UserIndex target) {
    if (where == 0 || !h.is_member(where, h.user_of(who))) return;
    if (!h.is_member(where, target)) {
      h.join(who, where, target);
    } else if (target != h.user_of(who)) {
      h.leave(who, where, target);
    } else {
      return;
    }
    push_unseen(where, h.head(where));
  }

  void reconnect(DeviceTag who, int how) {
    if (how == 0) h.restart(who);
    if (how == 1 && h.is_online(who)) h.disconnect(who);
    if (how == 2 && h.is_online(who)) return;
    if (how == 1) return;
    h.connect(who);
    h.sync(who);
  }

  void receipt(DeviceTag who, ConversationIndex where) {
    const UserIndex subject = h.user_of(0);
    if (!h.is_member(where, h.user_of(who)) || !h.is_member(where, subject)) return;
    h.see_receipt(who, where, subject);
  }

  std::uint32_t counter_ = 0;
};

TEST(RandomHistories, CorrectOnesRaiseNoAlarm) {
  EXPECT_TRUE(rc::check("no false alarm", [] {
    const std::vector<Step> story = *steps();
    const Judgement judgement = Story(story).h.judged();
    if (!judgement.failed().empty()) RC_FAIL(judgement.told());
    RC_ASSERT(judgement.of("LIV-CONVERGE").verdict == PropertyVerdict::kPass);
    RC_ASSERT(judgement.of("DUR-ACKED").verdict == PropertyVerdict::kPass);
    for (const PropertyOutcome& outcome : judgement.outcomes) RC_ASSERT(outcome.unverified == 0U);
  }));
}

// ---- one change at a time

using Change = std::function<bool(std::vector<Record>& records, std::size_t at)>;
struct Mutation {
  const char* name;
  std::string property;
  // Whether the change applies to this record; if so it has been made.
  Change change;
};

bool is_shown(const Record& r) { return r.kind == Kind::kReceived && r.flag; }

// The next record of the same device that shows an entry of the same conversation.
std::size_t next_shown(const std::vector<Record>& records, std::size_t at) {
  for (std::size_t i = at + 1; i < records.size(); ++i) {
    if (is_shown(records[i]) && records[i].device == records[at].device &&
        records[i].conversation == records[at].conversation) {
      return i;
    }
  }
  return records.size();
}

const std::vector<Mutation>& mutations() {
  static const std::vector<Mutation> all = {
      {"a shown entry is lost", "DLV-GAPFREE",
       [](auto& records, std::size_t at) {
         if (!is_shown(records[at]) || next_shown(records, at) == records.size()) return false;
         records.erase(records.begin() + static_cast<std::ptrdiff_t>(at));
         return true;
       }},
      {"a shown entry is shown again", "DLV-NODUP",
       [](auto& records, std::size_t at) {
         if (!is_shown(records[at])) return false;
         const Record copy = records[at];
         records.insert(records.begin() + static_cast<std::ptrdiff_t>(at), copy);
         return true;
       }},
      {"two shown entries change places", "DLV-GAPFREE",
       [](auto& records, std::size_t at) {
         if (!is_shown(records[at])) return false;
         const std::size_t next = next_shown(records, at);
         if (next == records.size()) return false;
         std::swap(records[at], records[next]);
         std::swap(records[at].time, records[next].time);
         return true;
       }},
      {"an entry's bytes change", "DLV-INTEGRITY",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kReceived) return false;
         records[at].digest ^= 0x10000;
         return true;
       }},
      {"an entry changes its sender", "DLV-INTEGRITY",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kReceived) return false;
         records[at].sender = (records[at].sender + 1) % 4;
         return true;
       }},
      {"an acknowledgement names another place", "ORD-AGREE",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kSendAcked || records[at].seq < 2) return false;
         records[at].seq -= 1;
         return true;
       }},
      {"an entry answers itself", "ORD-CAUSAL",
       [](auto& records, std::size_t at) {
         if (!is_shown(records[at])) return false;
         records[at].value2 = records[at].seq;
         return true;
       }},
      {"a pointer of a sync comes twice in its page", "SYN-CURSOR",
       [](auto& records, std::size_t at) {
         const Record copy = records[at];
         if (copy.kind != Kind::kPointer || copy.code != static_cast<std::uint8_t>(Via::kSync)) return false;
         records.insert(records.begin() + static_cast<std::ptrdiff_t>(at), copy);
         return true;
       }},
      {"a pointer names entries that the device never gets", "LIV-CONVERGE",
       [](auto& records, std::size_t at) {
         // Of a device that tells its state of the conversation in the end.
         Record& r = records[at];
         if (r.kind != Kind::kPointer) return false;
         const bool is_asked = std::any_of(records.begin(), records.end(), [&](const Record& state) {
           return state.kind == Kind::kConversationState && state.device == r.device &&
                  state.conversation == r.conversation;
         });
         if (is_asked) r.seq += 1000;
         return is_asked;
       }},
      {"a page's row is lost", "SYN-CURSOR",
       [](auto& records, std::size_t at) {
         const Record& r = records[at];
         const bool row = r.kind == Kind::kTombstone ||
                          (r.kind == Kind::kReceived && r.code == static_cast<std::uint8_t>(Via::kFetch));
         if (!row) return false;
         records.erase(records.begin() + static_cast<std::ptrdiff_t>(at));
         return true;
       }},
      {"a read mark falls", "RD-MONO",
       [](auto& records, std::size_t at) {
         Record& r = records[at];
         if (r.kind != Kind::kCursorAcked || r.value == 0) return false;
         for (std::size_t i = 0; i < at; ++i) {
           const Record& before = records[i];
           if (before.kind == Kind::kCursorAcked && before.device == r.device &&
               before.conversation == r.conversation && before.value == r.value) {
             r.value -= 1;
             return true;
           }
         }
         return false;
       }},
      {"delivered exceeds the head", "RD-LEQ",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kCursorAcked) return false;
         records[at].seq = records[at].value2 + 1;
         return true;
       }},
      {"a private read is told to another user", "RD-PRIVATE",
       [](auto& records, std::size_t at) {
         const Record read = records[at];
         if (read.kind != Kind::kReadInvoked) return false;
         const auto other = std::find_if(records.begin(), records.end(), [&](const Record& r) {
           return r.kind == Kind::kDevice && r.user != read.user;
         });
         if (other == records.end()) return false;
         // So were all reads before.
         for (std::size_t i = 0; i <= at; ++i) {
           Record& r = records[i];
           const bool is_same = r.user == read.user && r.conversation == read.conversation;
           if (r.kind == Kind::kReadInvoked && is_same) r.flag = true;
         }
         Record seen = *other;
         seen.time = read.time;
         seen.kind = Kind::kReceiptSeen;
         seen.conversation = read.conversation;
         seen.subject = read.user;
         seen.seq = seen.value = read.seq;
         records.insert(records.begin() + static_cast<std::ptrdiff_t>(at) + 1, seen);
         return true;
       }},
      {"an unread number is wrong", "RD-LEQ",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kCursorAcked || records[at].time < records.back().time / 2)
           return false;
         // Only where the log up to the head has been witnessed can it be counted: at the end it has.
         for (std::size_t i = at; i < records.size(); ++i) {
           if (records[i].kind == Kind::kSendAcked) return false;
         }
         records[at].size += 1;
         return true;
       }},
      {"a refused message is accepted", "SND-DEFINITE",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kSendAcked) return false;
         Record refusal = records[at];
         refusal.kind = Kind::kSendFailed;
         refusal.code = static_cast<std::uint8_t>(protocol::ErrorCode::kForbidden);
         records.insert(records.begin() + static_cast<std::ptrdiff_t>(at), refusal);
         return true;
       }},
      {"an entry reaches somebody else", "ACL-BOUNDARY",
       [](auto& records, std::size_t at) {
         Record& r = records[at];
         if (r.kind != Kind::kReceived || r.conversation != 0) return false;
         r.device = 4;
         r.user = 3;
         return true;
       }},
      {"a message gets a second place", "SND-IDEM",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kReceived) return false;
         Record copy = records[at];
         copy.seq += 1000;
         copy.flag = false;
         records.insert(records.begin() + static_cast<std::ptrdiff_t>(at) + 1, copy);
         return true;
       }},
      {"a head falls", "DUR-NOREUSE",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kFetchCompleted || records[at].value2 == 0) return false;
         Record copy = records[at];
         copy.seq = copy.value2 + 1;
         copy.value = copy.value2;
         copy.value2 -= 1;
         records.push_back(copy);
         return true;
       }},
      {"a page says that entries were dropped", "DLV-FLOOR",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kFetchCompleted) return false;
         records[at].digest = 2;
         return true;
       }},
      {"a device ends unconverged", "LIV-CONVERGE",
       [](auto& records, std::size_t at) {
         if (records[at].kind != Kind::kDeviceState) return false;
         records[at].flag = false;
         return true;
       }},
      {"an acknowledged entry is not read again", "DUR-ACKED",
       [](auto& records, std::size_t at) {
         // Every fetched copy of an acknowledged entry.
         const Record acked = records[at];
         if (acked.kind != Kind::kSendAcked) return false;
         std::erase_if(records, [&](const Record& r) {
           return r.kind == Kind::kReceived && r.code == static_cast<std::uint8_t>(Via::kFetch) &&
                  r.key == acked.key;
         });
         return true;
       }},
  };
  return all;
}

TEST(RandomHistories, OneChangeIsCaughtByTheRightProperty) {
  for (const Mutation& mutation : mutations()) {
    int applied = 0;
    EXPECT_TRUE(rc::check(mutation.name, [&] {
      const std::vector<Step> story =
          *rc::gen::suchThat(steps(), [](const auto& list) { return list.size() > 20; });
      std::vector<Record> records = Story(story).h.records;
      const auto start = *rc::gen::inRange<std::size_t>(0, records.size());
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (!mutation.change(records, (start + i) % records.size())) continue;
        ++applied;
        const Judgement judgement = judge(records, {}, applied % 4 == 0);  // the exact judge takes its time
        if (!judgement.violated(mutation.property)) {
          RC_FAIL(mutation.property + " did not notice; these did:\n" + judgement.told());
        }
        return;
      }
    })) << mutation.name;
    EXPECT_GT(applied, 50) << mutation.name << " was hardly ever possible";
  }
}

}  // namespace
}  // namespace wavetank::conformance::test
