#include "reports/figures/peer_rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "reports/figures/figures_table.hpp"
#include "reports/terminal_text.hpp"

namespace wavetank::figures {
namespace {

constexpr const char* kOurs = "wavetank";
constexpr const char* kTimesAsMany = "times as many";
constexpr std::string_view kLibrary = "std::";  // begins the names of what is no simulator

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

PeerRun peer_run_of(std::string_view line) {
  std::array<std::string_view, 5> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t tab = line.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == fields.size())) {
      throw FiguresError("not five fields with tabs between them");
    }
    fields[i] = line.substr(0, tab);
    if (tab != std::string_view::npos) line.remove_prefix(tab + 1);
  }
  PeerRun run{0, std::string(fields[1]), std::string(fields[2]), 0, 0};
  if (!read_number(fields[0], run.round) || run.round < 1) throw FiguresError("the round is no number");
  if (run.job != "messages" && run.job != "hold") throw FiguresError("the job is neither messages nor hold");
  if (run.tool.empty()) throw FiguresError("the tool has no name");
  if (!read_number(fields[3], run.work) || !std::isfinite(run.work) || run.work <= 0) {
    throw FiguresError("the work is no number above 0");
  }
  if (!read_number(fields[4], run.processor_s) || !std::isfinite(run.processor_s) || run.processor_s <= 0) {
    throw FiguresError("the processor time is no number above 0");
  }
  return run;
}

double rate_of(const PeerRun& run) { return run.work / run.processor_s; }

struct Spread {
  double low = 0;
  double middle = 0;
  double high = 0;
};

Spread spread_of(const std::vector<double>& values) {
  return {std::ranges::min(values), median(values), std::ranges::max(values)};
}

struct ToolRates {
  std::string tool;
  std::vector<double> rates;
  std::vector<double> ratios;  // ours / this, round by round
};

const PeerRun* run_of_tool(const std::vector<PeerRun>& runs, const std::string& job, const std::string& tool,
                           int round) {
  const auto found = std::ranges::find_if(
      runs, [&](const PeerRun& run) { return run.job == job && run.tool == tool && run.round == round; });
  return found == runs.end() ? nullptr : &*found;
}

// In the order in which they first ran.
std::vector<ToolRates> rates_of(const std::vector<PeerRun>& runs, const std::string& job) {
  std::vector<ToolRates> tools;
  for (const PeerRun& run : runs) {
    if (run.job != job) continue;
    auto tool = std::ranges::find(tools, run.tool, &ToolRates::tool);
    if (tool == tools.end()) tool = tools.insert(tools.end(), ToolRates{run.tool, {}, {}});
    tool->rates.push_back(rate_of(run));
    const PeerRun* ours = run_of_tool(runs, job, kOurs, run.round);
    if (ours != nullptr && run.tool != kOurs) tool->ratios.push_back(rate_of(*ours) / rate_of(run));
  }
  return tools;
}

bool is_simulator(const ToolRates& tool) {
  return tool.tool != kOurs && !tool.tool.starts_with(kLibrary) && !tool.ratios.empty();
}

// nullptr when there is none.
const ToolRates* fastest_of(const std::vector<ToolRates>& tools) {
  const ToolRates* fastest = nullptr;
  for (const ToolRates& tool : tools) {
    if (is_simulator(tool) && (fastest == nullptr || median(fastest->rates) < median(tool.rates)))
      fastest = &tool;
  }
  return fastest;
}

std::string table_of(const std::vector<ToolRates>& tools, const std::string& unit) {
  using reports::left;
  using reports::right;
  std::string out =
      left("tool", 40) + right(unit, 14) + "   " + left("min .. max", 22) + "ours / peer   min .. max\n";
  for (const ToolRates& tool : tools) {
    const Spread rates = spread_of(tool.rates);
    out += left(tool.tool, 40) + right(figure_text(rates.middle), 14) + "   " +
           left(figure_text(rates.low) + " .. " + figure_text(rates.high), 22);
    if (!tool.ratios.empty()) {
      const Spread ratios = spread_of(tool.ratios);
      out += right(fmt::format("{:.3g}", ratios.middle), 11) +
             fmt::format("   {:.3g} .. {:.3g}", ratios.low, ratios.high);
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  if (const ToolRates* fastest = fastest_of(tools)) {
    const Spread ratios = spread_of(fastest->ratios);
    out += fmt::format("against the fastest peer ({}): {:.3g} ({:.3g} .. {:.3g} over {} rounds)\n",
                       fastest->tool, ratios.middle, ratios.low, ratios.high, fastest->ratios.size());
  }
  return out;
}

}  // namespace

std::vector<PeerRun> parse_rounds(std::string_view text) {
  std::vector<PeerRun> runs;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    try {
      PeerRun run = peer_run_of(text.substr(0, end));
      if (run_of_tool(runs, run.job, run.tool, run.round) != nullptr) {
        throw FiguresError("this tool has done this job in this round already");
      }
      runs.push_back(std::move(run));
    } catch (const FiguresError& error) {
      throw FiguresError(fmt::format("line {}: {}", number, error.what()));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (runs.empty()) throw FiguresError("no round in it");
  return runs;
}

std::string render_rounds(const std::vector<PeerRun>& runs) {
  std::string out;
  for (const auto& [job, title, unit] :
       {std::array<const char*, 3>{
            "messages", "messages delivered and acknowledged, per second of processor time", "messages/s"},
        std::array<const char*, 3>{
            "hold", "hold model: earliest event out, later one in, per second of processor time",
            "events/s"}}) {
    const std::vector<ToolRates> tools = rates_of(runs, job);
    if (tools.empty()) continue;
    if (!out.empty()) out += "\n";
    out += fmt::format("{}\n{}", title, table_of(tools, unit));
  }
  return out;
}

std::vector<Figure> figures_of_rounds(const std::vector<PeerRun>& runs) {
  std::vector<Figure> figures;
  for (const ToolRates& tool : rates_of(runs, "messages")) {
    if (!is_simulator(tool)) continue;
    if (tool.tool.starts_with("ns-3")) figures.push_back({"peers.ns3", median(tool.ratios), kTimesAsMany});
    if (tool.tool.starts_with("SimGrid"))
      figures.push_back({"peers.simgrid", median(tool.ratios), kTimesAsMany});
  }
  const std::vector<ToolRates> held = rates_of(runs, "hold");
  if (const ToolRates* fastest = fastest_of(held))
    figures.push_back({"peers.hold", median(fastest->ratios), kTimesAsMany});
  return figures;
}

}  // namespace wavetank::figures
