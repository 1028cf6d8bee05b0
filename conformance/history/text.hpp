// A history as text, for people who grep: one line for each record, tab-separated, after one line that names
// the columns.
#pragma once

#include <string>
#include <string_view>

#include "conformance/history/record.hpp"

namespace wavetank::history {

// "send_acked"; "?" for what is no kind.
std::string_view name_of(Kind kind);

// Both with their line end. kNone is "-", digests are 16 hexadecimal digits.
std::string column_line();
std::string text_line(const Record& record);

}  // namespace wavetank::history
