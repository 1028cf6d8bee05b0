// Standby copies and takeovers: whole services in which a shard loses its disk.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "reference/server/standby.hpp"
#include "reference/server/test_cluster.hpp"

namespace wavetank::server {
namespace {

using protocol::ChangeKind;
using protocol::Durability;
using protocol::SendStatus;
using test::Cluster;

constexpr NodeId kFirstTownShard = 2;
constexpr std::uint32_t kTownShards = 3;

ServerConfig with_copies(ServerConfig config = {}) {
  config.standby_copies = 1;
  config.move_chunk_rows = 4;
  config.tells_buckets = true;
  return config;
}

// Two gateways and three shards, each with a copy at the next. Anna (1) and Bert (2) have a conversation.
struct TakeoverTown {
  explicit TakeoverTown(const ServerConfig& config = with_copies())
      : cluster(kFirstTownShard, kTownShards, 1, config) {
    cluster.run();
    anna = login(0, 1);
    bert = login(1, 2);
  }
  ConnectionId login(NodeId gateway, UserId user) {
    const ConnectionId connection = cluster.connect(gateway, user, 0);
    cluster.run();
    return connection;
  }
  // Whoever lost the connection comes back.
  void log_in_again() {
    if (!cluster.is_open(anna)) anna = login(0, 1);
    if (!cluster.is_open(bert)) bert = login(1, 2);
  }
  NodeId home() const { return cluster.placement().home(kDirect); }
  static NodeId standby_of(NodeId shard) {
    return kFirstTownShard + (shard - kFirstTownShard + 1) % kTownShards;
  }
  protocol::SendAck send(std::uint32_t counter) {
    return cluster.ask<protocol::SendAck>(anna, test::text(kDirect, test::key(1, 0, counter), "text"));
  }
  // Nothing reaches the standby any more, and nobody knows.
  void cut_copy() { cluster.block(home(), standby_of(home())); }
  void lose_home() {
    const NodeId lost = home();
    cluster.lose(lost);
    cluster.let_through(lost, standby_of(lost));
    EXPECT_TRUE(cluster.take_over(standby_of(lost), lost));
    cluster.run();
    log_in_again();
  }
  protocol::SyncResult feed(ConnectionId connection) {
    return cluster.ask<protocol::SyncResult>(connection, protocol::Sync{1, 0, 0});
  }
  static std::vector<std::uint64_t> entries(const protocol::SyncResult& feed) {
    std::vector<std::uint64_t> list;
    for (const protocol::Change& change : feed.changes) {
      if (change.event) list.push_back(change.event->conv_seq);
    }
    return list;
  }
  template <class Answer>
  Answer fetch(std::uint32_t epoch, std::uint64_t from = 1) {
    return cluster.ask<Answer>(bert, protocol::FetchRange{kDirect, epoch, from, 0, 0});
  }

  Cluster cluster;
  ConnectionId anna = 0;
  ConnectionId bert = 0;
};

using ToldEntries = std::vector<std::uint64_t>;

TEST(Takeover, TheCopyHasAllThatIsToldAndGoesOnInANewEpoch) {
  TakeoverTown town;
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(town.send(i).durability, Durability::kLocal);
  town.cluster.ask<protocol::CursorAck>(town.bert, protocol::ReadWatermark{kDirect, 1, 3, false});
  town.cluster.run();
  town.lose_home();

  const auto range = town.fetch<protocol::RangeResult>(2);
  EXPECT_EQ(range.conv_epoch, 2U);
  ASSERT_EQ(range.events.size(), 5U);
  for (const protocol::Event& event : range.events) EXPECT_EQ(event.conv_epoch, 1U);
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2, 3, 4, 5}));
  const protocol::SendAck repeat = town.send(5);
  EXPECT_EQ(repeat.status, SendStatus::kDuplicate);
  EXPECT_EQ(repeat.conv_epoch, 1U) << "the entry is where it was";
  const protocol::SendAck next = town.send(6);
  EXPECT_EQ(next.conv_epoch, 2U);
  EXPECT_EQ(next.conv_seq, 6U);
  const auto marks =
      town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 2, 1});
  EXPECT_EQ(marks.read_seq, 3U);
}

