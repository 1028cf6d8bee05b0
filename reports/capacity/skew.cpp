#include "reports/capacity/skew.hpp"

#include <algorithm>
#include <cmath>

namespace wavetank::capacity {
namespace {

constexpr int kAlone = 48;           // so many of the busiest are classes of their own
constexpr double kClassRatio = 1.2;  // the last rank of a class over its first

// The sum of k^-exponent for k from `first` to `last`: the integral, with halves of the ends (Euler and
// Maclaurin).
double zipf_sum(double exponent, double first, double last) {
  if (last <= first) return std::pow(first, -exponent);
  const double integral =
      std::abs(exponent - 1) < 1e-9
          ? std::log(last / first)
          : (std::pow(last, 1 - exponent) - std::pow(first, 1 - exponent)) / (1 - exponent);
  return integral + 0.5 * (std::pow(first, -exponent) + std::pow(last, -exponent));
}

}  // namespace

Skew::Skew(double exponent, double conversations, double hot_share) {
  const double most = std::max(1.0, std::floor(conversations));
  double total = 0;
  for (double first = 1; first <= most;) {
    const double last =
        first <= kAlone ? first : std::min(most, std::max(first, std::floor(first * kClassRatio)));
    const double sum = zipf_sum(exponent, first, last);
    classes_.push_back({last - first + 1, sum});  // the share is divided below
    total += sum;
    first = last + 1;
  }
  for (Class& one : classes_) one.share /= one.count * total;
  // A known hottest conversation takes the place of the first.
  if (hot_share > classes_.front().share && classes_.size() > 1) {
    const double others = 1 - classes_.front().share;
    classes_.front().share = hot_share;
    for (std::size_t i = 1; i < classes_.size(); ++i) classes_[i].share *= (1 - hot_share) / others;
  }
  hottest_ = classes_.front().share;
}

double Skew::busiest_shard(double shards, double risk) const {
  if (shards <= 1) return 1;
  const double chance = 1 / shards;
  const double needed = std::log(shards / risk);
  // For every theta > 0: P(share of one shard >= a) <= exp(log_moment(theta) - theta a); solved for a at risk
  // / shards.
  const auto bound = [&](double theta) {
    double log_moment = 0;
    for (const Class& one : classes_)
      log_moment += one.count * std::log1p(chance * std::expm1(theta * one.share));
    return (log_moment + needed) / theta;
  };
  // The best theta: the bound has one minimum. Golden section over its logarithm; exp(theta) must stay
  // finite.
  double low = std::log(1e-3);
  double high = std::log(std::min(600.0 / hottest_, 1e15));
  constexpr double kGolden = 0.6180339887498949;
  double left = high - kGolden * (high - low);
  double right = low + kGolden * (high - low);
  double at_left = bound(std::exp(left));
  double at_right = bound(std::exp(right));
  for (int step = 0; step < 48; ++step) {
    if (at_left < at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - kGolden * (high - low);
      at_left = bound(std::exp(left));
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + kGolden * (high - low);
      at_right = bound(std::exp(right));
    }
  }
  return std::clamp(std::min(at_left, at_right), std::max(chance, hottest_), 1.0);
}

}  // namespace wavetank::capacity
