// Rounds in which this project and its peers did one job in turn, and the table of their ratios.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/figures.hpp"

namespace wavetank::figures {

// What one program did in one round.
struct PeerRun {
  int round = 0;
  std::string job;   // "messages" or "hold"
  std::string tool;  // "wavetank" is ours; every other one is a peer
  double work = 0;   // of the job's unit, above 0
  double processor_s = 0;
};

// Reads lines of five fields with tabs between them, in the order of PeerRun. Throws FiguresError with the
// number of the line when one is anything else, when a tool did a job twice in a round, and when there is no
// line.
std::vector<PeerRun> parse_rounds(std::string_view text);

// For each job a table: the median rate of each tool per second of processor time, the least and the most,
// and our rate divided by the peer's in the same round: median, least, most. A peer without a round in common
// with us has no ratio. One line more names the fastest peer; what the standard library has ("std::...") is
// shown and is no peer.
std::string render_rounds(const std::vector<PeerRun>& runs);

// The ratios as figures, each the median over the rounds: of messages against ns-3 and against SimGrid, of
// the hold model against the fastest peer. One whose peer is missing is left out.
std::vector<Figure> figures_of_rounds(const std::vector<PeerRun>& runs);

}  // namespace wavetank::figures
