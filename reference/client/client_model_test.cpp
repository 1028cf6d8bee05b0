// Stateful random tests: whatever happens to the connection, the process and the frames in between, in the
// end the device holds exactly what the server's log holds for its user, and every message it sent stands
// there once and in order.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "reference/client/test_harness.hpp"

namespace wavetank::client::test {
namespace {

constexpr std::uint32_t kConversations = 3;

ConversationId conversation_number(std::uint32_t number) {
  return number == 0 ? direct_conversation(kUser, kPeer) : group_conversation(0, number);
}

struct Command {
  std::uint8_t what;
  std::uint8_t detail;
};
void showValue(const Command& command, std::ostream& out) {
  out << "{" << static_cast<int>(command.what) << ", " << static_cast<int>(command.detail) << "}";
}

// What happens next, as often as it stands here: traffic mostly, faults often enough.
constexpr std::uint8_t kWeighted[] = {0,  0,  0,  0,  1,  2,  2,  2,  2,  3,  4,  4,  5,  6,  6,  6,  7,  8,
                                      9,  9,  9,  10, 11, 12, 13, 14, 15, 15, 16, 17, 17, 17, 18, 18, 19, 19,
                                      19, 20, 20, 20, 20, 21, 22, 23, 24, 24, 24, 24, 25, 25, 25, 25};
constexpr std::size_t kWeights = sizeof(kWeighted);

// Frames on their way to the client that may be moved and doubled: pushes. Answers keep their order.
bool is_push(const protocol::Frame& frame) {
  return std::holds_alternative<protocol::ChangePush>(frame.body);
}

class Story {
 public:
  Story(const ClientConfig& config, std::uint64_t seed) : harness(config, seed) { harness.start(); }

  Harness harness;

  void run(const Command& command) {
    const ConversationId id = conversation_number(command.detail % kConversations);
    switch (command.what) {
      case 0:
      case 1:
        harness.accept_dial();
        for (int frame = 0; frame <= command.detail % 4; ++frame) harness.carry_to_server();
        break;
      case 2:
      case 3:
        for (int frame = 0; frame <= command.detail % 4; ++frame) harness.carry_to_client();
        break;
      case 4:
      case 5:
        send(id);
        break;
      case 6:
      case 7:
        harness.push(harness.server.append(id, kPeer, "from the peer"));
        break;
      case 8:
        // Entries of a time when the user was not a member.
        harness.push(harness.server.append(conversation_number(1), kPeer, "unseen", false));
        break;
      case 9:
        harness.advance(command.detail * 40 * kMillisecond);
        break;
      case 10:
        harness.advance(command.detail * kSecond / 4);
        break;
      case 11:
        harness.lose_connection();
        break;
      case 12:
        harness.crash();
        break;
      case 13:
        harness.store.crash_at_commit = true;
        break;
      case 14:
        harness.stop();
        harness.start();
        break;
      case 15:
        if (const Conversation* row = harness.client->conversation(id))
          harness.read(id, row->cur - command.detail % 2);
        break;
      case 16:
        if (auto frame = harness.server.read_elsewhere(id, command.detail)) harness.push(std::move(*frame));
        break;
      case 17:
        harness.server.mood = static_cast<FakeServer::Mood>(command.detail % 5);
        break;
      case 18:
        duplicate_push(command.detail);
        break;
      case 19:
        reorder_pushes(command.detail);
        break;
      case 20:
        drop_push(command.detail);
        break;
      case 21:
        harness.go_half_open();
        break;
      case 22:
        harness.push(harness.server.push_receipt(id, kPeer, command.detail, 0));
        break;
      case 23:
        if (harness.armed_at != kNever) harness.fire();  // early: must be harmless
        break;
      case 24:
        harness.settle();
        break;
      case 25:
        // Wait for the connection, if it is lost.
        for (int tries = 0; tries < 3 && !harness.client->is_connected(); ++tries) {
          harness.advance(2 * kSecond);
          harness.settle();
        }
        break;
      default:
        break;
    }
  }

