// The product's SQLite store over the simulated disk, crashed in all ways at all moments, beside a memory
// store that is told the same fates: they must never differ.
#include "sim/world/shard_disk.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <ostream>

#include "sim/disk/sqlite_process.hpp"

namespace wavetank::sim {
namespace {

constexpr std::uint32_t kNode = 1;
constexpr std::uint32_t kPlaces = 4;

struct Step {
  enum class Kind : std::uint8_t { kCommit, kWrite, kSynced, kCrash, kCrashTwice };
  Kind kind = Kind::kCommit;
  BatchFate fate = BatchFate::kDropped;
  std::vector<std::uint32_t> writes;  // payload bytes, one row of everything each
  std::uint64_t draw = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  out << '{' << static_cast<int>(step.kind) << " fate " << static_cast<int>(step.fate) << " draw "
      << step.draw << " writes";
  for (const std::uint32_t size : step.writes) out << ' ' << size;
  return out << '}';
}

rc::Gen<Step> any_step() {
  using enum Step::Kind;
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind,
                   rc::gen::weightedElement<Step::Kind>(
                       {{8, kCommit}, {1, kWrite}, {5, kSynced}, {3, kCrash}, {1, kCrashTwice}})),
      rc::gen::set(&Step::fate,
                   rc::gen::weightedElement<BatchFate>(
                       {{2, BatchFate::kKept}, {1, BatchFate::kDropped}, {3, BatchFate::kTorn}})),
      rc::gen::set(&Step::writes, rc::gen::resize(8, rc::gen::container<std::vector<std::uint32_t>>(
                                                         rc::gen::inRange(0u, 900u)))),
      rc::gen::set(&Step::draw, rc::gen::arbitrary<std::uint64_t>()));
}

// Everything that a store answers about the places that a step may write to.
struct Answers {
  std::vector<protocol::Event> entries;
  std::vector<protocol::Change> changes;
  std::vector<protocol::OutboxItem> items;
  std::vector<std::uint64_t> numbers;
  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers answers_of(store::LogStore& store) {
  Answers answers;
  for (std::uint32_t place = 0; place < kPlaces; ++place) {
    const ConversationId id{place, 9};
    store.entries(id, 1, UINT64_MAX / 2, 100'000, answers.entries);
    store.changes(place, 0, 100'000, answers.changes);
    store.outbox(place, 0, 100'000, answers.items);
    const auto row = store.conversation(id);
    answers.numbers.insert(answers.numbers.end(), {row ? row->head_seq : 0, store.outbox_head(place),
                                                   store.inbox(place), store.feed_head(place).user_seq});
  }
  return answers;
}

// Writes one row of each kind to a place that the size chooses.
void write_row(store::LogStore& store, std::uint32_t size) {
  const std::uint32_t place = size % kPlaces;
  const ConversationId id{place, 9};
  const auto row = store.conversation(id);
  protocol::Event entry;
  entry.conversation = id;
  entry.conv_seq = (row ? row->head_seq : 0) + 1;
  entry.payload = Slice(std::string(size, 'q'));
  store.append_entry(entry);
  store.put_conversation(id, {1, entry.conv_seq, 0});
  protocol::Change change;
  change.kind = entry.conv_seq % 3 != 0 ? protocol::ChangeKind::kReceipt : protocol::ChangeKind::kEvent;
  change.conversation = id;
  change.prev_user_seq = store.feed_head(place).user_seq;
  change.user_seq = change.prev_user_seq + 1;
  store.append_change(place, change);
  store.append_outbox(place, {store.outbox_head(place) + 1, {1, 2}, change});
  if (entry.conv_seq % 5 == 0) store.trim_outbox(place, store.outbox_head(place) - 2);
  store.put_inbox(place, entry.conv_seq);
}

class Pair {
 public:
  Pair() : vfs_(Randomness(1)), sqlite_(kNode, &vfs_), memory_(kNode, nullptr) {}

  void apply(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kCommit:
        write(step);
        commit();
        break;
      case Step::Kind::kWrite:  // the crash of this step falls into an open transaction
        write(step);
        crash(step.fate == BatchFate::kKept ? BatchFate::kDropped : step.fate, step.draw);
        break;
      case Step::Kind::kSynced:
        for (ShardDisk* disk : {&sqlite_, &memory_}) disk->complete_sync();
        break;
      case Step::Kind::kCrash:
        crash(step.fate, step.draw);
        break;
      case Step::Kind::kCrashTwice:  // the second one while the first one's recovery is all there was
        crash(step.fate, step.draw);
        crash(BatchFate::kTorn, step.draw + 1);
        break;
    }
  }
  void check() { RC_ASSERT(answers_of(sqlite_.store()) == answers_of(memory_.store())); }

 private:
  void write(const Step& step) {
    for (const std::uint32_t size : step.writes) {
      for (ShardDisk* disk : {&sqlite_, &memory_}) write_row(disk->store(), size);
    }
  }
  void commit() {
    const WriteVolume a = sqlite_.store().commit();
    const WriteVolume b = memory_.store().commit();
    RC_ASSERT(a.rows == b.rows);
    RC_ASSERT(a.bytes == b.bytes);
  }
  void crash(BatchFate fate, std::uint64_t draw) {
    ++crashes_;
    for (ShardDisk* disk : {&sqlite_, &memory_}) {
      disk->crash(fate, Randomness(draw), crashes_);
      disk->open();
    }
  }

  SqliteVfs vfs_;
  ShardDisk sqlite_;
  ShardDisk memory_;
  std::uint64_t crashes_ = 0;
};

TEST(ShardDisk, SqliteAndMemorySurviveEveryCrashAlike) {
  pin_sqlite_process();
  reset_sqlite_prng(1);
  EXPECT_TRUE(rc::check([] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    Pair pair;
    for (const Step& step : steps) {
      pair.apply(step);
      pair.check();
    }
  }));
}

// A batch of one row, then a crash with the given fate: whether the row is there afterwards.
bool survives(bool sqlite, BatchFate fate, bool synced) {
  pin_sqlite_process();
  SqliteVfs vfs{Randomness(1)};
  ShardDisk disk(kNode, sqlite ? &vfs : nullptr);
  write_row(disk.store(), 8);
  disk.store().commit();
  if (synced) disk.complete_sync();
  disk.crash(fate, Randomness(5), 1);
  disk.open();
  return disk.store().inbox(0) == 1;
}

TEST(ShardDisk, AFateIsTheSameForBothStores) {
  for (const bool sqlite : {false, true}) {
    EXPECT_TRUE(survives(sqlite, BatchFate::kKept, false));
    EXPECT_FALSE(survives(sqlite, BatchFate::kDropped, false));
    EXPECT_FALSE(survives(sqlite, BatchFate::kTorn, false));
    for (const BatchFate fate : {BatchFate::kKept, BatchFate::kDropped, BatchFate::kTorn}) {
      EXPECT_TRUE(survives(sqlite, fate, true));
    }
  }
}

}  // namespace
}  // namespace wavetank::sim
