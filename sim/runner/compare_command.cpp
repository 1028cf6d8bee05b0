#include "sim/runner/compare_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "reports/comparison_html.hpp"
#include "reports/comparison_json.hpp"
#include "reports/comparison_terminal.hpp"
#include "reports/comparison_verdict.hpp"
#include "sim/runner/command_line.hpp"
#include "sim/runner/compare.hpp"
#include "sim/scenarios/scenario.hpp"

namespace wavetank::sim {
namespace {

template <class Value>
using Parsed = std::expected<Value, std::string>;

std::string option(const std::string& name, const std::string& value) {
  return value.empty() ? std::string() : " " + name + " " + shell_word(value);
}

std::string options_of(const std::string& name, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += option(name, value);
  return text;
}

std::string command_of(const CompareOptions& o) {
  std::string text = "./wavetank sim compare";
  for (const std::string& scenario : o.scenarios) text += " " + shell_word(scenario);
  text += options_of("--set", o.common) + options_of("--a", o.a) + options_of("--b", o.b);
  text += option("--plan", o.plan) + option("--a-defect", o.a_defect) + option("--b-defect", o.b_defect);
  text += option("--b-program", o.b_program) + fmt::format(" --seeds {}", o.seeds);
  if (o.first_seed != 1) text += fmt::format(" --first-seed {}", o.first_seed);
  return text + options_of("--bound", o.bounds) + option("--conversation", o.conversation);
}

// What one side says of itself: its settings, its file, or that it is the scenario as it stands.
std::string label_of(const std::string& scenario, const std::vector<std::string>& own, bool two_files) {
  std::string label = two_files ? scenario : "";
  for (const std::string& setting : own) label += (label.empty() ? "" : " ") + setting;
  return label.empty() ? "as it stands" : label;
}

// Everything of a side but its name: `own` are the settings only this side has.
Parsed<Design> read_design(const CompareOptions& o, bool side_b) {
  const std::vector<std::string>& own = side_b ? o.b : o.a;
  const std::string& defect = side_b ? o.b_defect : o.a_defect;
  const std::string side = side_b ? "--b" : "--a";
  const std::string& scenario = side_b ? o.scenarios.back() : o.scenarios.front();
  const auto read = read_scenario({scenario, {{"--set", o.common}, {side, own}}, o.plan});
  if (!read) return std::unexpected(read.error());
  Design design;
  design.scenario = *read;
  if (side_b) design.program = o.b_program;
  design.defect = defect;
  if (design.program.empty()) {
    const auto defects = read_defect(side + "-defect", defect);
    if (!defects) return std::unexpected(defects.error());
    design.defects = *defects;
  }
  design.label = label_of(scenario, own, o.scenarios.size() == 2);
  design.command = (design.program.empty() ? "./wavetank sim" : shell_word(design.program)) + " run " +
                   shell_word(scenario) + options_of("--set", o.common) + options_of("--set", own) +
                   option("--plan", o.plan) + option("--defect", defect);
  return design;
}

// "end_to_end.calm.wifi.p99=5"
Parsed<reports::Bound> read_bound(const std::string& text, const std::vector<std::string>& names) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0)
    return std::unexpected(fmt::format("--bound {}: expected MEASURE=PERCENT", text));
  reports::Bound bound{text.substr(0, equals), 0};
  const char* const begin = text.data() + equals + 1;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(begin, end, bound.percent);
  if (read.ec != std::errc() || read.ptr != end || begin == end || !std::isfinite(bound.percent) ||
      bound.percent < 0 || bound.percent > 1e6)
    return std::unexpected(
        fmt::format("--bound {}: '{}' is not a percentage from 0 to 1000000", text, text.substr(equals + 1)));
  if (std::find(names.begin(), names.end(), bound.measure) == names.end())
    return std::unexpected(
        fmt::format("--bound {}: no such measure; the nearest is {}; --all shows those of a run", text,
                    reports::nearest_name(bound.measure, names)));
  return bound;
}

Parsed<std::uint32_t> read_conversation(const std::string& text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && number != UINT32_MAX) return number;
  return std::unexpected(fmt::format("--conversation {}: not the number of a conversation", text));
}

