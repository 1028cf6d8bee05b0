// What is written from the registry: the tables of PROTOCOL.md, the matrix, the counts in a README. A
// document keeps everything that stands outside of its written blocks.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

// The rules of one section as a table in Markdown.
std::string protocol_table(const Registry& registry, const Section& section);

// Every rule beside what judges, proves and breaks it, and how many have it; a whole page in Markdown.
std::string matrix(const Registry& registry);

// How much is proved and how much is debt: a table in Markdown, and the unproved by name.
std::string counts(const Registry& registry);

// `text` with the block `name` replaced: what follows the line `<!-- written: name -->` up to the next empty
// line or the end. An error when there is no such line, or more than one.
std::expected<std::string, std::string> with_block(std::string_view text, std::string_view name,
                                                   std::string_view content);

// One file of a checkout as it is and as it should be.
struct Document {
  std::string path;  // from the top
  std::string found;
  std::string wanted;
};

// All written documents of the checkout at `top`. An error is one line: a file or a block that is missing.
std::expected<std::vector<Document>, std::string> documents(const Registry& registry,
                                                            const std::filesystem::path& top);

// Writes those that differ and returns their paths. An error is one line.
std::expected<std::vector<std::string>, std::string> write_documents(const Registry& registry,
                                                                     const std::filesystem::path& top);

}  // namespace wavetank::conformance
