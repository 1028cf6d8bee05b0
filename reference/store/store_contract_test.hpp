// What a test of the store's contract needs of an engine: work, and an end of the process between two
// commits.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"
#include "reference/store/test_vfs.hpp"

namespace wavetank::store {

class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;
  virtual LogStore& store() = 0;
  // Commits; what was written so far survives every later restart().
  virtual WriteVolume commit() = 0;
  // The process dies and comes back: what was not committed is lost.
  virtual void restart() = 0;
};

// A folder of its own that goes with the object. Throws std::filesystem::filesystem_error.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class MemoryUnderTest final : public EngineUnderTest {
 public:
  LogStore& store() override { return store_; }
  WriteVolume commit() override {
    const WriteVolume volume = store_.commit();
    store_.mark_durable();
    return volume;
  }
  void restart() override { store_.roll_back(); }

 private:
  MemoryStore store_;
};

class SqliteUnderTest final : public EngineUnderTest {
 public:
  explicit SqliteUnderTest(const SqliteOptions& options = {}) : options_(options) {
    register_test_vfs();
    restart();
  }
  LogStore& store() override { return *store_; }
  WriteVolume commit() override { return store_->commit(); }
  void restart() override {
    store_.reset();  // before the new one: the file is locked
    store_ = std::make_unique<SqliteStore>(folder_.file("log.db"), kTestVfsName, options_);
  }

 private:
  SqliteOptions options_;
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace wavetank::store
