// A local server for tests of the suite over sockets.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "reference/host/server.hpp"

namespace wavetank::conformance {

// A folder of its own, removed with everything in it at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "wavetank-suite-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Two gateways and two shards over files, with tokens; what a case waits for comes soon.
inline host::ServerOptions local_server(const TestFolder& folder) {
  host::ServerOptions options;
  options.data = folder / "data";
  options.gateways = 2;
  options.shards = 2;
  options.token_key = "the suite's own key";
  options.config.hello_timeout_ms = 500;
  options.config.receipt_delay_ms = 20;
  return options;
}

}  // namespace wavetank::conformance
