// What a row costs, SQLite beside the memory engine in one run: the ratio holds where the rates do not.
//
// "Rows" are those of volume.hpp, in batches of about a hundred with one commit each. The SQLite file lies in
// TMPDIR (a tmpfs there leaves the disk out of the figure), under the settings of the product.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"

namespace wavetank::store {
namespace {

constexpr std::uint64_t kConversations = 4096;
constexpr std::uint64_t kUsers = 2048;
constexpr std::uint64_t kUserBase = 0x0100000000000000ULL;
constexpr NodeId kDestinations = 4;

// An engine that starts empty and forgets its undo journal at each commit.
class MemoryEngine {
 public:
  LogStore& store() { return store_; }
  WriteVolume commit() {
    const WriteVolume volume = store_.commit();
    store_.mark_durable();
    return volume;
  }

 private:
  MemoryStore store_;
};

class SqliteEngine {
 public:
  SqliteEngine() : folder_(make_folder()), store_(std::make_unique<SqliteStore>(folder_ + "/log.db")) {}
  ~SqliteEngine() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  SqliteEngine(const SqliteEngine&) = delete;
  SqliteEngine& operator=(const SqliteEngine&) = delete;

  LogStore& store() { return *store_; }
  WriteVolume commit() { return store_->commit(); }

 private:
  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "store_bench.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw StoreFailure("cannot make " + name);
    return name;
  }
  std::string folder_;
  std::unique_ptr<SqliteStore> store_;
};

// Writes the rows of one shard as its machines would.
class Writer {
 public:
  explicit Writer(LogStore& store) : store_(store) {}

  // One accepted send: entry, conversation, idempotency row.
  void send() {
    const protocol::Event event = next_event();
    store_.append_entry(event);
    store_.put_conversation(event.conversation, {1, event.conv_seq, event.msg_no});
    store_.put_send_key({event.conversation, event.sender, event.sender_device, event.client_msg_id},
                        {event.conv_seq, event.msg_no, IdHash::mix(sent_), event.server_time_ms});
  }
  // The entry and the idempotency row alone.
  void entry_and_key() {
    const protocol::Event event = next_event();
    store_.append_entry(event);
    store_.put_send_key({event.conversation, event.sender, event.sender_device, event.client_msg_id},
                        {event.conv_seq, event.msg_no, IdHash::mix(sent_), event.server_time_ms});
  }
  // One event into one user's feed.
  void change() {
    protocol::Change change;
    change.event = next_event();
    change.conversation = change.event->conversation;
    change.conv_epoch = 1;
    append(change);
  }
  // One receipt, which mostly replaces an older one.
  void receipt() {
    protocol::Change change;
    change.kind = protocol::ChangeKind::kReceipt;
    change.conversation = conversation(IdHash::mix(++receipts_ * 31) % 64);
    change.subject = kUserBase + receipts_ % 2;
    change.read_seq = change.delivered_seq = receipts_;
    append(change);
  }
  void outbox() {
    const NodeId destination = static_cast<NodeId>(IdHash::mix(++items_) % kDestinations);
    protocol::OutboxItem item;
    item.number = store_.outbox_head(destination) + 1;
    item.recipients = {user(items_), user(items_ + 1)};
    item.change.event = next_event();
    item.change.conversation = item.change.event->conversation;
    item.change.conv_epoch = 1;
    store_.append_outbox(destination, item);
  }
  // The acknowledgement of everything but the last 64 items of each destination.
  void trim() {
    for (NodeId destination = 0; destination < kDestinations; ++destination) {
      const std::uint64_t head = store_.outbox_head(destination);
      if (head > 64) store_.trim_outbox(destination, head - 64);
    }
  }

  static ConversationId conversation(std::uint64_t number) {
    return direct_conversation(kUserBase + IdHash::mix(number) % 1'000'000, kUserBase + 1'000'000 + number);
  }
  static UserId user(std::uint64_t number) { return kUserBase + IdHash::mix(number) % kUsers; }

 private:
  protocol::Event next_event() {
    const std::uint64_t number = IdHash::mix(++sent_ * 0x9e3779b97f4a7c15ULL) % kConversations;
    protocol::Event event;
    event.conversation = conversation(number);
    event.conv_epoch = 1;
    event.conv_seq = event.msg_no = ++heads_[number];
    event.sender = event.conversation.hi;
    event.server_time_ms = 1'732'000'000'000ULL + sent_ / 20;
    event.client_msg_id = {event.server_time_ms << 16 | 0x7000 | (IdHash::mix(sent_) & 0xfff),
                           1ULL << 63 | IdHash::mix(number) >> 2};
    event.payload = payload_;
    return event;
  }
  void append(protocol::Change& change) {
    const UserId to = user(++appended_);
    change.prev_user_seq = store_.feed_head(to).user_seq;
    change.user_seq = change.prev_user_seq + 1;
    store_.append_change(to, change);
  }

