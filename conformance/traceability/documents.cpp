#include "conformance/traceability/documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "conformance/traceability/counts.hpp"

namespace wavetank::conformance {
namespace {

namespace fs = std::filesystem;
using Failure = std::unexpected<std::string>;

constexpr std::string_view kProtocol = "reference/protocol/PROTOCOL.md";
constexpr std::string_view kMatrix = "conformance/requirements/MATRIX.md";
constexpr std::string_view kDoor = "conformance/requirements/README.md";

// The names in one cell, one below the other; of the tests only those that are cases, or only the others.
std::string cell(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, "<br>"));
}
std::string cell(const std::vector<std::string>& tests, bool cases) {
  std::vector<std::string> chosen;
  std::copy_if(tests.begin(), tests.end(), std::back_inserter(chosen),
               [&](const std::string& name) { return is_case(name) == cases; });
  return cell(chosen);
}

std::string row(std::string_view name, const Counts& count) {
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", name, count.rules, count.must, count.judged,
                     count.tested, count.by_case, count.broken);
}

std::expected<std::string, std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Failure(fmt::format("{}: cannot be read", path.string()));
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string protocol_table(const Registry& registry, const Section& section) {
  std::string out = "| id | level | profile | requirement | source |\n| --- | --- | --- | --- | --- |\n";
  for (const Requirement& rule : registry.rules(section)) {
    const std::string since = rule.since > 1 ? fmt::format(", since {}", rule.since) : "";
    out += fmt::format("| {} | {} | {}{} | {} | {} |\n", rule.id, rule.level, rule.profile, since, rule.text,
                       rule.source);
  }
  return out;
}

std::string matrix(const Registry& registry) {
  std::string out =
      "# What proves each requirement\n\n"
      "Written by `./wavetank conform list --write` from the records beside it; a test fails when the two "
      "differ.\n"
      "A requirement's text is in [PROTOCOL.md](../../reference/protocol/PROTOCOL.md), a property's in\n"
      "`./wavetank conform list`.\n\n"
      "| area | requirements | MUST | judged by a property | proved by a test | of these by a black-box case "
      "| broken by a defect or a mutant |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Section& section : registry.sections())
    out += row(section.name, Counts(registry.rules(section)));
  out += row("all", Counts(registry.rules()));
  for (const Section& section : registry.sections()) {
    out += fmt::format(
        "\n## {}\n\n| requirement | level | property | tests | black-box cases | seeded defects | mutants |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n",
        section.name);
    for (const Requirement& rule : registry.rules(section)) {
      out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", rule.id, rule.level, cell(rule.oracle),
                         cell(rule.tests, false), cell(rule.tests, true), cell(rule.defects),
                         cell(rule.mutants));
    }
  }
  return out;
}

std::string counts(const Registry& registry) {
  const Counts all(registry.rules());
  std::string out = "| what | count |\n| --- | --- |\n";
  const auto put = [&](std::string_view what, std::size_t count) {
    out += fmt::format("| {} | {} |\n", what, count);
  };
  put("properties", registry.properties().size());
  put("requirements", all.rules);
  put("of them MUST", all.must);
  put("MUSTs that a seeded defect or a mutant breaks", all.must_broken);
  put("MUSTs that neither breaks yet: debt", registry.unbroken().size());
  put(fmt::format("MUSTs that neither a property nor a test holds yet: {}",
                  fmt::join(registry.unproved(), ", ")),
      registry.unproved().size());
  return out;
}

std::expected<std::string, std::string> with_block(std::string_view text, std::string_view name,
                                                   std::string_view content) {
  const std::string mark = fmt::format("<!-- written: {} -->\n", name);
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos)
    return Failure(fmt::format("there is no line '<!-- written: {} -->'", name));
  const std::size_t begin = at + mark.size();
  if (text.find(mark, begin) != std::string_view::npos)
    return Failure(fmt::format("the line '<!-- written: {} -->' stands there twice", name));
  // An empty line directly behind the mark is the end of a block without content.
  const bool empty = begin == text.size() || text[begin] == '\n';
  const std::size_t gap = empty ? begin : text.find("\n\n", begin);
  const std::size_t end = gap == std::string_view::npos ? text.size() : empty ? gap : gap + 1;
  return fmt::format("{}{}{}", text.substr(0, begin), content, text.substr(end));
}

std::expected<std::vector<Document>, std::string> documents(const Registry& registry, const fs::path& top) {
  std::vector<Document> list;
  for (const std::string_view path : {kProtocol, kDoor}) {
    auto found = read_file(top / path);
    if (!found) return Failure(found.error());
    list.push_back({std::string(path), *found, *found});
  }
  const auto put = [](Document& document, std::string_view name, const std::string& content) {
    auto with = with_block(document.wanted, name, content);
    if (!with) return fmt::format("{}: {}", document.path, with.error());
    document.wanted = *std::move(with);
    return std::string();
  };
  for (const Section& section : registry.sections()) {
    const std::string error = put(list[0], section.name, protocol_table(registry, section));
    if (!error.empty()) return Failure(error);
  }
  const std::string error = put(list[1], "counts", counts(registry));
  if (!error.empty()) return Failure(error);
  // The matrix is written whole, so it may be missing.
  list.push_back({std::string(kMatrix), read_file(top / kMatrix).value_or(""), matrix(registry)});
  return list;
}

std::expected<std::vector<std::string>, std::string> write_documents(const Registry& registry,
                                                                     const fs::path& top) {
  const auto list = documents(registry, top);
  if (!list) return Failure(list.error());
  std::vector<std::string> changed;
  for (const Document& document : *list) {
    if (document.found == document.wanted) continue;
    std::ofstream out(top / document.path, std::ios::binary);
    if (!(out << document.wanted).flush())
      return Failure(fmt::format("{}: cannot be written", (top / document.path).string()));
    changed.push_back(document.path);
  }
  return changed;
}

}  // namespace wavetank::conformance