  void send(const ConversationId& id) {
    harness.crashed_mid_step = false;
    const ClientMessageId key = harness.send(id, "from the device");
    // A crash before the commit of the wish takes the wish with it.
    if (!harness.crashed_mid_step) sent_[id].push_back(key);
  }

  // Lets everything come to rest; what is wrong then, or "".
  std::string check_end() {
    harness.crashed_mid_step = false;
    harness.store.crash_at_commit = false;
    harness.server.mood = FakeServer::Mood::kAnswer;
    if (!harness.heal(150 * kSecond)) {
      return "not converged: " + std::string(name_of(harness.client->pending_reason()));
    }
    for (const std::string& complaint : harness.complaints) return complaint;
    for (const std::string& complaint : harness.store.complaints) return complaint;
    for (const auto& [id, conversation] : harness.server.conversations) {
      const std::string problem = check_conversation(id, conversation);
      if (!problem.empty()) return problem;
    }
    if (harness.client->user_seq() != harness.server.feed_head())
      return "the feed's cursor is not at its head";
    if (!harness.store.durable().state.outbox.empty()) return "a row stays in the outbox";
    return "";
  }

 private:
  std::string check_conversation(const ConversationId& id, const FakeServer::Conversation& conversation) {
    // Every message once and in order.
    std::vector<ClientMessageId> own;
    for (const protocol::Event& event : conversation.log) {
      if (event.sender == kUser) own.push_back(event.client_msg_id);
    }
    if (own != sent_[id]) return "the log does not hold each message once and in order";
    // Invisible entries after the last visible one are announced to nobody.
    std::uint64_t last_visible = conversation.log.size();
    while (last_visible > 0 && conversation.hidden.contains(last_visible)) --last_visible;
    if (last_visible == 0) return "";
    const Conversation* row = harness.client->conversation(id);
    const ConversationMarks* marks = harness.store.marks(id);
    if (row == nullptr || marks == nullptr) return "a conversation is missing";
    if (row->cur < last_visible || row->cur != row->head) return "the cursor is not at the head";
    if (marks->cur_seq != row->cur) return "the stored cursor differs from the one in memory";
    const auto stored = harness.store.durable().entries.find(id);
    const std::size_t visible = conversation.log.size() - conversation.hidden.size();
    if (stored == harness.store.durable().entries.end() || stored->second.size() != visible) {
      return "entries are missing";
    }
    for (const auto& [seq, event] : stored->second) {
      if (event != conversation.log[seq - 1]) return "an entry differs";
    }
    if (conversation.delivered != row->cur) return "the delivered mark is not at the cursor";
    if (conversation.read != row->read) return "the read marks differ";
    return "";
  }

  std::vector<std::size_t> pushes() const {
    std::vector<std::size_t> found;
    for (std::size_t place = 0; place < harness.to_client.size(); ++place) {
      if (is_push(harness.to_client[place])) found.push_back(place);
    }
    return found;
  }
  void duplicate_push(std::uint8_t detail) {
    const auto places = pushes();
    if (places.empty()) return;
    const protocol::Frame copy = harness.to_client[places[detail % places.size()]];
    harness.to_client.push_back(copy);
  }
  void reorder_pushes(std::uint8_t detail) {
    const auto places = pushes();
    if (places.size() < 2) return;
    const std::size_t first = detail % (places.size() - 1);
    std::swap(harness.to_client[places[first]], harness.to_client[places[first + 1]]);
  }
  void drop_push(std::uint8_t detail) {
    const auto places = pushes();
    if (places.empty()) return;
    harness.to_client.erase(harness.to_client.begin() +
                            static_cast<std::ptrdiff_t>(places[detail % places.size()]));
  }