TEST(Takeover, ADeadEpochIsAnsweredWithTheForkAndTheFeedTellsIt) {
  TakeoverTown town;
  town.send(1);
  town.lose_home();
  const protocol::EpochChanged wanted{kDirect, 1, 2, 1};
  EXPECT_EQ(town.fetch<protocol::EpochChanged>(1), wanted);
  EXPECT_EQ(town.cluster.ask<protocol::EpochChanged>(town.bert, protocol::DeliveredCursor{kDirect, 1, 1}),
            wanted);
  EXPECT_EQ(
      town.cluster.ask<protocol::EpochChanged>(town.bert, protocol::ReadWatermark{kDirect, 1, 1, false}),
      wanted);
  for (const ConnectionId connection : {town.anna, town.bert}) {
    const auto feed = town.feed(connection);
    const auto told = std::count_if(feed.changes.begin(), feed.changes.end(), [](const protocol::Change& c) {
      return c.kind == ChangeKind::kEpoch && c.conversation == kDirect && c.conv_epoch == 2 &&
             c.head_seq == 1;
    });
    EXPECT_EQ(told, 1);
  }
}

TEST(Takeover, AMarkOfADeadEpochCountsForNothingHoweverLateItComes) {
  TakeoverTown town;
  town.send(1);
  town.lose_home();
  town.send(2);
  town.cluster.ask<protocol::EpochChanged>(town.bert, protocol::DeliveredCursor{kDirect, 1, 2});
  town.cluster.ask<protocol::EpochChanged>(town.bert, protocol::ReadWatermark{kDirect, 1, 2, false});
  EXPECT_EQ(town.cluster.unanswered, 0U);
  const auto marks =
      town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 2, 0});
  EXPECT_EQ(marks.delivered_seq, 0U);
  EXPECT_EQ(marks.read_seq, 0U);
  EXPECT_EQ(marks.unread, 2U);
}

TEST(Takeover, WhatTheCopyLacksWasShownToNobodyAndIsTakenOnceMore) {
  TakeoverTown town;
  town.send(1);
  town.cut_copy();
  const protocol::SendAck lost = town.send(2);
  EXPECT_EQ(lost.conv_seq, 2U);
  EXPECT_EQ(lost.durability, Durability::kLocal);
  EXPECT_EQ(town.cluster.pushed(town.bert).size(), 1U) << "told before the copy had it";
  EXPECT_GT(town.cluster.observer.count(Probe::kToldLater), 0U);
  town.lose_home();

  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1}));
  const protocol::SendAck again = town.send(2);
  EXPECT_EQ(again.status, SendStatus::kAccepted);
  EXPECT_EQ(again.conv_epoch, 2U);
  EXPECT_EQ(again.conv_seq, 2U);
  EXPECT_EQ(town.send(2).status, SendStatus::kDuplicate);
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2}));
}

TEST(Takeover, WithAQuorumTheWriterWaitsAndNothingAcknowledgedIsLost) {
  ServerConfig config = with_copies();
  config.quorum_acks = true;
  TakeoverTown town(config);
  EXPECT_EQ(town.send(1).durability, Durability::kRegionQuorum);
  town.cut_copy();
  town.cluster.send(town.anna, test::text(kDirect, test::key(1, 0, 2), "text"), 77);
  town.cluster.run();
  const auto answered = [&] {
    const auto& frames = town.cluster.received[town.anna];
    return std::any_of(frames.begin(), frames.end(),
                       [](const protocol::Frame& f) { return f.request_id == 77; });
  };
  EXPECT_FALSE(answered());
  town.cluster.let_through(town.home(), TakeoverTown::standby_of(town.home()));
  town.cluster.run();
  EXPECT_TRUE(answered());
  town.lose_home();
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2}));
}

TEST(Takeover, AloneNothingWaitsAndAcknowledgementsNameLocal) {
  ServerConfig config = with_copies();
  config.quorum_acks = true;
  TakeoverTown town(config);
  const NodeId home = town.home();
  town.cluster.link_down(std::min(home, TakeoverTown::standby_of(home)),
                         std::max(home, TakeoverTown::standby_of(home)));
  EXPECT_EQ(town.send(1).durability, Durability::kLocal);
  town.cluster.link_up(std::min(home, TakeoverTown::standby_of(home)),
                       std::max(home, TakeoverTown::standby_of(home)));
  town.cluster.run();
  EXPECT_EQ(town.send(2).durability, Durability::kRegionQuorum);
  town.lose_home();
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2})) << "the copy was mended";
}

