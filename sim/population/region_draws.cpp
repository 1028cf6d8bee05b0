#include "sim/population/region_draws.hpp"

#include <algorithm>

#include "sim/kernel/distribution.hpp"
#include "sim/population/day_curve_table.hpp"

namespace wavetank::sim {
namespace {

constexpr std::int64_t kMilli = 1000;
constexpr std::uint64_t kMillion = 1'000'000;
constexpr DurationNs kMinute = 60 * kSecond;
constexpr std::size_t kQuarters = std::size(tables::kDayCurve);

enum PeopleDraw : std::uint64_t { kIsPhone = 1, kIsOn, kDegree };
enum SessionDraw : std::uint64_t { kLength = 1, kAway };
enum SendDraw : std::uint64_t { kText = 1, kMedia, kTyped };

// A log-normal count given by a median in thousandths, rounded.
std::int64_t rounded_log_normal(std::int64_t median_milli, std::int32_t sigma_milli, std::uint64_t bits) {
  const std::int64_t milli = log_normal(median_milli, static_cast<std::uint32_t>(sigma_milli), bits);
  return (milli + kMilli / 2) / kMilli;
}

// numerator / denominator, cut to a time that can be waited for.
DurationNs gap_of(Uint128 numerator, Uint128 denominator) {
  if (numerator == 0 || denominator == 0) return kNever;
  const Uint128 gap = numerator / denominator;
  return gap > Uint128{1} << 60 ? kNever : static_cast<DurationNs>(gap);
}

// The relation of one class of devices: for each that is on there are (session + away) / session in all.
struct Classes {
  explicit Classes(const scenarios::Population& p)
      : phone(static_cast<std::uint64_t>(p.phone_session_s())),
        desktop(static_cast<std::uint64_t>(p.desktop_session_s())),
        away(static_cast<std::uint64_t>(p.away_s())),
        phones(static_cast<std::uint64_t>(p.phone_permille()) * (phone + away) * desktop),
        desktops(static_cast<std::uint64_t>(1000 - p.phone_permille()) * (desktop + away) * phone) {}
  std::uint64_t phone;  // seconds
  std::uint64_t desktop;
  std::uint64_t away;
  std::uint64_t phones;  // devices of that class, in proportion
  std::uint64_t desktops;
};

}  // namespace

std::uint32_t day_rate_ppm(TimeNs since_midnight) {
  constexpr DurationNs kQuarter = 15 * kMinute;
  const auto quarter = static_cast<std::size_t>(since_midnight / kQuarter);
  const std::int64_t low = tables::kDayCurve[quarter % kQuarters];
  const std::int64_t high = tables::kDayCurve[(quarter + 1) % kQuarters];
  const std::int64_t into_ms = since_midnight % kQuarter / kMillisecond;
  return static_cast<std::uint32_t>(low + (high - low) * into_ms / (kQuarter / kMillisecond));
}

// ---- contacts

ContactGraph::ContactGraph(const scenarios::Population& population, std::uint32_t users,
                           Randomness randomness)
    : median_milli_(population.contacts_median_milli()),
      sigma_milli_(static_cast<std::uint32_t>(population.contacts_sigma_milli())),
      most_(population.contacts_max()),
      users_(users),
      randomness_(randomness) {
  sums_.reserve(users / kBlock + 2);
  std::uint32_t sum = 0;
  for (std::uint32_t user = 0; user < users; ++user) {
    if (user % kBlock == 0) sums_.push_back(sum);
    sum += degree(user);
  }
  sums_.push_back(sum);
}

std::uint32_t ContactGraph::degree(std::uint32_t user) const {
  const std::int64_t drawn = rounded_log_normal(median_milli_, static_cast<std::int32_t>(sigma_milli_),
                                                randomness_.bits(Purpose::kRegionPeople, user, kDegree));
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(drawn, 1, most_));
}

// Each user owns as many of the stubs as it has contacts.
std::uint32_t ContactGraph::owner_of(std::uint32_t stub) const {
  const auto block =
      static_cast<std::uint32_t>(std::upper_bound(sums_.begin(), sums_.end() - 1, stub) - sums_.begin() - 1);
  std::uint32_t user = block * kBlock;
  for (std::uint32_t end = sums_[block] + degree(user); end <= stub; end += degree(user)) ++user;
  return user;
}

std::uint32_t ContactGraph::contact(std::uint32_t user, std::uint32_t which) const {
  constexpr std::uint64_t kTries = 4;
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    const std::uint32_t other = owner_of(static_cast<std::uint32_t>(
        randomness_.below(sums_.back(), Purpose::kRegionContact, user, which, attempt)));
    if (other != user) return other;
  }
  return (user + 1) % users_;
}

// ---- people

std::uint64_t RegionDraws::devices_for(std::uint64_t connections) const {
  const Classes c(population_);
  const Uint128 one_each = Uint128{1000} * c.phone * c.desktop;
  return static_cast<std::uint64_t>((Uint128{connections} * (c.phones + c.desktops) + one_each / 2) /
                                    one_each);
}

