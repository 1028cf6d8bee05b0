#pragma once

#include <string>

#include "reports/result.hpp"

namespace wavetank::reports {

inline constexpr int kTerminalLines = 40;
inline constexpr int kTerminalColumns = 100;

// The verdict on one screen: at most kTerminalLines lines of at most kTerminalColumns columns, each ended by
// '\n'. Violated and inconclusive properties come first; what does not fit is counted, never silently
// dropped. Control characters in texts are replaced, so a payload cannot steer the terminal. `colour` adds
// ANSI escape sequences.
std::string render_terminal(const Result& result, bool colour);

}  // namespace wavetank::reports
