#include "reports/capacity/sensitivity.hpp"

#include <algorithm>
#include <cmath>

#include "reports/capacity/plan.hpp"

namespace wavetank::capacity {
namespace {

double cost_with(Sheet& sheet, Number& number, double value) {
  const double before = number.value();
  number.set_value(value);
  const double cost = make_plan(sheet).cost.per_million_mau;
  number.set_value(before);
  return cost;
}

// The part of [low, high] in which the other numbers leave a meaning.
std::pair<double, double> sensible(const Sheet& s, const std::string& path, double low, double high) {
  if (path == "workload.event_peak_factor") low = std::max(low, s.workload().day_peak_factor().value());
  if (path == "workload.day_peak_factor") high = std::min(high, s.workload().event_peak_factor().value());
  if (path == "workload.group_share") high = std::min(high, 1 - s.workload().channel_share().value());
  if (path == "workload.channel_share") high = std::min(high, 1 - s.workload().group_share().value());
  if (path == "topology.target_utilisation")
    high = std::min(high, s.topology().failure_utilisation().value());
  if (path == "topology.failure_utilisation") low = std::max(low, s.topology().target_utilisation().value());
  if (path == "storage.hot_days") high = std::min(high, s.storage().retention_days().value());
  if (path == "storage.retention_days") low = std::max(low, s.storage().hot_days().value());
  if (path == "topology.regions" && s.topology().survive_region_loss()) low = std::max(low, 2.0);
  if (path == "topology.regions") low = std::max(low, s.storage().region_copies().value() + 1);
  if (path == "topology.zones" && s.topology().survive_zone_loss()) low = std::max(low, 2.0);
  if (path == "storage.replicas" && s.topology().survive_zone_loss()) low = std::max(low, 2.0);
  if (path == "storage.region_copies") high = std::min(high, s.topology().regions().value() - 1);
  if (path == "storage.region_copies" && s.topology().survive_region_loss()) low = std::max(low, 1.0);
  return {low, high};
}

}  // namespace

SensitivityOutcome sensitivities_of(const Sheet& original) {
  Sheet sheet = original;
  SensitivityOutcome out;
  out.cost = make_plan(sheet).cost.per_million_mau;
  double below = 0;
  double above = 0;
  for (const NumberOf& one : numbers_of(original)) {
    if (one.path.starts_with("calibration.") || one.path.starts_with("sweep.")) continue;
    Number& number = *find_number(sheet, one.path);
    const double value = number.value();
    const double share = original.sensitivity_percent() / 100;
    Sensitivity s;
    s.path = one.path;
    s.own_range = number.has_low() || number.has_high();
    s.low = number.has_low() ? number.low() : s.own_range ? value : value * (1 - share);
    s.high = number.has_high() ? number.high() : s.own_range ? value : value * (1 + share);
    if (one.about->whole()) {
      s.low = std::floor(s.low);
      s.high = std::ceil(s.high);
    }
    s.low = std::clamp(s.low, one.about->low(), one.about->high());
    s.high = std::clamp(s.high, one.about->low(), one.about->high());
    const auto [low, high] = sensible(original, one.path, s.low, s.high);
    s.low = std::min(low, value);
    s.high = std::max(high, value);
    s.cost_at_low = cost_with(sheet, number, s.low);
    s.cost_at_high = cost_with(sheet, number, s.high);
    const double least = std::min({s.cost_at_low, s.cost_at_high, out.cost});
    const double most = std::max({s.cost_at_low, s.cost_at_high, out.cost});
    below += (out.cost - least) * (out.cost - least);
    above += (most - out.cost) * (most - out.cost);
    if (s.swing() > out.cost * 1e-9) out.numbers.push_back(std::move(s));
  }
  std::sort(out.numbers.begin(), out.numbers.end(), [](const Sensitivity& a, const Sensitivity& b) {
    return a.swing() != b.swing() ? a.swing() > b.swing() : a.path < b.path;
  });
  out.band_low = std::max(0.0, out.cost - std::sqrt(below));
  out.band_high = out.cost + std::sqrt(above);
  return out;
}

}  // namespace wavetank::capacity
