#include "sim/world/record_lanes.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wavetank::sim {
namespace {

struct Heard final : history::Sink, RecordCompleter {
  std::vector<std::uint64_t> values;
  std::vector<ConversationId> asked;
  void on(const history::Record& record) override { values.push_back(record.value); }
  bool complete(ToldRecord& told) override {
    asked.push_back(told.conversation);
    return told.completion != ToldRecord::kStall;
  }
};

history::Record record(TimeNs time, std::uint64_t value) {
  history::Record r;
  r.time = time;
  r.value = value;
  return r;
}

// Tells one record for each event of a lane, its value the event's payload.
void tell_all(Scheduler& scheduler, RecordLanes& lanes, Lane lane) {
  working_lane = lane;
  for (Event event; scheduler.next_beside(event);) lanes.on(record(event.time, event.payload));
  working_lane = kDeviceLane;
}

TEST(RecordLanes, PassesOnTheRecordsOfAWindowInTheOrderOfTheirEvents) {
  Scheduler scheduler;
  Heard heard;
  RecordLanes lanes(scheduler, heard, heard);
  scheduler.at(3, 5, kDeviceTimer, 0,
               2);  // before the server's of the same moment, which has a higher source
  scheduler.at(3, 6, kNodeTimer, 0, 3);
  scheduler.at(7, 5, kDeviceTimer, 0, 5);
  scheduler.at(7, 1, kNodeTimer, 0, 4);
  scheduler.at(1, 6, kNodeTimer, 0, 1);
  scheduler.begin_beside(10);
  tell_all(scheduler, lanes, kServerLane);
  tell_all(scheduler, lanes, kDeviceLane);
  scheduler.end_beside();
  lanes.end_beside();
  EXPECT_TRUE(heard.values.empty()) << "nobody hears them before flush()";
  lanes.flush();
  EXPECT_EQ(heard.values, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(lanes.count(), 5u);
  lanes.on(record(11, 6));
  EXPECT_EQ(heard.values.back(), 6u) << "one thread's are passed on at once";
}

TEST(RecordLanes, AsksForWhatIsMissingWhenTheTurnComes) {
  Scheduler scheduler;
  Heard heard;
  RecordLanes lanes(scheduler, heard, heard);
  lanes.on(record(0, 1));
  EXPECT_TRUE(heard.asked.empty());
  lanes.on(record(0, 2), ToldRecord::kOfServerInConversation, ConversationId{7, 8});
  lanes.on(record(0, 3), ToldRecord::kStall);
  EXPECT_EQ(heard.asked, (std::vector<ConversationId>{{7, 8}, {}}));
  EXPECT_EQ(heard.values, (std::vector<std::uint64_t>{1, 2})) << "what is not to be told is not";
  EXPECT_EQ(lanes.count(), 2u);
}

}  // namespace
}  // namespace wavetank::sim
