#include "reports/capacity/capacity_terminal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/capacity/quantity_text.hpp"
#include "reports/terminal.hpp"
#include "reports/terminal_text.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::capacity {
namespace {

using reports::left;
using reports::Lines;
using reports::Painter;
using reports::right;

constexpr std::size_t kLargest = 5;  // bars of the tornado

// The text behind `head`, which is `width` columns wide; broken at blanks, later lines indented as far.
void add_wrapped(Lines& out, std::string head, std::size_t width, std::string text) {
  const std::size_t room = reports::kTerminalColumns - width;
  while (text.size() > room) {
    std::size_t blank = text.rfind(' ', room);
    if (blank == std::string::npos || blank == 0) break;
    out.push_back(head + text.substr(0, blank));
    head.assign(width, ' ');
    text = text.substr(blank + 1);
  }
  out.push_back(head + reports::shorten(text, room));
}

void add(Lines& out, const Painter& painter, const std::string& head, const std::string& text) {
  add_wrapped(out, painter.bold(left(head, 10)), 10, text);
}

void add_plan(Lines& out, const Painter& painter, const CapacityReport& r) {
  const Demand& d = r.plan.demand;
  const GatewayPlan& g = r.plan.gateways;
  const ShardPlan& s = r.plan.shards;
  const StoragePlan& b = r.plan.storage;
  const NetworkPlan& n = r.plan.network;
  add(out, painter, "demand",
      fmt::format(
          "{} MAU, {} connections; {} messages a day: {}/s mean, {}/s daily peak, {}/s event; {}/s delivered",
          quantity_text(r.sheet.workload().mau().value()), quantity_text(d.connections),
          quantity_text(d.sends_per_day), quantity_text(d.sends_mean), quantity_text(d.sends_day_peak),
          quantity_text(d.sends_event), quantity_text(d.deliveries_event)));
  add(out, painter, "gateways",
      fmt::format("{} (regions: {}): {} connections each, limited by {}; {} heartbeats/s, {} logins/s",
                  whole_text(g.nodes), whole_text(r.sheet.topology().regions().value()),
                  quantity_text(g.per_node), g.limits[g.binding].name, quantity_text(d.heartbeats),
                  quantity_text(d.logins)));
  std::string limits;
  for (const Limit& limit : g.limits)
    limits +=
        fmt::format("{}{} {}", limits.empty() ? "" : ", ", limit.name, quantity_text(limit.connections));
  add(out, painter, "", limits);
  add(out, painter, "shards",
      fmt::format("{} a region on {} nodes in all; busiest {} of a region's messages (mean {}), {} busy",
                  whole_text(s.per_region), whole_text(s.nodes), percent_text(s.busiest_share),
                  percent_text(s.mean_share), percent_text(s.busiest_busy)));
  add(out, painter, "storage",
      fmt::format("{} hot, {} in {} copies, {} cold, {} media; grows {} a day; a node is restored in {}",
                  bytes_quantity(b.hot), bytes_quantity(b.hot_stored), whole_text(b.copies),
                  bytes_quantity(b.cold), bytes_quantity(b.media), bytes_quantity(b.growth_day),
                  seconds_text(b.restore_node_s)));
  add(out, painter, "network",
      fmt::format("{} in ({} heartbeats), {} out, {} between regions, {} media", bit_rate_text(n.ingress),
                  percent_text(n.heartbeat_share), bit_rate_text(n.egress), bit_rate_text(n.cross_region),
                  bit_rate_text(n.media_egress)));
  add(out, painter, "cost",
      fmt::format("{} a month; {} by million MAU ({} to {}); {} by million messages",
                  quantity_text(r.plan.cost.per_month), quantity_text(r.plan.cost.per_million_mau),
                  quantity_text(r.sensitivities.band_low), quantity_text(r.sensitivities.band_high),
                  quantity_text(r.plan.cost.per_million_messages)));
}

void add_sensitivities(Lines& out, const Painter& painter, const CapacityReport& r) {
  out.emplace_back();
  out.push_back(painter.dim(left("what the cost hangs on", 38) + right("from", 10) + right("to", 10) +
                            right("by million MAU", 24)));
  const auto& numbers = r.sensitivities.numbers;
  for (std::size_t i = 0; i < std::min(kLargest, numbers.size()); ++i) {
    const Sensitivity& s = numbers[i];
    out.push_back(
        left(s.path, 38) + right(quantity_text(s.low), 10) + right(quantity_text(s.high), 10) +
        right(fmt::format("{} to {}", quantity_text(s.cost_at_low), quantity_text(s.cost_at_high)), 24));
  }
}

void add_sweep(Lines& out, const Painter& painter, const SweepOutcome& sweep) {
  out.emplace_back();
  out.push_back(painter.dim(
      reports::shorten(fmt::format("{} of {}, {}, p99 within {} ms: the last load in time and stable",
                                   sweep.metric, reports::one_line(sweep.scenario),
                                   sweep.seeds == 1 ? "seed 1" : fmt::format("seeds 1 to {}", sweep.seeds),
                                   quantity_text(sweep.slo_ns / 1e6)),
                       reports::kTerminalColumns)));
  for (const SweepState& state : sweep.states) {
    if (state.knee < 0) {
      out.push_back(left(state.name, 38) + "below the smallest load");
      continue;
    }
    const SweepPoint& p = state.points[static_cast<std::size_t>(state.knee)];
    out.push_back(left(state.name, 38) + fmt::format("{}{:g}: {} messages/s, p99 {} ms, shards {} busy",
                                                     state.beyond ? "at least " : "", p.factor,
                                                     quantity_text(p.offered),
                                                     quantity_text(static_cast<double>(p.p99_ns) / 1e6),
                                                     percent_text(p.shard_busy)));
  }
}

void add_checks(Lines& out, const Painter& painter, const CapacityReport& r) {
  out.emplace_back();
  for (const Check& check : r.checks) {
    const std::string word(reports::to_string(check.verdict));
    // What holds has one line; what does not is told whole.
    const std::string head = painter.paint(reports::colour_of(check.verdict), left(word, 13));
    if (check.verdict == reports::Verdict::kPass) {
      out.push_back(head + reports::shorten(check.name + ": " + check.text, reports::kTerminalColumns - 13));
    } else {
      add_wrapped(out, head, 13, check.name + ": " + check.text);
    }
  }
}

void add_origins(Lines& out, const Painter& painter, const CapacityReport& r) {
  std::size_t all = 0;
  std::size_t assumed = 0;
  std::size_t measured = 0;
  for (const NumberOf& one : numbers_of(r.sheet)) {
    ++all;
    assumed += origin_of(*one.number) == Origin::kAssumption ? 1 : 0;
    measured += origin_of(*one.number) == Origin::kMeasured ? 1 : 0;
  }
  const auto beyond =
      std::count_if(r.reach.begin(), r.reach.end(), [](const Reach& reach) { return reach.beyond(); });
  out.emplace_back();
  out.push_back(painter.dim(reports::shorten(
      fmt::format(
          "{} numbers: {} from sources, {} measured by this project, {} assumptions that nobody measured",
          all, all - assumed - measured, measured, assumed),
      reports::kTerminalColumns)));
  out.push_back(painter.dim(reports::shorten(fmt::format("{} of {} quantities lie beyond what was measured "
                                                         "or simulated: there only comparisons of plans hold",
                                                         beyond, r.reach.size()),
                                             reports::kTerminalColumns)));
}

}  // namespace

std::string render_capacity_terminal(const CapacityReport& report, bool colour) {
  const Painter painter(colour);
  Lines lines;
  const reports::Verdict verdict = verdict_of(report);
  const std::string word(reports::to_string(verdict));
  lines.push_back(
      painter.paint(reports::colour_of(verdict), word) +
      painter.bold("  capacity of " + reports::shorten(reports::one_line(report.sheet.name()),
                                                       reports::kTerminalColumns - word.size() - 14)));
  if (!report.sheet.description().empty())
    lines.push_back(painter.dim(
        reports::shorten(reports::one_line(report.sheet.description()), reports::kTerminalColumns)));
  lines.emplace_back();
  add_plan(lines, painter, report);
  add_sensitivities(lines, painter, report);
  if (report.sweep) add_sweep(lines, painter, *report.sweep);
  add_checks(lines, painter, report);
  add_origins(lines, painter, report);
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace wavetank::capacity
