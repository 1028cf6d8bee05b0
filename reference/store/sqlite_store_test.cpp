// What is SQLite's own: files, locks, versions, failures. The rest is in store_contract_test.cpp.
#include "reference/store/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "reference/protocol/codec.hpp"
#include "reference/store/store_contract_test.hpp"

namespace wavetank::store {
namespace {

constexpr ConversationId kConversation{1, 2};

protocol::Event event_at(std::uint64_t seq, std::size_t bytes = 10) {
  protocol::Event event;
  event.conversation = kConversation;
  event.conv_seq = seq;
  event.payload = Slice(std::string(bytes, 'x'));
  return event;
}

// What the store says when it cannot be opened; empty when it can.
std::string failure_of(const std::string& path) {
  try {
    SqliteStore store(path);
    return {};
  } catch (const StoreFailure& failure) {
    return failure.what();
  }
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}
std::string read_file(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

TEST(SqliteStore, AFileOfGarbageIsRefusedByNameAndLeftAlone) {
  const TemporaryFolder folder;
  const std::string path = folder.file("garbage.db");
  for (const std::size_t size : {20u, 600u, 10'000u}) {
    const std::string garbage(size, 'g');
    write_file(path, garbage);
    const std::string failure = failure_of(path);
    EXPECT_NE(failure.find("garbage.db"), std::string::npos) << failure;
    EXPECT_NE(failure.find("file is not a database"), std::string::npos) << failure;
    EXPECT_EQ(read_file(path), garbage);
  }
}

TEST(SqliteStore, AMissingFolderIsRefused) {
  const TemporaryFolder folder;
  EXPECT_NE(failure_of(folder.file("no/such/log.db")).find("unable to open database file"),
            std::string::npos);
}

TEST(SqliteStore, AnUnknownVfsIsRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(SqliteStore(folder.file("log.db"), "no-such-vfs"), StoreFailure);
}

TEST(SqliteStore, AnotherProgramsDatabaseIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.file("other.db");
  SqliteDatabase(path, {}).execute("CREATE TABLE entry(anything)");
  EXPECT_NE(failure_of(path).find("not a Wavetank store"), std::string::npos) << failure_of(path);
}

TEST(SqliteStore, AnotherSchemaIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.db");
  EXPECT_EQ(failure_of(path), "");
  const std::string newer = std::to_string(kSchemaVersion + 1);
  SqliteDatabase(path, {}).execute(("PRAGMA user_version=" + newer).c_str());
  EXPECT_NE(failure_of(path).find("schema version " + newer), std::string::npos) << failure_of(path);
  SqliteDatabase(path, {}).execute("PRAGMA user_version=3");  // of the time before settings
  EXPECT_NE(failure_of(path).find("schema version 3"), std::string::npos) << failure_of(path);
  SqliteDatabase(path, {}).execute("PRAGMA user_version=1");
  EXPECT_NE(failure_of(path).find("schema version 1"), std::string::npos) << failure_of(path);
  SqliteDatabase(path, {}).execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
  EXPECT_EQ(failure_of(path), "");
}

TEST(SqliteStore, ASecondOpenerIsLockedOut) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.db");
  {
    SqliteStore store(path);
    EXPECT_NE(failure_of(path).find("locked"), std::string::npos) << failure_of(path);
    store.append_entry(event_at(1));
    store.commit();
  }
  EXPECT_EQ(failure_of(path), "");
}

TEST(SqliteStore, UsesTheLogWithoutSharedMemory) {
  const TemporaryFolder folder;
  SqliteStore store(folder.file("log.db"));
  store.append_entry(event_at(1));
  store.commit();
  EXPECT_TRUE(std::filesystem::exists(folder.file("log.db-wal")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("log.db-shm")));
}

// Copies the files as a dying process leaves them: no close, no checkpoint.
TEST(SqliteStore, CommittedBatchesSurviveADeathWithoutClosing) {
  const TemporaryFolder folder;
  SqliteStore store(folder.file("log.db"));
  for (std::uint64_t seq = 1; seq <= 50; ++seq) {
    store.append_entry(event_at(seq));
    if (seq % 10 == 0) store.commit();
  }
  for (std::uint64_t seq = 51; seq <= 55; ++seq) store.append_entry(event_at(seq));
  std::filesystem::copy_file(folder.file("log.db"), folder.file("after.db"));
  std::filesystem::copy_file(folder.file("log.db-wal"), folder.file("after.db-wal"));
  SqliteStore after(folder.file("after.db"));
  std::vector<protocol::Event> events;
  after.entries(kConversation, 1, 100, 100, events);
  ASSERT_EQ(events.size(), 50u);
  EXPECT_EQ(events.back(), event_at(50));
}

TEST(SqliteStore, ReadsLeaveNothingOpenThatKeepsTheLogFromStartingAnew) {
  register_test_vfs();
  const TemporaryFolder folder;
  SqliteOptions options;
  options.checkpoint_pages = 16;
  SqliteStore store(folder.file("log.db"), kTestVfsName, options);
  std::vector<protocol::Event> events;
  std::vector<protocol::Change> changes;
  for (std::uint64_t seq = 1; seq <= 2000; ++seq) {
    // Every kind of read that stops before its last row, before and inside the batch.
    store.conversation(kConversation);
    store.entries(kConversation, 1, 100, 1, events);
    store.feed_head(1);
    store.append_entry(event_at(seq, 400));
    protocol::Change change;
    change.kind = protocol::ChangeKind::kReceipt;
    change.prev_user_seq = seq - 1;
    change.user_seq = seq;
    store.append_change(1, change);
    store.put_conversation(kConversation, {1, seq, seq});
    store.conversation(kConversation);
    store.receipt(1, {}, 0);
    store.changes(1, 0, 1, changes);
    store.commit();
    ASSERT_LT(std::filesystem::file_size(folder.file("log.db-wal")), 100u * 4120) << seq;
  }
}

TEST(SqliteStore, WhatCouldNotBeReadBackIsNotWritten) {
  const TemporaryFolder folder;
  SqliteStore store(folder.file("log.db"));
  store.append_entry(event_at(1, protocol::kMaxPayloadBytes));
  EXPECT_THROW(store.append_entry(event_at(2, protocol::kMaxPayloadBytes + 1)), StoreFailure);
  EXPECT_THROW(store.append_entry(event_at(1ULL << 63)), StoreFailure);
  protocol::OutboxItem item;
  item.number = 1;
  item.recipients.assign(200'000, ~0ULL);
  EXPECT_THROW(store.append_outbox(1, item), StoreFailure);
}

TEST(SqliteStore, ADamagedRowIsAFailureThatNamesItsTable) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.db");
  {
    SqliteStore store(path);
    store.append_entry(event_at(1));
    store.commit();
  }
  SqliteDatabase(path, {}).execute("UPDATE entry SET body=x'ffffff'");
  SqliteStore store(path);
  std::vector<protocol::Event> events;
  try {
    store.entries(kConversation, 1, 1, 1, events);
    FAIL();
  } catch (const StoreFailure& failure) {
    EXPECT_NE(std::string(failure.what()).find("entry"), std::string::npos) << failure.what();
  }
}

TEST(SqliteStore, ADamagedPageIsAFailureWithTheStatement) {
  const TemporaryFolder folder;
  const std::string path = folder.file("log.db");
  {
    SqliteStore store(path);
    for (std::uint64_t seq = 1; seq <= 500; ++seq) store.append_entry(event_at(seq, 100));
    store.commit();
  }
  std::string content = read_file(path);
  ASSERT_GT(content.size(), 20u * 4096);
  // Definitions and roots of the tables were written first.
  std::fill(content.end() - 8 * 4096, content.end(), '\x55');
  write_file(path, content);
  try {
    SqliteStore store(path);
    std::vector<protocol::Event> events;
    store.entries(kConversation, 1, 500, 500, events);
    FAIL();
  } catch (const StoreFailure& failure) {
    const std::string text = failure.what();
    EXPECT_NE(text.find("malformed"), std::string::npos) << text;
    EXPECT_NE(text.find("SELECT"), std::string::npos) << text;
  }
}

// What the commit says under a fault, with the store then destroyed under the same fault; the next opening
// finds what was committed before.
void expect_failing_commit(TestFault fault, const std::string& message) {
  register_test_vfs();
  const TemporaryFolder folder;
  const std::string path = folder.file("log.db");
  {
    SqliteStore store(path, kTestVfsName);
    store.append_entry(event_at(1));
    store.commit();
    store.append_entry(event_at(2));
    set_test_fault(fault);
    try {
      store.commit();
      ADD_FAILURE() << "committed";
    } catch (const StoreFailure& failure) {
      const std::string text = failure.what();
      EXPECT_NE(text.find(path), std::string::npos) << text;
      EXPECT_NE(text.find(message), std::string::npos) << text;
      EXPECT_NE(text.find("COMMIT"), std::string::npos) << text;
    }
  }
  set_test_fault(TestFault::kNone);
  SqliteStore store(path, kTestVfsName);
  std::vector<protocol::Event> events;
  store.entries(kConversation, 1, 10, 10, events);
  ASSERT_GE(events.size(), 1u);
  EXPECT_EQ(events.front(), event_at(1));
}

TEST(SqliteStore, AFullDiskIsAFailure) {
  expect_failing_commit(TestFault::kFull, "database or disk is full");
}
TEST(SqliteStore, AFailingSyncIsAFailure) { expect_failing_commit(TestFault::kSyncFails, "disk I/O error"); }
TEST(SqliteStore, ADiskThatIsGoneIsAFailure) {
  expect_failing_commit(TestFault::kEverything, "disk I/O error");
}

TEST(SqliteStore, EndsSilentlyInsideABatchOverADiskThatIsGone) {
  register_test_vfs();
  const TemporaryFolder folder;
  SqliteOptions options;
  options.cache_kib = 8;  // so that the batch has already spilled into the log
  {
    SqliteStore store(folder.file("log.db"), kTestVfsName, options);
    for (std::uint64_t seq = 1; seq <= 300; ++seq) store.append_entry(event_at(seq, 500));
    set_test_fault(TestFault::kEverything);
  }
  set_test_fault(TestFault::kNone);
  SqliteStore store(folder.file("log.db"), kTestVfsName, options);
  std::vector<protocol::Event> events;
  store.entries(kConversation, 1, 300, 300, events);
  EXPECT_TRUE(events.empty());
}

TEST(SqliteStore, OptionsChangeNothingThatIsRead) {
  const TemporaryFolder folder;
  SqliteOptions options;
  options.cache_kib = 8;
  options.checkpoint_pages = 1;
  options.secure_delete = true;
  const std::string path = folder.file("log.db");
  {
    SqliteStore store(path, {}, options);
    for (std::uint64_t seq = 1; seq <= 300; ++seq) store.append_entry(event_at(seq, 200));
    store.commit();
  }
  SqliteStore store(path);
  std::vector<protocol::Event> events;
  store.entries(kConversation, 1, 300, 300, events);
  ASSERT_EQ(events.size(), 300u);
  EXPECT_EQ(events.back(), event_at(300, 200));
}

}  // namespace
}  // namespace wavetank::store