TEST(Takeover, TheMachineInItsPlaceOwnsNothingAndPassesOn) {
  TakeoverTown town;
  const NodeId lost = town.home();
  town.send(1);
  town.lose_home();
  town.cluster.start(lost);
  town.cluster.run();
  EXPECT_EQ(town.send(2).conv_seq, 2U);
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2}));
  for (std::uint32_t bucket = 0; bucket < town.cluster.placement().buckets(); ++bucket) {
    const auto owners = town.cluster.owners_of(bucket);
    ASSERT_EQ(owners.size(), 1U) << "bucket " << bucket;
    EXPECT_NE(owners.front(), lost);
  }
  // It is a standby again, and takes over when its turn comes.
  const NodeId before = kFirstTownShard + (lost - kFirstTownShard + kTownShards - 1) % kTownShards;
  town.cluster.lose(before);
  EXPECT_TRUE(town.cluster.take_over(lost, before));
  town.cluster.run();
  town.log_in_again();
  EXPECT_EQ(town.send(3).status, SendStatus::kAccepted);
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2, 3}));
}

TEST(Takeover, TwiceTheSameConversation) {
  TakeoverTown town;
  const NodeId first = town.home();
  const NodeId second = TakeoverTown::standby_of(first);
  const NodeId third = TakeoverTown::standby_of(second);
  town.send(1);
  town.send(2);
  town.lose_home();
  town.send(3);
  town.cluster.run();
  town.cluster.lose(second);
  ASSERT_TRUE(town.cluster.take_over(third, second));
  town.cluster.run();
  town.log_in_again();
  const auto ack = town.send(4);
  EXPECT_EQ(ack.conv_epoch, 3U);
  EXPECT_EQ(ack.conv_seq, 4U);
  EXPECT_EQ(town.fetch<protocol::EpochChanged>(2), (protocol::EpochChanged{kDirect, 2, 3, 3}));
  EXPECT_EQ(town.fetch<protocol::EpochChanged>(1), (protocol::EpochChanged{kDirect, 1, 3, 2}))
      << "whoever has missed one is told the lowest";
  EXPECT_EQ(TakeoverTown::entries(town.feed(town.bert)), (ToldEntries{1, 2, 3, 4}));
  town.cluster.start(first);
  town.cluster.run();
  town.cluster.lose(third);
  ASSERT_TRUE(town.cluster.take_over(first, third));
  town.cluster.run();
  town.log_in_again();
  EXPECT_EQ(town.fetch<protocol::EpochChanged>(2), (protocol::EpochChanged{kDirect, 2, 4, 3}))
      << "the lowest since then, not of all";
}

TEST(Takeover, AConversationThatOnlyTheLostOwnerKnewBeginsInTheNextEpoch) {
  TakeoverTown town;
  town.cut_copy();
  EXPECT_EQ(town.send(1).conv_epoch, 1U);
  town.lose_home();
  EXPECT_EQ(town.fetch<protocol::EpochChanged>(1), (protocol::EpochChanged{kDirect, 1, 2, 0}));
  const protocol::SendAck again = town.send(1);
  EXPECT_EQ(again.status, SendStatus::kAccepted);
  EXPECT_EQ(again.conv_epoch, 2U);
  EXPECT_EQ(again.conv_seq, 1U);
}

TEST(Takeover, NobodyTakesOverFromAHalfCopy) {
  TakeoverTown town;
  const NodeId lost = town.home();
  EXPECT_FALSE(town.cluster.take_over(TakeoverTown::standby_of(TakeoverTown::standby_of(lost)), lost));
  // Its standby begins anew, and nothing has come yet.
  town.cluster.kill(TakeoverTown::standby_of(lost));
  town.cluster.block(lost, TakeoverTown::standby_of(lost));
  town.cluster.start(TakeoverTown::standby_of(lost));
  town.cluster.run();
  EXPECT_FALSE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
  town.cluster.let_through(lost, TakeoverTown::standby_of(lost));
  town.cluster.run();
  EXPECT_TRUE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
}

