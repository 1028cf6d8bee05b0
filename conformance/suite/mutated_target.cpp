#include "conformance/suite/mutated_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {

using protocol::Frame;

namespace {

bool any(const Frame&) { return true; }

}  // namespace

// ---- the line

Slice Line::token() const { return target_.inner_.token(hello_.user, hello_.device); }
TimeNs Line::now() const { return target_.inner_.now(); }

std::vector<Line*> Line::others() const {
  std::vector<Line*> others;
  for (const auto& [handle, line] : target_.lines_) {
    if (line.get() != this) others.push_back(line.get());
  }
  return others;
}

void Line::tell(Frame frame, DurationNs after) {
  if (after > 0) {
    held_.emplace(now() + after, std::move(frame));
  } else {
    target_.deliver(*this, std::move(frame));
  }
}

void Line::tell_bytes(std::string_view bytes) { mail_.receive(bytes, target_.wire_faults_); }
void Line::ask(const Frame& frame) { target_.inner_.send(handle_, frame); }

void Line::end(DurationNs after) {
  target_.inner_.close(handle_);
  inner_ended_ = true;
  ends_at_ = std::min(ends_at_, now() + after);
}

// ---- the suite's side

MutatedTarget::MutatedTarget(Target& inner, const Mutant& mutant)
    : inner_(inner), mutant_(mutant), mistake_(mutant.make()) {}

std::string MutatedTarget::name() const { return fmt::format("{} with {}", inner_.name(), mutant_.name); }

WireFaults MutatedTarget::wire_faults() const {
  const WireFaults inner = inner_.wire_faults();
  return {inner.undecodable + wire_faults_.undecodable, inner.uncanonical + wire_faults_.uncanonical};
}

Line* MutatedTarget::find(ConnectionHandle connection) {
  const auto found = lines_.find(connection);
  return found == lines_.end() ? nullptr : found->second.get();
}

std::optional<ConnectionHandle> MutatedTarget::open() {
  const auto connection = inner_.open();
  if (connection) lines_[*connection] = std::make_unique<Line>(*this, *connection);
  return connection;
}

void MutatedTarget::note(Line& line, const Frame& frame) {
  line.heard_at_ = line.now();
  if (const auto* hello = std::get_if<protocol::Hello>(&frame.body)) line.hello_ = *hello;
  if (frame.request_id == 0) return;
  line.requests_[frame.request_id] = frame.body;
  line.unanswered_.insert(frame.request_id);
}

void MutatedTarget::send(ConnectionHandle connection, const Frame& frame) {
  Line* line = find(connection);
  if (line == nullptr || line->mail_.closed) return;
  note(*line, frame);
  Frame altered = frame;
  if (mistake_.up && !mistake_.up(*line, altered)) return;
  inner_.send(connection, altered);
}

void MutatedTarget::send_raw(ConnectionHandle connection, std::string bytes) {
  Line* line = find(connection);
  if (line == nullptr || line->mail_.closed) return;
  if (mistake_.raw && !mistake_.raw(*line, bytes)) return;
  const auto frame = protocol::decode(bytes);
  if (frame) {
    note(*line, *frame);
    Frame altered = *frame;
    if (mistake_.up && !mistake_.up(*line, altered)) return;
    if (!(altered == *frame)) return inner_.send(connection, altered);
  }
  inner_.send_raw(connection, std::move(bytes));
}

std::optional<Frame> MutatedTarget::wait_for(ConnectionHandle connection, const FramePredicate& matches,
                                             DurationNs within) {
  Line* line = find(connection);
  if (line == nullptr) return std::nullopt;
  line->mail_.looked_at = 0;
  std::optional<Frame> frame;
  run_until(
      *line,
      [&] {
        frame = line->mail_.take(matches);
        return frame.has_value() || line->mail_.closed;
      },
      within);
  return frame;
}

bool MutatedTarget::wait_closed(ConnectionHandle connection, DurationNs within) {
  Line* line = find(connection);
  if (line == nullptr) return true;
  run_until(*line, [&] { return line->mail_.closed; }, within);
  return line->mail_.closed;
}

void MutatedTarget::close(ConnectionHandle connection) {
  inner_.close(connection);
  lines_.erase(connection);
}

void MutatedTarget::pass(DurationNs time) {
  drain();
  inner_.pass(time);
  drain();
}

bool MutatedTarget::restart_server() {
  drain();
  if (!inner_.restart_server()) return false;
  if (mistake_.restarted) mistake_.restarted();
  return true;
}

// ---- what passes

void MutatedTarget::arrived(Line& line, Frame&& frame) {
  if (const auto* welcome = std::get_if<protocol::Welcome>(&frame.body)) {
    line.welcome_ = *welcome;
    line.welcomed_at_ = now();
  }
  const bool passes = !mistake_.down || mistake_.down(line, frame);
  line.unanswered_.erase(frame.request_id);
  if (passes) deliver(line, std::move(frame));
}

void MutatedTarget::deliver(Line& line, Frame frame) {
  frame.frame_seq = ++line.told;
  std::string bytes;
  protocol::encode(frame, bytes);
  line.mail_.receive(bytes, wire_faults_);
}

void MutatedTarget::release(Line& line) {
  while (!line.held_.empty() && line.held_.begin()->first <= now()) {
    Frame frame = std::move(line.held_.begin()->second);
    line.held_.erase(line.held_.begin());
    deliver(line, std::move(frame));
  }
  if (line.ends_at_ <= now()) line.mail_.closed = true;
}

bool MutatedTarget::take_one(Line& line, DurationNs within) {
  if (line.inner_ended_) {
    if (within > 0) inner_.pass(within);
    return false;
  }
  if (auto frame = inner_.wait_for(line.handle_, any, within)) {
    arrived(line, std::move(*frame));
    return true;
  }
  if (!inner_.wait_closed(line.handle_, 0)) return false;
  line.inner_ended_ = true;
  if (!mistake_.ended || mistake_.ended(line)) line.ends_at_ = std::min(line.ends_at_, now());
  return true;
}

void MutatedTarget::drain() {
  for (const auto& [handle, line] : lines_) {
    while (take_one(*line, 0)) {
    }
    release(*line);
  }
}

template <class Done>
void MutatedTarget::run_until(Line& line, Done&& done, DurationNs within) {
  drain();
  const TimeNs end = now() + within;
  for (;;) {
    release(line);
    if (done()) return;
    TimeNs until = std::min(end, line.ends_at_);
    if (!line.held_.empty()) until = std::min(until, line.held_.begin()->first);
    const bool came = take_one(line, std::max<DurationNs>(until - now(), 0));
    if (came || now() < end) continue;
    release(line);
    done();
    return;
  }
}

}  // namespace wavetank::conformance
