#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "reports/capacity/sheet.pb.h"

// The planner's sheet: read, checked, and walked number by number. The schema is sheet.proto; what a number
// is, its unit and the values that mean something stand there as options of its field.
namespace wavetank::capacity {

// Reads a text-format file. An error is one line, "file:line:column: what": it does not parse, a number is
// missing, out of its range or without exactly one of source, measured and assumption, or two numbers
// contradict each other.
std::expected<Sheet, std::string> load_sheet(const std::string& file);

// The same of a text; `name` stands for the file in errors.
std::expected<Sheet, std::string> parse_sheet(std::string_view text, const std::string& name);

// Where a number comes from.
enum class Origin : std::uint8_t { kSource, kMeasured, kAssumption };
Origin origin_of(const Number& number);
// Its text, whichever of the three it is.
const std::string& reason_of(const Number& number);

// One number of a sheet. Pointers are into the sheet and the schema.
struct NumberOf {
  std::string path;  // "workload.mau", "calibration.range[0].up_to"
  const Number* number;
  const About* about;
};

// All numbers of a valid sheet in the order of the schema.
std::vector<NumberOf> numbers_of(const Sheet& sheet);

// The number at a path that numbers_of gives, or null.
Number* find_number(Sheet& sheet, std::string_view path);

}  // namespace wavetank::capacity
