// The history file: what is written comes back, and a file that is not whole is an error, whatever is wrong.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <zlib.h>

#include <limits>
#include <sstream>

#include "conformance/history/reader.hpp"
#include "conformance/history/writer.hpp"

namespace wavetank::history {

namespace {

std::string file_of(const std::vector<Record>& records, const Header& header = {}) {
  std::ostringstream out;
  Writer writer(out);
  writer.begin(header);
  for (const Record& record : records) writer.on(record);
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(writer.records(), records.size());
  return out.str();
}

// The records of a file, or what is wrong with it.
std::expected<std::vector<Record>, std::string> records_of(const std::string& bytes) {
  auto reader = Reader::open(bytes);
  if (!reader) return std::unexpected(reader.error());
  std::vector<Record> records;
  Record record;
  while (true) {
    const auto more = reader->next(record);
    if (!more) return std::unexpected(more.error());
    if (!*more) return records;
    records.push_back(record);
  }
}

// Small numbers, large ones and the special ones.
template <class Number>
rc::Gen<Number> numbers() {
  return rc::gen::weightedOneOf<Number>({{4, rc::gen::inRange<Number>(0, 5)},
                                         {2, rc::gen::arbitrary<Number>()},
                                         {1, rc::gen::element<Number>(std::numeric_limits<Number>::max(),
                                                                      std::numeric_limits<Number>::min())}});
}

rc::Gen<Record> records() {
  return rc::gen::exec([] {
    const bool is_entry = *rc::gen::arbitrary<bool>();
    Record r;
    r.time = *numbers<TimeNs>();
    r.kind =
        is_entry ? Kind::kReceived : static_cast<Kind>(*rc::gen::inRange(0, static_cast<int>(Kind::kCount)));
    r.code = *rc::gen::arbitrary<std::uint8_t>();
    r.entry_kind = *rc::gen::inRange<std::uint8_t>(0, 4);
    r.flag = *rc::gen::arbitrary<bool>();
    r.device = *numbers<std::uint32_t>();
    r.user = *numbers<std::uint32_t>();
    r.conversation = *numbers<std::uint32_t>();
    r.subject = *numbers<std::uint32_t>();
    r.sender = *numbers<std::uint32_t>();
    r.connection = *numbers<std::uint32_t>();
    r.epoch = *numbers<std::uint32_t>();
    r.size = *numbers<std::uint32_t>();
    r.key = {*numbers<std::uint32_t>(), *numbers<std::uint32_t>()};
    r.seq = *numbers<std::uint64_t>();
    r.value = *numbers<std::uint64_t>();
    r.value2 = *numbers<std::uint64_t>();
    r.digest = *numbers<std::uint64_t>();
    r.canary = *rc::gen::element(r.digest, std::uint64_t{0}, std::uint64_t{77});
    return r;
  });
}

std::vector<Record> a_few_records() {
  std::vector<Record> records(40);
  for (std::size_t i = 0; i < records.size(); ++i) {
    Record& r = records[i];
    r.time = static_cast<TimeNs>(i) * 1'000'003;
    r.kind = static_cast<Kind>(i % static_cast<std::size_t>(Kind::kCount));
    r.device = static_cast<DeviceTag>(i % 3);
    r.user = r.device / 2;
    r.conversation = 5;
    r.key = {r.device, static_cast<std::uint32_t>(i)};
    r.seq = i;
    r.digest = r.canary = i * 0x9e3779b97f4a7c15ULL;
  }
  return records;
}

Header a_header() {
  Header header;
  header.scenario = "campus";
  header.seed = 0xfedcba9876543210ULL;
  header.defect = "ack-before-sync";
  header.command = "./wavetank sim run campus";
  conformance::JudgeConfig& config = header.judged_by;
  config.required = {{"ORD-AGREE", 1000}, {"SLO-PCT", 0}};
  config.converge_bound = 7 * kSecond;
  config.service_bound = 8;
  config.fewest_samples = 9;
  config.availability_bound = 10;
  config.availability_per_million = 11;
  config.cohorts = {"fibre", "4g", ""};
  config.judged_cohorts = {"fibre"};
  config.gateway_region = {0, 3, kNone};
  config.hole_bound = 12;
  config.final_audit = false;
  config.history_bytes = 13;
  config.unverified_per_mille = 14;
  config.operation_bound = 15;
  config.connect_bound = 16;
  config.fewest_operations = 17;
  config.sends_per_s = 18;
  config.send_burst = 19;
  config.push_queue_frames = 20;
  config.push_queue_bytes = 21;
  config.slow_bound = 22;
  config.retain_entries = 23;
  config.retain_changes = 24;
  config.recover_bound = 25;
  config.recover_per_million = 26;
  config.revoke_bound = 27;
  config.park_after = 28;
  config.last_seen_lag = 29;
  config.last_seen_skew = 30;
  config.privacy_bound = 31;
  return header;
}

TEST(HistoryFile, ArbitraryRecordsComeBack) {
  EXPECT_TRUE(rc::check("round trip", [] {
    const auto written = *rc::gen::container<std::vector<Record>>(records());
    const auto read = records_of(file_of(written));
    if (!read) RC_FAIL(read.error());
    RC_ASSERT(*read == written);
  }));
}

TEST(HistoryFile, ManyRecordsComeBack) {
  std::vector<Record> written;
  for (int i = 0; i < 5000; ++i) {
    for (Record& record : a_few_records()) {
      record.key.counter += static_cast<std::uint32_t>(i);
      written.push_back(record);
    }
  }
  const auto read = records_of(file_of(written));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(*read == written);
}

TEST(HistoryFile, TheHeaderComesBackWithAllThatVerdictsDependOn) {
  const auto reader = Reader::open(file_of({}, a_header()));
  ASSERT_TRUE(reader) << reader.error();
  EXPECT_TRUE(reader->header() == a_header());
  const auto empty = Reader::open(file_of({}));
  ASSERT_TRUE(empty) << empty.error();
  EXPECT_TRUE(empty->header() == Header());
  EXPECT_FALSE(empty->header() == a_header());
}

TEST(HistoryFile, AReaderMayMove) {
  auto reader = Reader::open(file_of(a_few_records()));
  ASSERT_TRUE(reader);
  Reader moved = std::move(*reader);
  Record record;
  for (std::size_t i = 0; i < a_few_records().size(); ++i) EXPECT_TRUE(*moved.next(record));
  EXPECT_FALSE(*moved.next(record));
  EXPECT_FALSE(*moved.next(record));
}

TEST(HistoryFile, AnyTruncationIsAnError) {
  const std::string whole = file_of(a_few_records(), a_header());
  ASSERT_TRUE(records_of(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(records_of(whole.substr(0, size))) << size << " of " << whole.size() << " bytes";
  EXPECT_FALSE(records_of(whole + "x"));
  EXPECT_FALSE(records_of(whole + whole));
}

TEST(HistoryFile, AnyFlippedBitIsAnError) {
  const std::string whole = file_of(a_few_records(), a_header());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_FALSE(records_of(flipped)) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(HistoryFile, SaysWhatIsWrong) {
  const auto error = [](const std::string& bytes) {
    const auto reader = Reader::open(bytes);
    return reader ? std::string("nothing") : reader.error();
  };
  const std::string whole = file_of(a_few_records());
  std::string newer = whole;
  newer[kMagic.size()] = 10;
  EXPECT_EQ(error(newer), "is a history of format 10; this wavetank reads formats 5 to 9");
  newer[kMagic.size()] = 4;
  EXPECT_EQ(error(newer), "is a history of format 4; this wavetank reads formats 5 to 9");
  EXPECT_NE(error("time_ns\tkind\n").find("no history file"), std::string::npos);
  EXPECT_NE(error("").find("no history file"), std::string::npos);
  EXPECT_NE(error(whole.substr(0, 3)).find("cut short"), std::string::npos);
  EXPECT_NE(error(whole.substr(0, whole.size() - 1)).find("hash"), std::string::npos);
  const auto missing = read_bytes("/nonexistent/run.wth");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "/nonexistent/run.wth: No such file or directory");
  EXPECT_FALSE(read_bytes("/"));
}

// A file whose hash is right and whose inside is wrong: only a wrong writer makes one.
std::string sealed(const std::string& plain, bool with_rest = false) {
  std::string body(kMagic);
  body.push_back(static_cast<char>(kFormatVersion));
  std::string packed(compressBound(plain.size()), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(plain.data()), plain.size()),
            Z_OK);
  body += packed.substr(0, size) + (with_rest ? "rest" : "");
  StreamHash hash;
  hash.add(body);
  put_word(body, hash.value());
  return body;
}

TEST(HistoryFile, AWrongInsideIsAnErrorToo) {
  const std::string header = pack_header({});
  std::string record;
  RecordEncoder().encode(a_few_records()[5], record);
  std::string end(1, static_cast<char>(kEndMark));
  const std::string none = end + '\0';
  const std::string one = end + '\1';
  EXPECT_TRUE(records_of(sealed(header + none)));
  EXPECT_TRUE(records_of(sealed(header + record + one)));
  EXPECT_FALSE(records_of(sealed(header)));                       // no end mark
  EXPECT_FALSE(records_of(sealed(header + record)));              // no end mark
  EXPECT_FALSE(records_of(sealed(header + record + none)));       // another count
  EXPECT_FALSE(records_of(sealed(header + one)));                 // another count
  EXPECT_FALSE(records_of(sealed(header + record + one + "x")));  // more after the end
  EXPECT_FALSE(records_of(sealed(header + none, true)));          // more after the stream
  EXPECT_FALSE(records_of(sealed(header + record.substr(0, record.size() - 1) + one)));
  EXPECT_FALSE(records_of(sealed(header + static_cast<char>(Kind::kCount) + std::string(3, '\0') + one)));
  EXPECT_FALSE(records_of(sealed(header.substr(0, header.size() - 1))));
  EXPECT_FALSE(records_of(sealed("")));
}

TEST(HistoryFile, AFullDiskIsSaid) {
  std::ostringstream out;
  Writer writer(out);
  writer.begin({});
  out.setstate(std::ios::badbit);
  EXPECT_FALSE(writer.finish());
  Record record;
  std::ostringstream other;
  Writer fresh(other);
  EXPECT_THROW(fresh.on(record), std::invalid_argument);
}

TEST(HistoryFile, SettledRecordsAreShort) {
  Record r;
  r.kind = Kind::kReceived;
  r.device = 70;
  r.user = 35;
  r.connection = 4;
  r.key = {100, 300};
  r.sender = 50;
  r.epoch = 1;
  r.digest = r.canary = 0x123456789abcdef0ULL;
  RecordEncoder encoder;
  std::string first;
  std::string second;
  encoder.encode(r, first);
  encoder.encode(r, second);
  EXPECT_LE(first.size(), kLongestRecord);
  EXPECT_LE(second.size(), 10U);  // kind, time, mask, device, key, sender
}

}  // namespace
}  // namespace wavetank::history
