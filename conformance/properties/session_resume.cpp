// SES-RESUME: a resumed session goes on as if its connection had not been lost.
//
// Only what the last Welcome of a device has given resumes a session, and only that session; no Welcome gives
// the token that the one before has given. On the resumed connection nothing is pushed again that the feed
// had brought before, and no Sync begins below the head that the Welcome has named: what had been pushed is
// replayed without a hole.
#include <algorithm>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class SessionResume final : public Monitor {
 public:
  explicit SessionResume(Truth& truth) : Monitor("SES-RESUME", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kConnected, Kind::kDisconnected, Kind::kDeviceRestart, Kind::kResume,
                    Kind::kSyncInvoked, Kind::kReceived, Kind::kPointer);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    if (record.kind == Kind::kResume) return answered(record);
    // Who was never offered to resume costs nothing.
    if (record.device >= sessions_.size() || !sessions_[record.device].known) return;
    Session& s = sessions_[record.device];
    switch (record.kind) {
      case Kind::kSyncInvoked:
        if (!s.resumed || record.value >= s.promised) return;
        violate(
            record,
            "device {} resumed its session, was to be told its feed up to {} again, and had to ask for it "
            "from {} on",
            record.device, s.promised, record.value);
        return;
      case Kind::kReceived:
      case Kind::kPointer:
        return fed(s, record, seen.conversation->log);
      default:  // another connection, or none
        s.resumed = false;
        ++s.era;
        return;
    }
  }

  std::size_t bytes() const override { return sessions_.bytes() + rows_.bytes() + account_.bytes; }

 private:
  struct Session {
    std::uint64_t token = 0;  // of the last Welcome; 0: none
    std::uint64_t number = 0;
    std::uint64_t promised = 0;  // the feed head that the resuming Welcome has named
    std::uint32_t era = 0;       // counts beginnings and ends of connections
    bool known = false;          // a Welcome has said something of resuming
    bool resumed = false;        // on the present connection
  };
  struct Row {
    Packed32 who = kNone;  // device
    Packed32 era;
    Packed32 top;     // the highest entry that the feed has brought
    Packed32 before;  // the same when the present era began
  };

  void answered(const Record& record) {
    sessions_.ensure(record.device + 1ULL);
    Session& s = sessions_[record.device];
    if (record.flag) {
      fired();
      if (record.digest == 0 || record.digest != s.token || record.seq != s.number) {
        violate(
            record,
            "device {} was given session {:x} to go on with, and has shown no token that its last Welcome "
            "gave for it",
            record.device, record.seq);
      }
    }
    if (record.canary != 0 && record.canary == s.token)
      violate(record, "device {} was given the same token twice", record.device);
    s.token = record.canary;
    s.number = record.seq;
    s.promised = record.value2;
    s.known = true;
    s.resumed = record.flag;
  }

  void fed(const Session& s, const Record& record, std::uint32_t log) {
    const auto via = static_cast<Via>(record.code);
    if (via == Via::kFetch) return;
    rows_.ensure(log + 1ULL);
    Row& row = rows_[log].find_or_add(record.device, account_);
    if (row.era != s.era) {
      row.before = row.top;
      row.era = s.era;
    }
    // An entry that was held is told of once more when it is shown.
    const std::uint32_t seq = narrow(record.seq);
    if (s.resumed && via == Via::kLive && !record.flag && seq <= row.before) {
      violate(record, "device {} resumed its session and was pushed entry {} of conversation {} again",
              record.device, record.seq, record.conversation);
    }
    row.top = std::max<std::uint32_t>(row.top, seq);
  }

  Chunks<Session> sessions_;    // by device
  Chunks<RowBlock<Row>> rows_;  // by log
  JudgeMemory::Rows account_;   // of the rows
};

}  // namespace

std::unique_ptr<Monitor> make_session_resume(Truth& truth) { return std::make_unique<SessionResume>(truth); }

}  // namespace wavetank::conformance
