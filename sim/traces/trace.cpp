#include "sim/traces/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/traces/table.hpp"

namespace wavetank::sim {
namespace {

// Seconds of any of the traces: from the epoch to the year 2106.
constexpr std::int64_t kLatestSecond = UINT32_MAX;

using Done = std::expected<void, std::string>;

constexpr std::array<std::pair<SessionEnd, std::string_view>, 13> kSessionEnds{{
    {SessionEnd::kPingTimeout, "ping_timeout"},
    {SessionEnd::kRemoteClosed, "remote_closed"},
    {SessionEnd::kConnectionReset, "conn_reset"},
    {SessionEnd::kConnectionTimeout, "conn_timeout"},
    {SessionEnd::kNoRoute, "no_route"},
    {SessionEnd::kInputOutputError, "io_error"},
    {SessionEnd::kNetSplit, "net_split"},
    {SessionEnd::kServerKill, "server_kill"},
    {SessionEnd::kInactivity, "inactivity"},
    {SessionEnd::kUserQuit, "user_quit"},
    {SessionEnd::kClientQuit, "client_quit"},
    {SessionEnd::kPart, "part"},
    {SessionEnd::kOther, "other"},
}};

// Reads the columns of one row into typed places and keeps the first error.
class RowParser {
 public:
  explicit RowParser(Fields fields) : fields_(fields) {}

  RowParser& seconds(std::size_t column, std::string_view name, std::int64_t& into, std::int64_t low = 0) {
    return keep(read_integer(name, fields_[column], low, kLatestSecond), into);
  }
  RowParser& number(std::size_t column, std::string_view name, std::uint32_t& into, std::uint32_t low = 0,
                    std::uint32_t high = UINT32_MAX) {
    return keep(read_uint32(name, fields_[column], low, high), into);
  }
  RowParser& require(bool holds, std::string_view otherwise) {
    if (done_ && !holds) {
      done_ = std::unexpected(std::string(otherwise));
    }
    return *this;
  }
  Done done() const { return done_; }

 private:
  template <typename Value>
  RowParser& keep(std::expected<Value, std::string> value, Value& into) {
    if (!value) {
      if (done_) {
        done_ = std::unexpected(std::move(value.error()));
      }
    } else {
      into = *value;
    }
    return *this;
  }

