// A small region run whole, and its profiles against the planner's sheets.
#include <gtest/gtest.h>

#include <algorithm>

#include "reports/capacity/sheet.hpp"
#include "sim/runner/runner.hpp"
#include "sim/world/small_worlds.hpp"

namespace wavetank::sim {
namespace {

// ---- a run

RunOutcome run_region(std::uint64_t seed, const std::vector<std::string>& settings) {
  RunRequest request;
  request.scenario = changed_scenario("region", settings);
  request.seed = seed;
  request.command = "./wavetank sim run region";
  auto outcome = run_scenario(request);
  EXPECT_TRUE(outcome) << outcome.error();
  return std::move(*outcome);
}

// As the file says, of a thousandth of the connections and two minutes.
const RunOutcome& small_region() {
  static const RunOutcome outcome = run_region(1, {"devices=2000", "run_s=120"});
  return outcome;
}

TEST(RegionRun, PassesWithItsStorm) {
  const reports::Result& result = small_region().result;
  EXPECT_EQ(result.verdict, reports::Verdict::kPass);
  for (const auto& property : result.properties) EXPECT_EQ(property.violations, 0) << property.id;
  ASSERT_EQ(result.faults.size(), 1U);
  EXPECT_EQ(result.faults[0].kind, "MASS_DISCONNECT");
  EXPECT_EQ(result.faults[0].start_ns, 90 * kSecond);  // in the middle of the slice
  ASSERT_EQ(result.reconnect_curves.size(), 1U);
  const auto connected = std::find_if(result.series.begin(), result.series.end(),
                                      [](const auto& s) { return s.name == "connected devices"; });
  ASSERT_NE(connected, result.series.end());
  const std::int64_t before = connected->values.at(89);
  EXPECT_NEAR(static_cast<double>(before), 2000, 120);
  const auto& curve = result.reconnect_curves[0].values;
  EXPECT_LT(curve.at(1), before / 4);
  EXPECT_GT(curve.at(60), before * 19 / 20);
}

TEST(RegionRun, CarriesTheLoadOfItsProfile) {
  const reports::Result& result = small_region().result;
  // 2,000 connections, 4,485 millionths a second, one minute; joins are sends as well.
  const auto messages = static_cast<double>(result.messages_sent);
  const double groups_members = 1.5e3 / 20 * 9.3;
  EXPECT_NEAR(messages, 2000 * 0.004485 * 60 + groups_members, 250);
  EXPECT_EQ(result.devices, 2156);  // 2,000 * 1.08875, by users of 1.4 each
}

TEST(RegionRun, SaysOfWhatItIsASample) {
  const reports::Result& result = small_region().result;
  const auto scale = std::find_if(result.factors.begin(), result.factors.end(),
                                  [](const auto& factor) { return factor.name == reports::Factor::kScale; });
  ASSERT_NE(scale, result.factors.end());
  EXPECT_NE(scale->value.find("2000 connections at a time of 2000000 meant"), std::string::npos)
      << scale->value;
  const auto& claims = result.fidelity.claims;
  EXPECT_TRUE(std::any_of(claims.begin(), claims.end(), [](const std::string& claim) {
    return claim.starts_with(reports::kNotClaimed) && claim.find("the codec") != std::string::npos &&
           claim.find("SQLite") != std::string::npos;
  }));
}

// The storm is part of the plan, and the plan of a run repeats it.
TEST(RegionRun, ItsPlanHoldsTheStorm) {
  ASSERT_EQ(small_region().plan.fault_size(), 1);
  RunRequest request;
  request.scenario = changed_scenario("region", {"devices=2000", "run_s=120"});
  request.scenario.clear_storm();
  *request.scenario.mutable_faults() = small_region().plan;
  const auto again = run_scenario(request);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->result.trace_hash, small_region().result.trace_hash);
}

TEST(RegionRun, IsTheSameInEveryFidelity) {
  const std::vector<std::string> tiny = {"devices=150", "run_s=90", "population.ramp_s=30"};
  std::vector<std::string> whole = tiny;
  whole.insert(whole.begin(), "fidelity=correctness");
  const RunOutcome frames = run_region(2, tiny);
  const RunOutcome bytes = run_region(2, whole);
  EXPECT_EQ(bytes.result.fidelity.wire, "bytes");
  EXPECT_EQ(frames.result.history_hash, bytes.result.history_hash);
}

TEST(RegionRun, WithoutAdmissionEverybodyIsLetInAtOnce) {
  const RunOutcome open = run_region(1, {"devices=2000", "run_s=120", "admission_s=0"});
  EXPECT_NE(open.result.trace_hash, small_region().result.trace_hash);
  const auto connected = [](const reports::Result& result, std::size_t second) {
    return result.reconnect_curves.at(0).values.at(second);
  };
  EXPECT_GT(connected(open.result, 5), connected(small_region().result, 5));
}

// ---- profiles and sheets

struct Rates {
  double connected_share = 0;  // of the monthly users
  double sends = 0;            // by second and connection, at the daily peak
  double recipients = 0;       // of a message
  double devices_per_user = 0;
  double logins = 0;  // by second and connection
  double media = 0;   // share of the messages
};

Rates of_sheet(const std::string& name) {
  const auto sheet = capacity::load_sheet((scenarios::data_root() / "reports/sheets" / name).string());
  EXPECT_TRUE(sheet) << sheet.error();
  const capacity::Workload& w = sheet->workload();
  const double mean_sends = w.mau().value() * w.dau_share().value() * w.messages_per_dau().value() / 86'400;
  const double connections = w.mau().value() * w.connected_share().value();
  const double g = w.group_share().value();
  return {w.connected_share().value(),
          mean_sends * w.day_peak_factor().value() / connections,
          1 - g + g * w.group_recipients().value(),
          w.devices_per_user().value(),
          1 / w.session_s().value(),
          sheet->media().photo_share().value() + sheet->media().voice_share().value() +
              sheet->media().video_share().value()};
}

Rates of_profile(const std::string& name) {
  const scenarios::Scenario scenario = changed_scenario("region", {"profile=" + name});
  const scenarios::Population& p = scenario.population();
  constexpr double kMonthlyUsers = 100e6;
  constexpr double kGroupRecipients = 8.3;  // region_draws_test.cpp holds that they are
  const double phones = p.phone_permille() / 1000.0;
  const double g = p.group_sends_permille() / 1000.0;
  return {static_cast<double>(p.connections_meant()) / kMonthlyUsers,
          p.send_peak_uhz() / 1e6,
          1 - g + g * kGroupRecipients,
          1 + p.two_devices_percent() / 100.0 + p.three_devices_percent() / 50.0,
          phones / p.phone_session_s() + (1 - phones) / p.desktop_session_s(),
          (p.photo_ppm() + p.voice_ppm() + p.video_ppm()) / 1e6};
}

void expect_the_same(const Rates& profile, const Rates& sheet) {
  EXPECT_NEAR(profile.connected_share / sheet.connected_share, 1, 0.01);
  EXPECT_NEAR(profile.sends / sheet.sends, 1, 0.01);
  EXPECT_NEAR(profile.recipients / sheet.recipients, 1, 0.01);
  EXPECT_NEAR(profile.devices_per_user / sheet.devices_per_user, 1, 0.01);
  EXPECT_NEAR(profile.logins / sheet.logins, 1, 0.06);  // 1.48e-3 of the two classes, 1.56e-3 of the sheet
  EXPECT_NEAR(profile.media / sheet.media, 1, 0.02);
}

TEST(Profiles, TheMissionIsThatOfItsSheet) {
  const Rates mission = of_profile("mission");
  expect_the_same(mission, of_sheet("region.txtpb"));
  EXPECT_NEAR(mission.sends * 2e6, 9'000, 100);
  EXPECT_NEAR(mission.sends * 2e6 * mission.recipients * mission.devices_per_user, 26'000, 500);
}

TEST(Profiles, WhatsAppIsThatOfItsSheet) {
  const Rates whatsapp = of_profile("whatsapp2014");
  expect_the_same(whatsapp, of_sheet("whatsapp_2014.txtpb"));
  EXPECT_NEAR(whatsapp.sends, 0.0023, 0.00005);                       // Reed 2014
  EXPECT_NEAR(whatsapp.sends * whatsapp.recipients, 0.0048, 0.0001);  // deliveries
  EXPECT_NEAR(1 / whatsapp.logins, 10.7 * 60, 5);
}

}  // namespace
}  // namespace wavetank::sim
