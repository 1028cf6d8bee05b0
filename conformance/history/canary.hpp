// Canary payloads: the bytes of a message are a keyed stream of its identity, cut to its real length. Who
// sees them can recompute what they must be without having kept anything: a wrong, mixed-up or leaked payload
// shows at once.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "conformance/history/record.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/slice.hpp"

namespace wavetank::history {

namespace canary_detail {
constexpr std::uint64_t stream_start(MessageKey key, ConversationIndex conversation) {
  return mix64((static_cast<std::uint64_t>(key.device) << 32 | key.counter) ^
               mix64(0x63616e617279ULL + conversation));
}
// Words are taken as little-endian integers so that every machine agrees.
constexpr std::uint64_t step(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9fb21c651e98df25ULL;
  return hash ^ (hash >> 29);
}
}  // namespace canary_detail

// The payload of message `key` in `conversation`, `size` bytes. O(size).
inline Slice canary_payload(MessageKey key, ConversationIndex conversation, std::size_t size) {
  return Slice::make(size, [&](char* out) {
    std::uint64_t word = canary_detail::stream_start(key, conversation);
    for (std::size_t at = 0; at < size; at += 8) {
      word = mix64(word);
      std::uint64_t rest = word;
      for (std::size_t i = at; i < size && i < at + 8; ++i, rest >>= 8)
        out[i] = static_cast<char>(rest & 0xff);
    }
  });
}

// Digest of an entry's content: kind, target and payload. O(size).
inline std::uint64_t content_digest(std::uint32_t entry_kind, UserIndex target, std::string_view payload) {
  std::uint64_t hash = mix64((static_cast<std::uint64_t>(entry_kind) << 40) ^ target);
  hash = canary_detail::step(hash, payload.size());
  std::size_t at = 0;
  while (at < payload.size()) {
    std::uint64_t word = 0;
    const std::size_t end = payload.size() - at < 8 ? payload.size() : at + 8;
    for (std::size_t i = at; i < end; ++i) {
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(payload[i])) << (8 * (i - at));
    }
    hash = canary_detail::step(hash, word);
    at = end;
  }
  return hash;
}

// Digest of a setting's value. O(size).
inline std::uint64_t setting_digest(std::uint32_t kind, std::string_view text, std::uint64_t number) {
  return canary_detail::step(content_digest(kind, 0, text), number);
}

// What content_digest must be for an unharmed message; without making the payload. O(size).
inline std::uint64_t canary_digest(std::uint32_t entry_kind, UserIndex target, MessageKey key,
                                   ConversationIndex conversation, std::size_t size) {
  std::uint64_t hash = mix64((static_cast<std::uint64_t>(entry_kind) << 40) ^ target);
  hash = canary_detail::step(hash, size);
  std::uint64_t word = canary_detail::stream_start(key, conversation);
  for (std::size_t at = 0; at < size; at += 8) {
    word = mix64(word);
    const std::size_t left = size - at;
    hash = canary_detail::step(hash, left >= 8 ? word : word & ((1ULL << (8 * left)) - 1));
  }
  return hash;
}

}  // namespace wavetank::history
