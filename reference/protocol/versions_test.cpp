#include "reference/protocol/versions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/test_support.hpp"

namespace wavetank::protocol {
namespace {

Event timed_event(std::uint64_t seq, std::uint64_t client_time_ms) {
  Event event;
  event.conv_seq = seq;
  event.payload = Slice("text");
  event.client_time_ms = client_time_ms;
  return event;
}

// Every body that carries entries, each with one that has a field of version 2 and one that has not.
std::vector<Frame> frames_with_entries() {
  const std::vector<Event> events = {timed_event(1, 1'700'000'000'123), timed_event(2, 0)};
  std::vector<Change> changes(2);
  changes[0].event = events[0];
  changes[1].event = events[1];
  ChangePush push;
  push.changes = changes;
  SyncResult page;
  page.changes = changes;
  RangeResult range;
  range.events = events;
  OutboxBatch batch;
  batch.items.resize(2);
  batch.items[0].change = changes[0];
  batch.items[1].change = changes[1];
  BucketMove move;
  move.rows.resize(2);
  move.rows[0].event = events[0];
  move.rows[1].change = changes[0];
  return {make_frame(push, 1), make_frame(page, 2), make_frame(range, 3), make_frame(batch, 4),
          make_frame(move, 5)};
}

TEST(VersionsTest, TheHighestVersionOfBothIsSpoken) {
  EXPECT_EQ(common_version({1, 1}, {1, 2}), 1u);
  EXPECT_EQ(common_version({1, 2}, {1, 2}), 2u);
  EXPECT_EQ(common_version({1, 2}, {2, 2}), 2u);
  EXPECT_EQ(common_version({1, 1}, {2, 2}), 0u);
  EXPECT_EQ(common_version({2, 2}, {1, 1}), 0u);
  EXPECT_EQ(common_version({99, 99}, {1, 2}), 0u);
  EXPECT_EQ(common_version({0, 0xffffffffu}, {1, 2}), 2u);
}

TEST(VersionsTest, AFeatureBelongsToTheVersionThatBroughtIt) {
  EXPECT_EQ(features_of(1), kAllFeatures);
  EXPECT_EQ(features_of(2), kAllFeatures | kFeatureReactions);
  EXPECT_TRUE(is_known(EntryKind::kLeave, 1));
  EXPECT_FALSE(is_known(EntryKind::kReaction, 1));
  EXPECT_TRUE(is_known(EntryKind::kReaction, 2));
  EXPECT_FALSE(is_known(static_cast<EntryKind>(77), 2));
  EXPECT_EQ(feature_of(EntryKind::kMessage), 0u);
  EXPECT_EQ(feature_of(EntryKind::kReaction), kFeatureReactions);
  EXPECT_EQ(feature_of(ChangeKind::kReceipt), kFeatureReceipts);
  EXPECT_EQ(feature_of(Body(SignalEphemeral{})), kFeatureTyping);
  EXPECT_EQ(feature_of(Body(SendMessage{})), 0u);
}

// VER-UNKNOWN-001: an older program holds what is newer among its unknown fields, and passes on the same
// fields.
TEST(VersionsTest, WhatIsNewerIsUnknownAndComesBackWhole) {
  for (const Frame& frame : frames_with_entries()) {
    SCOPED_TRACE(frame.body.index());
    Frame older = frame;
    hide_newer(older, 1);
    EXPECT_NE(older, frame);
    Frame same = frame;
    hide_newer(same, 2);
    EXPECT_EQ(same, frame);
    Frame again = older;
    hide_newer(again, 1);
    EXPECT_EQ(again, older);
    const auto decoded = decode(bytes_of(older));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, frame);
    reveal_known(older);
    EXPECT_EQ(older, frame);
    EXPECT_EQ(digest(older), digest(frame));
  }
}

TEST(VersionsTest, FieldsOfYetNewerVersionsStayWhereTheyAre) {
  Event event = timed_event(1, 5);
  event.unknown = Slice(std::string_view("\xda\x0f\x01\x61", 4));  // 251: "a"
  EXPECT_EQ(beyond_released(event), std::string_view("\x78\x05\xda\x0f\x01\x61", 6));
  RangeResult range;
  range.events = {event};
  Frame frame = make_frame(range);
  const Frame before = frame;
  hide_newer(frame, 1);
  EXPECT_EQ(std::get<RangeResult>(frame.body).events[0].client_time_ms, 0u);
  EXPECT_EQ(beyond_released(std::get<RangeResult>(frame.body).events[0]), beyond_released(event));
  reveal_known(frame);
  EXPECT_EQ(frame, before);
  EXPECT_EQ(beyond_released(timed_event(1, 0)), "");
}

// Whatever unknown fields stand beside it: revealing is decoding.
RC_GTEST_PROP(VersionsProperty, RevealingIsWhatDecodingDoes, (std::uint64_t time_ms, bool first)) {
  Event event = timed_event(1, 0);
  std::string bytes;
  const std::string other("\xc8\x3e\x96\x01", 4);  // 1001: 150
  if (!first) bytes += other;
  bytes += beyond_released(timed_event(1, time_ms));
  if (first) bytes += other;
  event.unknown = Slice(bytes);
  RangeResult range;
  range.events = {event};
  Frame frame = make_frame(range);
  const auto decoded = decode(bytes_of(frame));
  RC_ASSERT(decoded.has_value());
  reveal_known(frame);
  RC_ASSERT(frame == *decoded);
}

}  // namespace
}  // namespace wavetank::protocol
