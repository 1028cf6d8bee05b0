// What coding a frame costs, beside the classes protoc generates for the same schema: measured in one run on
// one machine, so the ratios hold where the nanoseconds do not. "fresh" makes a message for each frame,
// "reused" clears and refills one.
#include <benchmark/benchmark.h>

#include <string>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/messages.pb.h"

namespace wavetank::protocol {
namespace {

constexpr std::uint64_t kUser = 0x0100000000012345ULL;

ClientMessageId message_id(std::uint64_t n) { return {0x0192f0a1b2c37abcULL + n, 0x8abc000100000000ULL + n}; }

// The commonest frame of all: a 64-byte text to a direct conversation; about 125 bytes on the wire.
Frame send_frame() {
  SendMessage send;
  send.conversation = direct_conversation(kUser, kUser + 77);
  send.client_msg_id = message_id(1);
  send.client_time_ms = 1'732'000'000'000ULL;
  send.payload = Slice(std::string(64, 't'));
  Frame frame = make_frame(send, 42);
  frame.frame_seq = 1234;
  frame.ack_frame_seq = 1230;
  return frame;
}

// A page of the feed after a reconnect: 100 entries of 64 bytes.
Frame sync_frame() {
  SyncResult result;
  result.user_epoch = 1;
  result.from_user_seq = 5000;
  for (std::uint64_t i = 0; i < 100; ++i) {
    Event event;
    event.conversation = direct_conversation(kUser, kUser + i % 20);
    event.conv_epoch = 1;
    event.conv_seq = event.msg_no = 300 + i;
    event.sender = kUser + i % 20;
    event.client_msg_id = message_id(i);
    event.server_time_ms = 1'732'000'000'000ULL + i;
    event.payload = Slice(std::string(64, 't'));
    Change change;
    change.prev_user_seq = 5000 + i;
    change.user_seq = 5001 + i;
    change.conversation = event.conversation;
    change.event = event;
    result.changes.push_back(change);
  }
  result.next_user_seq = result.head_user_seq = 5100;
  return make_frame(result, 43);
}

std::string bytes_of(const Frame& frame) {
  std::string bytes;
  encode(frame, bytes);
  return bytes;
}

void report(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
  state.counters["bytes"] = static_cast<double>(bytes);
}

void encode_ours(benchmark::State& state, Frame (*make)()) {
  const Frame frame = make();
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode(frame, out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, out.size());
}

void size_ours(benchmark::State& state, Frame (*make)()) {
  const Frame frame = make();
  for (auto _ : state) benchmark::DoNotOptimize(encoded_size(frame));
}

void digest_ours(benchmark::State& state, Frame (*make)()) {
  const Frame frame = make();
  for (auto _ : state) benchmark::DoNotOptimize(digest(frame));
}

void decode_ours(benchmark::State& state, Frame (*make)()) {
  const std::string bytes = bytes_of(make());
  for (auto _ : state) {
    auto frame = decode(bytes);
    benchmark::DoNotOptimize(frame);
  }
  report(state, bytes.size());
}

// ---- the generated classes ----------------------------------------------------------------------

void fill(const Event& event, v1::Event& out) {
  out.set_conversation_hi(event.conversation.hi);
  out.set_conversation_lo(event.conversation.lo);
  out.set_conv_epoch(event.conv_epoch);
  out.set_conv_seq(event.conv_seq);
  out.set_msg_no(event.msg_no);
  out.set_sender(event.sender);
  out.set_client_msg_id_hi(event.client_msg_id.hi);
  out.set_client_msg_id_lo(event.client_msg_id.lo);
  out.set_server_time_ms(event.server_time_ms);
  out.set_payload(event.payload.data(), event.payload.size());
}

// Filling belongs to the price of encoding with generated classes: the machines hold plain structs.
void fill(const Frame& frame, v1::Frame& out) {
  out.set_frame_seq(frame.frame_seq);
  out.set_ack_frame_seq(frame.ack_frame_seq);
  out.set_request_id(frame.request_id);
  if (const auto* send = std::get_if<SendMessage>(&frame.body)) {
    v1::SendMessage& to = *out.mutable_send_message();
    to.set_conversation_hi(send->conversation.hi);
    to.set_conversation_lo(send->conversation.lo);
    to.set_client_msg_id_hi(send->client_msg_id.hi);
    to.set_client_msg_id_lo(send->client_msg_id.lo);
    to.set_client_time_ms(send->client_time_ms);
    to.set_payload(send->payload.data(), send->payload.size());
  } else if (const auto* sync = std::get_if<SyncResult>(&frame.body)) {
    v1::SyncResult& to = *out.mutable_sync_result();
    to.set_user_epoch(sync->user_epoch);
    to.set_from_user_seq(sync->from_user_seq);
    to.set_next_user_seq(sync->next_user_seq);
    to.set_head_user_seq(sync->head_user_seq);
    for (const Change& change : sync->changes) {
      v1::Change& element = *to.add_changes();
      element.set_prev_user_seq(change.prev_user_seq);
      element.set_user_seq(change.user_seq);
      element.set_conversation_hi(change.conversation.hi);
      element.set_conversation_lo(change.conversation.lo);
      fill(*change.event, *element.mutable_event());
    }
  }
}

void encode_generated_fresh(benchmark::State& state, Frame (*make)()) {
  const Frame frame = make();
  std::string out;
  for (auto _ : state) {
    v1::Frame message;
    fill(frame, message);
    message.SerializeToString(&out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, out.size());
}

void encode_generated_reused(benchmark::State& state, Frame (*make)()) {
  const Frame frame = make();
  std::string out;
  v1::Frame message;
  for (auto _ : state) {
    message.Clear();
    fill(frame, message);
    message.SerializeToString(&out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, out.size());
}

void decode_generated_fresh(benchmark::State& state, Frame (*make)()) {
  const std::string bytes = bytes_of(make());
  for (auto _ : state) {
    v1::Frame message;
    benchmark::DoNotOptimize(message.ParseFromString(bytes));
  }
  report(state, bytes.size());
}

void decode_generated_reused(benchmark::State& state, Frame (*make)()) {
  const std::string bytes = bytes_of(make());
  v1::Frame message;
  for (auto _ : state) benchmark::DoNotOptimize(message.ParseFromString(bytes));
  report(state, bytes.size());
}

BENCHMARK_CAPTURE(encode_ours, send, send_frame);
BENCHMARK_CAPTURE(encode_generated_fresh, send, send_frame);
BENCHMARK_CAPTURE(encode_generated_reused, send, send_frame);
BENCHMARK_CAPTURE(decode_ours, send, send_frame);
BENCHMARK_CAPTURE(decode_generated_fresh, send, send_frame);
BENCHMARK_CAPTURE(decode_generated_reused, send, send_frame);
BENCHMARK_CAPTURE(size_ours, send, send_frame);
BENCHMARK_CAPTURE(digest_ours, send, send_frame);
BENCHMARK_CAPTURE(encode_ours, sync_100, sync_frame);
BENCHMARK_CAPTURE(encode_generated_fresh, sync_100, sync_frame);
BENCHMARK_CAPTURE(encode_generated_reused, sync_100, sync_frame);
BENCHMARK_CAPTURE(decode_ours, sync_100, sync_frame);
BENCHMARK_CAPTURE(decode_generated_fresh, sync_100, sync_frame);
BENCHMARK_CAPTURE(decode_generated_reused, sync_100, sync_frame);
BENCHMARK_CAPTURE(size_ours, sync_100, sync_frame);
BENCHMARK_CAPTURE(digest_ours, sync_100, sync_frame);

}  // namespace
}  // namespace wavetank::protocol
