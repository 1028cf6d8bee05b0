// The hold model on ns-3.  ns3_hold map|heap|priority_queue queue|simulator PENDING STEPS
//
// `queue` drives a Scheduler alone: no event object is made, so it is the least that ns-3 can cost.
// `simulator` goes the way of every model of ns-3: Simulator::Schedule with a function and its arguments.
#include <ns3/event-impl.h>
#include <ns3/nstime.h>
#include <ns3/object-factory.h>
#include <ns3/scheduler.h>
#include <ns3/simulator.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "sim/peers/hold.hpp"

namespace {

std::string type_name(const std::string& name) {
  if (name == "map") return "ns3::MapScheduler";
  if (name == "heap") return "ns3::HeapScheduler";
  if (name == "priority_queue") return "ns3::PriorityQueueScheduler";
  return "";
}

class SchedulerQueue {
 public:
  explicit SchedulerQueue(const ns3::ObjectFactory& factory) : scheduler_(factory.Create<ns3::Scheduler>()) {}

  void push(const peers::HoldEvent& event) {
    ns3::Scheduler::Event entry{};
    entry.impl = nullptr;
    entry.key.m_ts = event.time;
    entry.key.m_uid = event.source;
    entry.key.m_context = event.number;
    scheduler_->Insert(entry);
  }
  peers::HoldEvent pop() {
    const ns3::Scheduler::Event entry = scheduler_->RemoveNext();
    return {entry.key.m_ts, entry.key.m_uid, entry.key.m_context};
  }

 private:
  ns3::Ptr<ns3::Scheduler> scheduler_;
};

// The same steps as run_hold, each an event that schedules its successor.
class SimulatorHold {
 public:
  SimulatorHold(std::uint32_t pending, std::uint32_t steps) : steps_(steps) {
    for (std::uint32_t i = 0; i < pending; ++i) schedule(gaps_.of({0, i, 0}), i, 1);
  }
  void run() {
    ns3::Simulator::Run();
    peers::report_hold(steps_, seconds_, time_sum_);
  }

 private:
  static constexpr std::uint64_t kSettle = 1'000'000;

  void schedule(std::uint64_t delay, std::uint32_t source, std::uint32_t number) {
    ns3::Simulator::Schedule(ns3::NanoSeconds(delay), &SimulatorHold::fire, this, source, number);
  }
  void fire(std::uint32_t source, std::uint32_t number) {
    const auto now = static_cast<std::uint64_t>(ns3::Simulator::Now().GetTimeStep());
    time_sum_ += now;
    schedule(gaps_.of({now, source, number}), source, number + 1);
    ++done_;
    if (done_ == kSettle) begin_ = peers::processor_seconds();
    if (done_ == kSettle + steps_) {
      seconds_ = peers::processor_seconds() - begin_;
      ns3::Simulator::Stop();
    }
  }

  peers::HoldGaps gaps_;
  std::uint64_t steps_;
  std::uint64_t done_ = 0;
  std::uint64_t time_sum_ = 0;
  double begin_ = 0;
  double seconds_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string type = argc == 5 ? type_name(argv[1]) : "";
  const bool simulator = argc == 5 && std::strcmp(argv[2], "simulator") == 0;
  if (type.empty() || (!simulator && std::strcmp(argv[2], "queue") != 0)) {
    std::fputs("usage: ns3_hold map|heap|priority_queue queue|simulator PENDING STEPS\n", stderr);
    return 64;
  }
  const std::uint32_t pending = peers::count_argument(argv[3]);
  const std::uint32_t steps = peers::count_argument(argv[4]);
  ns3::ObjectFactory factory;
  factory.SetTypeId(type);
  if (simulator) {
    ns3::Simulator::SetScheduler(factory);
    SimulatorHold(pending, steps).run();
  } else {
    SchedulerQueue queue(factory);
    peers::run_hold(queue, pending, steps);
  }
  std::_Exit(0);  // what is pending need not be taken down one by one
}
