#include <string>
#include <utility>

#include "conformance/suite/mistakes.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::conformance {
namespace {

using namespace protocol;

bool is_frame(const std::string& bytes) { return decode(bytes).has_value(); }
bool is_oversized(const std::string& bytes) { return bytes.size() > kMaxFrameBytes; }

// Bytes of which strikes(bytes) is true go no further; their connection, or all others, may end.
enum class Ending { kNone, kOwn, kOthers };
template <class Strikes>
Mistake refuses_bytes(Strikes strikes, Ending ending) {
  Mistake mistake;
  mistake.raw = [=](Line& line, std::string& bytes) {
    if (!strikes(bytes)) return true;
    if (ending == Ending::kOwn) line.end();
    if (ending != Ending::kOthers) return false;
    for (Line* other : line.others()) other->end();
    return true;
  };
  return mistake;
}

Mistake sends_pages_as_text() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (!std::holds_alternative<SyncResult>(frame.body)) return true;
    line.tell_bytes("{\"changes\": []}");
    return false;
  };
  return mistake;
}

// The body first, the envelope behind it.
Mistake writes_the_envelope_last() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    Frame envelope = std::exchange(frame, make_frame(std::move(frame.body)));
    envelope.frame_seq = ++line.told;
    envelope.body = {};
    std::string bytes;
    encode(frame, bytes);
    encode(envelope, bytes);
    line.tell_bytes(bytes);
    return false;
  };
  return mistake;
}

// A page that had to end early for its size is one that cannot be carried.
Mistake fills_pages_to_their_limit() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    const auto* page = std::get_if<RangeResult>(&frame.body);
    if (page == nullptr || !page->more || encoded_size(frame) < kMaxFrameBytes / 2) return true;
    line.tell_bytes(std::string(kMaxFrameBytes + 1, 'x'));
    return false;
  };
  return mistake;
}

Mistake skips_a_frame_number() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (std::holds_alternative<HeartbeatAck>(frame.body)) ++line.told;
    return true;
  };
  return mistake;
}

Mistake numbers_frames_of_all_connections() {
  Mistake mistake;
  mistake.down = [count = std::uint32_t{100}](Line& line, Frame&) mutable {
    line.told = count++;
    return true;
  };
  return mistake;
}

Mistake answers_twice() {
  Mistake mistake;
  mistake.down = [](Line& line, Frame& frame) {
    if (std::holds_alternative<CursorAck>(frame.body)) line.tell(frame);
    return true;
  };
  return mistake;
}

Mistake answers_the_next_request() {
  Mistake mistake;
  mistake.down = [](Line&, Frame& frame) {
    if (std::holds_alternative<CursorAck>(frame.body)) ++frame.request_id;
    return true;
  };
  return mistake;
}

constexpr Mutant kFrameMutants[] = {
    {"malformed-frames-are-passed-over",
     "Bytes that are no frame are dropped and the connection goes on.",
     {"FRM-CODEC-004"},
     [] {
       return refuses_bytes([](const std::string& b) { return !is_frame(b) && !is_oversized(b); },
                            Ending::kNone);
     }},
    {"malformed-frames-end-everybody",
     "Bytes that are no frame bring down the process that holds the connections.",
     {"FRM-CODEC-004"},
     [] {
       return refuses_bytes([](const std::string& b) { return !is_frame(b) && !is_oversized(b); },
                            Ending::kOthers);
     }},
    {"length-overflow-ends-everybody",
     "A length of more than 32 bits brings down the process that holds the connections.",
     {"FRM-CODEC-004"},
     [] {
       return refuses_bytes(
           [](const std::string& b) { return b.starts_with("\x8a\x01\xff\xff\xff\xff") && !is_frame(b); },
           Ending::kOthers);
     }},
    {"oversized-frames-are-passed-over",
     "A frame that is too large is dropped and the connection goes on.",
     {"FRM-LIMIT-001"},
     [] { return refuses_bytes(is_oversized, Ending::kNone); }},
    {"oversized-frames-end-everybody",
     "A frame that is too large exhausts the process that holds the connections.",
     {"FRM-LIMIT-001"},
     [] { return refuses_bytes(is_oversized, Ending::kOthers); }},
    {"unknown-fields-are-malformed",
     "A frame with a field of a newer version ends its connection.",
     {"VER-UNKNOWN-002"},
     [] {
       return refuses_bytes(
           [](const std::string& bytes) {
             const auto frame = decode(bytes);
             return frame && !frame->unknown.empty() && frame->body.index() != 0;
           },
           Ending::kOwn);
     }},
    {"unknown-bodies-are-malformed",
     "A frame with a body of a newer version ends its connection.",
     {"VER-UNKNOWN-002"},
     [] {
       return refuses_bytes(
           [](const std::string& bytes) {
             const auto frame = decode(bytes);
             return frame && frame->body.index() == 0;
           },
           Ending::kOwn);
     }},
    {"fields-must-come-in-order",
     "A frame whose fields stand in another order ends its connection.",
     {"FRM-CODEC-003"},
     [] {
       return refuses_bytes(
           [](const std::string& bytes) {
             const auto frame = decode(bytes);
             if (!frame || !frame->unknown.empty()) return false;
             std::string again;
             encode(*frame, again);
             return again != bytes;
           },
           Ending::kOwn);
     }},
    {"pages-come-as-text", "Pages of the feed are sent as JSON.", {"FRM-CODEC-001"}, sends_pages_as_text},
    {"envelope-behind-the-body",
     "The fields of the envelope are written behind the body.",
     {"FRM-CODEC-002"},
     writes_the_envelope_last},
    {"long-settings-are-cut",
     "The text of a setting is cut to what fits and accepted.",
     {"FRM-LIMIT-002"},
     [] {
       return hears<PutSetting>([](Line&, PutSetting& put) {
         put.text = Slice(put.text.view().substr(0, std::min<std::size_t>(put.text.size(), 4096)));
       });
     }},
    {"pages-outgrow-their-frame",
     "A page has as many entries as its limit says, however large its frame becomes.",
     {"FRM-PAGE-001"},
     fills_pages_to_their_limit},
    {"payload-ends-at-the-first-zero",
     "A payload is kept as a C string.",
     {"FRM-PAYLOAD-001"},
     [] {
       return hears<SendMessage>([](Line&, SendMessage& message) {
         const std::string_view text = message.payload.view();
         message.payload = Slice(text.substr(0, std::min(text.find('\0'), text.size())));
       });
     }},
    {"payload-is-cleaned",
     "What is no ASCII in a payload becomes a question mark.",
     {"FRM-PAYLOAD-001"},
     [] {
       return tells_events([](Line&, Event& event) {
         event.payload =
             replaced(event.payload, [](char c) { return static_cast<unsigned char>(c) < 0x80 ? c : '?'; });
       });
     }},
    {"frame-numbers-have-holes",
     "Every HeartbeatAck takes two frame numbers.",
     {"FRM-SEQ-001"},
     skips_a_frame_number},
    {"frame-numbers-of-the-process",
     "frame_seq counts the frames of all connections together.",
     {"FRM-SEQ-001"},
     numbers_frames_of_all_connections},
    {"answers-come-twice",
     "CursorAck is sent by the gateway and by the shard.",
     {"FRM-REQUEST-001"},
     answers_twice},
    {"answer-names-another-request",
     "CursorAck answers the request after the one that it is for.",
     {"FRM-REQUEST-001"},
     answers_the_next_request},
};

}  // namespace

std::span<const Mutant> frame_mutants() { return kFrameMutants; }

}  // namespace wavetank::conformance
