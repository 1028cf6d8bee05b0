#include "sim/traces/trace.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "sim/traces/table.hpp"

namespace wavetank::sim {
namespace {

std::filesystem::path shipped(std::string_view name) {
  return std::filesystem::path(WAVETANK_SOURCE_DIR) / "sim" / "traces" / name;
}

// A file of its own for each test, removed with it.
class TraceFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) / ("wavetank_" + std::string(test->name()) + ".csv");
  }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::filesystem::path& write(std::string_view text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_;
  }
  // The error without the folder: "wavetank_x.csv:2: what" -> ":2: what".
  template <typename Result>
  std::string what(const Result& result) {
    if (result) {
      return "no error";
    }
    EXPECT_TRUE(result.error().starts_with(path_.string())) << result.error();
    return result.error().substr(std::min(path_.string().size(), result.error().size()));
  }

  std::filesystem::path path_;
};

TEST(ShippedTraces, MessagesHaveThePublishedCounts) {
  const auto messages = load_messages(shipped(kMessagesFile));
  ASSERT_TRUE(messages) << messages.error();
  EXPECT_EQ(messages->size(), 59'835U);
  std::set<std::uint32_t> users;
  std::set<std::pair<std::uint32_t, std::uint32_t>> directed;
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::uint64_t characters = 0;
  std::uint32_t longest = 0;
  for (const TraceMessage& message : *messages) {
    users.insert({message.source, message.destination});
    directed.emplace(message.source, message.destination);
    pairs.insert(std::minmax(message.source, message.destination));
    characters += message.characters;
    longest = std::max(longest, message.characters);
  }
  EXPECT_EQ(users.size(), 1'899U);
  EXPECT_EQ(*users.begin(), 1U);
  EXPECT_EQ(*users.rbegin(), 1'899U);
  EXPECT_EQ(directed.size(), 20'296U);
  EXPECT_EQ(pairs.size(), 13'838U);
  EXPECT_EQ(characters, 6'521'345U);
  EXPECT_EQ(longest, 4'222U);
  EXPECT_EQ(messages->front(), (TraceMessage{1'082'040'961, 1, 2, 157}));
  EXPECT_EQ(messages->back().unix_s, 1'098'777'142);
}

TEST(ShippedTraces, ForumHasThePublishedCounts) {
  const auto posts = load_forum(shipped(kForumFile));
  ASSERT_TRUE(posts) << posts.error();
  EXPECT_EQ(posts->size(), 33'720U);
  std::set<std::uint32_t> users;
  std::set<std::uint32_t> topics;
  std::set<std::pair<std::uint32_t, std::uint32_t>> memberships;
  for (const ForumPost& post : *posts) {
    users.insert(post.user);
    topics.insert(post.topic);
    memberships.emplace(post.topic, post.user);
  }
  EXPECT_EQ(users.size(), 899U);
  EXPECT_EQ(*users.rbegin(), 899U);
  EXPECT_EQ(topics.size(), 522U);
  EXPECT_EQ(memberships.size(), 7'089U);
  EXPECT_EQ(posts->front(), (ForumPost{428, 538, 1'084'585'996}));
}

TEST(ShippedTraces, RttMatrixIsSquareAndNamed) {
  const auto matrix = load_rtt_matrix(shipped(kRttFile));
  ASSERT_TRUE(matrix) << matrix.error();
  ASSERT_EQ(matrix->names.size(), 21U);
  EXPECT_EQ(matrix->rtt_ms.size(), 21U * 21U);
  const std::size_t cape_town = matrix->find("af-south-1");
  const std::size_t hong_kong = matrix->find("ap-east-1");
  EXPECT_EQ(matrix->at(cape_town, hong_kong), 240U);
  EXPECT_EQ(matrix->at(hong_kong, cape_town), 241U);
  EXPECT_EQ(matrix->find("atlantis-1"), 21U);
  for (std::size_t place = 0; place < 21; ++place) {
    EXPECT_LE(matrix->at(place, place), 4U);
  }
}

TEST(ShippedTraces, OutagesHaveThePublishedCount) {
  const auto outages = load_outages(shipped(kOutagesFile));
  ASSERT_TRUE(outages) << outages.error();
  EXPECT_EQ(outages->size(), 884U);
  EXPECT_EQ(outages->front(), (TraceOutage{0, 14'400, 1'000}));
  std::int64_t longest = 0;
  std::uint32_t mildest = 1'000;
  for (const TraceOutage& outage : *outages) {
    longest = std::max(longest, outage.duration_s);
    mildest = std::min(mildest, outage.severity_milli);
  }
  EXPECT_EQ(longest, 42'000);
  EXPECT_EQ(mildest, 500U);
}

TEST(ShippedTraces, SessionsHaveReasonsAndGaps) {
  const auto sessions = load_sessions(shipped(kSessionsFile));
  ASSERT_TRUE(sessions) << sessions.error();
  EXPECT_EQ(sessions->size(), 12'664U);
  std::set<std::uint32_t> users;
  std::size_t ping_timeouts = 0;
  std::size_t splits = 0;
  std::size_t returned = 0;
  for (const TraceSession& session : *sessions) {
    users.insert(session.user);
    ping_timeouts += session.end == SessionEnd::kPingTimeout;
    splits += session.end == SessionEnd::kNetSplit;
    returned += session.offline_s >= 0;
    EXPECT_EQ(session.silent_s > 0, session.end == SessionEnd::kPingTimeout);
  }
  EXPECT_EQ(users.size(), 515U);
  EXPECT_EQ(ping_timeouts, 5'582U);
  EXPECT_EQ(splits, 484U);
  EXPECT_EQ(returned, 12'149U);
}

TEST(SessionEnds, NamesAndKinds) {
  EXPECT_EQ(to_string(SessionEnd::kPingTimeout), "ping_timeout");
  EXPECT_EQ(to_string(SessionEnd::kOther), "other");
  EXPECT_TRUE(is_involuntary(SessionEnd::kNetSplit));
  EXPECT_FALSE(is_involuntary(SessionEnd::kUserQuit));
}

TEST_F(TraceFile, MissingFileIsNamed) { EXPECT_EQ(what(load_messages(path_)), ": cannot be opened"); }

TEST_F(TraceFile, FolderIsNoFile) {
  const auto result = load_messages(::testing::TempDir());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find(": cannot be"), std::string::npos) << result.error();
}

TEST_F(TraceFile, MalformedMessages) {
  const std::string header = "unix_s,source,destination,characters\n";
  EXPECT_EQ(what(load_messages(write(""))),
            ":1: the first line must be 'unix_s,source,destination,characters'");
  EXPECT_EQ(what(load_messages(write("unix_s,source\n"))),
            ":1: the first line must be 'unix_s,source,destination,characters'");
  EXPECT_EQ(what(load_messages(write(header + "1,2,3,4\n5,6,7\n"))), ":3: 3 fields instead of 4");
  EXPECT_EQ(what(load_messages(write(header + "1,2,3,4\n\n"))), ":3: 1 fields instead of 4");
  EXPECT_EQ(what(load_messages(write(header + "1,2,3,4\n5,6,7,x\n"))),
            ":3: characters 'x' is not a whole number from 0 to 4294967295");
  EXPECT_EQ(what(load_messages(write(header + "1,2,3,4.5\n"))),
            ":2: characters '4.5' is not a whole number from 0 to 4294967295");
  EXPECT_EQ(what(load_messages(write(header + "1,0,3,4\n"))),
            ":2: source '0' is not a whole number from 1 to 4294967295");
  EXPECT_EQ(what(load_messages(write(header + "1,2,4294967296,4\n"))),
            ":2: destination '4294967296' is not a whole number from 1 to 4294967295");
  EXPECT_EQ(what(load_messages(write(header + "-1,2,3,4\n"))),
            ":2: unix_s '-1' is not a whole number from 0 to 4294967295");
  EXPECT_EQ(what(load_messages(write(header + "1,2,2,4\n"))), ":2: source and destination are the same user");
  EXPECT_EQ(what(load_messages(write(header + "9,2,3,4\n8,2,3,4\n"))), ":3: unix_s is before the row above");
  EXPECT_EQ(what(load_messages(write(header + "1,2,3,4\r\n"))),
            ":2: characters '4\r' is not a whole number from 0 to 4294967295");
}

TEST_F(TraceFile, LastLineMayLackItsEnd) {
  const auto messages = load_messages(write("unix_s,source,destination,characters\n1,2,3,4"));
  ASSERT_TRUE(messages) << messages.error();
  EXPECT_EQ(messages->size(), 1U);
}

TEST_F(TraceFile, MalformedForumOutagesSessions) {
  EXPECT_EQ(what(load_forum(write("user,topic,unix_s\n1,2,9\n1,2,8\n"))),
            ":3: unix_s is before the row above");
  const std::string outages = "start_s,duration_s,severity_milli\n";
  EXPECT_EQ(what(load_outages(write(outages + "0,10,500\n9,10,500\n"))),
            ":3: start_s is before the end of the row above");
  EXPECT_EQ(what(load_outages(write(outages + "0,10,1001\n"))),
            ":2: severity_milli '1001' is not a whole number from 1 to 1000");
  const std::string sessions = "user,start_unix_s,duration_s,reason,silent_s,offline_s\n";
  EXPECT_EQ(what(load_sessions(write(sessions + "1,2,3,bored,,\n"))), ":2: reason 'bored' is not known");
  EXPECT_EQ(what(load_sessions(write(sessions + "1,2,3,part,,soon\n"))),
            ":2: offline_s 'soon' is not a whole number from 0 to 4294967295");
  const auto last = load_sessions(write(sessions + "1,2,3,ping_timeout,240,\n"));
  ASSERT_TRUE(last) << last.error();
  EXPECT_EQ(last->front(), (TraceSession{1, 2, 3, SessionEnd::kPingTimeout, 240, -1}));
}

TEST_F(TraceFile, MalformedMatrix) {
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to,a,b\na,1,2\n"))), ":2: 1 rows instead of 2");
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to,a,b\nb,1,2\na,3,4\n"))), ":2: row of 'b' where 'a' belongs");
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to,a\na,1\na,1\n"))), ":3: row of 'a' where nothing belongs");
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to,a,a\n"))),
            ":1: the column name 'a' is empty or there twice");
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to\n"))), ":1: the first line names no places");
  EXPECT_EQ(what(load_rtt_matrix(write("from\\to,a\na,0\n"))),
            ":2: a '0' is not a whole number from 1 to 3600000");
}

TEST_F(TraceFile, DamagedGzipIsAnError) {
  std::ifstream whole(shipped(kMessagesFile), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  ASSERT_GT(bytes.size(), 400'000U);
  EXPECT_EQ(what(read_text(write(std::string_view(bytes).substr(0, bytes.size() / 2)))),
            ": the file is truncated");
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
  EXPECT_TRUE(what(read_text(write(flipped))).starts_with(": cannot be read: "));
}

}  // namespace
}  // namespace wavetank::sim
