#pragma once

#include <string>
#include <string_view>

// The frame of a page that is one or more tables: self-contained, opens offline, without a script. What is
// looked at as curves has page_shell.hpp.
namespace wavetank::reports {

// One page. `title` and `heading` are plain text; `style` comes behind the rules that all these pages share
// (tables, .scroll around a wide one, td.story for running text, td.good, td.bad, tr.bad); `body` is HTML.
std::string static_page(std::string_view title, std::string_view heading, std::string_view style,
                        std::string_view body);

// With the characters replaced that mean something in HTML, in text and in a quoted attribute.
std::string escaped_html(std::string_view text);

}  // namespace wavetank::reports
