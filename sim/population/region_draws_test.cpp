// Every draw of a region against the number that stands in the scenario's schema.
#include "sim/population/region_draws.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace wavetank::sim {
namespace {

constexpr std::uint32_t kPeople = 100'000;
constexpr DurationNs kMinuteOfDay = 60 * kSecond;

// Floating point appears in this test only, as the yardstick.
struct Drawn {
  Drawn(std::uint32_t count, const std::function<std::int64_t(std::uint32_t)>& draw) {
    for (std::uint32_t i = 0; i < count; ++i) {
      values.push_back(draw(i));
      mean += static_cast<double>(values.back()) / count;
    }
    std::sort(values.begin(), values.end());
  }
  std::int64_t median() const { return values[values.size() / 2]; }
  std::vector<std::int64_t> values;
  double mean = 0;
};

struct Mission {
  scenarios::Population population;  // the defaults are the mission's
  RegionDraws draws{population, Randomness(1)};
};

// ---- the day

TEST(DayCurve, HasItsMeanAndItsPeak) {
  double sum = 0;
  std::uint32_t most = 0;
  std::uint32_t least = kDayPeakPpm;
  for (std::int64_t minute = 0; minute < 1440; ++minute) {
    const std::uint32_t rate = day_rate_ppm(minute * kMinuteOfDay);
    sum += rate;
    most = std::max(most, rate);
    least = std::min(least, rate);
  }
  EXPECT_NEAR(sum / 1440, 1e6, 10);
  EXPECT_EQ(most, kDayPeakPpm);
  EXPECT_NEAR(least, 455'752, 10);  // at half past four
}

TEST(DayCurve, HasTwoHumpsAndNoJumps) {
  int summits = 0;
  for (std::int64_t minute = 0; minute < 1440; ++minute) {
    const auto rate = [&](std::int64_t m) { return std::int64_t{day_rate_ppm(m * kMinuteOfDay)}; };
    EXPECT_LT(std::abs(rate(minute + 1) - rate(minute)), 5'000) << minute;
    summits += rate(minute + 1440) > rate(minute + 1439) && rate(minute + 1440) > rate(minute + 1441) ? 1 : 0;
  }
  EXPECT_EQ(summits, 2);
  EXPECT_EQ(day_rate_ppm(30 * 60 * kMinuteOfDay), day_rate_ppm(6 * 60 * kMinuteOfDay));  // the next day
}

TEST(DayCurve, TheDefaultSliceIsTheWorstTenMinutes) {
  const auto sum_from = [](std::int64_t first) {
    std::int64_t sum = 0;
    for (std::int64_t s = 0; s < 600; s += 5) sum += day_rate_ppm(first * kMinuteOfDay + s * kSecond);
    return sum;
  };
  std::int64_t worst = 0;
  for (std::int64_t minute = 1; minute < 1440; ++minute) {
    if (sum_from(minute) > sum_from(worst)) worst = minute;
  }
  EXPECT_EQ(worst, Mission().population.slice_start_min());
}

// ---- people

TEST(RegionDraws, SomeDevicesMoreThanConnectionsAreThere) {
  const Mission m;
  // 0.7 * (480 + 60) / 480 + 0.3 * (14400 + 60) / 14400 = 1.08875
  EXPECT_EQ(m.draws.devices_for(2'000'000), 2'177'500U);
  std::uint64_t on = 0;
  std::uint64_t phones_on = 0;
  for (std::uint32_t device = 0; device < kPeople; ++device) {
    on += m.draws.is_on_at_start(device) ? 1 : 0;
    phones_on += m.draws.is_on_at_start(device) && m.draws.is_phone(device) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(on) / kPeople, 1 / 1.08875, 0.005);
  EXPECT_NEAR(static_cast<double>(phones_on) / static_cast<double>(on), 0.7, 0.006);
}

TEST(RegionDraws, SessionsHaveTheMeansOfTheirClass) {
  const Mission m;
  const auto length_of = [&](bool phone) {
    double sum = 0;
    double count = 0;
    for (std::uint32_t device = 0; device < kPeople; ++device) {
      if (m.draws.is_phone(device) != phone) continue;
      sum += static_cast<double>(m.draws.session_time(device, 3)) / 1e9;
      ++count;
    }
    return sum / count;
  };
  EXPECT_NEAR(length_of(true), 480, 480 * 0.02);
  EXPECT_NEAR(length_of(false), 14'400, 14'400 * 0.02);
  const Drawn away(kPeople, [&](std::uint32_t i) { return m.draws.away_time(i, 1); });
  EXPECT_NEAR(away.mean, 60e9, 60e9 * 0.015);
}

TEST(RegionDraws, UsersHaveTheirDevices) {
  Mission m;
  m.population.set_two_devices_percent(30);
  m.population.set_three_devices_percent(5);
  EXPECT_EQ(m.draws.users_for(1'400'000), 1'000'000U);
  EXPECT_EQ(m.draws.users_for(1), 2U);
  EXPECT_EQ(m.draws.groups_of(1'000'000), 50'000U);
  EXPECT_EQ(m.draws.groups_of(2), 1U);
}

// ---- contacts

TEST(ContactGraph, DegreesAreHeavyTailedAndBounded) {
  const Mission m;
  const ContactGraph graph(m.population, kPeople, Randomness(1));
  const Drawn degrees(kPeople, [&](std::uint32_t user) { return graph.degree(user); });
  EXPECT_NEAR(degrees.mean, 14.4, 0.4);
  EXPECT_EQ(degrees.median(), 7);
  EXPECT_GE(degrees.values.front(), 1);
  EXPECT_LE(degrees.values.back(), 1000);
  EXPECT_GT(degrees.values.back(), 400);
  EXPECT_LE(graph.bytes(), kPeople / 64 * 4 + 64);
}

// Who has many contacts is many others' contact.
TEST(ContactGraph, PeopleAreContactsAsOftenAsTheyHaveSome) {
  constexpr std::uint32_t kUsers = 5'000;
  const Mission m;
  const ContactGraph graph(m.population, kUsers, Randomness(2));
  std::vector<std::uint32_t> chosen(kUsers);
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (std::uint32_t which = 0; which < graph.degree(user); ++which) {
      const std::uint32_t other = graph.contact(user, which);
      ASSERT_LT(other, kUsers);
      ASSERT_NE(other, user);
      ++chosen[other];
    }
  }
  double with_many = 0;
  double many = 0;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    if (graph.degree(user) < 50) continue;
    with_many += chosen[user];
    many += graph.degree(user);
  }
  ASSERT_GT(many, 5'000);
  EXPECT_NEAR(with_many / many, 1, 0.06);
  EXPECT_EQ(graph.contact(7, 0), graph.contact(7, 0));
}

TEST(ContactGraph, TwoUsersAreEachOthersContact) {
  const Mission m;
  const ContactGraph graph(m.population, 2, Randomness(3));
  for (std::uint32_t which = 0; which < graph.degree(0); ++which) EXPECT_EQ(graph.contact(0, which), 1U);
  for (std::uint32_t which = 0; which < graph.degree(1); ++which) EXPECT_EQ(graph.contact(1, which), 0U);
}

// ---- messages

// The mission's region: 9,000 sends a second at the peak, of which 85 % are direct.
TEST(RegionDraws, GapsGiveTheRatesOfTheProfile) {
  const Mission m;
  const double direct = 2e6 * 1e9 / static_cast<double>(m.draws.direct_gap());
  const double to_groups = 77'000 * 1e9 / static_cast<double>(m.draws.group_gap(2'000'000, 77'000));
  EXPECT_NEAR(direct + to_groups, 8'970, 5);
  EXPECT_NEAR(to_groups / (direct + to_groups), 0.15, 0.001);
  EXPECT_EQ(m.draws.channel_gap(2'000'000), kNever);  // of no channel
}

TEST(RegionDraws, ChannelsTakeTheirShareFromTheDirectMessages) {
  Mission m;
  m.population.set_channels(4);
  const double direct = 2e6 * 1e9 / static_cast<double>(m.draws.direct_gap());
  const double to_channels = 4 * 1e9 / static_cast<double>(m.draws.channel_gap(2'000'000));
  EXPECT_NEAR(to_channels, 0.897, 0.001);
  EXPECT_NEAR(direct / 8'970, 0.8499, 0.0002);
}

TEST(RegionDraws, WhoSendsNothingWaitsForEver) {
  Mission m;
  m.population.set_send_peak_uhz(0);
  EXPECT_EQ(m.draws.direct_gap(), kNever);
  EXPECT_EQ(m.draws.group_gap(1000, 10), kNever);
}

TEST(RegionDraws, GroupsHaveTheirSizes) {
  const Mission m;
  const Drawn members(kPeople, [&](std::uint32_t i) { return m.draws.group_members(i, 1'000'000); });
  EXPECT_NEAR(members.mean, 1 + 8.3, 0.15);
  EXPECT_EQ(members.median(), 1 + 5);
  EXPECT_GE(members.values.front(), 2);
  EXPECT_LE(members.values.back(), 1 + 1024);
  EXPECT_GT(members.values.back(), 200);
  for (std::uint32_t group = 0; group < 100; ++group) EXPECT_LE(m.draws.group_members(group, 5), 5U);
}

TEST(RegionDraws, TextsAreAsLongAsPeoplesAre) {
  Mission m;
  m.population.set_photo_ppm(0);
  m.population.set_voice_ppm(0);
  m.population.set_video_ppm(0);
  const Drawn texts(kPeople, [&](std::uint32_t i) { return m.draws.payload_bytes(i, 0); });
  EXPECT_NEAR(texts.mean, 32.8, 0.6);  // exp(2.83 + 1.15^2 / 2)
  EXPECT_EQ(texts.median(), 17);       // exp(2.83)
  EXPECT_GE(texts.values.front(), 1);
  EXPECT_LE(texts.values.back(), 35'079);
  m.population.set_envelope_bytes(1000);
  EXPECT_EQ(m.draws.payload_bytes(7, 0), 1000U + Mission().draws.payload_bytes(7, 0));
}

TEST(RegionDraws, SomeMessagesAreReferencesToMedia) {
  const Mission m;
  std::uint32_t media = 0;
  for (std::uint32_t i = 0; i < kPeople; ++i) {
    if (!m.draws.is_media(i, 1)) continue;
    ++media;
    EXPECT_EQ(m.draws.payload_bytes(i, 1), 200U);
  }
  EXPECT_NEAR(static_cast<double>(media) / kPeople, 0.0478, 0.002);
}

TEST(RegionDraws, HalfOfAllIsReadWithinAMinute) {
  const Mission m;
  const Drawn delays(kPeople, [&](std::uint32_t i) { return m.draws.read_delay(i, 3, 9); });
  EXPECT_NEAR(static_cast<double>(delays.median()), 60e9, 1.2e9);
  EXPECT_NEAR(delays.mean, 60e9 * 3.08, 60e9 * 0.2);  // exp(1.5^2 / 2)
}

TEST(RegionDraws, MessagesAreTypedOneAndAHalfTimes) {
  Mission m;
  const Drawn typed(kPeople, [&](std::uint32_t i) { return m.draws.typing_signals(i, 0); });
  EXPECT_NEAR(typed.mean, 1.5, 0.01);
  EXPECT_EQ(typed.values.front(), 1);
  EXPECT_EQ(typed.values.back(), 2);
  m.population.set_typing_events_permille(2000);
  EXPECT_EQ(m.draws.typing_signals(5, 0), 2U);
  m.population.set_typing_events_permille(0);
  EXPECT_EQ(m.draws.typing_signals(5, 0), 0U);
}

}  // namespace
}  // namespace wavetank::sim
