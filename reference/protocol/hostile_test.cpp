// Hostile input: bytes that broke other decoders, damaged frames, and payloads that break text handling.
// Every input is copied into a block of exactly its size, so that the address sanitizer sees any read beyond
// it.
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/generators.hpp"
#include "reference/protocol/messages.pb.h"
#include "reference/protocol/test_support.hpp"

namespace wavetank::protocol {
namespace {

const std::string kCorpus = WAVETANK_SOURCE_DIR "/reference/protocol/corpus/";

std::string read_file(const std::string& name) {
  std::ifstream in(kCorpus + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

// The container of corpus/README.md: each input behind its length, all of it gzipped.
std::vector<std::string> read_container(const std::string& name) {
  std::vector<std::string> inputs;
  const gzFile file = gzopen((kCorpus + name).c_str(), "rb");
  if (file == nullptr) return inputs;
  unsigned char head[4];
  while (gzread(file, head, 4) == 4) {
    const unsigned size = head[0] | head[1] << 8 | head[2] << 16 | static_cast<unsigned>(head[3]) << 24;
    std::string input(size, '\0');
    if (gzread(file, input.data(), size) != static_cast<int>(size)) break;
    inputs.push_back(std::move(input));
  }
  gzclose(file);
  return inputs;
}

// What one input did: taken, or refused for a reason.
struct Outcome {
  bool taken = false;
  DecodeError error = DecodeError::kMalformed;
};

// Decodes as a frame. What is taken must be stable: encoding and decoding it again changes nothing.
Outcome feed(std::string_view input) {
  const auto block = std::make_unique<char[]>(input.size());
  std::copy(input.begin(), input.end(), block.get());
  const std::string_view exact(block.get(), input.size());
  const auto frame = decode(exact);
  if (!frame) return {false, frame.error()};
  const std::string again = bytes_of(*frame);
  EXPECT_EQ(again.size(), encoded_size(*frame));
  const auto second = decode(again);
  // Encoding may be longer than the input (an enum below zero takes ten bytes), never so long on the limit's
  // safe side.
  if (again.size() <= kMaxFrameBytes) {
    EXPECT_TRUE(second.has_value());
    if (second) {
      EXPECT_EQ(*second, *frame);
      EXPECT_EQ(digest(*second), digest(*frame));
      EXPECT_EQ(bytes_of(*second), again);
    }
  }
  to_string(*frame);
  return {true, {}};
}

void feed_parts(std::string_view input) {
  const auto block = std::make_unique<char[]>(input.size());
  std::copy(input.begin(), input.end(), block.get());
  const std::string_view exact(block.get(), input.size());
  if (const auto event = decode_event(exact)) {
    std::string bytes;
    encode(*event, bytes);
    EXPECT_EQ(decode_event(bytes), event);
  }
  if (const auto change = decode_change(exact)) {
    std::string bytes;
    encode(*change, bytes);
    EXPECT_EQ(decode_change(bytes), change);
  }
  if (const auto item = decode_outbox_item(exact)) {
    std::string bytes;
    encode(*item, bytes);
    EXPECT_EQ(decode_outbox_item(bytes), item);
  }
}

// `content` as the body with this field number.
std::string as_body(int number, std::string_view content) {
  std::string bytes;
  for (std::uint64_t value :
       {static_cast<std::uint64_t>(number) << 3 | 2, static_cast<std::uint64_t>(content.size())}) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
  }
  return bytes.append(content);
}

constexpr std::size_t kBodies = std::variant_size_v<Body>;

TEST(HostileTest, CorpusOfMalformedMessages) {
  const auto inputs = read_container("nanopb_corpus.bin.gz");
  ASSERT_EQ(inputs.size(), 3671u);
  int taken = 0, refused = 0, disagreed = 0;
  for (const std::string& input : inputs) {
    const Outcome outcome = feed(input);
    ++(outcome.taken ? taken : refused);
    feed_parts(input);
    // Beyond the limits of this protocol, the generated class must come to the same verdict.
    v1::Frame generated;
    const bool parsed = generated.ParseFromString(input);
    const bool limited = !outcome.taken && outcome.error != DecodeError::kMalformed;
    if (!limited && parsed != outcome.taken) ++disagreed;
    if (input.size() > 4096) continue;
    for (std::size_t body = 1; body < kBodies; ++body) feed(as_body(body_field(body), input));
  }
  EXPECT_EQ(disagreed, 0);
  EXPECT_GT(taken, 100);
  EXPECT_GT(refused, 100);
}

TEST(HostileTest, InputsThatOnceCrashedAnotherDecoder) {
  const auto inputs = read_container("nanopb_regressions.bin.gz");
  ASSERT_EQ(inputs.size(), 7u);
  for (const std::string& input : inputs) {
    feed(input);
    feed_parts(input);
    for (std::size_t body = 1; body < kBodies; ++body) feed(as_body(body_field(body), input));
  }
}

// Every prefix and every single-bit flip of valid frames of every kind.
TEST(HostileTest, DamagedFrames) {
  std::vector<int> met(kBodies);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Frame frame = frame_from_seed(seed, 120);
    int& count = met[frame.body.index()];
    std::string bytes = bytes_of(frame);
    if (bytes.size() > 1500 || count >= 6) continue;
    ++count;
    const std::uint64_t before = digest(frame);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      feed(std::string_view(bytes).substr(0, length));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const char mask = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      feed(bytes);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
    EXPECT_EQ(digest(frame), before);
    EXPECT_EQ(*decode(bytes), frame);
  }
  for (std::size_t body = 0; body < kBodies; ++body)
    EXPECT_GT(met[body], 0) << "no frame with body " << body << " was damaged";
}

// The verdicts of the generated class and of ours on damaged frames are the same.
TEST(HostileTest, DamagedFramesGetTheVerdictOfTheGeneratedClass) {
  int disagreed = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string bytes = bytes_of(frame_from_seed(seed, 80));
    if (bytes.empty()) continue;
    const std::uint64_t where = IdHash::mix(seed + 77);
    bytes[where % bytes.size()] = static_cast<char>(where >> 40);
    v1::Frame generated;
    const auto ours = decode(bytes);
    if (!ours && ours.error() != DecodeError::kMalformed) continue;
    if (generated.ParseFromString(bytes) != ours.has_value()) ++disagreed;
  }
  EXPECT_EQ(disagreed, 0);
}

// Payloads are bytes: whatever they hold comes back identical.
void expect_untouched(std::string_view payload) {
  ASSERT_LE(payload.size(), kMaxPayloadBytes);
  SendMessage send;
  send.payload = Slice(payload);
  const auto sent = decode(bytes_of(make_frame(send)));
  ASSERT_TRUE(sent.has_value());
  EXPECT_EQ(std::get<SendMessage>(sent->body).payload.view(), payload);

  Change change;
  change.event.emplace().payload = std::get<SendMessage>(sent->body).payload;
  const auto pushed = decode(bytes_of(make_frame(ChangePush{1, {change}})));
  ASSERT_TRUE(pushed.has_value());
  EXPECT_EQ(std::get<ChangePush>(pushed->body).changes.at(0).event->payload.view(), payload);
  for (const char c : to_string(*pushed)) EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(HostileTest, NaughtyStringsAsPayload) {
  const auto strings = nlohmann::json::parse(read_file("blns.json"));
  ASSERT_EQ(strings.size(), 515u);
  for (const auto& entry : strings) {
    const std::string text = entry.get<std::string>();
    expect_untouched(text);
    feed(text);
    feed_parts(text);
  }
}

TEST(HostileTest, BrokenUtf8AsPayload) {
  for (const char* name : {"UTF-8-test.txt", "utf8tests.bin", "utf8tests.txt"}) {
    const std::string file = read_file(name);
    ASSERT_FALSE(file.empty());
    expect_untouched(file);
    feed(file);
    std::size_t start = 0;
    for (std::size_t end = file.find('\n'); end != std::string::npos;
         start = end + 1, end = file.find('\n', start)) {
      const std::string_view line = std::string_view(file).substr(start, end - start);
      expect_untouched(line);
      feed(line);
      for (std::size_t cut = 0; cut < line.size(); cut += 7) expect_untouched(line.substr(cut));
    }
  }
}

}  // namespace
}  // namespace wavetank::protocol
