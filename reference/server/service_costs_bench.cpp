// What each kind of input costs a gateway and a shard, as a table that the simulator can charge (message
// ServiceCosts of sim/scenarios/scenario.proto, text format, on standard output).
//
// A small service runs in this process: a gateway, two shards, users who write, acknowledge, read, sync,
// fetch and reconnect. Every hop is encoded and decoded. What is timed is what occupies a server: decoding
// one input, handling it, encoding what it sends. The same traffic then runs over SQLite on a file system in
// memory: what a shard takes longer, by row written, is the cost of a row. Not included: sockets, encryption,
// the disk's own time (Disk.sync_us).
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/print.hpp"
#include "reference/server/gateway.hpp"
#include "reference/server/shard.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"
#include "reference/store/sqlite_store.hpp"

namespace wavetank::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr NodeId kGateway = 0;
constexpr std::array<NodeId, 2> kShards = {1, 2};
constexpr UserId kUsers = 1000;
constexpr int kRounds = 11;              // the first warms up, the median of the others is reported
constexpr std::size_t kShardBatch = 64;  // inputs in one transaction
constexpr std::size_t kBodies = std::variant_size_v<protocol::Body>;

std::int64_t since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// How often the system took the processor away from this thread. What was measured meanwhile is thrown away.
std::int64_t preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// What reading the clock twice adds to every measurement.
std::int64_t clock_cost_ns() {
  std::vector<std::int64_t> costs(10'001);
  for (std::int64_t& cost : costs) cost = since(Clock::now());
  std::nth_element(costs.begin(), costs.begin() + 5'000, costs.end());
  return costs[5'000];
}

// Time and inputs of one round, by kind of body; index 0 stands for opened and closed connections.
struct Sum {
  std::int64_t ns = 0;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  void operator+=(const Sum& other) {
    ns += other.ns;
    count += other.count;
    bytes += other.bytes;
  }
};
using Sums = std::array<Sum, kBodies>;

struct Round {
  Sums gateway{};
  Sums shard{};
  std::int64_t shard_ns = 0;  // all inputs and commits of the shards
  std::uint64_t rows = 0;
};

class Service {
 public:
  // Empty `folder`: memory stores. Otherwise SQLite files in it.
  Service(const std::filesystem::path& folder, std::int64_t clock_ns) : clock_ns_(clock_ns) {
    for (const NodeId id : kShards) {
      if (folder.empty()) {
        auto memory = std::make_unique<store::MemoryStore>();
        memory_stores_.push_back(memory.get());
        stores_.push_back(std::move(memory));
      } else {
        stores_.push_back(std::make_unique<store::SqliteStore>((folder / fmt::format("{}.db", id)).string()));
        memory_stores_.push_back(nullptr);
      }
      ServerConfig config;
      config.self = id;
      config.receipt_delay_ms = 0;  // a frame's cost is its own, not that of those that waited for it
      shards_.push_back(std::make_unique<Shard>(config, placement_, *stores_.back(), observer_));
      inboxes_.emplace_back();
      Effects effects;
      shards_.back()->begin_batch();
      shards_.back()->start(now_, effects);
      shards_.back()->peer_up(kGateway, now_, effects);
      for (const NodeId other : kShards) {
        if (other != id) shards_.back()->peer_up(other, now_, effects);
      }
      shards_.back()->end_batch();
      Effects of_gateway;
      gateway_.peer_up(id, now_, of_gateway);
    }
    connections_.resize(kUsers + 1);
    for (UserId user = 1; user <= kUsers; ++user) {
      connections_[user] = static_cast<ConnectionId>(user);
      connect(user);
    }
    settle();
  }

  // Every user writes to a peer; whoever was pushed something acknowledges and reads it; some sync, fetch,
  // reconnect.
  Round round() {
    current_ = {};
    for (UserId user = 1; user <= kUsers; ++user) {
      now_ += kMillisecond;
      const std::uint64_t draw = IdHash::mix(++draws_);
      // Every tenth always writes to the same peer: its history is what is fetched below.
      const UserId peer = 1 + (user + (user % 10 == 1 ? 1 : draw % 20)) % kUsers;
      device_sends(user, test::text(direct_conversation(user, peer), test::key(user, 0, ++counter_),
                                    std::string(20 + draw % 100, 'x')));
      device_sends(user, protocol::Heartbeat{});
      if (user % 64 == 0) settle();
    }
    settle();
    acknowledge();
    for (UserId user = 1; user <= kUsers; user += 10) {
      device_sends(user, protocol::Sync{1, 0, 50});
      device_sends(user,
                   protocol::FetchRange{direct_conversation(user, 1 + (user + 1) % kUsers), 1, 1, 0, 50});
      if (user % 64 == 0) settle();
    }
    settle();
    for (UserId user = 5; user <= kUsers; user += 10) reconnect(user);
    settle();
    return current_;
  }

 private:
  struct Letter {
    NodeId from;
    std::string bytes;
  };
  struct Pushed {
    UserId user;
    protocol::DeliveredCursor cursor;
  };

  void connect(UserId user) {
    timed_event([&] { gateway_.connection_opened(connection_of(user), now_, effects_); });
    protocol::Hello hello;
    hello.user = user;
    hello.access_token = token_;
    device_sends(user, std::move(hello));
  }
  void reconnect(UserId user) {
    timed_event(
        [&] { gateway_.connection_closed(connection_of(user), CloseReason::kReset, now_, effects_); });
    generation_ += kUsers;
    connections_[user] = static_cast<ConnectionId>(generation_ + user);
    connect(user);
  }
  ConnectionId connection_of(UserId user) const { return connections_[user]; }

  void device_sends(UserId user, protocol::Body body) {
    std::string bytes;
    protocol::encode(protocol::make_frame(std::move(body), ++request_), bytes);
    at_gateway(bytes, [&](protocol::Frame&& frame) {
      gateway_.frame_received(connection_of(user), std::move(frame), now_, effects_);
    });
  }

  template <class Handle>
  void timed_event(Handle&& handle) {
    effects_.clear();
    outgoing_.clear();
    const std::int64_t disturbed = preemptions();
    const auto start = Clock::now();
    handle();
    encode_effects();
    const std::int64_t ns = since(start);
    if (preemptions() == disturbed) add(current_.gateway[0], ns, 0);
    deliver(kGateway);
  }
  template <class Handle>
  void at_gateway(const std::string& bytes, Handle&& handle) {
    effects_.clear();
    outgoing_.clear();
    const std::int64_t disturbed = preemptions();
    const auto start = Clock::now();
    auto frame = protocol::decode(bytes);
    const std::size_t body = frame->body.index();
    handle(std::move(*frame));
    encode_effects();
    const std::int64_t ns = since(start);
    if (preemptions() == disturbed) add(current_.gateway[body], ns, bytes.size());
    deliver(kGateway);
  }
  // One transaction of what waits; its frames leave afterwards. A frame is encoded when the batch is over,
  // because later inputs may still add to it, and counts for the input that began it.
  void shard_batch(std::size_t place) {
    std::deque<Letter>& inbox = inboxes_[place];
    Shard& shard = *shards_[place];
    effects_.clear();
    outgoing_.clear();
    std::vector<std::size_t> cause;  // body of the input that began each effect
    Sums batch{};
    std::int64_t commit = 0;
    const std::int64_t disturbed = preemptions();
    const auto begin = Clock::now();
    shard.begin_batch();
    commit += since(begin) - clock_ns_;
    for (std::size_t i = 0; i < kShardBatch && !inbox.empty(); ++i) {
      const Letter letter = std::move(inbox.front());
      inbox.pop_front();
      const auto start = Clock::now();
      auto frame = protocol::decode(letter.bytes);
      const std::size_t body = frame->body.index();
      shard.peer_frame_received(letter.from, std::move(*frame), now_, effects_);
      add(batch[body], since(start), letter.bytes.size());
      cause.resize(effects_.list().size(), body);
    }
    const auto end = Clock::now();
    const WriteVolume written = shard.end_batch();
    commit += since(end) - clock_ns_;
    outgoing_.resize(effects_.list().size());
    for (std::size_t i = 0; i < outgoing_.size(); ++i) {
      const auto start = Clock::now();
      encode_effect(i);
      batch[cause[i]].ns += since(start) - clock_ns_;
    }
    if (memory_stores_[place] != nullptr) memory_stores_[place]->mark_durable();
    if (preemptions() == disturbed) {
      current_.shard_ns += commit;
      current_.rows += written.rows;
      for (std::size_t body = 0; body < kBodies; ++body) {
        current_.shard_ns += batch[body].ns;
        current_.shard[body] += batch[body];
      }
    }
    deliver(kShards[place]);
  }

  void encode_effect(std::size_t i) {
    const Effect& effect = effects_.list()[i];
    const bool is_frame = effect.kind == Effect::Kind::kSend || effect.kind == Effect::Kind::kSendPeer;
    if (is_frame) protocol::encode(effect.frame, outgoing_[i]);
  }
  void encode_effects() {
    outgoing_.resize(effects_.list().size());
    for (std::size_t i = 0; i < outgoing_.size(); ++i) encode_effect(i);
  }
  void add(Sum& sum, std::int64_t ns, std::size_t bytes) const {
    sum.ns += ns - clock_ns_;
    sum.bytes += static_cast<std::int64_t>(bytes);
    ++sum.count;
  }

  // Carries the frames on, untimed. Frames for the gateway wait for settle(), so that no machine is entered
  // twice.
  void deliver(NodeId from) {
    const std::vector<Effect>& list = effects_.list();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].kind == Effect::Kind::kSendPeer && list[i].target == kGateway) {
        for_gateway_.push_back({from, std::move(outgoing_[i])});
      } else if (list[i].kind == Effect::Kind::kSendPeer) {
        inboxes_[list[i].target - kShards[0]].push_back({from, std::move(outgoing_[i])});
      } else if (list[i].kind == Effect::Kind::kSend) {
        note_push(list[i]);
      }
    }
  }
  void note_push(const Effect& effect) {
    const auto* push = std::get_if<protocol::ChangePush>(&effect.frame.body);
    if (push == nullptr) return;
    for (const protocol::Change& change : push->changes) {
      if (change.event.has_value())
        pushed_.push_back(
            {effect.target, {change.conversation, change.event->conv_epoch, change.event->conv_seq}});
    }
  }
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t place = 0; place < inboxes_.size(); ++place) {
        while (!inboxes_[place].empty()) shard_batch(place), moved = true;
      }
      while (!for_gateway_.empty()) {
        const Letter letter = std::move(for_gateway_.front());
        for_gateway_.pop_front();
        at_gateway(letter.bytes, [&](protocol::Frame&& frame) {
          gateway_.peer_frame_received(letter.from, std::move(frame), now_, effects_);
        });
        moved = true;
      }
    }
  }
  void acknowledge() {
    std::vector<Pushed> due;
    due.swap(pushed_);
    for (std::size_t i = 0; i < due.size(); ++i) {
      const UserId user = 1 + (due[i].user - 1) % kUsers;
      device_sends(user, due[i].cursor);
      if (i % 2 == 0) {
        device_sends(user, protocol::ReadWatermark{due[i].cursor.conversation, due[i].cursor.conv_epoch,
                                                   due[i].cursor.delivered_seq, false});
      }
      if (i % 64 == 0) settle();
    }
    settle();
    pushed_.clear();
  }

  std::int64_t clock_ns_;
  Slice token_{"good"};
  Placement placement_ = Placement::even(1, 16, {{kShards[0], kShards[1]}});
  test::TokenAuthenticator authenticator_;
  test::CountingObserver observer_;
  ServerConfig gateway_config_;
  Gateway gateway_{gateway_config_, placement_, authenticator_, observer_, 1};
  std::vector<std::unique_ptr<store::LogStore>> stores_;
  std::vector<store::MemoryStore*> memory_stores_;  // the same, null with SQLite
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::deque<Letter>> inboxes_;
  std::deque<Letter> for_gateway_;
  std::vector<Pushed> pushed_;
  std::vector<ConnectionId> connections_;  // by user; always the user's number plus a multiple of kUsers
  Effects effects_;
  std::vector<std::string> outgoing_;
  Round current_;
  std::uint64_t generation_ = 0;
  std::uint64_t draws_ = 0;
  std::uint64_t request_ = 0;
  std::uint32_t counter_ = 0;
  TimeNs now_ = 1'000'000 * kSecond;
};

