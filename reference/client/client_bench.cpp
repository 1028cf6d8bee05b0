// What the client costs per input: the figures that decide how many devices a machine can hold.
#include <benchmark/benchmark.h>

#include "reference/client/client.hpp"
#include "reference/client/compact_store.hpp"

namespace wavetank::client {
namespace {

constexpr UserId kUser = 100;

struct Device {
  ClientObserver observer;
  ClientShared shared{{}, Randomness(1), observer};
  StagingArea staging;
  CompactStore store{staging};
  Client client{shared, kUser, 0, 1, Slice(), store};
  Effects effects;
  TimeNs now = kSecond;
  std::uint64_t user_seq = 0;

  Device() {
    client.start(now, effects);
    client.connected(now, effects);
    protocol::Welcome welcome;
    welcome.heartbeat_interval_ms = 30'000;
    welcome.user_epoch = 1;
    client.frame_received(protocol::make_frame(welcome), now, effects);
  }
  protocol::Frame next_push(std::uint64_t peer, std::uint64_t seq) {
    protocol::ChangePush push;
    push.user_epoch = 1;
    protocol::Change& change = push.changes.emplace_back();
    change.prev_user_seq = user_seq;
    change.user_seq = ++user_seq;
    change.event.emplace();
    change.event->conversation = direct_conversation(kUser, 200 + peer);
    change.event->conv_seq = seq;
    return protocol::make_frame(std::move(push));
  }
};

// One pushed entry of one of 20 conversations, its receipts flushed and acknowledged every 5 s.
void BM_PushedEntry(benchmark::State& state) {
  Device device;
  std::uint64_t entry = 0;
  for (auto _ : state) {
    device.effects.clear();
    device.now += 400 * kMillisecond;
    device.client.frame_received(device.next_push(entry % 20, entry / 20 + 1), device.now, device.effects);
    ++entry;
    for (Effect& effect : device.effects.list()) {
      const auto* mark = std::get_if<protocol::DeliveredCursor>(&effect.frame.body);
      if (effect.kind != Effect::Kind::kSend || mark == nullptr) continue;
      protocol::CursorAck ack;
      ack.conversation = mark->conversation;
      ack.delivered_seq = mark->delivered_seq;
      Effects none;
      device.client.frame_received(protocol::make_frame(ack, effect.frame.request_id), device.now, none);
    }
  }
}
BENCHMARK(BM_PushedEntry);

// One message: stored, transmitted, acknowledged.
void BM_SendAndAck(benchmark::State& state) {
  Device device;
  const Slice payload("a payload of forty bytes, give or take a few");
  const ConversationId id = direct_conversation(kUser, 200);
  for (auto _ : state) {
    device.effects.clear();
    protocol::SendAck ack;
    ack.conversation = id;
    ack.client_msg_id =
        device.client.send(id, protocol::EntryKind::kMessage, 0, 0, payload, device.now, device.effects);
    const std::uint64_t request = device.effects.list().front().frame.request_id;
    device.client.frame_received(protocol::make_frame(ack, request), device.now, device.effects);
  }
}
BENCHMARK(BM_SendAndAck);

}  // namespace
}  // namespace wavetank::client
