// RL-LIMIT: what is accepted of a device fits its limit, and a refusal keeps its word.
//
// When a message was let in is not seen: some time between its transmission and its acknowledgement, on
// clocks of others. So a device is held to the most favourable times. It owes at the least what a limiter
// would say that let each message in as early as it can have been: at its first attempt that was not refused.
// At the acknowledgement it may owe the whole burst and one interval more, and the pace counts as one in a
// thousand faster. Nothing else is allowed: not for a reconnect, not for a dead node.
//
// Refused for now is only who has used up the limit: of a device whose connection is older than the burst
// takes to come back, so many attempts as the burst has must be unanswered or accepted lately. A refusal
// names a wait, and an attempt that comes after it is let in, when nothing was under way and nothing else was
// sent.
#include <algorithm>
#include <memory>
#include <vector>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

constexpr DurationNs kSlack = 20 * kMillisecond;  // debts travel in whole milliseconds

// The least that is due after messages that came no earlier than given, in whatever order they are added.
class LeastDue {
 public:
  void add(TimeNs earliest, DurationNs interval) {
    if (earliest < settled_up_to_) return;  // too late to find its place: it does not count
    recent_.insert(std::upper_bound(recent_.begin(), recent_.end(), earliest), earliest);
    if (recent_.size() <= kRecent) return;
    settled_up_to_ = recent_.front();
    settled_ = std::max(settled_, settled_up_to_) + interval;
    recent_.erase(recent_.begin());
  }
  TimeNs due(DurationNs interval) const {
    TimeNs due = settled_;
    for (const TimeNs earliest : recent_) due = std::max(due, earliest) + interval;
    return due;
  }
  std::size_t bytes() const { return recent_.capacity() * sizeof(TimeNs); }

 private:
  static constexpr std::size_t kRecent = 32;
  std::vector<TimeNs> recent_;  // ascending
  TimeNs settled_ = INT64_MIN / 2;
  TimeNs settled_up_to_ = INT64_MIN / 2;
};

class SendLimit final : public Monitor {
 public:
  SendLimit(Truth& truth, const JudgeConfig& config) : Monitor("RL-LIMIT", truth), burst_(config.send_burst) {
    if (config.sends_per_s != 0) interval_ = kSecond / config.sends_per_s;
    full_ = interval_ * burst_;
  }

