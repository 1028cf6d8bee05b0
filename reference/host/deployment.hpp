// What a data file belongs to: the number of shards its placement was made for, and how often it was served.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace wavetank::host {

// The data cannot be served as asked; what() is one line for the user.
class StartFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Deployment {
  std::uint32_t shards = 1;
  std::uint32_t boots = 0;  // starts so far, this one included
};

// Reads FILE.deployment beside the data file (or begins one), checks that the number of shards is still the
// same (another number would look for conversations where they are not), counts this start, and makes the
// count durable before it returns: session ids carry it and must never come back. Throws StartFailure.
Deployment enter_deployment(const std::filesystem::path& data, std::uint32_t shards);

// The file of one shard: FILE for the first, FILE.1, FILE.2, ... for the others.
std::string shard_file(const std::filesystem::path& data, std::uint32_t shard);

}  // namespace wavetank::host
