#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/capacity/plan.hpp"

// The few numbers of a plan that a measurement can be held against, by name.
namespace wavetank::capacity {

struct Quantity {
  std::string name;  // "gateway.connections"
  std::string text;
  std::string unit;
  double value;
};

// At the event peak, everything up; of one node or one shard.
std::vector<Quantity> quantities_of(const Plan& plan);

bool is_quantity(std::string_view name);
// All names, separated by commas.
std::string quantity_names();

}  // namespace wavetank::capacity
