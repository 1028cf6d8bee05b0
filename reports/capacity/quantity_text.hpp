#pragma once

#include <string>

// Numbers of a plan as a reader takes them: three digits, or all before the point. They are estimates.
namespace wavetank::capacity {

std::string quantity_text(double value);        // 0.0023, 12.3, 4,720, 5.30 M, 1.16 G
std::string whole_text(double value);           // 1,234: nodes, regions, copies
std::string percent_text(double share);         // "52.1 %"
std::string seconds_text(double seconds);       // "never" when infinite
std::string bytes_quantity(double bytes);       // decimal, as prices are: "1.20 TB"
std::string bit_rate_text(double bytes_per_s);  // "3.10 Gbit/s"

}  // namespace wavetank::capacity
