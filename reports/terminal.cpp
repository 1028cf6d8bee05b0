#include "reports/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "reports/terminal_text.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

const char* colour_of(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kPass:
      return "32";
    case PropertyVerdict::kFail:
      return "1;31";
    case PropertyVerdict::kInconclusive:
      return "1;33";
    case PropertyVerdict::kNotExercised:
      return "33";
  }
  return "33";
}

// 0 for what a reader must see first.
int rank_of(PropertyVerdict verdict) {
  switch (verdict) {
    case PropertyVerdict::kFail:
      return 0;
    case PropertyVerdict::kInconclusive:
      return 1;
    case PropertyVerdict::kPass:
      return 2;
    case PropertyVerdict::kNotExercised:
      return 3;
  }
  return 1;
}

// How many of the marks "this happened at least once" the run has left; empty when it counts none.
std::string probes_text(const Result& r) {
  std::size_t all = 0;
  std::size_t hit = 0;
  for (const Counter& counter : r.resources) {
    if (!counter.name.starts_with("probe: ")) continue;
    ++all;
    hit += counter.value > 0 ? 1 : 0;
  }
  return all == 0 ? "" : fmt::format("; {} of {} probes hit", hit, all);
}

// Where the memory of a big world is, by owner and for each device; nothing for a small one, where it says
// nothing.
std::string memory_text(const Result& r) {
  constexpr std::int64_t kFewDevices = 1000;
  if (r.devices < kFewDevices) return {};
  const auto of = [&](std::string_view part) {
    std::int64_t bytes = 0;
    for (const Counter& counter : r.resources) {
      if (counter.name == fmt::format("memory: {}", part)) bytes += counter.value;
    }
    return bytes;
  };
  const auto each = [&](std::int64_t bytes) { return with_thousands(bytes / r.devices); };
  const std::int64_t world = of("network") + of("event queue") + of("notes of history and people");
  if (of("devices") == 0) return {};
  return fmt::format(
      "bytes a device: client {}; session {}, cache {}, log {}, rows {}; monitors {}; world {}",
      each(of("devices")), each(of("servers: sessions")), each(of("servers: caches")),
      each(of("servers: logs and keys of sends")),
      each(of("servers: members and marks") + of("servers: feeds") + of("servers: other rows")),
      each(of("monitors")), each(world));
}

Lines head_lines(const Result& r, const Painter& painter) {
  Lines out;
  const Verdict verdict = effective_verdict(r);
  std::string name = "  " + one_line(r.scenario);
  if (r.merged_from.empty())
    name += fmt::format("  seed {}", r.seed);
  else
    name += fmt::format("  {} runs merged", r.merged_from.size());
  if (!r.defect.empty()) name += "  with the seeded defect " + one_line(r.defect);
  const std::string word(to_string(verdict));
  out.push_back(painter.paint(colour_of(verdict), word) +
                painter.bold(shorten(name, kTerminalColumns - word.size())));
  if (!r.engine_error.empty()) {
    out.push_back(
        painter.paint("1;31", shorten("engine error: " + one_line(r.engine_error), kTerminalColumns)));
  }
  const auto hash = [](const std::string& text) { return text.empty() ? std::string("-") : one_line(text); };
  out.push_back(painter.dim(shorten("trace " + hash(r.trace_hash) + "  history " + hash(r.history_hash) +
                                        "  scenario " + hash(r.scenario_digest),
                                    kTerminalColumns)));
  out.push_back(
      shorten(fmt::format("{} of virtual time in {}; {} events ({}/s); peak memory {}",
                          duration_text(r.virtual_ns), duration_text(r.wall_ns), with_thousands(r.events),
                          with_thousands(per_second(r.events, r.wall_ns)), bytes_text(r.peak_rss_bytes)),
              kTerminalColumns));
  out.push_back(
      shorten(fmt::format("{} users, {} devices, {} conversations; {} messages sent, {} deliveries",
                          with_thousands(r.users), with_thousands(r.devices), with_thousands(r.conversations),
                          with_thousands(r.messages_sent), with_thousands(r.deliveries)),
              kTerminalColumns));
  if (const std::string memory = memory_text(r); !memory.empty())
    out.push_back(painter.dim(shorten(memory, kTerminalColumns)));
  std::string conditions = fmt::format("wire {}, store {}", hash(r.fidelity.wire), hash(r.fidelity.store));
  // A merged result keeps no list of faults, so it has no number to state.
  if (r.merged_from.empty()) conditions += fmt::format("; {} faults injected", r.faults.size());
  conditions += probes_text(r);
  out.push_back(painter.dim(shorten(conditions, kTerminalColumns)));
  const std::vector<std::string>& claims = r.fidelity.claims;
  const auto claim = std::find_if(claims.begin(), claims.end(),
                                  [](const std::string& text) { return text.starts_with(kNotClaimed); });
  if (claim != claims.end()) out.push_back(painter.dim(shorten(one_line(*claim), kTerminalColumns)));
  const auto scale = std::find_if(r.factors.begin(), r.factors.end(),
                                  [](const Factor& factor) { return factor.name == Factor::kScale; });
  if (scale != r.factors.end()) out.push_back(shorten("scale: " + one_line(scale->value), kTerminalColumns));
  return out;
}

