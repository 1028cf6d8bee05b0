#pragma once

#include <string>

// The frame of every page of this room: the built script and style, and one JSON document that they draw.
namespace wavetank::reports {

// One self-contained page. `title` is plain text, `attributes` goes into the body's tag as it stands, `json`
// is a whole document. The page's policy forbids every request.
std::string self_contained_page(const std::string& title, const std::string& attributes,
                                const std::string& json, const std::string& json_file);

}  // namespace wavetank::reports
