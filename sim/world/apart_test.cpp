// A world in two processes is the world in one: not only its hashes, every record of it. The processes are
// threads here, each with a world of its own; sim/runner has the one between processes.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "sim/world/told_world.hpp"

namespace wavetank::sim {
namespace {

// Both ends in one process.
class MeetingPlace {
 public:
  class Seat final : public Partner {
   public:
    Seat(MeetingPlace& table, int side) : table_(table), side_(side) {}
    std::string exchange(std::string_view mine) override {
      std::unique_lock lock(table_.mutex_);
      table_.letters_[1 - side_].emplace_back(mine);
      table_.changed_.notify_all();
      auto& letters = table_.letters_[side_];
      table_.changed_.wait(lock, [&] { return !letters.empty() || table_.is_left_; });
      if (letters.empty()) throw std::runtime_error("the other process is gone");
      std::string theirs = std::move(letters.front());
      letters.pop_front();
      return theirs;
    }
    void leave() {
      const std::lock_guard lock(table_.mutex_);
      table_.is_left_ = true;
      table_.changed_.notify_all();
    }

   private:
    MeetingPlace& table_;
    int side_;
  };
  Seat seats[2] = {{*this, 0}, {*this, 1}};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> letters_[2];  // for each side
  bool is_left_ = false;
};

struct Unheard final : history::Sink {
  std::uint64_t heard = 0;
  void on(const history::Record&) override { ++heard; }
};

std::expected<std::unique_ptr<World>, std::string> make_part(const scenarios::Scenario& scenario,
                                                             std::uint64_t seed, Lane lane, Partner& partner,
                                                             history::Sink& sink) {
  WorldOptions options;
  options.seed = seed;
  options.lane = lane;
  options.partner = &partner;
  options.devices_at_once = 64;
  return World::make(scenario, std::move(options), sink);
}

ToldWorld run_apart(const scenarios::Scenario& scenario, std::uint64_t seed) {
  ToldWorld run;
  Unheard nobody;
  MeetingPlace table;
  auto servers = make_part(scenario, seed, kServerLane, table.seats[0], run.recording);
  auto devices = make_part(scenario, seed, kDeviceLane, table.seats[1], nobody);
  EXPECT_TRUE(servers) << servers.error();
  EXPECT_TRUE(devices) << devices.error();
  const auto play = [&](World& world, MeetingPlace::Seat& seat) {
    try {
      world.run();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      seat.leave();
    }
  };
  std::thread other([&] { play(**devices, table.seats[1]); });
  play(**servers, table.seats[0]);
  other.join();
  EXPECT_EQ(nobody.heard, 0u);
  run.take(**servers);
  return run;
}

class Apart : public testing::TestWithParam<std::pair<const char*, scenarios::Scenario (*)()>> {};

TEST_P(Apart, TwoProcessesTellTheSameHistoryAsOne) {
  const scenarios::Scenario scenario = GetParam().second();
  for (const std::uint64_t seed : {1, 2}) expect_same(run_alone(scenario, seed), run_apart(scenario, seed));
}

// Auditors in waves.
scenarios::Scenario star_in_waves() {
  return changed_scenario("star", {"devices=300", "run_s=25", "checks.audit_wave=100"});
}
// A community in three regions, over bytes and SQLite, that loses all connections at once.
scenarios::Scenario small_reconnect() {
  scenarios::Scenario scenario = changed_scenario(
      "campus",
      {"run_s=120", "population.users=30", "population.groups=8", "population.campus_messages=200"});
  scenario.clear_faults();
  scenario.mutable_checks()->clear_require();
  add_fault(scenario, "mass disconnect", faults::MASS_DISCONNECT, 60, 1, faults::Place::DEVICE);
  add_fault(scenario, "a third of them", faults::MASS_DISCONNECT, 70, 1, faults::Place::DEVICE, 333);
  return scenario;
}

INSTANTIATE_TEST_SUITE_P(Worlds, Apart,
                         testing::Values(std::pair("star", &small_star), std::pair("waves", &star_in_waves),
                                         std::pair("region", &small_region),
                                         std::pair("reconnect", &small_reconnect)),
                         [](const auto& one) { return one.param.first; });

TEST(ApartOf, AWorldThatIsCutIsNone) {
  Unheard nobody;
  MeetingPlace table;
  const auto world = make_part(small_campus(), 1, kServerLane, table.seats[0], nobody);
  ASSERT_FALSE(world);
  EXPECT_NE(world.error().find("fault 'gateway killed'"), std::string::npos) << world.error();
}

TEST(ApartOf, TwoWorldsThatAreNotTheSameIsFound) {
  Unheard unheard;
  MeetingPlace table;
  auto servers = make_part(small_star(), 1, kServerLane, table.seats[0], unheard);
  auto devices = make_part(small_star(), 1, kDeviceLane, table.seats[1], unheard);
  ASSERT_TRUE(servers && devices);
  (*devices)->disturb_for_test();
  std::thread other([&] {
    EXPECT_THROW((*devices)->run(), std::runtime_error);
    table.seats[1].leave();
  });
  EXPECT_THROW((*servers)->run(), std::runtime_error);
  table.seats[0].leave();
  other.join();
  working_lane = kDeviceLane;
}

TEST(ApartOf, AWorldWhoseOtherHalfDiesEndsWithAnError) {
  Recording recording;
  MeetingPlace table;
  auto servers = make_part(small_star(), 1, kServerLane, table.seats[0], recording);
  ASSERT_TRUE(servers);
  table.seats[1].leave();
  EXPECT_THROW((*servers)->run(), std::runtime_error);
  working_lane = kDeviceLane;
}

}  // namespace
}  // namespace wavetank::sim
