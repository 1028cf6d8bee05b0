// What a judge makes of a history whose harness was not well.
#include "conformance/properties/harness_health.hpp"

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// A history that passes, with a tick a second and an end that counts.
struct Counted : Pair {
  Counted() {
    for (std::uint64_t second = 0; second < 20; ++second) {
      tick(second);
      chat(anna, chat_room);
      wait(kSecond - (now - started_ - static_cast<DurationNs>(second) * kSecond));
    }
    end();
    const std::size_t told = records.size();
    write(Kind::kEnd).value = told;
  }
  void tick(std::uint64_t number) {
    Record& r = write(Kind::kTick);
    r.value = number;
    r.value2 = static_cast<std::uint64_t>(kSecond);
    if (number == 0) started_ = r.time;
  }
  PropertyOutcome integrity() const { return judged().of("DLV-INTEGRITY"); }

 private:
  TimeNs started_ = 0;
};

TEST(HarnessHealth, AWholeHistoryIsBelieved) {
  const Counted h;
  ASSERT_EQ(h.records.back().kind, Kind::kEnd);
  EXPECT_EQ(h.integrity().verdict, PropertyVerdict::kPass) << h.integrity().note;
  expect_clean(h);
}

TEST(HarnessHealth, AnyMissingRecordLeavesNothingPassed) {
  const Counted whole;
  for (std::size_t at = 5; at + 1 < whole.records.size(); at += 7) {
    Counted h = whole;
    h.records.erase(h.records.begin() + static_cast<std::ptrdiff_t>(at));
    // What is missing may be what only one of the judges needs, so each is asked by itself.
    EXPECT_NE(judge(h.records, h.config, false).of("DLV-INTEGRITY").verdict, PropertyVerdict::kPass) << at;
    for (const PropertyOutcome& outcome : exact::judge(h.records, h.config))
      EXPECT_NE(outcome.verdict, PropertyVerdict::kPass) << at << " " << outcome.id;
  }
  Counted h = whole;
  h.records.erase(h.records.end() - 2);
  EXPECT_EQ(h.integrity().note, "1 records of the history are missing");
}

TEST(HarnessHealth, ARecordTooManyIsNoticedToo) {
  Counted h;
  h.records.insert(h.records.begin() + 3, h.records[3]);
  EXPECT_EQ(h.integrity().verdict, PropertyVerdict::kInconclusive);
}

TEST(HarnessHealth, AClockThatStandsStillLeavesNothingPassed) {
  for (const DurationNs stall : {kMostClockLag / 2, 5 * kSecond}) {
    Counted h;
    const TimeNs from = h.records.front().time + 7 * kSecond + kSecond / 2;
    for (Record& record : h.records) {
      if (record.time >= from && record.time < from + stall) record.time = from + stall;
    }
    const PropertyOutcome outcome = h.integrity();
    EXPECT_EQ(outcome.verdict,
              stall < kMostClockLag ? PropertyVerdict::kPass : PropertyVerdict::kInconclusive);
    if (stall > kMostClockLag) {
      EXPECT_NE(outcome.note.find("clock was off by"), std::string::npos) << outcome.note;
    }
  }
}

// A violation is final, whatever else is wrong.
TEST(HarnessHealth, AViolationStaysOne) {
  Counted h;
  h.last_of(Kind::kReceived).digest ^= 1;
  h.records.erase(h.records.begin() + 3);
  EXPECT_EQ(h.integrity().verdict, PropertyVerdict::kFail);
}

}  // namespace
}  // namespace wavetank::conformance::test
