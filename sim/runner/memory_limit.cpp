#include "sim/runner/memory_limit.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace wavetank::sim {
namespace {

// The number of kibibytes behind `name` in a file of /proc.
std::int64_t kibibytes_of(const char* file, std::string_view name) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10);
  }
  return 0;
}

double in_gib(std::int64_t bytes) { return static_cast<double>(bytes) / (1LL << 30); }

}  // namespace

std::int64_t resident_bytes() { return kibibytes_of("/proc/self/status", "VmRSS:") * 1024; }
std::int64_t peak_resident_bytes() { return kibibytes_of("/proc/self/status", "VmHWM:") * 1024; }
std::int64_t available_bytes() { return kibibytes_of("/proc/meminfo", "MemAvailable:") * 1024; }

MemoryLimit MemoryLimit::of_machine() {
  const std::int64_t available = available_bytes();
  if (available == 0) return {0, ""};
  return {resident_bytes() + available - available / 32, "this machine had free"};
}

void MemoryLimit::check(const Progress& progress, std::int64_t resident) const {
  if (bytes_ == 0 || resident <= bytes_) return;
  throw MemoryExceeded(fmt::format(
      "after {:.1f} of {:.0f} s the run has taken {:.2f} GiB, more than the {:.2f} GiB that {}; give it a "
      "smaller world (--set devices=N or population.users=N) or more memory (--max-memory sets the limit)",
      static_cast<double>(progress.now) / kSecond, static_cast<double>(progress.planned_end) / kSecond,
      in_gib(resident), in_gib(bytes_), origin_));
}

}  // namespace wavetank::sim
