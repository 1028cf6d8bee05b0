// PROTOCOL.md held to the code: its tables of messages, errors and limits. Its tables of requirements are
// written from conformance/requirements and held there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/print.hpp"

namespace wavetank::protocol {
namespace {

using Row = std::vector<std::string>;

// The cells of every table row of PROTOCOL.md, in order; header and rule lines included.
std::vector<Row> rows() {
  std::ifstream in(WAVETANK_SOURCE_DIR "/reference/protocol/PROTOCOL.md");
  EXPECT_TRUE(in);
  std::vector<Row> all;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| ")) continue;
    Row row;
    for (std::size_t start = 2, bar; (bar = line.find('|', start)) != std::string::npos; start = bar + 2) {
      row.push_back(bar > start ? line.substr(start, bar - start - 1) : "");
      if (bar + 1 >= line.size()) break;
    }
    all.push_back(row);
  }
  return all;
}

template <std::size_t... I>
std::vector<std::string> body_names(std::index_sequence<I...>) {
  return {std::string("`") + std::string(body_name(make_frame(std::variant_alternative_t<I + 1, Body>{}))) +
          "`" ...};
}

TEST(RequirementsTest, TheMessageTableHasEveryBodyInOrder) {
  const auto expected = body_names(std::make_index_sequence<std::variant_size_v<Body> - 1>{});
  std::vector<std::string> found;
  for (const Row& row : rows()) {
    if (row.size() == 4 && std::find(expected.begin(), expected.end(), row[0]) != expected.end())
      found.push_back(row[0]);
  }
  EXPECT_EQ(found, expected);
}

// ERR-CLASS-001
TEST(RequirementsTest, TheErrorTableIsTheCode) {
  int count = 0;
  for (const Row& row : rows()) {
    if (row.size() != 5 || (row[2] != "definite" && row[2] != "indefinite")) continue;
    const auto code = static_cast<ErrorCode>(std::stoul(row[1]));
    EXPECT_EQ(row[0], name_of(code));
    EXPECT_EQ(row[2] == "definite", is_definite(code)) << row[0];
    ++count;
  }
  EXPECT_EQ(count, 16);
  EXPECT_EQ(name_of(static_cast<ErrorCode>(count + 1)), "?");
}

// ERR-CLASS-002
TEST(RequirementsTest, AnUnknownErrorIsIndefinite) { EXPECT_FALSE(is_definite(static_cast<ErrorCode>(999))); }

TEST(RequirementsTest, TheLimitsAreTheCodecs) {
  std::map<std::string, std::string> defaults;
  for (const Row& row : rows()) {
    if (row.size() == 3) defaults[row[0]] = row[1];
  }
  static_assert(kMaxFrameBytes == 1'048'576 && kMaxPayloadBytes == 65'536 && kMaxRepeatedMessages == 4'096);
  EXPECT_EQ(defaults["frame"], "1,048,576 bytes");
  EXPECT_EQ(defaults["payload"], "65,536 bytes");
  EXPECT_EQ(defaults["elements of a repeated message field"], "4,096");
}

}  // namespace
}  // namespace wavetank::protocol