// Anna writes to somebody whose feed lives elsewhere than the conversation; `blocks` says what then fails.
ToldEntries told_after_loss_of_feed(const ServerConfig& config, bool blocks_there) {
  TakeoverTown town(config);
  const Placement& placement = town.cluster.placement();
  UserId reader = 2;
  while (placement.home(direct_conversation(1, reader)) == placement.home(reader)) ++reader;
  const ConversationId id = direct_conversation(1, reader);
  const NodeId source = placement.home(id);
  const NodeId lost = placement.home(reader);
  const auto [from, to] = blocks_there ? std::pair(source, lost) : std::pair(lost, source);
  town.cluster.block(from, to);
  town.cluster.ask<protocol::SendAck>(town.anna, test::text(id, test::key(1, 0, 1), "text"));
  town.cluster.run();
  town.cluster.lose(lost);
  town.cluster.let_through(from, to);
  EXPECT_TRUE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
  town.cluster.run();
  return TakeoverTown::entries(town.feed(town.login(0, reader)));
}

TEST(Takeover, AnEffectIsAppliedOnceWhateverTheLostOwnerHadSaid) {
  EXPECT_EQ(told_after_loss_of_feed(with_copies(), false), (ToldEntries{1}));
}

TEST(Takeover, AnEffectThatTheLostOwnerHasNotSeenGoesToTheNewOne) {
  EXPECT_EQ(told_after_loss_of_feed(with_copies(), true), (ToldEntries{1}));
}

TEST(Takeover, FeedsGoOnFarAboveWhatTheLostOwnerMayHaveTold) {
  TakeoverTown town;
  town.send(1);
  const std::uint64_t before = town.feed(town.bert).head_user_seq;
  const NodeId lost = town.cluster.placement().home(UserId{2});
  town.cluster.lose(lost);
  ASSERT_TRUE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
  town.cluster.run();
  EXPECT_FALSE(town.cluster.is_open(town.bert)) << "whoever was told by the lost one asks anew";
  town.log_in_again();
  const auto feed = town.feed(town.bert);
  EXPECT_GT(feed.head_user_seq, before + (1U << 20) - 1);
  // A cursor that only the lost owner could have given is good.
  const auto rest = town.cluster.ask<protocol::SyncResult>(town.bert, protocol::Sync{1, before + 7, 0});
  EXPECT_EQ(rest.error, protocol::ErrorCode::kNone);
  EXPECT_FALSE(rest.changes.empty());
}

// What the author was told of Bert's reads, after a takeover that tells all of it again.
std::uint64_t told_of_berts_reads(const ServerConfig& config) {
  TakeoverTown town(config);
  for (std::uint32_t i = 1; i <= 3; ++i) town.send(i);
  town.cluster.ask<protocol::CursorAck>(town.bert, protocol::ReadWatermark{kDirect, 1, 1, false});
  town.cluster.ask<protocol::CursorAck>(town.bert, protocol::ReadWatermark{kDirect, 1, 3, true});
  town.cluster.run();
  town.lose_home();
  std::uint64_t read = 0;
  for (const protocol::Change& change : town.feed(town.anna).changes) {
    if (change.kind == ChangeKind::kReceipt && change.subject == 2) read = std::max(read, change.read_seq);
  }
  const auto marks =
      town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 2, 1});
  EXPECT_EQ(marks.read_seq, 3U);
  EXPECT_EQ(marks.hidden_from, 2U) << "the copy has it";
  return read;
}

TEST(Takeover, APrivateReadStaysPrivate) { EXPECT_EQ(told_of_berts_reads(with_copies()), 1U); }

TEST(Takeover, AFeedSaysWhichOfItsNumbersAreLost) {
  TakeoverTown town;
  town.send(1);
  town.cluster.run();
  const std::uint64_t before = town.feed(town.bert).head_user_seq;
  const NodeId lost = town.cluster.placement().home(UserId{2});
  town.cluster.lose(lost);
  ASSERT_TRUE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
  town.cluster.run();
  town.log_in_again();
  std::vector<protocol::Change> own;
  for (const protocol::Change& change : town.feed(town.bert).changes) {
    if (change.kind == ChangeKind::kEpoch && change.conv_epoch == 0) own.push_back(change);
  }
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].head_seq, before + 1);
}

