// What judging costs in bytes, by what it is for, held to its bounds.
#include "conformance/properties/memory.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "conformance/properties/crowd.hpp"

namespace wavetank::conformance {
namespace {

// Bounds, in bytes.
constexpr double kSubscription = 32;    // of (device, conversation)
constexpr double kIdle = 16;            // of a conversation of two in which nothing was said
constexpr double kWithEverything = 82;  // of (device, conversation) that is written to and has marks
constexpr double kFloor = 18;           // of a conversation whose floor was told
// A chunk of 1,024 rows has a head on the heap, an entry in the table of chunks, and some room that is not
// used.
constexpr double kOfChunks = 0.1;

struct Crowded {
  explicit Crowded(CrowdShape shape, JudgeConfig config = crowd_config())
      : judge(std::move(config)), crowd(shape, Take{&judge}) {}

  struct Take {
    Judge* judge;
    void operator()(const Record& record) const { judge->on(record); }
  };
  // Empty when nothing was violated, as it must be.
  std::string first_violation() const {
    for (const PropertyOutcome& outcome : judge.outcomes()) {
      if (outcome.violations > 0) return outcome.id + ": " + outcome.note;
    }
    return "";
  }
  double per_subscription(std::size_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(crowd.subscriptions());
  }

  Judge judge;
  Crowd<Take> crowd;
};

class Memory : public testing::TestWithParam<CrowdShape> {};

TEST_P(Memory, OfASubscriptionIsBounded) {
  Crowded world(GetParam());
  world.crowd.connect();
  world.crowd.declare();
  world.crowd.join();
  for (int i = 0; i < 2; ++i) world.crowd.round();
  const JudgeMemory memory = world.judge.memory();
  EXPECT_EQ(memory.subscriptions.rows, world.crowd.subscriptions());
  EXPECT_LE(memory.subscriptions.each(), kSubscription);
  EXPECT_EQ(world.first_violation(), "");
}

// Everybody has written and everybody has marks: the rows of members and writers are there, too.
TEST_P(Memory, OfASubscriptionWithEverythingIsBounded) {
  Crowded world(GetParam());
  world.crowd.connect();
  world.crowd.declare();
  world.crowd.join();
  for (std::uint32_t i = 0; i < 2 * GetParam().members; ++i) world.crowd.round();
  const JudgeMemory memory = world.judge.memory();
  EXPECT_EQ(memory.writers.rows, world.crowd.subscriptions());
  EXPECT_EQ(memory.members.rows, world.crowd.subscriptions());
  EXPECT_LE(memory.subscriptions.each(), kSubscription);
  EXPECT_LE(world.per_subscription(memory.subscriptions.bytes + memory.members.bytes + memory.writers.bytes),
            kWithEverything);
  EXPECT_EQ(world.first_violation(), "");
}

std::string shape_name(const testing::TestParamInfo<CrowdShape>& shape) {
  return fmt::format("Of{}", shape.param.members);
}
INSTANTIATE_TEST_SUITE_P(Members, Memory,
                         testing::Values(CrowdShape{2000, 2, 4}, CrowdShape{2000, 20, 4},
                                         CrowdShape{1000, 200, 1}),
                         shape_name);

// Rows whose numbers lie too far apart for 26 bytes are in the account, too: the bound can be broken.
TEST(Memory, OfASubscriptionThatDoesNotFitIsMore) {
  Crowded world({2000, 2, 1});
  world.crowd.connect();
  world.crowd.declare();
  world.crowd.round();
  EXPECT_LE(world.judge.memory().subscriptions.each(), kSubscription);
  for (DeviceTag device = 0; device < 2000; ++device) {
    Record pushed;  // and held: there is a gap of 200,000 entries before it
    pushed.time = kSecond;
    pushed.kind = Kind::kReceived;
    pushed.device = pushed.user = device;
    pushed.conversation = 0;
    pushed.seq = 200'000;
    pushed.epoch = 1;
    pushed.key = {0, 1};
    world.judge.on(pushed);
  }
  const JudgeMemory memory = world.judge.memory();
  EXPECT_EQ(memory.subscriptions.rows, 2000U + 1998U);
  EXPECT_GT(memory.subscriptions.each(), kSubscription);
}

// All of the judge's memory, whatever it is called: what a conversation adds in which nobody says anything.
TEST(Memory, OfAnIdleConversationIsBounded) {
  Crowded world({1000, 2, 200});
  world.crowd.connect();
  const std::size_t before = world.judge.memory().total();
  world.crowd.declare();
  const JudgeMemory memory = world.judge.memory();
  ASSERT_EQ(memory.conversations.rows, 100'000U);
  EXPECT_LE(static_cast<double>(memory.total() - before) / 100'000, kIdle + kOfChunks);
  EXPECT_EQ(memory.logs.rows, 0U);
  EXPECT_EQ(memory.subscriptions.rows, 0U);
}

// A floor stands beside the logs: a conversation that nobody was told one of costs nothing more, and a floor
// alone makes no log.
TEST(Memory, OfAFloorIsOnlyThereWhereOneWasTold) {
  JudgeConfig config = crowd_config();
  config.retain_entries = 4;
  Crowded world({1000, 2, 4}, config);
  world.crowd.connect();
  world.crowd.declare();
  const JudgeMemory before = world.judge.memory();
  Record row;
  row.time = kSecond;
  row.kind = Kind::kSnapshotRow;
  row.device = row.user = 0;
  row.seq = 10;
  row.value = 7;
  for (row.conversation = 0; row.conversation < 1000; ++row.conversation) world.judge.on(row);
  const JudgeMemory memory = world.judge.memory();
  EXPECT_EQ(memory.conversations.bytes, before.conversations.bytes);
  EXPECT_EQ(memory.subscriptions.rows, 0U);
  EXPECT_EQ(memory.logs.rows, 0U);
  EXPECT_GT(memory.logs.bytes, before.logs.bytes);
  EXPECT_LE(static_cast<double>(memory.logs.bytes - before.logs.bytes) / 1000, kFloor);
  EXPECT_EQ(world.first_violation(), "");
}

// The account tells what the heap gives: it grows with what is kept, by owner.
TEST(Memory, IsToldByOwner) {
  Crowded world({1000, 2, 4});
  world.crowd.connect();
  const JudgeMemory connected = world.judge.memory();
  EXPECT_EQ(connected.devices.rows, 1000U);
  EXPECT_EQ(connected.conversations.rows, 0U);
  world.crowd.declare();
  for (int i = 0; i < 4; ++i) world.crowd.round();
  const JudgeMemory memory = world.judge.memory();
  EXPECT_EQ(memory.devices.rows, 1000U);
  EXPECT_EQ(memory.devices.bytes, connected.devices.bytes);
  EXPECT_EQ(memory.conversations.rows, 2000U);
  EXPECT_EQ(memory.logs.rows, 2000U);
  EXPECT_EQ(memory.subscriptions.rows, 4000U);
  EXPECT_EQ(memory.pointed.rows, 0U);
  EXPECT_EQ(memory.entries.rows, 2000U * 4);  // four entries in each log
  EXPECT_GE(memory.messages.rows, 2000U * 4);
  std::size_t sum = 0;
  for (const JudgeMemory::Part& part : memory.parts()) sum += part.bytes;
  EXPECT_EQ(memory.total(), sum);
  for (const JudgeMemory::OfMonitor& monitor : memory.monitors)
    EXPECT_GT(monitor.bytes, 0U) << monitor.property;
}

TEST(Memory, IsTheSameForTheSameHistory) {
  const auto total = [] {
    Crowded world({500, 20, 4});
    world.crowd.connect();
    world.crowd.declare();
    world.crowd.join();
    for (int i = 0; i < 5; ++i) world.crowd.round();
    return world.judge.memory().total();
  };
  EXPECT_EQ(total(), total());
}

}  // namespace
}  // namespace wavetank::conformance
