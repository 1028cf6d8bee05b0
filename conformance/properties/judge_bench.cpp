// What judging costs: records per second and memory, all monitors on, at 2 and 20 members per conversation.
#include <benchmark/benchmark.h>

#include <memory>

#include "conformance/properties/judge.hpp"

namespace wavetank::conformance {
namespace {

// A world of one device per user; conversations of `members` devices, each device in `per_device` of them.
// Messages go round all conversations: invoked, asked for and transmitted, at the gateway, answered and
// acknowledged, pushed to all and shown, marks reported.
class Feeder {
 public:
  Feeder(std::uint32_t devices, std::uint32_t members, std::uint32_t per_device)
      : judge_(config()), devices_(devices), members_(members) {
    conversations_ = static_cast<std::uint32_t>(static_cast<std::uint64_t>(devices) * per_device / members);
    heads_.resize(conversations_);
    counters_.resize(devices);
    for (std::uint32_t device = 0; device < devices; ++device) {
      Record r = record(Kind::kDevice, device);
      judge_.on(r);
      r.kind = Kind::kConnected;
      r.connection = 1;
      judge_.on(r);
    }
    for (std::uint32_t c = 0; c < conversations_; ++c) {
      Record r;
      r.kind = Kind::kConversation;
      r.conversation = c;
      r.code = members > 2 ? 1 : 0;
      r.value = member(c, 0);
      r.value2 = member(c, 1);
      judge_.on(r);
      if (members <= 2) continue;
      for (std::uint32_t i = 0; i < members; ++i) post(c, 0, EntryClass::kJoin, member(c, i));
    }
  }

  std::uint64_t round() {
    const std::uint64_t before = fed_;
    for (std::uint32_t c = 0; c < conversations_; ++c)
      post(c, heads_[c] % members_, EntryClass::kMessage, kNone);
    return fed_ - before;
  }
  const Judge& judge() const { return judge_; }
  std::uint64_t subscriptions() const { return static_cast<std::uint64_t>(conversations_) * members_; }
  std::uint32_t conversations() const { return conversations_; }

 private:
  static JudgeConfig config() {
    JudgeConfig config;
    config.cohorts = {"fibre"};
    config.judged_cohorts = {"fibre"};
    config.gateway_region = {0};
    return config;
  }
  // Neighbours in numbers never share more than one conversation's row; spread as a real graph is.
  std::uint32_t member(std::uint32_t c, std::uint32_t i) const {
    return static_cast<std::uint32_t>(
        (static_cast<std::uint64_t>(c) * 7919 + static_cast<std::uint64_t>(i) * 104729) % devices_);
  }
  Record record(Kind kind, DeviceTag device) {
    Record r;
    r.time = now_ += 100;
    r.kind = kind;
    r.device = device;
    r.user = device;
    return r;
  }
  void feed(const Record& r) {
    judge_.on(r);
    ++fed_;
  }

  std::uint32_t ask(DeviceTag device, Operation operation, std::uint32_t c) {
    Record r = record(Kind::kAsked, device);
    r.entry_kind = static_cast<std::uint8_t>(operation);
    r.conversation = c;
    r.size = ++request_;
    feed(r);
    return request_;
  }
  void answer(DeviceTag device, std::uint32_t request) {
    Record r = record(Kind::kAnswered, device);
    r.size = request;
    feed(r);
  }

  void post(std::uint32_t c, std::uint32_t sender_index, EntryClass kind, UserIndex target) {
    const DeviceTag sender = member(c, sender_index);
    Record r = record(Kind::kSendInvoked, sender);
    r.conversation = c;
    r.key = {sender, ++counters_[sender]};
    r.entry_kind = static_cast<std::uint8_t>(kind);
    r.subject = target;
    r.digest = r.canary = mix64(r.key.counter);
    feed(r);
    const std::uint32_t request = ask(sender, Operation::kSend, c);
    r.kind = Kind::kSendTransmitted;
    r.value = 1;
    feed(r);
    r.kind = Kind::kSendAtGateway;
    r.value = 0;
    feed(r);
    answer(sender, request);
    r.kind = Kind::kSendAcked;
    r.epoch = 1;
    r.seq = ++heads_[c];
    const std::uint64_t joins = members_ > 2 ? members_ : 0;
    r.value = kind == EntryClass::kMessage ? r.seq - joins : 0;
    feed(r);
    r.sender = sender;
    const std::uint32_t receivers = kind == EntryClass::kJoin ? static_cast<std::uint32_t>(r.seq) : members_;
    for (std::uint32_t i = 0; i < receivers; ++i)
      deliver(r, c, i, kind == EntryClass::kJoin && i + 1 == receivers);
  }

  void deliver(Record r, std::uint32_t c, std::uint32_t i, bool buries_past) {
    r.device = r.user = member(c, i);
    r.time = now_ += 100;
    if (buries_past && r.seq > 1) {
      Record tombstone = record(Kind::kTombstone, r.device);
      tombstone.conversation = c;
      tombstone.seq = 1;
      tombstone.value = r.seq - 1;
      tombstone.flag = true;
      tombstone.code = 2;
      Record page = tombstone;
      page.kind = Kind::kFetchCompleted;
      page.value2 = r.seq;
      page.code = 0;
      page.flag = true;
      feed(page);
      feed(tombstone);
    }
    const std::uint64_t number = r.value;
    r.kind = Kind::kEventLeavesGateway;
    r.value = 0;
    feed(r);
    r.kind = Kind::kReceived;
    r.value = number;
    r.code = 0;
    r.flag = true;
    feed(r);
    if ((r.seq + i) % 2 != 0) return;  // marks are coalesced
    Record mark = record(Kind::kDeliveredSent, r.device);
    mark.conversation = c;
    mark.seq = r.seq;
    feed(mark);
    answer(r.device, ask(r.device, Operation::kDelivered, c));
    mark.kind = Kind::kCursorAcked;
    mark.value2 = r.seq;
    mark.size = 0;
    feed(mark);
  }

  Judge judge_;
  std::uint32_t devices_;
  std::uint32_t members_;
  std::uint32_t conversations_ = 0;
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint32_t> counters_;
  std::uint32_t request_ = 0;
  TimeNs now_ = 0;
  std::uint64_t fed_ = 0;
};

// Arguments: devices, members per conversation, conversations per device.
void judge_records(benchmark::State& state) {
  Feeder feeder(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)),
                static_cast<std::uint32_t>(state.range(2)));
  std::uint64_t records = feeder.round();
  records = 0;
  for (auto _ : state) records += feeder.round();
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
  state.counters["MB"] = static_cast<double>(feeder.judge().bytes()) / 1e6;
  state.counters["bytes/subscription"] =
      static_cast<double>(feeder.judge().bytes()) / static_cast<double>(feeder.subscriptions());
}
BENCHMARK(judge_records)
    ->ArgNames({"devices", "members", "conversations_each"})
    ->Args({1'000, 2, 4})
    ->Args({1'000, 20, 4})
    ->Args({100'000, 2, 4})
    ->Args({100'000, 20, 4})
    ->Args({1'000'000, 2, 4})
    ->Args({1'000'000, 20, 4})
    ->Iterations(2)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace wavetank::conformance
