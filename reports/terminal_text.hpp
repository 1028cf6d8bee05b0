#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "reports/result.hpp"

// What the screens of this room share: colours, padding, commands that still can be pasted.
namespace wavetank::reports {

// Lines of one section; the caller hands out how many a section may have.
using Lines = std::vector<std::string>;

class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}

  // `sgr` is a Select Graphic Rendition parameter, for example "1;32" for bold green.
  [[nodiscard]] std::string paint(const char* sgr, const std::string& text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", sgr, text) : text;
  }
  [[nodiscard]] std::string dim(const std::string& text) const { return paint("2", text); }
  [[nodiscard]] std::string bold(const std::string& text) const { return paint("1", text); }

 private:
  bool colour_;
};

const char* colour_of(Verdict verdict);
// As a reader reads it: "NOT EXERCISED".
std::string spelled(PropertyVerdict verdict);

// Padded or cut to `width` code points (fmt's own width would count differently for wide characters).
std::string left(const std::string& text, std::size_t width);
// Padded in front; never cut.
std::string right(const std::string& text, std::size_t width);

// "label: command", the command broken at blanks with the shell's line continuation. Of a command that is too
// long it says in which file it stands.
void append_command(Lines& out, const Painter& painter, const std::string& label, const std::string& command,
                    const std::string& file);

}  // namespace wavetank::reports
