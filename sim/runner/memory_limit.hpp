// How much memory a run may take: a world that does not fit ends with a sentence, not by the kernel's killer.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "sim/runner/runner.hpp"

namespace wavetank::sim {

// From the kernel's own book (/proc), in bytes; 0 where there is none.
std::int64_t resident_bytes();
// The high-water mark of this process (ru_maxrss would inherit a parent's peak).
std::int64_t peak_resident_bytes();
// What processes may still take without swapping.
std::int64_t available_bytes();

// The run has taken more than it may; the text says when, how much and how to mend it.
class MemoryExceeded : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class MemoryLimit {
 public:
  // What is resident may not be more than `bytes`; 0: no limit. `origin` ends the sentence "more than the
  // ... GiB that".
  MemoryLimit(std::int64_t bytes, std::string origin) : bytes_(bytes), origin_(std::move(origin)) {}
  // What the machine can give to this process, now, less a thirty-second for what others need meanwhile.
  static MemoryLimit of_machine();

  // Throws MemoryExceeded.
  void check(const Progress& progress, std::int64_t resident) const;

 private:
  std::int64_t bytes_;
  std::string origin_;
};

}  // namespace wavetank::sim