  std::map<ConversationId, std::vector<ClientMessageId>> sent_;
};

ClientConfig small_limits(std::uint32_t draw) {
  ClientConfig config;
  config.fetch_limit = 1 + draw % 4;
  config.sync_limit = 1 + draw / 4 % 4;
  config.gap_buffer = 1 + draw / 16 % 6;
  config.max_in_flight_sends = 1 + draw / 128 % 3;
  config.max_in_flight_fetches = 1 + draw / 512 % 2;
  config.group_receipts_interval_ms =
      config.receipts_interval_ms;  // one bound for check_end() to hold all to
  return config;
}

rc::Gen<std::vector<Command>> stories() {
  const auto what = rc::gen::map(rc::gen::inRange<std::size_t>(0, kWeights),
                                 [](std::size_t place) { return kWeighted[place]; });
  const auto command = rc::gen::construct<Command>(what, rc::gen::inRange<std::uint8_t>(0, 40));
  return rc::gen::scale(4.0, rc::gen::container<std::vector<Command>>(command));
}

RC_GTEST_PROP(ClientModel, ConvergesWithNothingLostDoubledOrReordered, ()) {
  const auto draw = *rc::gen::inRange<std::uint32_t>(0, 1024);
  Story story(small_limits(draw), draw);
  for (const Command& command : *stories()) story.run(command);
  RC_ASSERT(story.check_end() == "");
}

// The same without process crashes, so that the observer's view is one line: shown entries only rise, by one.
RC_GTEST_PROP(ClientModel, ShowsEachEntryOnceAndInOrder, ()) {
  const auto draw = *rc::gen::inRange<std::uint32_t>(0, 1024);
  Story story(small_limits(draw), draw);
  for (const Command& command : *stories()) {
    if (command.what != 12 && command.what != 13) story.run(command);
  }
  RC_ASSERT(story.check_end() == "");
  for (std::uint32_t number = 0; number < kConversations; ++number) {
    const ConversationId id = conversation_number(number);
    const auto shown = story.harness.recorder.shown(id);
    const FakeServer::Conversation& conversation = story.harness.server.conversations[id];
    std::vector<std::uint64_t> expected;
    for (std::uint64_t seq = 1; seq <= conversation.log.size(); ++seq) {
      if (!conversation.hidden.contains(seq)) expected.push_back(seq);
    }
    RC_ASSERT(shown == expected);
  }
}

// Stories drawn by number, for counting.
std::string outcome_of_story(std::uint64_t number, std::uint32_t length, const DefectSet& defects) {
  const Randomness randomness(number);
  ClientConfig config =
      small_limits(static_cast<std::uint32_t>(randomness.below(1024, Purpose::kTest, 0, 0)));
  config.defects = defects;
  Story story(config, number);
  for (std::uint32_t step = 1; step <= length; ++step) {
    Command command;
    command.what = kWeighted[randomness.below(kWeights, Purpose::kTest, 1, step)];
    command.detail = static_cast<std::uint8_t>(randomness.below(40, Purpose::kTest, 2, step));
    story.run(command);
  }
  return story.check_end();
}

TEST(ClientModel, LongStoriesConverge) {
  for (std::uint64_t number = 1; number <= 1000; ++number) {
    ASSERT_EQ(outcome_of_story(number, 600, {}), "") << "story " << number;
  }
}

// The stories prove their worth: each seeded defect of the client is noticed.
class SeededDefect : public testing::TestWithParam<Defect> {};

TEST_P(SeededDefect, IsNoticed) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  DefectSet defects;
  defects.enable(GetParam());
  std::map<std::string, int> noticed;
  for (std::uint64_t number = 1; number <= 100; ++number) ++noticed[outcome_of_story(number, 300, defects)];
  for (const auto& [problem, count] : noticed) {
    std::cout << "  " << count << " of 100 stories: " << (problem.empty() ? "nothing noticed" : problem)
              << "\n";
  }
  EXPECT_LT(noticed[""], 90);
}

INSTANTIATE_TEST_SUITE_P(ClientModel, SeededDefect,
                         testing::Values(Defect::kCatchUpSkipsFailure, Defect::kReconnectForgetsConversation,
                                         Defect::kCursorBeforeEntry, Defect::kRetryWithNewKey));

}  // namespace
}  // namespace wavetank::client::test
