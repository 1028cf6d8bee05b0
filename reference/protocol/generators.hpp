// Arbitrary frames for tests, by the field lists: new fields and bodies are covered the moment they exist.
//
// A frame is grown from a run of 64-bit words (each decision takes one; when they run out every further word
// is 0, so fewer or smaller words mean a simpler frame). That makes it fast, repeatable without RapidCheck,
// and lets RapidCheck shrink a failing frame by shrinking plain numbers.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/protocol/field_shape.hpp"
#include "reference/protocol/frames.hpp"
#include "reference/protocol/print.hpp"

namespace wavetank::protocol {

// Fills the fields of a message from words. Values cluster at the edges of varint lengths; enums are mostly
// known ones; unknown fields are well formed with numbers from 1000.
class FrameGrower {
 public:
  explicit FrameGrower(std::span<const std::uint64_t> words) : words_(words) {}

  Frame frame() {
    Frame frame;
    fill(frame);
    pick_body(frame.body, next() % std::variant_size_v<Body>,
              std::make_index_sequence<std::variant_size_v<Body>>{});
    return frame;
  }
  Event event() {
    Event event;
    fill(event);
    return event;
  }

  template <class T>
  void operator()(int, T& value, const char*) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (shape == FieldShape::kBool) {
      value = (next() & 1) != 0;
    } else if constexpr (shape == FieldShape::kEnum) {
      const std::uint64_t word = next();
      value = static_cast<T>(static_cast<std::uint32_t>(word % 8 == 7 ? number() : (word >> 3) % 5));
    } else if constexpr (shape == FieldShape::kU32 || shape == FieldShape::kU64) {
      value = static_cast<T>(number());
    } else if constexpr (shape == FieldShape::kId) {
      value.hi = number();
      value.lo = number();
    } else if constexpr (shape == FieldShape::kBytes) {
      value = bytes();
    } else if constexpr (shape == FieldShape::kMessage) {
      fill(value);
    } else if constexpr (shape == FieldShape::kOptionalMessage) {
      value.reset();
      if ((next() & 1) != 0) fill(value.emplace());
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      value.resize(count());
      for (std::uint64_t& element : value) element = number();
    } else {
      value.resize(count());
      for (auto& element : value) fill(element);
    }
  }

 private:
  std::uint64_t next() { return used_ < words_.size() ? words_[used_++] : 0; }

  template <ListsFields M>
  void fill(M& message) {
    M::fields(message, *this);
    if constexpr (KeepsUnknown<M>) message.unknown = unknown_fields();
  }
  template <std::size_t... I>
  void pick_body(Body& body, std::size_t index, std::index_sequence<I...>) {
    ((index == I ? grow_body<I>(body) : void()), ...);
  }
  template <std::size_t I>
  void grow_body(Body& body) {
    if constexpr (I != 0) fill(body.emplace<I>());
  }

  std::uint64_t number() {
    const std::uint64_t word = next();
    switch (word >> 61) {
      case 1:
        return 0;
      case 2:
        return 0x7f + (word & 1);
      case 3:
        return word & 0xffffffff;
      case 4:
        return ~std::uint64_t{0};
      case 5:
        return std::uint64_t{1} << (word & 63);
      case 6:
        return 0x3fff + (word & 1);
      case 7:
        return word;
      default:
        return word & 0xff;
    }
  }
  std::size_t count() {
    const std::uint64_t word = next();
    return word % 16 == 15 ? 20 : word % 4;
  }
  Slice bytes() {
    const std::uint64_t word = next();
    const std::size_t size = word % 4 == 0 ? 0 : word % 32 == 31 ? 300 : (word >> 2) % 24;
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>((word >> (i % 57)) + i);
    return Slice(content);
  }
  Slice unknown_fields() {
    const std::uint64_t word = next();
    if (word % 4 != 3) return {};
    std::string raw;
    const auto tag = [&raw](std::uint64_t number, std::uint64_t type) {
      const std::uint64_t value = (number << 3) | type;
      raw += static_cast<char>(value | 0x80);
      raw += static_cast<char>(value >> 7);
    };
    if ((word & 4) != 0) {
      tag(1000 + (word >> 8) % 1000, 0);
      raw += "\xff\x01";
    }
    if ((word & 8) != 0) {
      tag(1000 + (word >> 20) % 1000, 2);
      raw += std::string("\x03 \0\xff", 4);
    }
    if ((word & 16) != 0) {  // a group with a field inside
      tag(1500, 3);
      raw += "\x08\x05";
      tag(1500, 4);
    }
    return Slice(raw);
  }

  std::span<const std::uint64_t> words_;
  std::size_t used_ = 0;
};

// A frame that depends on `seed` alone: for tests and benchmarks that want many without RapidCheck.
inline Frame frame_from_seed(std::uint64_t seed, std::size_t words = 200) {
  std::vector<std::uint64_t> source(words);
  for (std::size_t i = 0; i < words; ++i)
    source[i] = IdHash::mix(IdHash::mix(seed) + 0x9e3779b97f4a7c15ULL * (i + 1));
  return FrameGrower(source).frame();
}

inline rc::Gen<std::vector<std::uint64_t>> growth_words() {
  return rc::gen::scale(3.0, rc::gen::arbitrary<std::vector<std::uint64_t>>());
}

inline void showValue(const Frame& frame, std::ostream& out) { out << to_string(frame); }
inline void showValue(const Event& event, std::ostream& out) { out << to_string(event); }

}  // namespace wavetank::protocol

namespace rc {

template <>
struct Arbitrary<wavetank::protocol::Frame> {
  static Gen<wavetank::protocol::Frame> arbitrary() {
    return gen::map(wavetank::protocol::growth_words(), [](const std::vector<std::uint64_t>& words) {
      return wavetank::protocol::FrameGrower(words).frame();
    });
  }
};

template <>
struct Arbitrary<wavetank::protocol::Event> {
  static Gen<wavetank::protocol::Event> arbitrary() {
    return gen::map(wavetank::protocol::growth_words(), [](const std::vector<std::uint64_t>& words) {
      return wavetank::protocol::FrameGrower(words).event();
    });
  }
};

}  // namespace rc
