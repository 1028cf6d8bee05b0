// wavetank-serve as its users meet it: a process, its output, its exit codes, and kill -9.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reference/client/compact_store.hpp"
#include "reference/host/authenticators.hpp"
#include "reference/host/client_driver.hpp"
#include "reference/host/exit_code.hpp"
#include "reference/host/test_folder.hpp"
#include "reference/host/test_journal.hpp"

extern char** environ;

namespace wavetank::host {
namespace {

// One run of wavetank-serve, output and errors together. Killed at its end.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    output_ = ends[0];
    arguments.insert(arguments.begin(), WAVETANK_SERVE_EXECUTABLE);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    const int error = posix_spawn(&id_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) throw std::runtime_error("posix_spawn");
  }
  ~Process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      waitpid(id_, nullptr, 0);
    }
    close(output_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(id_, number); }
  // The exit code, or minus the signal that ended it. Reads the rest of the output.
  int wait() {
    while (read_some()) {
    }
    int status = 0;
    waitpid(std::exchange(id_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  // Reads until the text is there; false at the end of the output or after ten seconds.
  bool says(const std::string& text) {
    while (output.find(text) == std::string::npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  std::uint16_t port() {
    const std::string mark = "listening on ws://127.0.0.1:";
    if (!says(mark) || !says("\n")) return 0;
    while (output.find('\n', output.find(mark)) == std::string::npos && read_some()) {
    }
    return static_cast<std::uint16_t>(std::stoi(output.substr(output.find(mark) + mark.size())));
  }

  std::string output;

 private:
  bool read_some() {
    pollfd poller{output_, POLLIN, 0};
    if (poll(&poller, 1, 10'000) <= 0) return false;
    char bytes[4096];
    const ssize_t count = read(output_, bytes, sizeof(bytes));
    if (count <= 0) return false;
    output.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  pid_t id_ = 0;
  int output_ = -1;
};

TEST(Process, HelpShowsAnExample) {
  Process help({"--help"});
  EXPECT_EQ(help.wait(), kExitOk);
  EXPECT_NE(help.output.find("Example: wavetank-serve --port 8080"), std::string::npos);
}

TEST(Process, MistakesAreOneLineAnd64) {
  const TestFolder folder;
  std::ofstream(folder / "text")
      << "this is no database, but it is long enough to be one, or so it seems to some\n";
  std::ofstream(folder / "text.deployment") << "wavetank-deployment 1\nshards 1\nboots 1\n";
  const std::vector<std::vector<std::string>> mistakes = {
      {"--prot", "80"},
      {"--port", "70000"},
      {"--shards", "0", "--memory"},
      {"--data", folder / "missing/data", "--insecure"},
      {"--data", folder / "text", "--insecure"},
      {"--memory", "--token-key", folder / "missing"},
      {"--memory", "--newest-version", "3"},
      {"--memory", "--oldest-version", "0"},
      {"--memory", "--oldest-version", "2", "--newest-version", "1"},
      {"--memory", "--insecure", "--token-key", folder / "text"},
      {"token", "--user", "1"}};
  for (const auto& mistake : mistakes) {
    Process process(mistake);
    EXPECT_EQ(process.wait(), kExitUsage) << mistake[0] << ": " << process.output;
    EXPECT_EQ(std::count(process.output.begin(), process.output.end(), '\n'), 1) << process.output;
    EXPECT_EQ(process.output.find("wavetank-serve: "), 0u) << process.output;
  }
}

TEST(Process, WarnsWhenItBelievesEverybody) {
  Process trusting({"--memory", "--port", "0"});
  EXPECT_NE(trusting.port(), 0);
  EXPECT_TRUE(trusting.says("warning: no --token-key"));
  Process silent({"--memory", "--port", "0", "--insecure"});
  EXPECT_NE(silent.port(), 0);
  EXPECT_EQ(silent.output.find("warning"), std::string::npos);
}

TEST(Process, PrintsTokensThatItAccepts) {
  const TestFolder folder;
  std::ofstream(folder / "key") << "0123456789abcdef0123456789abcdef\n";
  Process printer({"token", "--token-key", folder / "key", "--user", "7", "--device", "1"});
  EXPECT_EQ(printer.wait(), kExitOk);
  EXPECT_EQ(printer.output, make_token("0123456789abcdef0123456789abcdef", 7, 1) + "\n");
}

TEST(Process, TerminationIsOrderly) {
  const TestFolder folder;
  for (const int number : {SIGTERM, SIGINT}) {
    Process process({"--data", folder / "data", "--port", "0", "--insecure"});
    ASSERT_NE(process.port(), 0) << process.output;
    process.signal(number);
    EXPECT_EQ(process.wait(), kExitOk) << process.output;
    EXPECT_TRUE(process.says("stopped"));
  }
}

// A client that speaks both versions gets what the server offers; one that speaks another gets nothing.
TEST(Process, SpeaksTheVersionsThatItIsTold) {
  struct Offer {
    std::vector<std::string> options;
    bool serves_old;     // a client of version 1 only
    bool has_reactions;  // a client of both: in a session of version 2
  };
  const Offer offers[] = {{{}, true, false},
                          {{"--newest-version", "2"}, true, true},
                          {{"--oldest-version", "2", "--newest-version", "2"}, false, true}};
  for (const Offer& offer : offers) {
    std::vector<std::string> arguments = {"--memory", "--port", "0", "--insecure"};
    arguments.insert(arguments.end(), offer.options.begin(), offer.options.end());
    Process process(arguments);
    const std::uint16_t port = process.port();
    ASSERT_NE(port, 0) << process.output;
    EventLoop loop;
    ClientObserver silent;
    client::StagingArea staging;
    client::CompactStore old_store(staging);
    client::CompactStore new_store(staging);
    client::ClientConfig config;
    const client::ClientShared old_shared{config, Randomness(1), silent};
    config.versions.max = protocol::kNextVersion;
    const client::ClientShared new_shared{config, Randomness(1), silent};
    ClientDriver old_client(loop, {"127.0.0.1", port}, old_shared, 1, 0, 1, Slice(), old_store);
    ClientDriver new_client(loop, {"127.0.0.1", port}, new_shared, 2, 0, 2, Slice(), new_store);
    old_client.start();
    new_client.start();
    ASSERT_TRUE(loop.run_until([&] { return new_client.client().is_connected(); }, 8 * kSecond));
    EXPECT_EQ(new_client.client().offers(protocol::kFeatureReactions), offer.has_reactions);
    const bool is_served = loop.run_until([&] { return old_client.client().is_connected(); },
                                          offer.serves_old ? 8 * kSecond : kSecond);
    EXPECT_EQ(is_served, offer.serves_old);
  }
}

TEST(Process, ADrainEndsWithTheLastClientAndASecondSignalEndsTheDrain) {
  for (const bool impatient : {false, true}) {
    Process process({"--memory", "--port", "0", "--insecure", "--drain", impatient ? "3600" : "1"});
    const std::uint16_t port = process.port();
    ASSERT_NE(port, 0) << process.output;
    EventLoop loop;
    ClientObserver silent;
    client::StagingArea staging;
    client::CompactStore store(staging);
    const client::ClientShared shared{client::ClientConfig{}, Randomness(1), silent};
    auto a =
        std::make_unique<ClientDriver>(loop, Endpoint{"127.0.0.1", port}, shared, 1, 0, 1, Slice(), store);
    a->start();
    ASSERT_TRUE(loop.run_until([&] { return a->client().is_connected(); }, 8 * kSecond));
    process.signal(SIGTERM);
    EXPECT_TRUE(process.says("sends 1 connections away over")) << process.output;
    if (impatient) process.signal(SIGTERM);
    EXPECT_TRUE(loop.run_until([&] { return !a->client().is_connected(); }, 8 * kSecond));
    a.reset();
    EXPECT_EQ(process.wait(), kExitOk) << process.output;
    EXPECT_TRUE(process.says("stopped"));
  }
}

// kill -9 in the middle of the talk, three times: the process gets no chance to put anything in order.
TEST(Process, NothingAcknowledgedIsLostByKillMinus9) {
  const TestFolder folder;
  std::ofstream(folder / "key") << "0123456789abcdef0123456789abcdef\n";
  const auto serve = [&](std::uint16_t port) {
    return std::make_unique<Process>(std::vector<std::string>{"--data", folder / "data", "--port",
                                                              fmt::format("{}", port), "--token-key",
                                                              folder / "key", "--shards", "2"});
  };
  auto process = serve(0);
  const std::uint16_t port = process->port();
  ASSERT_NE(port, 0) << process->output;

  EventLoop loop;
  Journal journal;
  client::ClientConfig config;
  config.reconnect_min_ms = 20;
  config.reconnect_max_ms = 100;
  const client::ClientShared shared{config, Randomness(1), journal};
  client::StagingArea staging;
  client::CompactStore store_a(staging);
  client::CompactStore store_b(staging);
  const auto token = [](UserId user) {
    return Slice(make_token("0123456789abcdef0123456789abcdef", user, 0));
  };
  ClientDriver a(loop, {"127.0.0.1", port}, shared, 1, 0, 1, token(1), store_a);
  ClientDriver b(loop, {"127.0.0.1", port}, shared, 2, 0, 2, token(2), store_b);
  a.start();
  b.start();
  constexpr std::size_t kMessages = 80;
  const ConversationId chat = direct_conversation(1, 2);
  for (std::size_t i = 0; i < kMessages; ++i) a.send(chat, Slice(fmt::format("{}", i)));
  for (std::size_t kills = 1; kills <= 3; ++kills) {
    ASSERT_TRUE(loop.run_until([&] { return journal.acks[1].size() >= kills * 15; }, 8 * kSecond));
    process->signal(SIGKILL);
    EXPECT_EQ(process->wait(), -SIGKILL);
    process = serve(port);
    ASSERT_EQ(process->port(), port) << process->output;
  }
  ASSERT_TRUE(loop.run_until(
      [&] { return journal.acks[1].size() == kMessages && journal.shown[2].size() >= kMessages; },
      8 * kSecond));
  ASSERT_EQ(journal.shown[2].size(), kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(journal.shown[2][i].conv_seq, i + 1);
    EXPECT_EQ(journal.shown[2][i].payload.view(), fmt::format("{}", i));
    EXPECT_EQ(journal.acks[1][i].client_msg_id,
              journal.shown[2][journal.acks[1][i].conv_seq - 1].client_msg_id);
  }
}

}  // namespace
}  // namespace wavetank::host
