// wavetank-serve: the reference server on a real socket. One process, plain WebSocket, an SQLite file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "reference/host/authenticators.hpp"
#include "reference/host/event_loop.hpp"
#include "reference/host/exit_code.hpp"
#include "reference/host/server.hpp"
#include "reference/protocol/versions.hpp"
#include "reference/store/log_store.hpp"

namespace {

using namespace wavetank;
using namespace wavetank::host;

// What the user asked for cannot be done; what() is the one line to print.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Choice {
  ServerOptions server;
  std::string data = "wavetank.db";
  std::string key_file;
  bool memory = false;
  bool insecure = false;
  std::uint32_t drain_s = 0;
  UserId user = 0;
  DeviceIndex device = 0;
  std::uint32_t generation = 0;
};

// The whole file without the line ends behind it, so that `openssl rand -hex 32 > FILE` makes a key.
std::string read_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string key((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (!file || key.size() < 16) throw UsageError(path + ": no key of at least 16 bytes");
  return key;
}

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

int serve(Choice& choice) {
  const protocol::VersionRange& versions = choice.server.config.versions;
  if (versions.min > versions.max) {
    throw UsageError(
        fmt::format("--oldest-version {} is above --newest-version {}: no client could be served",
                    versions.min, versions.max));
  }
  if (!choice.memory) choice.server.data = choice.data;
  if (!choice.key_file.empty()) {
    choice.server.token_key = read_key(choice.key_file);
  } else if (!choice.insecure) {
    fmt::print(stderr, "wavetank-serve: warning: no --token-key, every device is believed (--insecure)\n");
  }
  EventLoop loop;
  std::unique_ptr<Server> server;
  // Before anybody can know that we are here.
  enum class Ending : std::uint8_t { kNo, kDraining, kClosing } ending = Ending::kNo;
  const auto shut_down = [&] {
    ending = Ending::kClosing;
    server->shut_down([&loop] { loop.stop(); });
  };
  loop.on_signals([&](int) {
    if (ending == Ending::kClosing) return loop.stop();
    if (ending == Ending::kDraining || choice.drain_s == 0) return shut_down();
    ending = Ending::kDraining;
    print_line(
        fmt::format("sends {} connections away over {} s", server->connection_count(), choice.drain_s));
    server->drain(choice.drain_s * kSecond, shut_down);
  });
  try {
    server = std::make_unique<Server>(loop, choice.server);
  } catch (const StartFailure& failure) {
    throw UsageError(failure.what());
  } catch (const ListenFailure& failure) {
    throw UsageError(failure.what());
  } catch (const store::StoreFailure& failure) {
    throw UsageError(failure.what());
  }
  print_line(fmt::format("data in {}", choice.memory ? "memory" : choice.data));
  print_line(fmt::format("listening on ws://{}:{}", choice.server.address, server->port()));
  loop.run();
  server.reset();
  print_line("stopped");
  return kExitOk;
}

int run(int argc, char** argv) {
  Choice choice;
  choice.server.port = 8080;
  CLI::App app("Runs the reference server: one process, plain WebSocket (no TLS), an SQLite file.",
               "wavetank-serve");
  app.footer(
      "Example: wavetank-serve --port 8080 --data wavetank.db\n"
      "         wavetank-serve token --token-key key.txt --user 7 --device 0\n"
      "SIGINT or SIGTERM: tells every client to go away, at an even pace over --drain seconds, and ends; "
      "again: at once.\n"
      "Exits 0 when asked to end, 64 for a usage error, 70 for an internal error.");
  app.add_option("--port", choice.server.port, "port on 127.0.0.1, 0 for any free one")
      ->capture_default_str();
  app.add_option("--data", choice.data, "SQLite file, made when missing")->capture_default_str();
  app.add_flag("--memory", choice.memory, "keep everything in memory and lose it at the end");
  app.add_option("--gateways", choice.server.gateways, "gateways in the process")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--shards", choice.server.shards, "shards in the process, each with a file of its own")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--token-key", choice.key_file, "file with the key that signs the tokens of devices");
  app.add_flag("--insecure", choice.insecure, "believe every device (the default while there is no key)")
      ->excludes("--token-key");
  app.add_option("--drain", choice.drain_s,
                 "seconds over which a planned end sends the clients away, 0: at once")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  app.add_option("--revoke-within-ms", choice.server.config.revoke_within_ms,
                 "users may remove devices, which are shut out within so long; 0: nobody can")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
  app.add_option("--token-life-ms", choice.server.config.token_life_ms,
                 "with --revoke-within-ms: tokens expire after so long unless they are renewed; 0: never")
      ->check(CLI::Range(0, 2'000'000'000))
      ->capture_default_str();
  app.add_option("--oldest-version", choice.server.config.versions.min,
                 "the oldest version of the wire that is spoken")
      ->check(CLI::Range(1U, protocol::kNextVersion))
      ->capture_default_str();
  app.add_option("--newest-version", choice.server.config.versions.max,
                 "the newest one; nothing of what a later one brings is understood")
      ->check(CLI::Range(1U, protocol::kNextVersion))
      ->capture_default_str();
  app.add_option("--park-after", choice.server.config.park_after,
                 "a message that has ended so many sessions of a device is given up for it; 0: none is")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  auto* token = app.add_subcommand("token", "Print the token of one device");
  token->add_option("--token-key", choice.key_file, "file with the key")->required();
  token->add_option("--user", choice.user, "user id")->required();
  token->add_option("--device", choice.device, "device number")->capture_default_str();
  token->add_option("--generation", choice.generation, "sign-ins of the device before this one")
      ->capture_default_str();
  token->footer("Example: wavetank-serve token --token-key key.txt --user 7 --device 0");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (*token) {
    print_line(make_token(read_key(choice.key_file), choice.user, choice.device, choice.generation));
    return kExitOk;
  }
  return serve(choice);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    fmt::print(stderr, "wavetank-serve: {}\n", error.what());
    return kExitUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "wavetank-serve: internal error: {}\n", error.what());
    return kExitInternal;
  }
}
