// The first record of one conversation in which two histories differ: where two designs part.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "conformance/history/record.hpp"
#include "reports/comparison.hpp"

namespace wavetank::sim {

// Runs one side from its start to its end and lets the sink hear every record; each call is the same run.
// Errors are one line.
using HistoryRun = std::function<std::expected<void, std::string>(history::Sink&)>;

// Without `conversation`: of the conversation whose histories differ at the earliest time (the lower number
// when two do at once). Each side runs once, and once more when the conversation had to be found. All members
// of the records count, their time included. Fills everything but the seed. Memory: 16 bytes for each record
// of a conversation while it is looked for, then the records of one conversation.
std::expected<reports::FirstDifference, std::string> first_difference(
    const HistoryRun& a, const HistoryRun& b, std::optional<std::uint32_t> conversation);

}  // namespace wavetank::sim
