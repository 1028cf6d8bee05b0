// What one input costs the machines themselves: no codec, no disk, memory store.
#include <benchmark/benchmark.h>

#include "reference/server/gateway.hpp"
#include "reference/server/shard.hpp"
#include "reference/server/test_support.hpp"
#include "reference/store/memory_store.hpp"

namespace wavetank::server {
namespace {

constexpr NodeId kGateway = 0;
constexpr NodeId kShard = 1;

// A shard that is its own only destination, with online users and the loop of its own link.
struct Loop {
  explicit Loop(UserId users) {
    shard.start(0, effects);
    for (UserId user = 1; user <= users; ++user) {
      shard.peer_frame_received(kGateway, protocol::make_frame(protocol::Attach{user, user, 0}), 0, effects);
    }
  }
  // One batch; frames to the shard itself come back in the next.
  std::size_t input(protocol::Frame frame) {
    std::size_t count = 0;
    for (NodeId from = kGateway;;) {
      effects.clear();
      shard.begin_batch();
      shard.peer_frame_received(from, std::move(frame), now += kMillisecond, effects);
      shard.end_batch();
      store.mark_durable();
      ++count;
      Effect* again = nullptr;
      for (Effect& effect : effects.list()) {
        if (effect.target == kShard) again = &effect;
      }
      if (again == nullptr) return count;
      frame = std::move(again->frame);
      from = kShard;
    }
  }

  ServerConfig config = [] {
    ServerConfig c;
    c.self = kShard;
    c.receipt_delay_ms = 0;  // a frame's cost is its own
    return c;
  }();
  Placement placement = Placement::even(1, 16, {{kShard}});
  store::MemoryStore store;
  test::CountingObserver observer;
  Shard shard{config, placement, store, observer};
  Effects effects;
  TimeNs now = 0;
};

// A send through the log, the outbox, two feeds and back: three inputs, a reply and two pushes.
void BM_DirectMessage(benchmark::State& state) {
  const auto users = static_cast<UserId>(state.range(0));
  Loop loop(users);
  std::uint32_t counter = 0;
  std::size_t inputs = 0;
  for (auto _ : state) {
    ++counter;
    const UserId user = 1 + IdHash::mix(counter) % users;
    const UserId peer = 1 + (user + counter % 20) % users;
    protocol::Frame frame = protocol::make_frame(
        test::text(direct_conversation(user, peer), test::key(user, 0, counter), "a message of usual length"),
        counter);
    frame.route = protocol::Route{user, user, 0};
    inputs += loop.input(std::move(frame));
  }
  state.counters["inputs"] = benchmark::Counter(static_cast<double>(inputs), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_DirectMessage)->Arg(1000)->Arg(100'000);

// A delivered cursor that moves, with the receipt to the author.
void BM_DeliveredCursor(benchmark::State& state) {
  Loop loop(2);
  const ConversationId id = direct_conversation(1, 2);
  std::uint32_t counter = 0;
  std::size_t inputs = 0;
  for (auto _ : state) {
    state.PauseTiming();
    ++counter;
    protocol::Frame message = protocol::make_frame(test::text(id, test::key(1, 0, counter), "text"), counter);
    message.route = protocol::Route{1, 1, 0};
    loop.input(std::move(message));
    state.ResumeTiming();
    protocol::Frame frame = protocol::make_frame(protocol::DeliveredCursor{id, 1, counter}, counter);
    frame.route = protocol::Route{2, 2, 0};
    inputs += loop.input(std::move(frame));
  }
  state.counters["inputs"] = benchmark::Counter(static_cast<double>(inputs), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_DeliveredCursor)->Iterations(200'000);

struct Edge {
  explicit Edge(std::uint32_t sessions) {
    gateway.peer_up(kShard, 0, effects);
    for (ConnectionId connection = 1; connection <= sessions; ++connection) {
      effects.clear();
      gateway.connection_opened(connection, 0, effects);
      protocol::Hello hello;
      hello.user = connection;
      hello.access_token = token;
      gateway.frame_received(connection, protocol::make_frame(std::move(hello), 1), 0, effects);
      protocol::AttachResult result{(1ULL << 32) | connection, 1, 0, protocol::ErrorCode::kNone};
      gateway.peer_frame_received(kShard, protocol::make_frame(result), 0, effects);
    }
  }
  Slice token{"good"};
  ServerConfig config;
  Placement placement = Placement::even(1, 16, {{kShard}});
  test::TokenAuthenticator authenticator;
  test::CountingObserver observer;
  Gateway gateway{config, placement, authenticator, observer, 1};
  Effects effects;
};

void BM_GatewayHeartbeat(benchmark::State& state) {
  const auto sessions = static_cast<std::uint32_t>(state.range(0));
  Edge edge(sessions);
  std::uint32_t step = 0;
  for (auto _ : state) {
    edge.effects.clear();
    const ConnectionId connection = 1 + static_cast<std::uint32_t>(IdHash::mix(++step) % sessions);
    edge.gateway.frame_received(connection, protocol::make_frame(protocol::Heartbeat{}, step), step,
                                edge.effects);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_GatewayHeartbeat)->Arg(1000)->Arg(62'500);

// A request to the shard and its answer back.
void BM_GatewayRoundTrip(benchmark::State& state) {
  Edge edge(62'500);
  std::uint32_t step = 0;
  const ConversationId id = direct_conversation(1, 2);
  for (auto _ : state) {
    edge.effects.clear();
    const ConnectionId connection = 1 + static_cast<std::uint32_t>(IdHash::mix(++step) % 62'500);
    edge.gateway.frame_received(connection, protocol::make_frame(protocol::DeliveredCursor{id, 1, 1}, step),
                                step, edge.effects);
    protocol::Frame reply = protocol::make_frame(protocol::CursorAck{}, step);
    reply.route = edge.effects.list()[0].frame.route;
    edge.gateway.peer_frame_received(kShard, std::move(reply), step, edge.effects);
  }
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_GatewayRoundTrip);

}  // namespace
}  // namespace wavetank::server