// One line; a second one with the note when the verdict needs explaining.
Lines property_entry(const PropertyResult& p, const Painter& painter) {
  const PropertyVerdict verdict = effective_verdict(p);
  std::string line = left(p.id, 14) + " " + painter.paint(colour_of(verdict), left(spelled(verdict), 13)) +
                     right(with_thousands(p.antecedents), 14) +
                     right(p.minimum == 0 ? "-" : with_thousands(p.minimum), 11) +
                     right(with_thousands(p.violations), 11) + "  ";
  line += painter.dim(shorten(one_line(p.title), kTerminalColumns - 66));
  if (verdict == PropertyVerdict::kPass || p.note.empty()) return {line};
  return {line, "  " + shorten(one_line(p.note), kTerminalColumns - 2)};
}

// "12 PASS, 1 NOT EXERCISED" of the properties that found no line.
std::string rest_line(const std::vector<const PropertyResult*>& properties, std::size_t shown) {
  std::map<int, std::pair<std::string, std::size_t>> counts;
  for (std::size_t i = shown; i < properties.size(); ++i) {
    const PropertyVerdict verdict = effective_verdict(*properties[i]);
    auto& [word, number] = counts[rank_of(verdict)];
    word = spelled(verdict);
    ++number;
  }
  std::string out = fmt::format("and {} more", properties.size() - shown);
  const char* separator = ": ";
  for (const auto& [rank, entry] : counts) {
    out += fmt::format("{}{} {}", separator, entry.second, entry.first);
    separator = ", ";
  }
  return out;
}

Lines property_lines(const Result& r, const Painter& painter, std::size_t budget) {
  if (r.properties.empty()) return {painter.paint("33", "No property was checked.")};
  Lines out{painter.dim(left("property", 15) + left("verdict", 13) + right("checked", 14) +
                        right("minimum", 11) + right("violations", 11))};
  std::vector<const PropertyResult*> sorted;
  for (int rank = 0; rank <= 3; ++rank) {
    for (const auto& property : r.properties) {
      if (rank_of(effective_verdict(property)) == rank) sorted.push_back(&property);
    }
  }
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Lines entry = property_entry(*sorted[i], painter);
    const std::size_t rest = i + 1 < sorted.size() ? 1 : 0;  // the line that counts what does not fit
    if (out.size() + entry.size() + rest > budget) {
      out.push_back(painter.dim(rest_line(sorted, i)));
      break;
    }
    out.insert(out.end(), entry.begin(), entry.end());
  }
  return out;
}

