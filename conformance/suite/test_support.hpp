// A local server for tests of the suite over sockets.
#pragma once

#include "reference/host/server.hpp"
#include "reference/host/test_folder.hpp"

namespace wavetank::conformance {

using host::TestFolder;

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