  Fields fields_;
  Done done_;
};

// Reads all rows of a file through `parse(fields, rows so far, new row)`.
template <typename Row, typename Parse>
std::expected<std::vector<Row>, std::string> load_rows(const std::filesystem::path& path,
                                                       std::string_view header, Parse parse) {
  std::vector<Row> rows;
  const auto done = read_table(path, header, [&](Fields fields) -> Done {
    Row row;
    Done parsed = parse(fields, std::as_const(rows), row);
    if (parsed) {
      rows.push_back(row);
    }
    return parsed;
  });
  if (!done) {
    return std::unexpected(done.error());
  }
  return rows;
}

}  // namespace

std::string_view to_string(SessionEnd end) {
  const auto found = std::ranges::find(kSessionEnds, end, [](const auto& entry) { return entry.first; });
  return found == kSessionEnds.end() ? std::string_view("unknown") : found->second;
}

bool is_involuntary(SessionEnd end) {
  return end != SessionEnd::kUserQuit && end != SessionEnd::kClientQuit && end != SessionEnd::kPart &&
         end != SessionEnd::kOther;
}

std::size_t RttMatrix::find(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

std::expected<std::vector<TraceMessage>, std::string> load_messages(const std::filesystem::path& path) {
  return load_rows<TraceMessage>(
      path, "unix_s,source,destination,characters",
      [](Fields fields, const std::vector<TraceMessage>& rows, TraceMessage& row) {
        return RowParser(fields)
            .seconds(0, "unix_s", row.unix_s)
            .number(1, "source", row.source, 1)
            .number(2, "destination", row.destination, 1)
            .number(3, "characters", row.characters)
            .require(row.source != row.destination, "source and destination are the same user")
            .require(rows.empty() || rows.back().unix_s <= row.unix_s, "unix_s is before the row above")
            .done();
      });
}

std::expected<std::vector<ForumPost>, std::string> load_forum(const std::filesystem::path& path) {
  return load_rows<ForumPost>(
      path, "user,topic,unix_s", [](Fields fields, const std::vector<ForumPost>& rows, ForumPost& row) {
        return RowParser(fields)
            .number(0, "user", row.user, 1)
            .number(1, "topic", row.topic, 1)
            .seconds(2, "unix_s", row.unix_s)
            .require(rows.empty() || rows.back().unix_s <= row.unix_s, "unix_s is before the row above")
            .done();
      });
}

std::expected<std::vector<TraceOutage>, std::string> load_outages(const std::filesystem::path& path) {
  return load_rows<TraceOutage>(
      path, "start_s,duration_s,severity_milli",
      [](Fields fields, const std::vector<TraceOutage>& rows, TraceOutage& row) {
        return RowParser(fields)
            .seconds(0, "start_s", row.start_s)
            .seconds(1, "duration_s", row.duration_s, 1)
            .number(2, "severity_milli", row.severity_milli, 1, 1000)
            .require(rows.empty() || rows.back().start_s + rows.back().duration_s <= row.start_s,
                     "start_s is before the end of the row above")
            .done();
      });
}

std::expected<std::vector<TraceSession>, std::string> load_sessions(const std::filesystem::path& path) {
  return load_rows<TraceSession>(
      path, "user,start_unix_s,duration_s,reason,silent_s,offline_s",
      [](Fields fields, const std::vector<TraceSession>& rows, TraceSession& row) {
        RowParser parser(fields);
        parser.number(0, "user", row.user, 1)
            .seconds(1, "start_unix_s", row.start_unix_s)
            .seconds(2, "duration_s", row.duration_s);
        const auto end =
            std::ranges::find(kSessionEnds, fields[3], [](const auto& entry) { return entry.second; });
        parser.require(end != kSessionEnds.end(), fmt::format("reason '{}' is not known", fields[3]));
        if (end != kSessionEnds.end()) {
          row.end = end->first;
        }
        if (!fields[4].empty()) {
          parser.number(4, "silent_s", row.silent_s);
        }
        if (!fields[5].empty()) {
          parser.seconds(5, "offline_s", row.offline_s);
        }
        return parser
            .require(rows.empty() || rows.back().start_unix_s <= row.start_unix_s,
                     "start_unix_s is before the row above")
            .done();
      });
}

std::expected<RttMatrix, std::string> load_rtt_matrix(const std::filesystem::path& path) {
  RttMatrix matrix;
  const auto read_header = [&](Fields fields) -> Done {
    for (const std::string_view name : fields.subspan(1)) {
      if (name.empty() || matrix.find(name) != matrix.names.size()) {
        return std::unexpected(fmt::format("the column name '{}' is empty or there twice", name));
      }
      matrix.names.emplace_back(name);
    }
    if (matrix.names.empty()) {
      return std::unexpected(std::string("the first line names no places"));
    }
    return {};
  };
  std::size_t rows = 0;
  const auto read_row = [&](Fields fields) -> Done {
    if (rows == matrix.names.size() || fields[0] != matrix.names[rows]) {
      return std::unexpected(fmt::format(
          "row of '{}' where {} belongs", fields[0],
          rows == matrix.names.size() ? std::string("nothing") : fmt::format("'{}'", matrix.names[rows])));
    }
    for (std::size_t column = 1; column < fields.size(); ++column) {
      const auto value = read_uint32(matrix.names[column - 1], fields[column], 1, 3'600'000);
      if (!value) {
        return std::unexpected(value.error());
      }
      matrix.rtt_ms.push_back(*value);
    }
    ++rows;
    return {};
  };
  if (const auto done = read_table(path, read_header, read_row); !done) {
    return std::unexpected(done.error());
  }
  if (rows != matrix.names.size()) {
    return std::unexpected(
        fmt::format("{}:{}: {} rows instead of {}", path.string(), rows + 1, rows, matrix.names.size()));
  }
  return matrix;
}

}  // namespace wavetank::sim
