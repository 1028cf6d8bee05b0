// The digest of a frame: a walk over its fields, eight bytes a step, with no encoding in between.
#include <bit>
#include <cstring>

#include "reference/protocol/codec.hpp"
#include "reference/protocol/field_shape.hpp"

namespace wavetank::protocol {
namespace {

__extension__ using Wide = unsigned __int128;

// Multiplies to 128 bits and folds the halves: every input bit reaches every output bit.
[[gnu::always_inline]] inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kSeed = 0xa0761d6478bd642fULL;
constexpr std::uint64_t kOdd = 0xe7037ed1a0b428dbULL;
constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ULL;

// Eight bytes as a little-endian number, so that the digest is the same on every machine.
std::uint64_t load(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

struct Hasher {
  std::uint64_t state = kSeed;

  // `slot` keeps equal values of different fields apart; absent values cost nothing, as on the wire.
  [[gnu::always_inline]] void add(int slot, std::uint64_t value) {
    state = fold(state ^ value, kOdd + kSpread * static_cast<std::uint64_t>(slot));
  }
  void bytes(int slot, const Slice& slice) {
    const char* at = slice.data();
    std::size_t left = slice.size();
    add(slot, left);
    for (; left >= 16; left -= 16, at += 16) state = fold(load(at, 8) ^ kOdd, load(at + 8, 8) ^ state);
    if (left >= 8) {
      state = fold(load(at, 8) ^ kOdd, state ^ kSpread);
      left -= 8;
      at += 8;
    }
    if (left != 0) state = fold(load(at, left) ^ kOdd, state ^ kSeed);
  }

  template <class T>
  [[gnu::always_inline]] void operator()(int number, const T& value, const char*) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (shape == FieldShape::kId) {
      if (value.hi != 0) add(number, value.hi);
      if (value.lo != 0) add(number + 1, value.lo);
    } else if constexpr (shape == FieldShape::kBytes) {
      if (!value.empty()) bytes(number, value);
    } else if constexpr (shape == FieldShape::kMessage) {
      nested(number, value);
    } else if constexpr (shape == FieldShape::kOptionalMessage) {
      if (value) nested(number, *value);
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      if (!value.empty()) add(number, value.size());
      for (const std::uint64_t element : value) add(number, element);
    } else if constexpr (shape == FieldShape::kRepeatedMessage) {
      if (!value.empty()) add(number, value.size());
      for (const auto& element : value) nested(number, element);
    } else {
      if (value != T{}) add(number, static_cast<std::uint64_t>(value));
    }
  }

  // A mark before each nested message keeps the fields of neighbours apart.
  template <ListsFields M>
  void nested(int number, const M& message) {
    add(number, kSpread);
    M::fields(message, *this);
    if constexpr (KeepsUnknown<M>) {
      if (!message.unknown.empty()) bytes(kUnknownSlot, message.unknown);
    }
    add(kEndSlot, kSpread);
  }

  static constexpr int kUnknownSlot = 1 << 20;
  static constexpr int kEndSlot = 1 << 21;
};

}  // namespace

std::uint64_t digest(const Frame& frame) {
  Hasher hasher;
  hasher.nested(0, frame);
  std::visit(
      [&](const auto& body) {
        if constexpr (!std::same_as<std::decay_t<decltype(body)>, std::monostate>) {
          hasher.nested(body_field(frame.body.index()), body);
        }
      },
      frame.body);
  return hasher.state;
}

}  // namespace wavetank::protocol
