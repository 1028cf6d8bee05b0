// Executes a fault plan: begins and ends each fault at its time or trigger. The plan is data; nothing is
// drawn here but which of a target's members a share hits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faults/plan.pb.h"
#include "reference/environment/randomness.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/network/reachability.hpp"

namespace wavetank::sim {

// What a fault can be done to; the world.
class FaultTargets {
 public:
  virtual ~FaultTargets() = default;
  virtual std::vector<std::uint32_t> nodes_at(const Selector& selector) = 0;
  virtual std::vector<std::uint32_t> connections_at(
      const Selector& selector) = 0;  // open ones, by device or by gateway
  virtual std::vector<std::uint32_t> devices_at(const Selector& selector) = 0;
  virtual void kill_node(std::uint32_t node, bool drop_unsynced) = 0;
  virtual void restart_node(std::uint32_t node) = 0;
  // The planned restart of a gateway: it sends its sessions away over `window`; then the process is replaced,
  // unless it has died and come back meanwhile.
  virtual void drain_node(std::uint32_t node, DurationNs window) = 0;
  virtual void replace_node(std::uint32_t node) = 0;
  // The process that runs on the node from its next start on is the newer one.
  virtual void upgrade_node(std::uint32_t node) = 0;
  virtual void pause_node(std::uint32_t node) = 0;
  virtual void resume_node(std::uint32_t node) = 0;
  virtual void slow_disk(std::uint32_t node, std::int64_t factor) = 0;
  virtual void set_door(std::uint32_t node, bool refuses, bool hangs) = 0;
  virtual void kill_connection_silently(std::uint32_t connection) = 0;
  virtual void reset_connection(std::uint32_t connection) = 0;
  virtual void stall_connection(std::uint32_t connection, TimeNs until) = 0;
  // The device of the connection stops to read it, and is the result; read_again() when the fault ends.
  virtual std::uint32_t stop_reading(std::uint32_t connection, TimeNs until) = 0;
  virtual void read_again(std::uint32_t device) = 0;
  virtual void restart_device(std::uint32_t device) = 0;
  // The operator orders this bucket, by its number in its region, to the shard.
  virtual void move_bucket(std::uint32_t bucket, std::uint32_t node) = 0;
  // The node dies, its disk is lost, and its standby takes over what it has owned.
  virtual void lose_node(std::uint32_t node) = 0;
  virtual void paths_changed() = 0;
  // A fault began or ended, for the history and the phases.
  virtual void fault_changed(std::uint32_t fault, bool active) = 0;
};

// When a fault was really active.
struct FaultSpan {
  TimeNs begin = kNever;
  TimeNs end = kNever;
};

class Injector {
 public:
  Injector(const faults::Plan& plan, std::vector<std::string> regions, std::vector<std::string> cohorts,
           Randomness randomness, Scheduler& scheduler, Reachability& reachability, FaultTargets& targets,
           std::uint32_t source);

  // The first name in the plan that no region or cohort has, or an empty string.
  const std::string& error() const { return error_; }

  // Schedules everything; call once at the start of the world.
  void begin();
  // Whether a fault waits for a commit.
  bool is_armed() const { return armed_ != 0 && !over_; }
  // A commit has become pending on `node` for `duration`: what waits for that happens within it.
  void commit_pending(std::uint32_t node, DurationNs duration);
  // The liveness phase: every fault ends now, none begins any more.
  void end_all();
  // Handles kFaultBegins and kFaultEnds.
  bool handle(const Event& event);

  bool any_active() const { return active_ > 0; }
  // Whether anything is active that the service is not meant to bear unnoticed (faults::is_planned).
  bool any_outage() const { return active_ > planned_; }
  std::vector<std::string> active_names() const;
  // Where the fault can be felt at first hand: the regions of its target, or of both ends of its path, one
  // bit each; where the plan names none, all. A region above the 64th makes it all, too.
  std::uint64_t regions_touched(std::uint32_t fault) const;
  const std::vector<FaultSpan>& spans() const { return spans_; }

 private:
  struct State {
    bool armed = false;  // waits for its trigger
    bool active = false;
    std::vector<std::uint32_t> nodes;    // hit by it, ascending
    std::vector<std::uint32_t> devices;  // that do not read
  };
  // What the faults that are active now do to one node; several may hit it at once, and it is well again
  // when the last of them has ended.
  struct Hold {
    bool down = false;
    bool paused = false;
    bool refuses = false;
    bool hangs = false;
    std::int64_t slow = 1;
  };

  void activate(std::uint32_t fault);
  void start(std::uint32_t fault);
  void stop(std::uint32_t fault);
  void strike(std::uint32_t fault, const std::vector<std::uint32_t>& nodes);
  Hold held(std::uint32_t node) const;  // O(faults)
  std::vector<std::uint32_t> choose_nodes(std::uint32_t fault);
  Selector selector(std::uint32_t fault, const faults::Place& place, bool with_share);

  const faults::Plan& plan_;
  std::vector<std::string> regions_;
  std::vector<std::string> cohorts_;
  Randomness randomness_;
  Scheduler& scheduler_;
  Reachability& reachability_;
  FaultTargets& targets_;
  std::uint32_t source_;
  std::vector<State> states_;
  std::vector<FaultSpan> spans_;
  std::uint32_t armed_ = 0;
  std::uint32_t active_ = 0;
  std::uint32_t planned_ = 0;  // of the active ones
  bool over_ = false;
  std::string error_;
};

}  // namespace wavetank::sim
