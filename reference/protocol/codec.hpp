// Frames to bytes and back, in the protobuf wire format of messages.proto.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "reference/protocol/frames.hpp"

namespace wavetank::protocol {

// Limits of one frame (FRM-*): checked before anything is allocated for the content.
inline constexpr std::size_t kMaxFrameBytes = 1 << 20;
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{64} * 1024;  // of any one bytes field
inline constexpr std::size_t kMaxRepeatedMessages = 4096;  // elements of one repeated message field

// Exact number of bytes that encode() writes. O(fields), no allocation.
std::size_t encoded_size(const Frame& frame);
// The same for the parts that fill pages, so that a page can end before its frame grows too large
// (FRM-PAGE-001). As an element of a list, a part of n bytes takes at most n + 6.
std::size_t encoded_size(const Event& event);
std::size_t encoded_size(const Change& change);
std::size_t encoded_size(const OutboxItem& item);

// Appends the encoding of `frame` to `out`. Deterministic: equal frames give equal bytes on every machine.
void encode(const Frame& frame, std::string& out);

// Why bytes are not a frame.
enum class DecodeError : std::uint8_t { kTooLarge, kMalformed, kPayloadTooLarge };

// Parses one frame. Unknown fields and bodies are kept (Frame::unknown, Event::unknown) or skipped elsewhere,
// never an error. Any input is safe: no crash, no allocation beyond a small multiple of bytes.size().
std::expected<Frame, DecodeError> decode(std::string_view bytes);

// Encoding and decoding of the parts that a store keeps as blobs.
void encode(const Event& event, std::string& out);
void encode(const Change& change, std::string& out);
void encode(const OutboxItem& item, std::string& out);
std::expected<Event, DecodeError> decode_event(std::string_view bytes);
std::expected<Change, DecodeError> decode_change(std::string_view bytes);
std::expected<OutboxItem, DecodeError> decode_outbox_item(std::string_view bytes);

// A 64-bit digest of the decoded frame: equal for equal frames in every fidelity setting; does not encode.
std::uint64_t digest(const Frame& frame);

// Short name of the body, for metrics and stories ("SendMessage").
std::string_view body_name(const Frame& frame);
// The same by the index of Body (< std::variant_size_v<Body>).
std::string_view body_name(std::size_t index);

}  // namespace wavetank::protocol
