// The records of a world on their way to whoever listens, in the order of the events that they tell of,
// whichever lane's thread tells them.
#pragma once

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "conformance/history/record.hpp"
#include "reference/environment/footprint.hpp"
#include "sim/kernel/scheduler.hpp"

namespace wavetank::sim {

// A record, and what is added to it when its turn comes, since a lane does not know it of the other.
struct ToldRecord {
  enum Completion : std::uint8_t {
    kWhole,
    kConnected,               // nothing; but what servers tell of the device counts from here on
    kOfServer,                // the number of the device's connection
    kOfServerInConversation,  // and that of the conversation
    kStall,                   // whether it has been told before; and the connection
  };
  history::Record record;
  ConversationId conversation = {};
  std::uint32_t source = 0;  // of the event, and its number
  std::uint32_t number = 0;
  std::uint32_t step = 0;  // within an event that both lanes have a part in (apart)
  Completion completion = kWhole;
};

// Whoever completes records.
class RecordCompleter {
 public:
  virtual ~RecordCompleter() = default;
  // In the order of the events. Whether the record is to be told at all.
  virtual bool complete(ToldRecord& told) = 0;
};

// One thread's records are passed on at once. Those of a window that two threads have worked on wait until
// flush(), which may be called while they work on the next one.
//
// Where the lanes are apart, in a process each (kernel/scheduler.hpp), that of the devices gathers its
// records until take(), and that of the servers receives them. Of one event that both have a part in, the
// records are told step by step, those of the device first.
class RecordLanes {
 public:
  // All must outlive it.
  RecordLanes(const Scheduler& scheduler, RecordCompleter& completer, history::Sink& to)
      : scheduler_(scheduler), completer_(completer), to_(to) {}

  void on(const history::Record& record, ToldRecord::Completion completion = ToldRecord::kWhole,
          const ConversationId& conversation = {}) {
    ToldRecord told{record, conversation, 0, 0, step_, completion};
    if (!scheduler_.is_beside() && !gathers_) return pass_on(told);
    told.source = scheduler_.current().source;
    told.number = scheduler_.current().number;
    lanes_[working_lane].told.push_back(told);
  }

  // ---- apart
  // Whether what is told between windows waits as well.
  void set_gathering(bool gathers) {
    gathers_ = gathers;
    step_ = 0;
  }
  void next_step() { ++step_; }
  // Takes what this process has told since the last call, in its order.
  std::vector<ToldRecord> take() { return std::exchange(lanes_[working_lane].told, {}); }
  // What the other process has told since then.
  void receive(std::vector<ToldRecord> told) { lanes_[kDeviceLane].told = std::move(told); }

  // The two threads have come to rest; what they told waits.
  void end_beside() {
    flush();
    for (PerLane& lane : lanes_) lane.told.swap(lane.waiting);
  }

  // Passes on what waits.
  void flush() {
    std::vector<ToldRecord>& a = lanes_[kDeviceLane].waiting;
    std::vector<ToldRecord>& b = lanes_[kServerLane].waiting;
    if (a.empty() && b.empty()) return;
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < a.size() || k < b.size()) {
      const bool is_first = k == b.size() || (i < a.size() && key(a[i]) <= key(b[k]));
      pass_on(is_first ? a[i++] : b[k++]);
    }
    a.clear();
    b.clear();
  }

  // Passed on so far.
  std::uint64_t count() const { return count_; }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const PerLane& lane : lanes_) sum += vector_bytes(lane.told) + vector_bytes(lane.waiting);
    return sum;
  }

 private:
  static std::tuple<TimeNs, std::uint64_t, std::uint32_t> key(const ToldRecord& told) {
    return {told.record.time, static_cast<std::uint64_t>(told.source) << 32 | told.number, told.step};
  }

  void pass_on(ToldRecord& told) {
    if (told.completion != ToldRecord::kWhole && !completer_.complete(told)) return;
    ++count_;
    to_.on(told.record);
  }

  const Scheduler& scheduler_;
  RecordCompleter& completer_;
  history::Sink& to_;
  struct alignas(64) PerLane {
    std::vector<ToldRecord> told;     // beside
    std::vector<ToldRecord> waiting;  // of the window before
  };
  PerLane lanes_[2];
  std::uint64_t count_ = 0;
  bool gathers_ = false;
  std::uint32_t step_ = 0;
};

}  // namespace wavetank::sim