std::uint32_t RegionDraws::users_for(std::uint64_t devices) const {
  const auto two = static_cast<std::uint64_t>(population_.two_devices_percent());
  const auto three = static_cast<std::uint64_t>(population_.three_devices_percent());
  const std::uint64_t permille = 1000 + 10 * two + 20 * three;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(2, (devices * 1000 + permille / 2) / permille));
}

std::uint32_t RegionDraws::groups_of(std::uint32_t users) const {
  return std::max<std::uint32_t>(1, users / static_cast<std::uint32_t>(population_.users_per_group()));
}

bool RegionDraws::is_phone(std::uint32_t device) const {
  const Classes c(population_);
  return randomness_.chance(c.phones, c.phones + c.desktops, Purpose::kRegionPeople, device, kIsPhone);
}

bool RegionDraws::is_on_at_start(std::uint32_t device) const {
  const Classes c(population_);
  const std::uint64_t session = is_phone(device) ? c.phone : c.desktop;
  return randomness_.chance(session, session + c.away, Purpose::kRegionPeople, device, kIsOn);
}

DurationNs RegionDraws::session_time(std::uint32_t device, std::uint32_t n) const {
  const std::int32_t mean_s =
      is_phone(device) ? population_.phone_session_s() : population_.desktop_session_s();
  return exponential(mean_s * kSecond, randomness_.bits(Purpose::kRegionSession, device, n, kLength));
}

DurationNs RegionDraws::away_time(std::uint32_t device, std::uint32_t n) const {
  return exponential(population_.away_s() * kSecond,
                     randomness_.bits(Purpose::kRegionSession, device, n, kAway));
}

// ---- messages

// Rates are in millionths of a message by second, shares in millionths.
DurationNs RegionDraws::direct_gap() const {
  const std::int64_t elsewhere = std::int64_t{population_.group_sends_permille()} * 1000 +
                                 (population_.channels() > 0 ? population_.channel_sends_ppm() : 0);
  const auto share =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::int64_t{kMillion} - elsewhere));
  return gap_of(Uint128{kSecond} * kMillion * kMillion,
                Uint128{static_cast<std::uint64_t>(population_.send_peak_uhz())} * share);
}

DurationNs RegionDraws::group_gap(std::uint64_t connections, std::uint32_t groups) const {
  return gap_of(Uint128{kSecond} * kMillion * 1000 * groups,
                Uint128{connections} * static_cast<std::uint64_t>(population_.send_peak_uhz()) *
                    static_cast<std::uint64_t>(population_.group_sends_permille()));
}

DurationNs RegionDraws::channel_gap(std::uint64_t connections) const {
  return gap_of(Uint128{kSecond} * kMillion * kMillion * static_cast<std::uint64_t>(population_.channels()),
                Uint128{connections} * static_cast<std::uint64_t>(population_.send_peak_uhz()) *
                    static_cast<std::uint64_t>(population_.channel_sends_ppm()));
}

std::uint32_t RegionDraws::group_members(std::uint32_t group, std::uint32_t users) const {
  const std::int64_t recipients =
      rounded_log_normal(population_.group_median_milli(), population_.group_sigma_milli(),
                         randomness_.bits(Purpose::kRegionGroup, group, 0));
  const std::int64_t most = std::min<std::int64_t>(population_.group_recipients_max(), users - 1);
  return static_cast<std::uint32_t>(1 + std::clamp<std::int64_t>(recipients, 1, most));
}

bool RegionDraws::is_media(std::uint32_t device, std::uint32_t n) const {
  const std::int32_t ppm = population_.photo_ppm() + population_.voice_ppm() + population_.video_ppm();
  return randomness_.chance(static_cast<std::uint64_t>(ppm), kMillion, Purpose::kRegionSend, device, n,
                            kMedia);
}

std::uint32_t RegionDraws::payload_bytes(std::uint32_t device, std::uint32_t n) const {
  const std::int64_t inner =
      is_media(device, n)
          ? population_.media_reference_bytes()
          : std::clamp<std::int64_t>(
                rounded_log_normal(population_.text_median_milli(), population_.text_sigma_milli(),
                                   randomness_.bits(Purpose::kRegionSend, device, n, kText)),
                1, population_.text_max());
  return static_cast<std::uint32_t>(inner + population_.envelope_bytes());
}

DurationNs RegionDraws::read_delay(std::uint32_t device, std::uint32_t conversation,
                                   std::uint64_t seq) const {
  return log_normal(population_.read_median_ms() * kMillisecond,
                    static_cast<std::uint32_t>(population_.read_sigma_milli()),
                    randomness_.bits(Purpose::kRegionRead, device, conversation, seq));
}

std::uint32_t RegionDraws::typing_signals(std::uint32_t device, std::uint32_t n) const {
  const auto permille = static_cast<std::uint32_t>(population_.typing_events_permille());
  const bool one_more = randomness_.chance(permille % 1000, 1000, Purpose::kRegionSend, device, n, kTyped);
  return permille / 1000 + (one_more ? 1 : 0);
}

}  // namespace wavetank::sim