  LogStore& store_;
  Slice payload_{std::string(80, 't')};
  std::vector<std::uint64_t> heads_ = std::vector<std::uint64_t>(kConversations);
  std::uint64_t sent_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t receipts_ = 0;
  std::uint64_t items_ = 0;
};

// Repeats a batch of `count` steps and its commit.
template <class Engine, class Step>
void run_batches(benchmark::State& state, int count, Step&& step) {
  Engine engine;
  Writer writer(engine.store());
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    for (int i = 0; i < count; ++i) step(writer, i);
    const WriteVolume volume = engine.commit();
    rows += volume.rows;
    bytes += volume.bytes;
  }
  state.counters["rows/s"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(bytes), benchmark::Counter::kIsRate);
}

template <class Engine>
void append_entry_and_key(benchmark::State& state) {
  run_batches<Engine>(state, 50, [](Writer& writer, int) { writer.entry_and_key(); });
}
template <class Engine>
void append_change(benchmark::State& state) {
  run_batches<Engine>(state, 50, [](Writer& writer, int) { writer.change(); });
}
template <class Engine>
void replace_receipt(benchmark::State& state) {
  run_batches<Engine>(state, 33, [](Writer& writer, int) { writer.receipt(); });
}
template <class Engine>
void append_and_trim_outbox(benchmark::State& state) {
  run_batches<Engine>(state, 33, [](Writer& writer, int i) {
    if (i == 0) writer.trim();
    writer.outbox();
  });
}
// A message's whole way in one shard: send, two outbox rows, two feeds; every fourth with a receipt.
template <class Engine>
void mixed(benchmark::State& state) {
  run_batches<Engine>(state, 9, [](Writer& writer, int i) {
    if (i == 0) writer.trim();
    writer.send();
    for (int copy = 0; copy < 2; ++copy) {
      writer.outbox();
      writer.change();
    }
    if (i % 4 == 0) writer.receipt();
  });
}

// Two million rows of the mix from an empty store to the end; one iteration.
template <class Engine>
void two_million_mixed_rows(benchmark::State& state) {
  std::uint64_t rows = 0;
  for (auto _ : state) {
    Engine engine;
    Writer writer(engine.store());
    while (rows < 2'000'000) {
      writer.trim();
      for (int i = 0; i < 9; ++i) {
        writer.send();
        for (int copy = 0; copy < 2; ++copy) {
          writer.outbox();
          writer.change();
        }
        if (i % 4 == 0) writer.receipt();
      }
      rows += engine.commit().rows;
    }
  }
  state.counters["rows/s"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kIsRate);
}

// Pages out of logs of 200 entries each.
template <class Engine>
void read_entries(benchmark::State& state) {
  Engine engine;
  for (std::uint64_t number = 0; number < 512; ++number) {
    for (std::uint64_t seq = 1; seq <= 200; ++seq) {
      protocol::Event event;
      event.conversation = Writer::conversation(number);
      event.conv_epoch = 1;
      event.conv_seq = event.msg_no = seq;
      event.sender = event.conversation.hi;
      event.payload = Slice(std::string(80, 't'));
      engine.store().append_entry(event);
    }
    engine.commit();
  }
  std::vector<protocol::Event> page;
  std::uint64_t turn = 0;
  for (auto _ : state) {
    page.clear();
    const std::uint64_t from = 1 + IdHash::mix(++turn) % 150;
    engine.store().entries(Writer::conversation(turn * 7 % 512), from, from + 49, 50, page);
    benchmark::DoNotOptimize(page.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(turn * page.size()));
}

// Pages of up to 100 changes out of feeds of about 50 to 200.
template <class Engine>
void read_changes(benchmark::State& state) {
  Engine engine;
  Writer writer(engine.store());
  for (int i = 0; i < 200'000; ++i) {
    writer.change();
    if (i % 100 == 0) engine.commit();
  }
  engine.commit();
  std::vector<protocol::Change> page;
  std::uint64_t turn = 0;
  std::uint64_t read = 0;
  for (auto _ : state) {
    page.clear();
    engine.store().changes(Writer::user(++turn), 10, 100, page);
    benchmark::DoNotOptimize(page.data());
    read += page.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(read));
}

template <class Engine>
void read_feed_head(benchmark::State& state) {
  Engine engine;
  Writer writer(engine.store());
  for (int i = 0; i < 200'000; ++i) {
    writer.change();
    if (i % 100 == 0) engine.commit();
  }
  engine.commit();
  std::uint64_t turn = 0;
  for (auto _ : state) benchmark::DoNotOptimize(engine.store().feed_head(Writer::user(++turn)));
}

#define STORE_BENCHMARK(name)                            \
  BENCHMARK_TEMPLATE(name, SqliteEngine)->UseRealTime(); \
  BENCHMARK_TEMPLATE(name, MemoryEngine)->UseRealTime()

STORE_BENCHMARK(append_entry_and_key);
STORE_BENCHMARK(append_change);
STORE_BENCHMARK(replace_receipt);
STORE_BENCHMARK(append_and_trim_outbox);
STORE_BENCHMARK(mixed);
STORE_BENCHMARK(read_entries);
STORE_BENCHMARK(read_changes);
STORE_BENCHMARK(read_feed_head);
BENCHMARK_TEMPLATE(two_million_mixed_rows, SqliteEngine)
    ->UseRealTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(two_million_mixed_rows, MemoryEngine)
    ->UseRealTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wavetank::store