Parsed<CompareRequest> read_request(const CompareOptions& o) {
  if (o.seeds < 1 || o.seeds > 100'000)
    return std::unexpected(fmt::format("--seeds must be within 1 and 100000, is {}", o.seeds));
  if (o.first_seed > UINT64_MAX - (o.seeds - 1))
    return std::unexpected("--first-seed and --seeds together pass 2^64 - 1");
  if (!o.bounds.empty() && o.seeds < 2)
    return std::unexpected("--bound needs --seeds 2 or more: one seed gives no interval to judge by");
  if (!o.b_program.empty() &&
      (!std::filesystem::is_regular_file(o.b_program) || access(o.b_program.c_str(), X_OK) != 0))
    return std::unexpected(fmt::format("--b-program {}: not a program that can be run", o.b_program));
  CompareRequest request;
  auto a = read_design(o, false);
  if (!a) return std::unexpected(a.error());
  auto b = read_design(o, true);
  if (!b) return std::unexpected(b.error());
  request.a = std::move(*a);
  request.b = std::move(*b);
  const std::vector<std::string> names = measure_names(request.a.scenario);
  for (const std::string& text : o.bounds) {
    const auto bound = read_bound(text, names);
    if (!bound) return std::unexpected(bound.error());
    request.bounds.push_back(*bound);
  }
  if (!o.conversation.empty()) {
    const auto conversation = read_conversation(o.conversation);
    if (!conversation) return std::unexpected(conversation.error());
    request.conversation = *conversation;
  }
  request.seeds = o.seeds;
  request.first_seed = o.first_seed;
  request.command = command_of(o);
  return request;
}

void show_progress(const CompareOptions& o, std::uint64_t seed, char side) {
  const std::string what = side == '*' ? "looks for the first difference" : fmt::format("side {}", side);
  fmt::print(stderr, "\r\x1b[Kseed {} ({} of {}), {}", seed, seed - o.first_seed + 1, o.seeds, what);
  std::fflush(stderr);
}

}  // namespace

CLI::App* add_compare(CLI::App& app, CompareOptions& o) {
  CLI::App* command =
      app.add_subcommand("compare", "Runs two designs on the same seeds and says what they differ in");
  command
      ->add_option("scenario", o.scenarios,
                   "A shipped name or a file for both sides, or two of them: A's and B's")
      ->required()
      ->expected(1, 2);
  command->add_option("--set", o.common, "path=value for both sides; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--a", o.a, "path=value for side A only; may be repeated")->allow_extra_args(false);
  command->add_option("--b", o.b, "path=value for side B only; may be repeated")->allow_extra_args(false);
  command->add_option("--plan", o.plan, "Replaces the faults and generators of both sides by this plan");
  command->add_option("--a-defect", o.a_defect, "Seeded defect of side A (test builds only)");
  command->add_option("--b-defect", o.b_defect, "Seeded defect of side B (test builds only)");
  command->add_option("--b-program", o.b_program, "Side B is run by this other wavetank-sim");
  const CLI::Validator whole(seed_problem, "", "number");
  command->add_option("--seeds", o.seeds, "How many seeds")->capture_default_str()->check(whole);
  command->add_option("--first-seed", o.first_seed, "The first of them")->capture_default_str()->check(whole);
  command
      ->add_option("--bound", o.bounds,
                   "MEASURE=PERCENT: fail when B surely exceeds A by more than so many per cent of A, for "
                   "example end_to_end.calm.wifi.p99=5; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--conversation", o.conversation,
                      "Number of the conversation whose first difference is told (default: where the sides "
                      "part first)");
  command->add_option("--out", o.out, "Folder for compare.html and compare.json");
  command->add_flag("--all", o.all, "Prints every measure");
  command->add_flag("--no-progress", o.no_progress, "No progress line");
  command->footer(
      "Example:\n  ./wavetank sim compare reconnect --a protocol.reconnect_min_ms=5000 --b "
      "protocol.reconnect_min_ms=1 --seeds 5\n"
      "Exits 1 when B violates what A holds or exceeds a bound, 2 when something was not checked.");
  return command;
}

int run_compare(const CompareOptions& o) {
  auto request = read_request(o);
  if (!request) return usage_error(request.error());
  if (!o.out.empty()) {  // said before the runs, not after them
    std::error_code error;
    std::filesystem::create_directories(o.out, error);
    if (error) return usage_error(fmt::format("{}: {}", o.out, error.message()));
  }
  const bool progress = !o.no_progress && isatty(STDERR_FILENO) != 0;
  if (progress) request->progress = [&](std::uint64_t seed, char side) { show_progress(o, seed, side); };
  const auto comparison = compare(*request);
  if (progress) fmt::print(stderr, "\r\x1b[K");
  if (!comparison) {
    usage_error(comparison.error().text);
    return comparison.error().code;
  }
  fmt::print("{}", reports::render_comparison_terminal(*comparison, isatty(STDOUT_FILENO) != 0, o.all));
  if (!o.out.empty()) {
    const std::filesystem::path folder = o.out;
    if (!write_file(folder / "compare.json", reports::render_comparison_json(*comparison)) ||
        !write_file(folder / "compare.html", reports::render_comparison_html(*comparison)))
      return reports::kInternal;
    fmt::print("report: {}\n", (folder / "compare.html").string());
  }
  return reports::exit_code(*comparison);
}

}  // namespace wavetank::sim
