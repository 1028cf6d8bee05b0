#include "reports/terminal_text.hpp"

#include "reports/terminal.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

constexpr std::size_t kCommandLines = 3;  // a longer command is named, not shown

// Breaks a command at blanks with the shell's line continuation, so that it can still be pasted.
Lines wrap_command(const std::string& command, std::size_t width, const std::string& file) {
  Lines lines;
  std::string rest = one_line(command);
  while (columns(rest) > width) {
    // Before an option if there is one, so that its value stays on its line.
    std::size_t blank = rest.rfind(" --", width - 2);
    if (blank == std::string::npos || blank == 0) blank = rest.rfind(' ', width - 2);
    if (blank == std::string::npos || blank == 0 || lines.size() + 1 >= kCommandLines) {
      return {"(too long for this screen: see the field \"command\" of " + file + ")"};
    }
    lines.push_back(rest.substr(0, blank) + " \\");
    rest = rest.substr(blank + 1);
  }
  lines.push_back(rest);
  return lines;
}

}  // namespace

const char* colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "1;32";
    case Verdict::kFail:
      return "1;31";
    case Verdict::kInconclusive:
      return "1;33";
  }
  return "1;33";
}

std::string spelled(PropertyVerdict verdict) {
  return verdict == PropertyVerdict::kNotExercised ? "NOT EXERCISED" : std::string(to_string(verdict));
}

std::string left(const std::string& text, std::size_t width) {
  std::string cut = shorten(one_line(text), width);
  cut.append(width - columns(cut), ' ');
  return cut;
}

std::string right(const std::string& text, std::size_t width) {
  const std::size_t used = columns(text);
  return used >= width ? text : std::string(width - used, ' ') + text;
}

void append_command(Lines& out, const Painter& painter, const std::string& label, const std::string& command,
                    const std::string& file) {
  const std::string head = label + ": ";
  const Lines lines = wrap_command(command, kTerminalColumns - head.size(), file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string lead = i == 0 ? painter.dim(head) : std::string(head.size(), ' ');
    out.push_back(lead + painter.bold(lines[i]));
  }
}

}  // namespace wavetank::reports
