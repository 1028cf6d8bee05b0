// The real traces that ship with the project, as plain records: who wrote to whom and when, who posted where,
// how far apart regions are, when a messenger's servers failed, how long people stayed connected and why they
// dropped off.
//
// Origins, licences and what was derived: README.md beside this file. All functions read one file (plain or
// gzipped) when a world is set up, never while it runs; errors are one line, "file:line: what". Everything is
// integers. O(file size).
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wavetank::sim {

// One private message of the student network. Users are 1 to 1899, source != destination.
struct TraceMessage {
  std::int64_t unix_s = 0;        // UTC seconds
  std::uint32_t source = 0;       // user
  std::uint32_t destination = 0;  // user
  std::uint32_t characters = 0;   // length of the text in characters; 0 occurs
  friend bool operator==(const TraceMessage&, const TraceMessage&) = default;
};

// One post in the same community's forum. The trace has no lengths: whoever replays it draws them, by keyed
// draw, from the lengths of the private messages. Users are 1 to 899, an id space of their own (not the users
// of TraceMessage); topics are 522 numbers from 2 to 899, again an id space of their own, with holes.
struct ForumPost {
  std::uint32_t user = 0;
  std::uint32_t topic = 0;
  std::int64_t unix_s = 0;  // as the source gives it; its time zone is not stated
  friend bool operator==(const ForumPost&, const ForumPost&) = default;
};

// Round-trip times between places, in milliseconds. Not symmetric; the diagonal is the round trip inside a
// place.
struct RttMatrix {
  std::vector<std::string> names;
  std::vector<std::uint32_t> rtt_ms;  // row by row: from names[i] to names[j] at i * names.size() + j

  // Both below names.size().
  std::uint32_t at(std::size_t from, std::size_t to) const { return rtt_ms[from * names.size() + to]; }
  // The row of a place; names.size() when there is none of that name. O(places).
  std::size_t find(std::string_view name) const;
};

// One outage of a messenger's servers. Sorted by start, never overlapping.
struct TraceOutage {
  std::int64_t start_s = 0;          // seconds from the first outage of the trace
  std::int64_t duration_s = 0;       // above 0; the source counts in bins of 1,200 s
  std::uint32_t severity_milli = 0;  // 1 to 1000: share of what fails, in thousandths
  friend bool operator==(const TraceOutage&, const TraceOutage&) = default;
};

// Why a session ended, as the chat server said it.
enum class SessionEnd : std::uint8_t {
  kPingTimeout,  // the server heard nothing for silent_s seconds: the link was half-open
  kRemoteClosed,
  kConnectionReset,
  kConnectionTimeout,
  kNoRoute,
  kInputOutputError,
  kNetSplit,  // the servers lost each other: many users at once
  kServerKill,
  kInactivity,
  kUserQuit,
  kClientQuit,
  kPart,
  kOther,
};

// The word in the file, for example "ping_timeout". Static storage.
std::string_view to_string(SessionEnd end);
// True where the network or the server ended the session, false where the user did (quit, part) or nobody
// knows (other).
bool is_involuntary(SessionEnd end);

// One stretch of being connected, and how long the same person then stayed away.
struct TraceSession {
  std::uint32_t user = 0;         // person, from 1
  std::int64_t start_unix_s = 0;  // UTC seconds
  std::int64_t duration_s = 0;
  SessionEnd end = SessionEnd::kOther;
  std::uint32_t silent_s = 0;  // for kPingTimeout: seconds without a sign of life before the end; else 0
  std::int64_t offline_s =
      -1;  // until the person's next session; 0 = online elsewhere already; -1 = not seen again
  friend bool operator==(const TraceSession&, const TraceSession&) = default;
};

// Names of the shipped files inside sim/traces.
inline constexpr std::string_view kMessagesFile = "college_messages.csv.gz";
inline constexpr std::string_view kForumFile = "college_forum.csv.gz";
inline constexpr std::string_view kRttFile = "aws_21_regions_rtt_ms.csv";
inline constexpr std::string_view kOutagesFile = "whatsapp_outages.csv";
inline constexpr std::string_view kSessionsFile = "irc_qtox_sessions.csv.gz";

// In time order (checked).
std::expected<std::vector<TraceMessage>, std::string> load_messages(const std::filesystem::path& path);
// In time order (checked).
std::expected<std::vector<ForumPost>, std::string> load_forum(const std::filesystem::path& path);
// Square, rows named like the columns (checked).
std::expected<RttMatrix, std::string> load_rtt_matrix(const std::filesystem::path& path);
// In time order, not overlapping (checked).
std::expected<std::vector<TraceOutage>, std::string> load_outages(const std::filesystem::path& path);
// In order of start (checked). A person's sessions may overlap (two clients at once).
std::expected<std::vector<TraceSession>, std::string> load_sessions(const std::filesystem::path& path);

}  // namespace wavetank::sim
