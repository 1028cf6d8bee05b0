// Reading small tables: comma-separated text, plain or gzipped, one header line, no quoting.
//
// What every file of sim/traces and sim/network/profiles is read with. An error is one line: "file:line:
// what".
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace wavetank::sim {

// The fields of one row; the views live for the call only.
using Fields = std::span<const std::string_view>;
// Takes one row. The error text is what is wrong, without the place.
using RowReader = std::function<std::expected<void, std::string>(Fields)>;

// No file is read beyond this many bytes of unpacked text: a broken or hostile gzip file ends in an error,
// not in swap.
inline constexpr std::size_t kLargestTableBytes = std::size_t{256} << 20;

// The whole text of a file; a gzip file is unpacked (recognised by its content, not by its name).
// Errors: "file: what" when it cannot be opened, is damaged or truncated, or holds more than
// kLargestTableBytes.
std::expected<std::string, std::string> read_text(const std::filesystem::path& path);

// Calls `read_row` for each line after the header, in file order, with as many fields as `header` has. Stops
// at the first error. Errors: those of read_text; "file:1: ..." when the first line is not `header`;
// "file:line: ..." when a row has another number of fields, or for what `read_row` returns. O(bytes), no
// allocation per row.
std::expected<void, std::string> read_table(const std::filesystem::path& path, std::string_view header,
                                            const RowReader& read_row);

// Like read_table, but any header is taken and given to `read_header` first; the rows must be as wide as it.
std::expected<void, std::string> read_table(const std::filesystem::path& path, const RowReader& read_header,
                                            const RowReader& read_row);

// The whole field as a decimal integer from `low` to `high` (no sign but '-', no blanks, no fraction).
// Error: "NAME 'text' is not a whole number from LOW to HIGH".
std::expected<std::int64_t, std::string> read_integer(std::string_view name, std::string_view text,
                                                      std::int64_t low, std::int64_t high);

// The same for the many columns that are unsigned 32-bit numbers.
std::expected<std::uint32_t, std::string> read_uint32(std::string_view name, std::string_view text,
                                                      std::uint32_t low = 0, std::uint32_t high = UINT32_MAX);

}  // namespace wavetank::sim
