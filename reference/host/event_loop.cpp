#include "reference/host/event_loop.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <utility>

#include "reference/host/loop_core.hpp"

namespace wavetank::host {

using Steady = std::chrono::steady_clock;

namespace {

// A monotonic time may not be added to without bound: what lies further away is as good as never.
constexpr DurationNs kFarAway = 365LL * 24 * 3600 * kSecond;

}  // namespace

EventLoop::EventLoop() : core_(std::make_unique<Core>()) {}
EventLoop::~EventLoop() = default;

TimeNs EventLoop::now() const {
  const auto passed =
      std::chrono::duration_cast<std::chrono::nanoseconds>(Steady::now() - core_->steady_start);
  return core_->system_start + passed.count();
}

void EventLoop::post(std::function<void()> task) { boost::asio::post(core_->context, std::move(task)); }

void EventLoop::run() {
  core_->context.restart();
  core_->context.run();
}

bool EventLoop::run_until(const std::function<bool()>& done, DurationNs time) {
  core_->context.restart();
  const Steady::time_point deadline = Steady::now() + std::chrono::nanoseconds(std::min(time, kFarAway));
  while (!done()) {
    if (Steady::now() >= deadline || core_->context.stopped()) return done();
    core_->context.run_one_until(deadline);
  }
  return true;
}

void EventLoop::stop() { core_->context.stop(); }

void EventLoop::on_signals(std::function<void(int)> received) {
  core_->signal_received = std::move(received);
  core_->signals.add(SIGINT);
  core_->signals.add(SIGTERM);
  core_->wait_for_signal();
}

void EventLoop::Core::wait_for_signal() {
  signals.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    signal_received(number);
    wait_for_signal();
  });
}

struct LoopTimer::State : std::enable_shared_from_this<State> {
  State(EventLoop::Core& core_of_loop, std::function<void()> callback)
      : core(core_of_loop), timer(core.context), fired(std::move(callback)) {}

  void arm(TimeNs at) {
    const std::uint64_t mine = ++generation;
    timer.cancel();
    if (at == kNever) return;
    const DurationNs offset = std::clamp(at - core.system_start, DurationNs{0}, kFarAway);
    timer.expires_at(core.steady_start + std::chrono::nanoseconds(offset));
    timer.async_wait([state = shared_from_this(), mine](const boost::system::error_code& error) {
      // Armed again or ended after the time was up but before our turn came.
      if (!error && mine == state->generation && state->fired) state->fired();
    });
  }

  EventLoop::Core& core;
  boost::asio::steady_timer timer;
  std::function<void()> fired;
  std::uint64_t generation = 0;
};

LoopTimer::LoopTimer(EventLoop& loop, std::function<void()> fired)
    : state_(std::make_shared<State>(loop.core(), std::move(fired))) {}

LoopTimer::~LoopTimer() {
  if (state_ != nullptr) state_->arm(kNever);
}

LoopTimer::LoopTimer(LoopTimer&&) noexcept = default;
LoopTimer& LoopTimer::operator=(LoopTimer&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

void LoopTimer::arm(TimeNs at) { state_->arm(at); }

}  // namespace wavetank::host
