// A target behind a mistake: the suite talks to it as to any other, and what both say passes the mistake.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "conformance/suite/mailbox.hpp"
#include "conformance/suite/mutant.hpp"
#include "conformance/suite/target.hpp"

namespace wavetank::conformance {

class MutatedTarget;

// One connection as a mistake sees it.
class Line {
 public:
  Line(MutatedTarget& target, ConnectionHandle handle) : target_(target), handle_(handle) {}

  ConnectionHandle handle() const { return handle_; }
  // What the client said in its last Hello, and the server in its last Welcome; all zeros before.
  const protocol::Hello& hello() const { return hello_; }
  const protocol::Welcome& welcome() const { return welcome_; }
  bool has_said_anything() const { return heard_at_ != kNever; }
  bool is_welcomed() const { return welcomed_at_ != kNever; }
  UserId user() const { return hello_.user; }
  DeviceIndex device() const { return hello_.device; }
  // The token that the server accepts from this device.
  Slice token() const;

  TimeNs now() const;
  // Since the client's last frame, and since Welcome; 0 before.
  DurationNs silence() const { return heard_at_ == kNever ? 0 : now() - heard_at_; }
  DurationNs age() const { return welcomed_at_ == kNever ? 0 : now() - welcomed_at_; }

  // The client's request of this kind and number; nullptr when there was none.
  template <class Request>
  const Request* asked(std::uint64_t request_id) const {
    const auto found = requests_.find(request_id);
    return found == requests_.end() ? nullptr : std::get_if<Request>(&found->second);
  }
  // Requests that the server has not answered yet, the one in hand included.
  std::size_t unanswered() const { return unanswered_.size(); }
  // The other connections, in the order of their opening.
  std::vector<Line*> others() const;

  // To the client, behind what it was told before; numbered when it gets there.
  void tell(protocol::Frame frame, DurationNs after = 0);
  // The same with any bytes.
  void tell_bytes(std::string_view bytes);
  // To the server, past the mistake.
  void ask(const protocol::Frame& frame);
  // Ends the connection, now for the server and so much later for the client.
  void end(DurationNs after = 0);

  // The frame_seq of the last frame told: whoever changes it changes the numbers that follow.
  std::uint32_t told = 0;

 private:
  friend class MutatedTarget;

  MutatedTarget& target_;
  ConnectionHandle handle_;
  Mailbox mail_;
  std::multimap<TimeNs, protocol::Frame> held_;  // by the time at which they are told
  TimeNs ends_at_ = kNever;                      // for the client
  bool inner_ended_ = false;
  protocol::Hello hello_;
  protocol::Welcome welcome_;
  TimeNs heard_at_ = kNever;
  TimeNs welcomed_at_ = kNever;
  std::map<std::uint64_t, protocol::Body> requests_;
  std::set<std::uint64_t> unanswered_;
};

// `inner` must outlive it. Handles, time and tokens are the inner target's.
class MutatedTarget final : public Target {
 public:
  MutatedTarget(Target& inner, const Mutant& mutant);

  std::string name() const override;
  std::optional<ConnectionHandle> open() override;
  void send(ConnectionHandle connection, const protocol::Frame& frame) override;
  void send_raw(ConnectionHandle connection, std::string bytes) override;
  std::optional<protocol::Frame> wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                          DurationNs within) override;
  bool wait_closed(ConnectionHandle connection, DurationNs within) override;
  void close(ConnectionHandle connection) override;
  void pass(DurationNs time) override;
  bool restart_server() override;
  Slice token(UserId user, DeviceIndex device) override { return inner_.token(user, device); }
  TimeNs now() const override { return inner_.now(); }
  WireFaults wire_faults() const override;

 private:
  friend class Line;

  Line* find(ConnectionHandle connection);
  // Notes what the client says; the line's next frames are answers to it.
  static void note(Line& line, const protocol::Frame& frame);
  void arrived(Line& line, protocol::Frame&& frame);
  void deliver(Line& line, protocol::Frame frame);
  // Tells what is due by now.
  void release(Line& line);
  // The next thing that the server says or does on this line; false when nothing came.
  bool take_one(Line& line, DurationNs within);
  // Everything that has arrived on any line.
  void drain();
  template <class Done>
  void run_until(Line& line, Done&& done, DurationNs within);

  Target& inner_;
  const Mutant& mutant_;
  Mistake mistake_;
  std::map<ConnectionHandle, std::unique_ptr<Line>> lines_;
  WireFaults wire_faults_;
};

}  // namespace wavetank::conformance
