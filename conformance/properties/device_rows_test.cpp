// The rows of devices that have gone, and that a judge with them says the same.
#include "conformance/properties/device_rows.hpp"

#include <gtest/gtest.h>

#include "conformance/properties/judge.hpp"

namespace wavetank::conformance {
namespace {

struct Lodger {
  std::uint32_t user = 0;
  std::uint32_t balance = 0;
  struct Outline {
    std::uint32_t user = 0;
    Outline() = default;
    explicit Outline(const Lodger& row) : user(row.user) {}
  };
  Lodger() = default;
  explicit Lodger(const Outline& outline) : user(outline.user) {}
};
constexpr std::size_t kHouse = DeviceRows<Lodger>::kChunk;
bool owes_nothing(const Lodger& row) { return row.balance == 0; }

// A chunk and a half.
DeviceRows<Lodger> two_houses() {
  DeviceRows<Lodger> rows;
  rows.ensure(kHouse + kHouse / 2);
  for (std::size_t at = 0; at < rows.size(); ++at) rows[at].user = static_cast<std::uint32_t>(at) + 1;
  return rows;
}

TEST(DeviceRows, KeepOutlinesOfAChunkThatHasLeft) {
  DeviceRows<Lodger> rows = two_houses();
  const std::size_t before = rows.bytes();
  for (std::size_t at = 0; at < kHouse; ++at) {
    EXPECT_NE(rows.find(at), nullptr);
    rows.leave(at, owes_nothing);
  }
  EXPECT_EQ(rows.find(7), nullptr);
  EXPECT_EQ(rows.outline(7).user, 8U);
  EXPECT_NE(rows.find(kHouse), nullptr);
  EXPECT_EQ(rows.outline(kHouse).user, kHouse + 1);
  EXPECT_LE(rows.bytes() + kHouse * (sizeof(Lodger) - sizeof(Lodger::Outline)), before);
}

TEST(DeviceRows, GiveARowBackToWhoIsAskedFor) {
  DeviceRows<Lodger> rows = two_houses();
  for (std::size_t at = 0; at < kHouse; ++at) rows.leave(at, owes_nothing);
  rows[9].balance = 3;
  EXPECT_EQ(rows[9].user, 10U);
  EXPECT_EQ(rows[8].user, 9U);
  EXPECT_EQ(rows.find(9)->balance, 3U);
}

TEST(DeviceRows, StayAsLongAsOneMayNotGo) {
  DeviceRows<Lodger> rows = two_houses();
  rows[5].balance = 1;
  for (std::size_t at = 0; at < kHouse; ++at) rows.leave(at, owes_nothing);
  ASSERT_NE(rows.find(5), nullptr);
  EXPECT_EQ(rows[5].balance, 1U);
}

// Auditors come, say that they have everything, and go; `more` of them than fill a chunk.
struct Audited {
  explicit Audited(bool go, std::uint32_t more = 0) {
    for (std::uint32_t user = 0; user < kUsers; ++user) declare(user, user, 0);
    say(Kind::kQuiesce).value = 120 * kSecond;
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      const DeviceTag auditor = kUsers + user;
      declare(auditor, user, 1);
      say(Kind::kConnected, auditor, user).connection = 1;
      say(Kind::kDeviceState, auditor, user).flag = true;
      if (!go) continue;
      say(Kind::kAppClosed, auditor, user).connection = 1;
      say(Kind::kDisconnected, auditor, user).connection = 1;
    }
    for (std::uint32_t i = 0; i < more; ++i) say(Kind::kConnected, kUsers + i, i).connection = 2;
    for (std::uint32_t user = 0; user < kUsers; ++user) say(Kind::kDeviceState, user, user).flag = true;
    say(Kind::kEnd);
    for (const Record& record : records) judge.on(record);
    judge.finish();
  }
  Record& say(Kind kind, DeviceTag device = kNone, UserIndex user = kNone) {
    Record& record = records.emplace_back();
    record.time = static_cast<TimeNs>(records.size());
    record.kind = kind;
    record.device = device;
    record.user = user;
    return record;
  }
  void declare(DeviceTag device, UserIndex user, std::uint8_t code) {
    say(Kind::kDevice, device, user).code = code;
  }
  std::uint64_t checked(std::string_view property) {
    for (const PropertyOutcome& outcome : judge.outcomes()) {
      if (outcome.id == property) return outcome.antecedents;
    }
    return 0;
  }

  static constexpr std::uint32_t kUsers = 3 * DeviceRows<Device>::kChunk;
  static constexpr std::uint64_t kChecked = 2 * kUsers + 1;  // every device, and the sum of all logs
  std::vector<Record> records;
  Judge judge{JudgeConfig{}};
};

TEST(DevicesThatHaveGone, AreJudgedAsThoseThatStay) {
  Audited stay(false);
  Audited go(true);
  EXPECT_EQ(go.checked("DLV-CONSERVE"), Audited::kChecked);
  EXPECT_EQ(stay.checked("DLV-CONSERVE"), Audited::kChecked);
  EXPECT_LE(go.judge.memory().devices.bytes + Audited::kUsers * 80, stay.judge.memory().devices.bytes);
}

TEST(DevicesThatHaveGone, MayComeBack) {
  Audited back(true, 2000);
  EXPECT_EQ(back.checked("DLV-CONSERVE"), Audited::kChecked);
  for (const PropertyOutcome& outcome : back.judge.outcomes())
    EXPECT_EQ(outcome.violations, 0U) << outcome.id;
}

}  // namespace
}  // namespace wavetank::conformance