// The notices of the room's fork that one user got after the loss of its home.
using Forks = std::vector<protocol::Change>;
struct ForksOfARoom {
  Forks of_member;
  Forks of_former;
};
ForksOfARoom forks_of_a_room(const ServerConfig& config) {
  TakeoverTown town(config);
  const ConversationId room = group_conversation(0, 7);
  const auto say = [&](ConnectionId who, UserId user, std::uint32_t counter, protocol::EntryKind kind) {
    town.cluster.ask<protocol::SendAck>(who, test::membership(room, test::key(user, 0, counter), kind));
  };
  say(town.anna, 1, 1, protocol::EntryKind::kJoin);
  say(town.bert, 2, 1, protocol::EntryKind::kJoin);
  say(town.bert, 2, 2, protocol::EntryKind::kLeave);
  town.cluster.ask<protocol::SendAck>(town.anna, test::text(room, test::key(1, 0, 2), "alone"));
  town.cluster.run();
  const NodeId lost = town.cluster.placement().home(room);
  town.cluster.lose(lost);
  EXPECT_TRUE(town.cluster.take_over(TakeoverTown::standby_of(lost), lost));
  town.cluster.run();
  town.log_in_again();
  const auto told = [&](ConnectionId who) {
    Forks forks;
    for (const protocol::Change& change : town.feed(who).changes) {
      if (change.kind == ChangeKind::kEpoch && change.conversation == room) forks.push_back(change);
    }
    return forks;
  };
  return {told(town.anna), told(town.bert)};
}

// What one has read as a member comes back from the devices of former ones, too.
TEST(Takeover, AFormerMemberIsToldOfTheFork) {
  const ForksOfARoom forks = forks_of_a_room(with_copies());
  for (const Forks& told : {forks.of_member, forks.of_former}) {
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].conv_epoch, 2U);
    EXPECT_EQ(told[0].head_seq, 4U);
  }
  EXPECT_EQ(forks.of_member[0].delivered_seq, 0U);
  EXPECT_EQ(forks.of_former[0].delivered_seq, 3U) << "the last entry that he may see";
}

// What Bert's device is told when it asks for what has come since: its feed was begun by an owner that was
// alone, and is lost.
protocol::SyncResult after_loss_of_an_unknown_feed(const ServerConfig& config) {
  TakeoverTown town(config);
  const NodeId lost = town.cluster.placement().home(UserId{2});
  const NodeId standby = TakeoverTown::standby_of(lost);
  town.cluster.link_down(std::min(lost, standby), std::max(lost, standby));
  const protocol::PutSetting put{kDirect, protocol::SettingKind::kPinned, 1, {}, 1, 0};
  town.cluster.ask<protocol::SettingAck>(town.bert, put);
  const std::uint64_t told = town.feed(town.bert).head_user_seq;
  EXPECT_GT(told, 0U);
  town.cluster.lose(lost);
  town.cluster.link_up(std::min(lost, standby), std::max(lost, standby));
  EXPECT_TRUE(town.cluster.take_over(standby, lost));
  town.cluster.run();
  town.log_in_again();
  return town.cluster.ask<protocol::SyncResult>(town.bert, protocol::Sync{1, told, 0});
}

TEST(Takeover, AFeedOfWhichTheCopyHasNothingGoesOnAboveAllThatWasTold) {
  const protocol::SyncResult after = after_loss_of_an_unknown_feed(with_copies());
  EXPECT_EQ(after.error, protocol::ErrorCode::kNone);
  ASSERT_FALSE(after.changes.empty());
  EXPECT_EQ(after.changes[0].kind, ChangeKind::kEpoch);
  EXPECT_EQ(after.changes[0].conv_epoch, 0U);
  EXPECT_EQ(after.changes[0].head_seq, 1U);
  EXPECT_GT(after.head_user_seq, std::uint64_t{1} << 20);
}

// ---- seeded defects

