#include "reports/comparison_terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/comparison_verdict.hpp"
#include "reports/terminal.hpp"
#include "reports/terminal_text.hpp"
#include "reports/text.hpp"
#include "reports/verdict.hpp"

namespace wavetank::reports {
namespace {

constexpr std::size_t kDetailsMax = 12;
constexpr std::size_t kListMax = 12;
constexpr std::size_t kNameWidth = 37;

// Three to four significant digits, thousands and millions as such.
std::string number_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 1e6) return fmt::format("{:.3f} M", value / 1e6);
  if (size >= 1e4) return with_thousands(std::llround(value));
  if (size >= 100) return fmt::format("{:.1f}", value);
  if (size >= 1) return fmt::format("{:.2f}", value);
  return size >= 0.01 ? fmt::format("{:.3f}", value) : fmt::format("{:.2g}", value);
}

std::string signed_text(double value) { return (value > 0 ? "+" : "") + number_text(value); }

std::string percent_text(const PairedDifference& d) {
  if (d.difference == 0) return "";
  if (d.mean_a == 0) return "new";
  const double percent = 100 * d.difference / std::abs(d.mean_a);
  return std::abs(percent) >= 999.5 ? (percent > 0 ? ">999 %" : "<-999 %")
                                    : fmt::format("{:+.1f} %", percent);
}

std::string side_text(const ComparedSide& side) {
  std::string text = one_line(side.label);
  if (!side.defect.empty()) text += "  with the seeded defect " + one_line(side.defect);
  if (!side.program.empty()) text += "  run by " + one_line(side.program);
  return text;
}

Lines head_lines(const Comparison& c, const Painter& painter) {
  const Verdict verdict = verdict_of(c);
  const std::string word(to_string(verdict));
  std::string seeds = "no seeds";
  if (!c.seeds.empty()) {
    seeds = c.seeds.size() == 1 ? fmt::format("seed {}", c.seeds.front().seed)
                                : fmt::format("seeds {} to {}", c.seeds.front().seed, c.seeds.back().seed);
  }
  return {
      painter.paint(colour_of(verdict), word) +
          painter.bold(shorten("  " + one_line(c.scenario) + "  " + seeds, kTerminalColumns - word.size())),
      shorten("A  " + side_text(c.a), kTerminalColumns), shorten("B  " + side_text(c.b), kTerminalColumns),
      painter.dim(shorten(
          fmt::format("the same draws on both sides; differences are B - A, intervals {:g} % over the seeds",
                      100 * c.confidence),
          kTerminalColumns))};
}

Lines change_lines(const Comparison& c, const Painter& painter) {
  Lines out{""};
  if (c.changes.empty()) {
    out.push_back("verdicts: no property's verdict changes in any seed");
  } else {
    out.push_back(painter.dim("verdicts that change, A -> B"));
    std::vector<const VerdictChange*> sorted;  // what B breaks first
    for (const bool regression : {true, false}) {
      for (const VerdictChange& change : c.changes) {
        if (is_regression(change) == regression) sorted.push_back(&change);
      }
    }
    for (std::size_t i = 0; i < sorted.size() && i < kListMax; ++i) {
      const VerdictChange& change = *sorted[i];
      const std::string verdicts = spelled(change.a) + " -> " + spelled(change.b);
      const std::string head = left(fmt::format("seed {}", change.seed), 12) + left(change.property, 16);
      out.push_back(head + painter.paint(is_regression(change) ? "1;31" : "33", left(verdicts, 30)) +
                    painter.dim(shorten(one_line(change.note), kTerminalColumns - 58)));
    }
    if (sorted.size() > kListMax)
      out.push_back(painter.dim(fmt::format("and {} more in compare.json", sorted.size() - kListMax)));
  }
  for (const SharedViolation& shared : c.shared)
    out.push_back(
        painter.paint("33", shorten(fmt::format("violated on both sides: {} in {} of {} seeds",
                                                one_line(shared.property), shared.seeds, c.seeds.size()),
                                    kTerminalColumns)));
  for (std::size_t i = 0; i < c.unchecked.size() && i < kListMax; ++i)
    out.push_back(
        painter.paint("1;33", shorten("not checked: " + one_line(c.unchecked[i]), kTerminalColumns)));
  if (c.unchecked.size() > kListMax)
    out.push_back(painter.dim(fmt::format("and {} more in compare.json", c.unchecked.size() - kListMax)));
  return out;
}

// A name that is too long for its column gets a line of its own.
Lines measure_entry(const MeasureComparison& m, const Painter& painter) {
  const PairedDifference& d = m.paired;
  std::string interval;
  if (d.interval)
    interval = fmt::format("{} .. {}", signed_text(d.interval->low), signed_text(d.interval->high));
  const bool marked = d.excludes_zero();
  const bool worse = marked && d.difference > 0 && m.better == Better::kLower;
  const bool fits = columns(m.name) < kNameWidth;
  std::string line = left(fits ? m.name : "", kNameWidth) + right(number_text(d.mean_a), 10) +
                     right(number_text(d.mean_b), 10) + right(signed_text(d.difference), 10) +
                     right(percent_text(d), 9) + right(interval, 22);
  if (marked) line += painter.paint(m.better == Better::kNeutral ? "33" : worse ? "1;31" : "32", " *");
  return fits ? Lines{line} : Lines{shorten(m.name, kTerminalColumns), line};
}

