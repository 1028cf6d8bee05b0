#include "sim/network/profiles/profile.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "sim/traces/table.hpp"

namespace wavetank::sim {
namespace {

using Done = std::expected<void, std::string>;

constexpr std::size_t kMostQuantiles = 1'001;

// Where the rows of one parameter go: into a table, or, with exactly one row, into a number.
struct Parameter {
  std::string_view name;
  std::uint32_t low;
  std::uint32_t high;
  QuantileTable* table;
  std::uint32_t* number;
  std::uint32_t rows = 0;
};

class ProfileReader {
 public:
  explicit ProfileReader(CohortProfile& profile)
      : parameters_{{{"loss_per_million", 0, 1'000'000, nullptr, &profile.loss_per_million},
                     {"delay_us", 0, 3'600'000'000, &profile.delay_us, nullptr},
                     {"up_kbps", 1, UINT32_MAX, &profile.up_kbps, nullptr},
                     {"down_kbps", 1, UINT32_MAX, &profile.down_kbps, nullptr},
                     {"stall_interval_ms", 0, UINT32_MAX, nullptr, &profile.stall.interval_ms},
                     {"stall_ms", 1, 86'400'000, &profile.stall.length_ms, nullptr},
                     {"dead_spot_interval_ms", 0, UINT32_MAX, nullptr, &profile.dead_spot.interval_ms},
                     {"dead_spot_ms", 1, 86'400'000, &profile.dead_spot.length_ms, nullptr}}} {}

  Done take(Fields fields) {
    for (Parameter& parameter : parameters_) {
      if (parameter.name == fields[0]) {
        return take(parameter, fields[1], fields[2]);
      }
    }
    return std::unexpected(fmt::format("unknown parameter '{}'", fields[0]));
  }

  // The first thing that is missing, "" when the profile is whole.
  std::string missing() const {
    for (const Parameter& parameter : parameters_) {
      if (parameter.number != nullptr && parameter.rows == 0) {
        return fmt::format("{} is missing", parameter.name);
      }
      const bool optional = parameter.name == "stall_ms" || parameter.name == "dead_spot_ms";
      if (parameter.table != nullptr && parameter.rows < 2 && !(optional && parameter.rows == 0)) {
        return fmt::format("{} needs at least 2 quantiles and has {}", parameter.name, parameter.rows);
      }
    }
    return {};
  }

 private:
  static Done take(Parameter& parameter, std::string_view position_text, std::string_view value_text) {
    const auto position = read_uint32("position", position_text);
    if (!position) {
      return std::unexpected(position.error());
    }
    if (*position != parameter.rows) {
      return std::unexpected(
          fmt::format("{} position {} where {} belongs", parameter.name, *position, parameter.rows));
    }
    const auto value = read_uint32(parameter.name, value_text, parameter.low, parameter.high);
    if (!value) {
      return std::unexpected(value.error());
    }
    if (parameter.rows == (parameter.table == nullptr ? 1 : kMostQuantiles)) {
      return std::unexpected(fmt::format("{} has more than {} rows", parameter.name, parameter.rows));
    }
    ++parameter.rows;
    if (parameter.number != nullptr) {
      *parameter.number = *value;
      return {};
    }
    if (!parameter.table->empty() && parameter.table->back() > *value) {
      return std::unexpected(
          fmt::format("{} falls from {} to {}", parameter.name, parameter.table->back(), *value));
    }
    parameter.table->push_back(*value);
    return {};
  }

  std::array<Parameter, 8> parameters_;
};

// What is wrong with a stall process, "" when nothing is.
std::string misfit(std::string_view name, const StallProcess& process) {
  if ((process.interval_ms == 0) != process.length_ms.empty()) {
    return fmt::format("{0}_interval_ms must be 0 exactly when there is no {0}_ms", name);
  }
  const std::uint32_t mean = quantile_mean(process.length_ms);
  if (!process.length_ms.empty() && mean >= process.interval_ms) {
    return fmt::format("{0}_ms takes {1} ms in the mean, {0}_interval_ms is only {2}", name, mean,
                       process.interval_ms);
  }
  return {};
}

}  // namespace

std::expected<CohortProfile, std::string> load_profile(const std::filesystem::path& path) {
  CohortProfile profile;
  profile.name = path.stem().string();
  ProfileReader reader(profile);
  const auto done =
      read_table(path, "parameter,position,value", [&reader](Fields fields) { return reader.take(fields); });
  if (!done) {
    return std::unexpected(done.error());
  }
  for (const std::string& problem :
       {reader.missing(), misfit("stall", profile.stall), misfit("dead_spot", profile.dead_spot)}) {
    if (!problem.empty()) {
      return std::unexpected(fmt::format("{}: {}", path.string(), problem));
    }
  }
  return profile;
}

std::uint32_t quantile_at(std::span<const std::uint32_t> table, std::uint64_t bits) {
  if (table.size() < 2) {
    return table.empty() ? 0 : table.front();
  }
  // The upper 32 bits are plenty: a step of the answer's resolution is far coarser than 2^-32 of the
  // distribution.
  const std::uint64_t position = (bits >> 32) * (table.size() - 1);
  const auto index = static_cast<std::size_t>(position >> 32);
  const std::uint64_t fraction = position & 0xffff'ffffU;
  const std::uint64_t step = table[index + 1] - table[index];
  return table[index] + static_cast<std::uint32_t>((step * fraction) >> 32);
}

std::uint32_t quantile_mean(std::span<const std::uint32_t> table) {
  if (table.size() < 2) {
    return table.empty() ? 0 : table.front();
  }
  // Each stretch between two neighbours has the same weight and the mean of its ends.
  std::uint64_t twice = 0;
  for (std::size_t index = 0; index + 1 < table.size(); ++index) {
    twice += std::uint64_t{table[index]} + table[index + 1];
  }
  return static_cast<std::uint32_t>(twice / (2 * (table.size() - 1)));
}

}  // namespace wavetank::sim
