#include "conformance/traceability/documents.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace wavetank::conformance {
namespace {

namespace fs = std::filesystem;

constexpr RecordFile kFiles[] = {
    {"properties", R"(property { id: "ORD-ONE" level: "MUST" })"},
    {"order", R"(
requirement { id: "ORD-ONE-001" level: "MUST" since: 1 text: "Each is one." source: "Own" oracle: "ORD-ONE"
              test: "Order.IsKept" test: "conf/order/ORD-ONE-001/one" test: "Order.Too" defect: "not-one" mutant: "two" }
requirement { id: "ORD-ONE-002" level: "SHOULD" since: 2 profile: "groups" text: "Both." source: "RFC 1" })"},
    {"client", R"(requirement { id: "CLI-ONE-001" level: "MUST" since: 1 text: "It is." source: "Own" }
                  unbroken: "CLI-ONE-001" unproved: "CLI-ONE-001")"},
};

Registry small() {
  auto read = Registry::read(kFiles);
  EXPECT_TRUE(read.has_value());
  return *std::move(read);
}

TEST(Documents, ATableHasOneRowForEachRule) {
  const Registry registry = small();
  EXPECT_EQ(protocol_table(registry, registry.sections()[0]),
            "| id | level | profile | requirement | source |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| ORD-ONE-001 | MUST | core | Each is one. | Own |\n"
            "| ORD-ONE-002 | SHOULD | groups, since 2 | Both. | RFC 1 |\n");
}

TEST(Documents, TheMatrixTellsWhatProvesWhat) {
  const std::string page = matrix(small());
  for (const char* row : {
           "\n| order | 2 | 1 | 1 | 1 | 1 | 1 |\n| client | 1 | 1 | 0 | 0 | 0 | 0 |\n| all | 3 | 2 | 1 | 1 | "
           "1 | 1 |\n",
           "\n## order\n",
           "\n| ORD-ONE-001 | MUST | ORD-ONE | Order.IsKept<br>Order.Too | conf/order/ORD-ONE-001/one | "
           "not-one | two |\n",
           "\n| ORD-ONE-002 | SHOULD |  |  |  |  |  |\n",
       }) {
    EXPECT_NE(page.find(row), std::string::npos) << row << "\n" << page;
  }
}

TEST(Documents, CountsTellTheDebt) {
  EXPECT_EQ(
      counts(small()),
      "| what | count |\n| --- | --- |\n| properties | 1 |\n| requirements | 3 |\n| of them MUST | 2 |\n"
      "| MUSTs that a seeded defect or a mutant breaks | 1 |\n| MUSTs that neither breaks yet: debt | 1 |\n"
      "| MUSTs that neither a property nor a test holds yet: CLI-ONE-001 | 1 |\n");
}

TEST(Documents, ABlockEndsAtTheFirstEmptyLine) {
  const std::string text = "a\n<!-- written: x -->\nold\nolder\n\nb\n";
  EXPECT_EQ(with_block(text, "x", "new\n").value(), "a\n<!-- written: x -->\nnew\n\nb\n");
  EXPECT_EQ(with_block(text, "x", "").value(), "a\n<!-- written: x -->\n\nb\n");
  EXPECT_EQ(with_block("<!-- written: x -->\n\nb\n", "x", "new\n").value(),
            "<!-- written: x -->\nnew\n\nb\n");
  EXPECT_EQ(with_block("<!-- written: x -->\nold", "x", "new\n").value(), "<!-- written: x -->\nnew\n");
  EXPECT_EQ(with_block("<!-- written: x -->\n", "x", "new\n").value(), "<!-- written: x -->\nnew\n");
}

TEST(Documents, ABlockIsThereOnce) {
  EXPECT_EQ(with_block("<!-- written: y -->\n", "x", "").error(), "there is no line '<!-- written: x -->'");
  EXPECT_EQ(with_block("<!-- written: x -->\n\n<!-- written: x -->\n", "x", "").error(),
            "the line '<!-- written: x -->' stands there twice");
}

// A checkout of the files that are written, with one table out of date.
class WrittenCheckout : public testing::Test {
 protected:
  WrittenCheckout() {
    write("reference/protocol/PROTOCOL.md",
          "# P\n\n<!-- written: order -->\n| old |\n\nKept.\n\n<!-- written: client -->\n");
    write("conformance/requirements/README.md", "# R\n\n<!-- written: counts -->\n\nKept.\n");
  }
  ~WrittenCheckout() override { fs::remove_all(top); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((top / path).parent_path());
    std::ofstream(top / path) << text;
  }
  std::string read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(top / path).rdbuf();
    return text.str();
  }

  const Registry registry = small();
  const fs::path top = fs::temp_directory_path() / ("wavetank-documents-" + std::to_string(getpid()));
};

TEST_F(WrittenCheckout, IsBroughtUpToDateAndThenStays) {
  const auto before = documents(registry, top);
  ASSERT_TRUE(before.has_value()) << before.error();
  for (const Document& document : *before) EXPECT_NE(document.found, document.wanted) << document.path;
  const auto changed = write_documents(registry, top);
  ASSERT_TRUE(changed.has_value()) << changed.error();
  EXPECT_EQ(*changed,
            (std::vector<std::string>{"reference/protocol/PROTOCOL.md", "conformance/requirements/README.md",
                                      "conformance/requirements/MATRIX.md"}));
  EXPECT_EQ(read("reference/protocol/PROTOCOL.md"),
            "# P\n\n<!-- written: order -->\n" + protocol_table(registry, registry.sections()[0]) +
                "\nKept.\n\n<!-- written: client -->\n" + protocol_table(registry, registry.sections()[1]));
  EXPECT_EQ(write_documents(registry, top), std::vector<std::string>{});
}

TEST_F(WrittenCheckout, AnyEditOfAWrittenTableIsSeen) {
  ASSERT_TRUE(write_documents(registry, top).has_value());
  const std::string page = read("reference/protocol/PROTOCOL.md");
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"Each is one.", "Each is two."},
                                 {"| ORD-ONE-002 | SHOULD | groups, since 2 | Both. | RFC 1 |\n", ""},
                                 {"MUST", "SHOULD"}}) {
    std::string edited = page;
    edited.replace(edited.find(from), from.size(), to);
    write("reference/protocol/PROTOCOL.md", edited);
    const auto list = documents(registry, top);
    ASSERT_TRUE(list.has_value());
    EXPECT_NE((*list)[0].found, (*list)[0].wanted) << from;
    EXPECT_EQ((*list)[0].wanted, page);
  }
}

TEST_F(WrittenCheckout, WhatIsMissingIsNamed) {
  write("reference/protocol/PROTOCOL.md", "<!-- written: order -->\n");
  EXPECT_EQ(documents(registry, top).error(),
            "reference/protocol/PROTOCOL.md: there is no line '<!-- written: client -->'");
  fs::remove(top / "reference/protocol/PROTOCOL.md");
  EXPECT_NE(documents(registry, top).error().find("PROTOCOL.md: cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace wavetank::conformance
