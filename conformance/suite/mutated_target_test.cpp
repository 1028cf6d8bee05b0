// The decorator: what it lets pass, alters, holds back and ends; over both drivers.
#include "conformance/suite/mutated_target.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "conformance/suite/cases.hpp"
#include "conformance/suite/mistakes.hpp"
#include "conformance/suite/simulated_target.hpp"
#include "conformance/suite/socket_target.hpp"
#include "conformance/suite/test_support.hpp"
#include "conformance/suite/trial.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

constexpr Mutant kNothing{"nothing", "All is well.", {}, [] { return Mistake(); }};

bool any(const Frame&) { return true; }

std::map<std::string_view, Grade> grades(Target& target, std::string_view id_begin = {}) {
  std::map<std::string_view, Grade> map;
  for (const CaseResult& result : run_all(target, 1, id_begin)) map[result.id] = result.grade;
  return map;
}

// Says Hello as user 5.
ConnectionHandle greet(Target& target) {
  const auto connection = target.open();
  EXPECT_TRUE(connection.has_value());
  Hello hello;
  hello.user = 5;
  hello.access_token = target.token(5, 0);
  target.send(*connection, make_frame(hello, 1));
  return *connection;
}

TEST(Mutants, AreWellFormed) {
  std::set<std::string_view> names;
  std::size_t controls = 0;
  for (const Mutant& mutant : all_mutants()) {
    EXPECT_TRUE(names.insert(mutant.name).second) << mutant.name;
    EXPECT_EQ(mutant.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos)
        << mutant.name;
    EXPECT_TRUE(mutant.story.ends_with(".")) << mutant.name;
    EXPECT_EQ(find_mutant(mutant.name), &mutant);
    EXPECT_EQ(mutant.requirements().empty(), mutant.is_control());
    controls += mutant.is_control();
  }
  EXPECT_GE(controls, 8U);
  EXPECT_GE(names.size() - controls, 50U);
  EXPECT_EQ(find_mutant("no-such-mutant"), nullptr);
}

TEST(MutatedTarget, WithoutAMistakeEveryCasePasses) {
  SimulatedTarget inner({});
  MutatedTarget target(inner, kNothing);
  EXPECT_EQ(target.name(), "simulated network with nothing");
  for (const CaseResult& result : run_all(target, 1)) {
    // This server has neither a limit of sends nor a bound of pushes, keeps everything and removes no device.
    const bool lacks = result.id.starts_with("conf/limit/") || result.id.starts_with("conf/push/") ||
                       result.id.starts_with("conf/retention/") || result.id.starts_with("conf/credential/");
    EXPECT_EQ(name_of(result.grade), lacks ? "UNSUPPORTED" : "PASS") << result.id << ": " << result.detail;
  }
}

TEST(MutatedTarget, IsNoticedAlikeOnBothDrivers) {
  for (const char* name : {"pushes-come-twice", "slow-answers"}) {
    const Mutant& mutant = *find_mutant(name);
    SimulatedTarget simulated({});
    MutatedTarget over_simulation(simulated, mutant);
    const TestFolder folder;
    SocketTarget sockets(local_server(folder));
    MutatedTarget over_sockets(sockets, mutant);
    const auto noticed = grades(over_simulation, "conf/feed/DLV-");
    EXPECT_EQ(noticed, grades(over_sockets, "conf/feed/DLV-")) << name;
    EXPECT_EQ(noticed.at("conf/feed/DLV-PUSH-003/every-device-once"),
              mutant.is_control() ? Grade::kPass : Grade::kFail);
  }
}

TEST(MutatedTarget, HoldsBackForAsLongAsItIsTold) {
  const Mutant late{"late", "Welcome is late.", {}, [] {
                      Mistake mistake;
                      mistake.down = [](Line& line, Frame& frame) {
                        line.tell(frame, 2 * kSecond);
                        return false;
                      };
                      return mistake;
                    }};
  SimulatedTarget inner({});
  MutatedTarget target(inner, late);
  const ConnectionHandle connection = greet(target);
  const TimeNs begin = target.now();
  EXPECT_FALSE(target.wait_for(connection, any, kSecond).has_value());
  EXPECT_EQ(target.now(), begin + kSecond);
  const auto welcome = target.wait_for(connection, any, 5 * kSecond);
  ASSERT_TRUE(welcome.has_value());
  EXPECT_EQ(welcome->frame_seq, 1U);
  EXPECT_GE(target.now(), begin + 2 * kSecond);
  EXPECT_LT(target.now(), begin + 3 * kSecond);
}

TEST(MutatedTarget, EndsForTheServerAtOnceAndForTheClientInTime) {
  const Mutant ending{"ending", "A session ends.", {}, [] {
                        return tells<Welcome>([](Line& line, Welcome&) { line.end(kSecond); });
                      }};
  SimulatedTarget inner({});
  MutatedTarget target(inner, ending);
  const ConnectionHandle connection = greet(target);
  EXPECT_TRUE(target.wait_for(connection, any, kSecond).has_value());
  EXPECT_TRUE(inner.wait_closed(connection, 0));
  EXPECT_FALSE(target.wait_closed(connection, 100 * kMillisecond));
  EXPECT_TRUE(target.wait_closed(connection, 2 * kSecond));
}

TEST(MutatedTarget, KeepsAnEndToItself) {
  const Mutant keeping{
      "keeping", "No end is told.", {}, [] { return keeps_open([](const Line&) { return true; }); }};
  SimulatedTarget inner({});
  MutatedTarget target(inner, keeping);
  const ConnectionHandle connection = greet(target);
  EXPECT_TRUE(target.wait_for(connection, any, kSecond).has_value());
  target.send_raw(connection, std::string("\xff\xff", 2));
  const TimeNs begin = target.now();
  EXPECT_FALSE(target.wait_closed(connection, kSecond));
  EXPECT_EQ(target.now(), begin + kSecond);
  EXPECT_TRUE(inner.wait_closed(connection, 0));
}

TEST(MutatedTarget, CountsWhatIsNoFrame) {
  const Mutant garbling{"garbling", "Welcome is text.", {}, [] {
                          Mistake mistake;
                          mistake.down = [](Line& line, Frame&) {
                            line.tell_bytes("welcome");
                            return false;
                          };
                          return mistake;
                        }};
  SimulatedTarget inner({});
  MutatedTarget target(inner, garbling);
  EXPECT_FALSE(target.wait_for(greet(target), any, kSecond).has_value());
  EXPECT_EQ(target.wire_faults().undecodable, 1U);
  EXPECT_EQ(inner.wire_faults().undecodable, 0U);
}

TEST(Mistakes, ATouchingRunOfHiddenEntriesIsOneTombstone) {
  RangeResult page;
  page.from_seq = 1;
  page.covered_to_seq = 6;
  page.tombstones = {{1, 2, TombstoneReason::kNotVisible}};
  for (std::uint64_t seq = 3; seq <= 6; ++seq) page.events.emplace_back().conv_seq = seq;
  hide_events(page, [](const Event& event) { return event.conv_seq != 5; });
  EXPECT_EQ(numbers_of(page), std::vector<std::uint64_t>{5});
  EXPECT_TRUE(covers_densely(page));
  EXPECT_EQ(page.tombstones.size(), 2U);
}

}  // namespace
}  // namespace wavetank::conformance