std::vector<Round> measure(const std::filesystem::path& folder, std::int64_t clock_ns) {
  Service service(folder, clock_ns);
  std::vector<Round> rounds;
  for (int i = 0; i < kRounds; ++i) rounds.push_back(service.round());
  rounds.erase(rounds.begin());
  return rounds;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Decoding and encoding again, by byte of payload.
double per_byte_ns(std::int64_t clock_ns) {
  const auto cost = [&](std::size_t size) {
    std::string bytes, out;
    protocol::encode(
        protocol::make_frame(
            test::text(direct_conversation(1, 2), test::key(1, 0, 1), std::string(size, 'x')), 1),
        bytes);
    std::vector<double> costs;
    for (int i = 0; i < 2'001; ++i) {
      out.clear();
      const auto start = Clock::now();
      const auto frame = protocol::decode(bytes);
      protocol::encode(*frame, out);
      costs.push_back(static_cast<double>(since(start) - clock_ns));
    }
    return median(std::move(costs));
  };
  return std::max(0.0, (cost(32'768) - cost(1'024)) / (32'768 - 1'024));
}

// The median over the rounds of the mean cost of one input, without what its bytes cost. 0 = never seen.
std::int64_t cost_of(const std::vector<Round>& rounds, Sums Round::* side, std::size_t body, double byte_ns) {
  std::vector<double> means;
  for (const Round& round : rounds) {
    const Sum& sum = (round.*side)[body];
    if (sum.count == 0) continue;
    const double count = static_cast<double>(sum.count);
    means.push_back((static_cast<double>(sum.ns) - byte_ns * static_cast<double>(sum.bytes)) / count);
  }
  return means.empty() ? 0 : std::max<std::int64_t>(1, static_cast<std::int64_t>(median(std::move(means))));
}

double shard_ns_per_row(const std::vector<Round>& rounds) {
  std::vector<double> costs;
  for (const Round& round : rounds)
    costs.push_back(static_cast<double>(round.shard_ns) / static_cast<double>(round.rows));
  return median(std::move(costs));
}

std::int64_t mean_of_all(const std::vector<Round>& rounds, Sums Round::* side) {
  Sum all;
  for (const Round& round : rounds) {
    for (const Sum& sum : round.*side) all += sum;
  }
  return all.count == 0 ? 0 : all.ns / all.count;
}

template <std::size_t... I>
std::array<std::string_view, kBodies> names_of_bodies(std::index_sequence<I...>) {
  return {protocol::body_name(protocol::Frame{0, 0, 0, {}, protocol::Body(std::in_place_index<I>), {}})...};
}

// A folder of its own that is gone afterwards.
struct Scratch {
  Scratch() {
    std::string name = std::filesystem::is_directory("/dev/shm") ? "/dev/shm/wavetank-costs-XXXXXX"
                                                                 : "/tmp/wavetank-costs-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    folder = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::filesystem::path folder;
};

int run() {
  const std::int64_t clock_ns = clock_cost_ns();
  const double byte_ns = per_byte_ns(clock_ns);
  const std::vector<Round> memory = measure({}, clock_ns);
  const Scratch scratch;
  const std::vector<Round> sqlite = measure(scratch.folder, clock_ns);
  const double row_ns = std::max(0.0, shard_ns_per_row(sqlite) - shard_ns_per_row(memory));

  fmt::print(
      "# Measured service costs: a ServiceCosts message, for the `costs` of a scenario. Sockets are not "
      "included.\n");
  fmt::print("default_gateway_ns: {}\n", mean_of_all(memory, &Round::gateway));
  fmt::print("default_shard_ns: {}\n", mean_of_all(memory, &Round::shard));
  fmt::print("per_byte_ps: {}\n", static_cast<std::int64_t>(byte_ns * 1000));
  fmt::print("per_row_ns: {}\n", static_cast<std::int64_t>(row_ns));
  const auto names = names_of_bodies(std::make_index_sequence<kBodies>());
  for (std::size_t body = 1; body < kBodies; ++body) {
    const std::int64_t gateway = cost_of(memory, &Round::gateway, body, byte_ns);
    const std::int64_t shard = cost_of(memory, &Round::shard, body, byte_ns);
    if (gateway == 0 && shard == 0) continue;
    std::string line = fmt::format("cost {{ body: \"{}\"", names[body]);
    if (gateway != 0) line += fmt::format(" gateway_ns: {}", gateway);
    if (shard != 0) line += fmt::format(" shard_ns: {}", shard);
    fmt::print("{} }}\n", line);
  }
  return 0;
}

}  // namespace
}  // namespace wavetank::server

int main() {
  try {
    return wavetank::server::run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "service-costs: {}\n", error.what());
    return 70;
  }
}