std::string latency_line(const Latency& l, const Painter& painter) {
  const Histogram& h = l.histogram;
  const std::int64_t p99 = h.value_at_quantile(99, 100);
  std::string out = left(l.metric, 18) + " " + left(l.phase, 10) + " " + left(l.cohort, 10) +
                    right(with_thousands(h.count()), 12);
  for (const std::int64_t thousandths : {500, 950}) {
    out += right(milliseconds_text(h.value_at_quantile(thousandths, 1000)), 9);
  }
  const bool over = l.judged_bound_ns > 0 && !h.empty() && p99 >= l.judged_bound_ns;
  const std::string p99_text = right(milliseconds_text(p99), 9);
  out += over ? painter.paint("1;31", p99_text) : p99_text;
  out += right(milliseconds_text(h.value_at_quantile(999, 1000)), 9);
  if (l.judged_bound_ns > 0)
    out += right((over ? "OVER " : "p99<") + milliseconds_text(l.judged_bound_ns), 11);
  return out;
}

Lines latency_lines(const Result& r, const Painter& painter, std::size_t budget) {
  std::vector<const Latency*> rows;
  for (const bool judged : {true, false}) {
    for (const auto& latency : r.latencies) {
      if ((latency.judged_bound_ns > 0) == judged) rows.push_back(&latency);
    }
  }
  if (rows.empty() || budget < 3) return {};
  Lines out{"", painter.dim(left("latency in ms", 19) + left("phase", 11) + left("cohort", 10) +
                            right("count", 12) + right("p50", 9) + right("p95", 9) + right("p99", 9) +
                            right("p99.9", 9) + right("judged", 11))};
  const bool all = rows.size() + 2 <= budget;
  const std::size_t shown = all ? rows.size() : budget - 3;
  for (std::size_t i = 0; i < shown; ++i) out.push_back(latency_line(*rows[i], painter));
  if (!all) out.push_back(painter.dim(fmt::format("and {} more in the report", rows.size() - shown)));
  return out;
}

Lines story_lines(const Result& r, const Painter& painter, std::size_t budget) {
  if (r.stories.empty() || budget < 3) return {};
  const Story& story = r.stories.front();
  Lines out{
      "", painter.paint("1;31", shorten(one_line(story.property + ": " + story.headline), kTerminalColumns))};
  Lines tail;
  if (!story.replay_command.empty())
    append_command(tail, painter, "replay", story.replay_command, "result.json");
  if (tail.size() + out.size() > budget) tail.clear();
  const std::size_t room = budget - out.size() - tail.size();
  for (std::size_t i = 0; i < story.prose.size() && i < room; ++i) {
    const bool last = i + 1 == room && i + 1 < story.prose.size();
    out.push_back("  " +
                  (last ? painter.dim(fmt::format("... {} more lines in the report", story.prose.size() - i))
                        : shorten(one_line(story.prose[i]), kTerminalColumns - 2)));
  }
  out.insert(out.end(), tail.begin(), tail.end());
  return out;
}

void append(Lines& out, const Lines& more) { out.insert(out.end(), more.begin(), more.end()); }

}  // namespace

std::string render_terminal(const Result& result, bool colour) {
  const Painter painter(colour);
  const Lines head = head_lines(result, painter);
  Lines foot;
  if (!result.command.empty()) append_command(foot, painter, "reproduce", result.command, "result.json");

  // The lines are handed out by what a reader needs most: a violation's story, every failed property, then
  // the judged latencies; whatever is left over goes back to the latencies.
  const std::size_t fixed = head.size() + 1 + (foot.empty() ? 0 : foot.size() + 1);
  std::size_t budget = static_cast<std::size_t>(kTerminalLines) - fixed;
  const Lines story = story_lines(result, painter, 8);
  budget -= story.size();
  const std::size_t latency_minimum =
      result.latencies.empty() ? 0 : std::min<std::size_t>(5, result.latencies.size() + 2);
  const Lines properties = property_lines(result, painter, budget - latency_minimum);
  budget -= properties.size();
  const Lines latencies = latency_lines(result, painter, budget);

  Lines all = head;
  all.emplace_back();
  append(all, properties);
  append(all, latencies);
  append(all, story);
  if (!foot.empty()) {
    all.emplace_back();
    append(all, foot);
  }
  std::string out;
  for (const std::string& line : all) out += line + "\n";
  return out;
}

}  // namespace wavetank::reports
