// A history of any size: many devices that write to each other in conversations of one size, and a messenger
// that does everything right. For measuring the judge; no test of a property.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "conformance/history/record.hpp"
#include "conformance/properties/judge.hpp"

namespace wavetank::conformance {

struct CrowdShape {
  std::uint32_t devices = 0;  // one of a user each
  std::uint32_t members = 2;  // of a conversation; 2 are direct ones
  std::uint32_t each = 1;     // conversations of a device
};

// What a crowd is judged by.
inline JudgeConfig crowd_config() {
  JudgeConfig config;
  config.cohorts = {"fibre"};
  config.judged_cohorts = {"fibre"};
  config.gateway_region = {0};
  return config;
}

// Everything is connected, conversations are declared, groups are joined by their members, one after the
// other; each round then has one message in every conversation, written by its members in turn: invoked,
// asked for and transmitted, at the gateway, answered and acknowledged, pushed to all and shown; every other
// one is read. `take` is called for each record. The same shape makes the same history.
template <class Take>
class Crowd {
 public:
  Crowd(CrowdShape shape, Take take) : shape_(shape), take_(std::move(take)) {
    conversations_ = static_cast<std::uint32_t>(std::uint64_t{shape.devices} * shape.each / shape.members);
    heads_.resize(conversations_);
    counters_.resize(shape.devices);
  }

  void connect() {
    for (std::uint32_t device = 0; device < shape_.devices; ++device) {
      Record r = record(Kind::kDevice, device);
      feed(r);
      r.kind = Kind::kConnected;
      r.connection = 1;
      feed(r);
    }
  }
  void declare() {
    for (std::uint32_t c = 0; c < conversations_; ++c) {
      Record r;
      r.kind = Kind::kConversation;
      r.conversation = c;
      r.code = is_group() ? 1 : 0;
      r.value = member(c, 0);
      r.value2 = member(c, 1);
      feed(r);
    }
  }
  void join() {
    if (!is_group()) return;
    for (std::uint32_t c = 0; c < conversations_; ++c) {
      for (std::uint32_t i = 0; i < shape_.members; ++i) post(c, 0, EntryClass::kJoin, member(c, i));
    }
  }
  void round() {
    for (std::uint32_t c = 0; c < conversations_; ++c)
      post(c, heads_[c] % shape_.members, EntryClass::kMessage, kNone);
  }

  std::uint64_t subscriptions() const { return std::uint64_t{conversations_} * shape_.members; }
  std::uint32_t conversations() const { return conversations_; }
  std::uint64_t records() const { return fed_; }  // so far

 private:
  bool is_group() const { return shape_.members > 2; }
  // Spread as a real graph is: neighbours in numbers share no conversation.
  std::uint32_t member(std::uint32_t c, std::uint32_t i) const {
    return static_cast<std::uint32_t>((std::uint64_t{c} * 7919 + std::uint64_t{i} * 104'729) %
                                      shape_.devices);
  }
  Record record(Kind kind, DeviceTag device) {
    Record r;
    r.kind = kind;
    r.device = device;
    r.user = device;
    return r;
  }
  void feed(Record r) {
    r.time = now_ += kStep;
    take_(r);
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
    const std::uint64_t joins = is_group() ? shape_.members : 0;
    r.value = kind == EntryClass::kMessage ? r.seq - joins : 0;
    feed(r);
    r.sender = sender;
    const std::uint32_t receivers =
        kind == EntryClass::kJoin ? static_cast<std::uint32_t>(r.seq) : shape_.members;
    for (std::uint32_t i = 0; i < receivers; ++i) {
      r.device = r.user = member(c, i);
      if (kind == EntryClass::kJoin) {
        deliver_join(r, c, i + 1 == receivers);
      } else {
        deliver(r, c, (r.seq + i) % 2 == 0);  // marks are coalesced
      }
    }
  }

  // Who joined has the entries before buried.
  void deliver_join(Record r, std::uint32_t c, bool is_own) {
    if (is_own && r.seq > 1) {
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
    show(r);
  }
  void show(Record r) {
    r.kind = Kind::kReceived;
    r.code = 0;
    r.flag = true;
    feed(r);
  }

  void deliver(const Record& r, std::uint32_t c, bool is_marked) {
    Record leaves = r;
    leaves.kind = Kind::kEventLeavesGateway;
    leaves.value = 0;
    feed(leaves);
    show(r);
    if (!is_marked) return;
    Record mark = record(Kind::kReadInvoked, r.device);
    mark.conversation = c;
    mark.seq = r.seq;
    feed(mark);
    answer(r.device, ask(r.device, Operation::kRead, c));
    mark.kind = Kind::kCursorAcked;
    mark.value = mark.value2 = r.seq;
    feed(mark);
  }

  static constexpr DurationNs kStep = 10 * kMicrosecond;

  CrowdShape shape_;
  Take take_;
  std::uint32_t conversations_ = 0;
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint32_t> counters_;
  std::uint32_t request_ = 0;
  TimeNs now_ = 0;
  std::uint64_t fed_ = 0;
};

}  // namespace wavetank::conformance
