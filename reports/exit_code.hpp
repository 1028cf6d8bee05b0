#pragma once

namespace wavetank::reports {

// The fixed table of exit codes, shared by every executable of the project. A code is never a count.
// A violation dominates an inconclusive check: with both, the process exits with kViolated.
enum ExitCode : int {
  kPass = 0,          // everything that had to be checked was checked and holds
  kViolated = 1,      // at least one property is violated
  kInconclusive = 2,  // no violation seen, but something that had to be checked was not
  kTargetDied = 3,    // the target could not be reached, or died
  kUsage = 64,        // bad option, unknown field, missing file, impossible value (EX_USAGE of sysexits.h)
  kInternal = 70,     // the engine itself failed (EX_SOFTWARE of sysexits.h)
};

}  // namespace wavetank::reports