  KindSet kinds() const override {
    if (interval_ == 0) return {};
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kSendTransmitted,
                    Kind::kSendRefused, Kind::kSendAcked, Kind::kSendFailed);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.device >= accounts_.size()) accounts_.resize(record.device + 1ULL);
    std::unique_ptr<Account>& account = accounts_[record.device];
    if (account == nullptr) account = std::make_unique<Account>();
    switch (record.kind) {
      case Kind::kSendTransmitted:
        return transmitted(*account, record);
      case Kind::kSendRefused:
        return refused(*account, record);
      case Kind::kSendAcked:
        if (seen.send == nullptr || seen.send->has(Send::kAcked)) return;
        accepted(*account, record);
        [[fallthrough]];
      case Kind::kSendFailed:
        return answered(*account, record);
      default:  // a connection, or its end
        account->open.clear();
        account->answers.clear();
        account->admitted_from = kNever;
        account->connected_at = record.kind == Kind::kConnected ? record.time : kNever;
        return;
    }
  }

  std::size_t bytes() const override {
    std::size_t sum = accounts_.capacity() * sizeof(accounts_[0]);
    for (const auto& account : accounts_) {
      if (account == nullptr) continue;
      sum += sizeof(Account) + account->waiting.capacity() * sizeof(Waiting) +
             account->open.capacity() * sizeof(Attempt) + account->answers.capacity() * sizeof(TimeNs) +
             account->least.bytes();
    }
    return sum;
  }

 private:
  // A message that is not acknowledged.
  struct Waiting {
    std::uint32_t counter = 0;
    std::uint32_t unrefused = 0;  // attempts
    TimeNs earliest = 0;          // the first of these
  };
  // An attempt without an answer, on the present connection.
  struct Attempt {
    std::uint32_t counter = 0;
    bool has_waited = false;  // as a refusal had asked, and alone
    std::uint64_t number = 0;
    TimeNs at = 0;
  };
  struct Account {
    std::vector<Waiting> waiting;
    LeastDue least;
    // Of the present connection.
    TimeNs connected_at = kNever;
    std::vector<Attempt> open;
    std::vector<TimeNs> answers;    // but refusals; not older than the burst takes to come back
    TimeNs admitted_from = kNever;  // what is sent then must be let in; kNever: that is not known
  };

  static std::vector<Waiting>::iterator find(Account& account, std::uint32_t counter) {
    return std::find_if(account.waiting.begin(), account.waiting.end(),
                        [counter](const Waiting& message) { return message.counter == counter; });
  }

  void transmitted(Account& account, const Record& record) {
    auto message = find(account, record.key.counter);
    if (message == account.waiting.end())
      message = account.waiting.insert(message, Waiting{record.key.counter, 0, 0});
    if (message->unrefused++ == 0) message->earliest = record.time;
    account.open.push_back(
        {record.key.counter, record.time >= account.admitted_from, record.value, record.time});
    account.admitted_from = kNever;
  }

  void accepted(Account& account, const Record& record) {
    const auto message = find(account, record.key.counter);
    if (message == account.waiting.end()) return;
    fired();
    const DurationNs interval = interval_ - interval_ / 1000;
    account.least.add(message->earliest, interval);
    account.waiting.erase(message);
    const DurationNs excess = account.least.due(interval) - (record.time + full_ + interval_);
    if (excess <= 0) return;
    violate(record, "device {} was let in with {} although it had used up its limit, {} ms too early",
            record.device, name_of(record.key), excess / kMillisecond);
  }

  // The latest attempt of the message is answered; an earlier one may still be let in.
  void answered(Account& account, const Record& record) {
    for (std::size_t i = account.open.size(); i-- > 0;) {
      if (account.open[i].counter != record.key.counter) continue;
      account.open.erase(account.open.begin() + static_cast<std::ptrdiff_t>(i));
      account.answers.push_back(record.time);
      break;
    }
    const TimeNs since = record.time - full_ - kLongestAttempt;
    std::erase_if(account.answers, [since](TimeNs at) { return at < since; });
  }

  void refused(Account& account, const Record& record) {
    fired();
    if (const auto message = find(account, record.key.counter);
        message != account.waiting.end() && message->unrefused > 0) {
      --message->unrefused;
    }
    if (record.value == 0)
      violate(record, "device {} was refused {} without a time to wait", record.device, name_of(record.key));
    const auto attempt = std::find_if(account.open.begin(), account.open.end(), [&](const Attempt& other) {
      return other.counter == record.key.counter && other.number == record.value2;
    });
    account.admitted_from = kNever;
    if (attempt == account.open.end()) return;  // of an earlier connection
    const TimeNs at = attempt->at;
    if (attempt->has_waited) {
      violate(record, "device {} had waited as it was told, alone, and {} was refused again", record.device,
              name_of(record.key));
    }
    account.open.erase(attempt);
    const TimeNs since = at - full_ - kSlack;
    const auto lately = static_cast<std::size_t>(std::count_if(
        account.answers.begin(), account.answers.end(), [since](TimeNs answer) { return answer >= since; }));
    const std::size_t used = account.open.size() + lately;
    if (account.connected_at <= since && used < burst_) {
      violate(record, "device {} was refused {} although {} sends at most had used its burst of {}",
              record.device, name_of(record.key), used, burst_);
    }
    if (account.open.empty()) {
      const DurationNs told = static_cast<DurationNs>(record.value) * kMillisecond;
      account.admitted_from = record.time + told + told / 1000;
    }
  }

  // Answers are kept for attempts that are refused so late.
  static constexpr DurationNs kLongestAttempt = 60 * kSecond;

  std::uint32_t burst_;
  DurationNs interval_ = 0;  // 0: no limit
  DurationNs full_ = 0;
  std::vector<std::unique_ptr<Account>> accounts_;  // by device
};

}  // namespace

std::unique_ptr<Monitor> make_send_limit(Truth& truth, const JudgeConfig& config) {
  return std::make_unique<SendLimit>(truth, config);
}

}  // namespace wavetank::conformance
