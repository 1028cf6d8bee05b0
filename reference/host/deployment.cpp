#include "reference/host/deployment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace wavetank::host {
namespace {

constexpr const char* kFormat = "wavetank-deployment 1\nshards {}\nboots {}\n";

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw StartFailure(fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

// Whole and durable, or as before: written beside, synced, renamed, and the folder synced.
void replace_file(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path fresh = path.string() + ".new";
  {
    const Descriptor file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.number() < 0) fail(fresh);
    const auto written = ::write(file.number(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) || ::fsync(file.number()) != 0) fail(fresh);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) fail(path);
  const std::filesystem::path folder =
      path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) fail(folder);
}

}  // namespace

Deployment enter_deployment(const std::filesystem::path& data, std::uint32_t shards) {
  const std::filesystem::path path = data.string() + ".deployment";
  Deployment deployment{shards, 0};
  if (std::ifstream file(path); file) {
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    Deployment stored;
    if (std::sscanf(text.c_str(), "wavetank-deployment 1 shards %u boots %u", &stored.shards,
                    &stored.boots) != 2) {
      throw StartFailure(fmt::format("{}: not a deployment of this version", path.string()));
    }
    if (stored.shards != shards) {
      throw StartFailure(fmt::format("{}: made for {} shards, not {}", path.string(), stored.shards, shards));
    }
    deployment = stored;
  } else if (std::filesystem::exists(data)) {
    throw StartFailure(fmt::format("{}: missing beside its data file", path.string()));
  }
  ++deployment.boots;
  replace_file(path, fmt::format(kFormat, deployment.shards, deployment.boots));
  return deployment;
}

std::string shard_file(const std::filesystem::path& data, std::uint32_t shard) {
  return shard == 0 ? data.string() : fmt::format("{}.{}", data.string(), shard);
}

}  // namespace wavetank::host
