// Exit codes of wavetank-serve: the rows of the project's table that a server can end with.
#pragma once

namespace wavetank::host {

enum ExitCode : int {
  kExitOk = 0,         // asked to end, and ended in order
  kExitUsage = 64,     // bad option, impossible value, missing file, address taken
  kExitInternal = 70,  // the store or the server itself failed
};

}  // namespace wavetank::host