bool has_bound(const Comparison& c, const std::string& name) {
  return std::any_of(c.bounds.begin(), c.bounds.end(),
                     [&](const BoundOutcome& outcome) { return outcome.bound.measure == name; });
}

Lines measure_lines(const Comparison& c, const Painter& painter, bool every) {
  Lines out{
      "", painter.dim(left("measure (ms, %, inputs, counts)", kNameWidth) + right("A", 10) + right("B", 10) +
                      right("B - A", 10) + right("of A", 9) + right("interval of B - A", 22))};
  const auto append = [&](const MeasureComparison& m) {
    for (std::string& line : measure_entry(m, painter)) out.push_back(std::move(line));
  };
  std::vector<const MeasureComparison*> details;
  std::size_t shown = 0;
  for (const MeasureComparison& m : c.measures) {
    if (every || !m.detail || has_bound(c, m.name)) {
      append(m);
      ++shown;
    } else if (m.paired.excludes_zero()) {
      details.push_back(&m);
    }
  }
  const auto weight = [](const MeasureComparison* m) {
    return std::abs(m->paired.difference) / std::max(1e-9, std::abs(m->paired.mean_a));
  };
  std::sort(details.begin(), details.end(), [&](const auto* x, const auto* y) {
    return weight(x) != weight(y) ? weight(x) > weight(y) : x->name < y->name;
  });
  const std::size_t chosen = std::min(kDetailsMax, details.size());
  if (chosen > 0) out.push_back(painter.dim("in detail, what differs most beyond chance"));
  for (std::size_t i = 0; i < chosen; ++i) append(*details[i]);
  shown += chosen;

  const auto marked = std::count_if(c.measures.begin(), c.measures.end(),
                                    [](const MeasureComparison& m) { return m.paired.excludes_zero(); });
  const auto differing = std::count_if(c.measures.begin(), c.measures.end(),
                                       [](const MeasureComparison& m) { return m.paired.difference != 0; });
  out.push_back(painter.dim(shorten(
      fmt::format(
          "{} of {} measures differ, {} marked * (the interval excludes 0); {} not shown (--all shows them)",
          differing, c.measures.size(), marked, c.measures.size() - shown),
      kTerminalColumns)));
  if (c.seeds.size() > 1)
    out.push_back(painter.dim(shorten(
        fmt::format(
            "of measures that differ by chance alone, about {:.2g} in a hundred get a mark all the same",
            100 * (1 - c.confidence)),
        kTerminalColumns)));
  return out;
}

Lines bound_lines(const Comparison& c, const Painter& painter) {
  Lines out;
  for (const BoundOutcome& outcome : c.bounds) {
    const bool exceeded = outcome.verdict == BoundVerdict::kExceeded;
    const char* word = exceeded ? "EXCEEDED" : outcome.verdict == BoundVerdict::kHeld ? "held" : "NOT JUDGED";
    const std::string why = outcome.verdict == BoundVerdict::kNotJudged
                                ? "fewer than two seeds have it on both sides"
                                : fmt::format("at most {} may be added", number_text(outcome.allowed));
    out.push_back(
        painter.paint(exceeded                                 ? "1;31"
                      : outcome.verdict == BoundVerdict::kHeld ? "32"
                                                               : "1;33",
                      left(word, 12)) +
        shorten(fmt::format("bound {} {:g} %: {}", outcome.bound.measure, outcome.bound.percent, why),
                kTerminalColumns - 12));
  }
  if (!out.empty()) out.insert(out.begin(), "");
  return out;
}

Lines first_lines(const Comparison& c, const Painter& painter) {
  if (!c.first_difference) return {};
  const FirstDifference& first = *c.first_difference;
  if (!first.different) {
    return {"", first.conversation < 0
                    ? fmt::format("first difference: none, all conversations have one history (seed {})",
                                  first.seed)
                    : fmt::format("first difference: none in conversation {} (seed {}, {} records)",
                                  first.conversation, first.seed, with_thousands(first.records_equal))};
  }
  Lines out{
      "",
      painter.dim(shorten(
          fmt::format("first difference of conversation {}, seed {}, after {} equal records; differs in {}",
                      first.conversation, first.seed, with_thousands(first.records_equal), first.members),
          kTerminalColumns))};
  for (const std::string& line : first.before)
    out.push_back(painter.dim(shorten("     " + one_line(line), kTerminalColumns)));
  out.push_back(shorten("  A: " + one_line(first.a), kTerminalColumns));
  out.push_back(shorten("  B: " + one_line(first.b), kTerminalColumns));
  return out;
}

}  // namespace

std::string render_comparison_terminal(const Comparison& comparison, bool colour, bool every_measure) {
  const Painter painter(colour);
  Lines all = head_lines(comparison, painter);
  const auto append = [&](const Lines& more) { all.insert(all.end(), more.begin(), more.end()); };
  append(change_lines(comparison, painter));
  append(measure_lines(comparison, painter, every_measure));
  append(bound_lines(comparison, painter));
  append(first_lines(comparison, painter));
  if (!comparison.command.empty()) {
    all.emplace_back();
    append_command(all, painter, "reproduce", comparison.command, "compare.json");
  }
  std::string out;
  for (const std::string& line : all) out += line + "\n";
  return out;
}

}  // namespace wavetank::reports
