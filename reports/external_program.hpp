// Another executable, run to its end: no shell, its output in files.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace wavetank::reports {

struct ProgramEnd {
  int exit_code = 0;
  int signal = 0;          // not 0: killed by it, and there is no exit code
  std::string first_line;  // of what it wrote to standard error
};

// Runs `program` (a path, not looked up) with these arguments and waits for it. Standard output is dropped,
// standard error goes to the file `errors`. The error is one line: it could not be started.
std::expected<ProgramEnd, std::string> run_program(const std::string& program,
                                                   const std::vector<std::string>& arguments,
                                                   const std::filesystem::path& errors);

}  // namespace wavetank::reports
