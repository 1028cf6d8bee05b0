// Who runs a store's transactions: the caller at once, or somebody beside him.
#pragma once

#include <cstdint>
#include <functional>

namespace wavetank::store {

// What the store needs of a transaction's rows it keeps in memory, so it need not wait for the statements: it
// hands them over as a task, in the order of its commits, and waits before it reads the database.
//
// submit() and wait() are called by one thread. Tasks run one after the other in the order of submission, and
// what they wrote is seen by whoever has waited for them. A task that throws ends the runner: no later one
// runs, and every wait() for it or for a later one throws what it threw.
class WriteRunner {
 public:
  using Task = std::function<void()>;  // up to two pointers of state: kept without an allocation
  // Grows by one with each submission, from 1; 0 is done already.
  using Ticket = std::uint64_t;

  virtual ~WriteRunner() = default;
  virtual Ticket submit(Task task) = 0;
  virtual void wait(Ticket ticket) = 0;
  // The same without a word of failures: for destructors.
  virtual void finish(Ticket ticket) noexcept = 0;
};

// Runs each task before submit() returns; what it throws passes through.
class RunAtOnce final : public WriteRunner {
 public:
  static RunAtOnce& instance() {
    static RunAtOnce runner;
    return runner;
  }
  Ticket submit(Task task) override {
    task();
    return 0;
  }
  void wait(Ticket) override {}
  void finish(Ticket) noexcept override {}
};

}  // namespace wavetank::store