struct TakeoverCase {
  Defect defect;
  const char* name;
  bool (*mistaken)(const ServerConfig&);
};

const TakeoverCase kTakeoverCases[] = {
    {Defect::kTakeoverKeepsEpoch, "TakeoverKeepsEpoch",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       town.send(1);
       town.lose_home();
       return town.send(2).conv_epoch == 1;
     }},
    {Defect::kForkOffByOne, "ForkOffByOne",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       town.send(1);
       town.lose_home();
       return town.fetch<protocol::EpochChanged>(1).fork_seq == 2;
     }},
    {Defect::kLostLaneForgotten, "LostLaneForgotten",
     [](const ServerConfig& config) { return told_after_loss_of_feed(config, true).empty(); }},
    {Defect::kTakeoverUntold, "TakeoverUntold",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       town.send(1);
       town.lose_home();
       const auto changes = town.feed(town.bert).changes;
       return std::none_of(changes.begin(), changes.end(),
                           [](const protocol::Change& c) { return c.conv_epoch == 2; });
     }},
    {Defect::kQuorumAckedAlone, "QuorumAckedAlone",
     [](const ServerConfig& config) {
       ServerConfig quorum = config;
       quorum.quorum_acks = true;
       TakeoverTown town(quorum);
       town.cut_copy();
       return town.send(1).durability == Durability::kRegionQuorum;
     }},
    {Defect::kDeadMarkCounted, "DeadMarkCounted",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       town.send(1);
       town.lose_home();
       town.send(2);
       const auto marks =
           town.cluster.ask<protocol::CursorAck>(town.bert, protocol::DeliveredCursor{kDirect, 1, 2});
       return marks.delivered_seq == 2;
     }},
    {Defect::kTakeoverTellsPrivateReads, "TakeoverTellsPrivateReads",
     [](const ServerConfig& config) { return told_of_berts_reads(config) == 3; }},
    {Defect::kVoidParentKept, "VoidParentKept",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       town.send(1);
       town.lose_home();
       town.send(2);
       protocol::SendMessage answer = test::text(kDirect, test::key(1, 0, 3), "text");
       answer.reply_to_seq = 2;
       answer.reply_epoch = 1;
       town.cluster.ask<protocol::SendAck>(town.anna, answer);
       return town.fetch<protocol::RangeResult>(2, 3).events.at(0).reply_to_seq == 2;
     }},
    {Defect::kLostPutIsNew, "LostPutIsNew",
     [](const ServerConfig& config) {
       TakeoverTown town(config);
       protocol::PutSetting put{kDirect, protocol::SettingKind::kDraft, 1, Slice("new"), 0, 0};
       town.cluster.ask<protocol::SettingAck>(town.anna, put);
       put = {kDirect, protocol::SettingKind::kDraft, 2, Slice("lost"), 0, 1};
       return town.cluster.ask<protocol::SettingAck>(town.anna, put).status == SendStatus::kAccepted;
     }},
    {Defect::kFormerMemberUntold, "FormerMemberUntold",
     [](const ServerConfig& config) { return forks_of_a_room(config).of_former.empty(); }},
    {Defect::kUnknownFeedBeginsAgain, "UnknownFeedBeginsAgain",
     [](const ServerConfig& config) {
       return after_loss_of_an_unknown_feed(config).head_user_seq < std::uint64_t{1} << 20;
     }},
};

class TakeoverDefects : public testing::TestWithParam<TakeoverCase> {};

TEST_P(TakeoverDefects, IsSeenWhenSwitchedOnAndOnlyThen) {
  if (!kDefectsCompiled) GTEST_SKIP() << "built without WAVETANK_DEFECTS";
  ServerConfig config = with_copies();
  EXPECT_FALSE(GetParam().mistaken(config));
  config.defects.enable(GetParam().defect);
  EXPECT_TRUE(GetParam().mistaken(config));
}

const auto kTakeoverName = [](const testing::TestParamInfo<TakeoverCase>& info) {
  return std::string(info.param.name);
};
INSTANTIATE_TEST_SUITE_P(Takeover, TakeoverDefects, testing::ValuesIn(kTakeoverCases), kTakeoverName);

}  // namespace
}  // namespace wavetank::server
