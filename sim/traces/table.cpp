#include "sim/traces/table.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

namespace wavetank::sim {
namespace {

constexpr unsigned kReadBytes = 1U << 18;

struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

// Splits one line at its commas into `fields`, reusing its memory.
void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string_view::npos; comma = line.find(',', begin)) {
    fields.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  fields.push_back(line.substr(begin));
}

// Takes the next line off the front of `rest`; a last line without its line end counts.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

std::expected<std::string, std::string> read_text(const std::filesystem::path& path) {
  std::unique_ptr<gzFile_s, CloseGzip> file(gzopen(path.c_str(), "rb"));
  if (!file) {
    return std::unexpected(fmt::format("{}: cannot be opened", path.string()));
  }
  gzbuffer(file.get(), kReadBytes);
  std::string text;
  while (true) {
    const std::size_t before = text.size();
    text.resize(before + kReadBytes);
    const int got = gzread(file.get(), text.data() + before, kReadBytes);
    text.resize(before + static_cast<std::size_t>(std::max(got, 0)));
    if (got < 0) {
      int code = Z_OK;
      const std::string_view what = gzerror(file.get(), &code);
      return std::unexpected(
          fmt::format("{}: cannot be read: {}", path.string(), code == Z_ERRNO ? "read error" : what));
    }
    if (text.size() > kLargestTableBytes) {
      return std::unexpected(fmt::format("{}: more than {} bytes", path.string(), kLargestTableBytes));
    }
    if (got == 0) {
      break;
    }
  }
  // zlib tells a gzip file that ends too early only when it is closed.
  if (gzclose_r(file.release()) != Z_OK) {
    return std::unexpected(fmt::format("{}: the file is truncated", path.string()));
  }
  return text;
}

std::expected<void, std::string> read_table(const std::filesystem::path& path, const RowReader& read_header,
                                            const RowReader& read_row) {
  const auto text = read_text(path);
  if (!text) {
    return std::unexpected(text.error());
  }
  std::string_view rest = *text;
  std::vector<std::string_view> fields;
  std::size_t width = 0;
  for (std::size_t number = 1; number == 1 || !rest.empty(); ++number) {
    split(take_line(rest), fields);
    if (number > 1 && fields.size() != width) {
      return std::unexpected(
          fmt::format("{}:{}: {} fields instead of {}", path.string(), number, fields.size(), width));
    }
    width = fields.size();
    const auto taken = number == 1 ? read_header(fields) : read_row(fields);
    if (!taken) {
      return std::unexpected(fmt::format("{}:{}: {}", path.string(), number, taken.error()));
    }
  }
  return {};
}

std::expected<void, std::string> read_table(const std::filesystem::path& path, std::string_view header,
                                            const RowReader& read_row) {
  const auto expect_header = [header](Fields fields) -> std::expected<void, std::string> {
    std::vector<std::string_view> names;
    split(header, names);
    if (!std::ranges::equal(fields, names)) {
      return std::unexpected(fmt::format("the first line must be '{}'", header));
    }
    return {};
  };
  return read_table(path, expect_header, read_row);
}

std::expected<std::int64_t, std::string> read_integer(std::string_view name, std::string_view text,
                                                      std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return std::unexpected(fmt::format("{} '{}' is not a whole number from {} to {}", name, text, low, high));
  }
  return value;
}

std::expected<std::uint32_t, std::string> read_uint32(std::string_view name, std::string_view text,
                                                      std::uint32_t low, std::uint32_t high) {
  const auto value = read_integer(name, text, low, high);
  if (!value) {
    return std::unexpected(value.error());
  }
  return static_cast<std::uint32_t>(*value);
}

}  // namespace wavetank::sim
