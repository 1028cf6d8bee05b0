#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Small text helpers that the renderers share.
namespace wavetank::reports {

// Reads one code point of UTF-8 at `position` (< text.size()) and advances past it. An ill-formed, overlong
// or surrogate sequence gives U+FFFD and advances by one byte.
char32_t next_code_point(std::string_view text, std::size_t& position);

void append_utf8(std::string& out, char32_t code_point);

// The text as well-formed UTF-8 on one line: ill-formed bytes become U+FFFD, control characters (C0, DEL, C1,
// and the bidirectional overrides) become U+FFFD, tabs and line ends a blank.
std::string one_line(std::string_view text);

// How many code points a well-formed text has. Wide and combining characters count as one column each.
std::size_t columns(std::string_view text);

// At most `width` columns; a longer text ends in an ellipsis.
std::string shorten(std::string_view text, std::size_t width);

std::string with_thousands(std::int64_t value);       // 1,234,567
std::string duration_text(std::int64_t nanoseconds);  // 412 us, 12.3 ms, 41.2 s, 12 min 5 s, 2 h 0 min
std::string milliseconds_text(
    std::int64_t nanoseconds);               // 12.345 -> "12.3": three significant digits or all whole ones
std::string bytes_text(std::int64_t bytes);  // 1.2 GiB
std::int64_t per_second(std::int64_t count, std::int64_t nanoseconds);  // 0 when no time has passed

}  // namespace wavetank::reports
