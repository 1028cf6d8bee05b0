// Whether this process simulates its world alone, or together with another one.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "sim/world/partner.hpp"

namespace wavetank::sim {

class Processes {
 public:
  virtual ~Processes() = default;
  // How many there are, and which one this is, from 0 on.
  virtual int size() const = 0;
  virtual int rank() const = 0;
  // The other one of two; nullptr where this one is alone.
  virtual Partner* partner() = 0;
  // Ends all of them at once with this exit code, for this one cannot go on.
  [[noreturn]] virtual void abort(int code) = 0;
};

// Once, before anything else. The program is linked with one of two: processes_alone.cpp, whose process is
// alone and says so (one line) where it was meant to be one of several, and processes_mpi.cpp.
std::expected<std::unique_ptr<Processes>, std::string> join_processes(int* argc, char*** argv);

}  // namespace wavetank::sim
