// What kind of wire field a struct member is: the one classification that encoding, decoding, hashing,
// printing, test generation and the schema check share.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "reference/protocol/identifiers.hpp"
#include "reference/protocol/slice.hpp"

namespace wavetank::protocol {

enum class FieldShape : std::uint8_t {
  kBool,
  kU32,
  kU64,
  kEnum,             // any enumeration over std::uint32_t; on the wire an open int32 enum
  kId,               // Id128: two fixed64 fields
  kBytes,            // Slice
  kMessage,          // always present
  kOptionalMessage,  // std::optional<struct>
  kRepeatedU64,      // packed
  kRepeatedMessage,  // std::vector<struct>
};

// A struct that lists its fields (see frames.hpp).
template <class T>
concept ListsFields = requires(T& message) { T::fields(message, [](int, auto&, const char*) {}); };

namespace detail {
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
}  // namespace detail

// The shape of member type T; does not compile for a type the wire has no form for.
template <class T>
consteval FieldShape field_shape() {
  if constexpr (std::same_as<T, bool>) {
    return FieldShape::kBool;
  } else if constexpr (std::same_as<T, std::uint32_t>) {
    return FieldShape::kU32;
  } else if constexpr (std::same_as<T, std::uint64_t>) {
    return FieldShape::kU64;
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(std::same_as<std::underlying_type_t<T>, std::uint32_t>);
    return FieldShape::kEnum;
  } else if constexpr (std::same_as<T, Id128>) {
    return FieldShape::kId;
  } else if constexpr (std::same_as<T, Slice>) {
    return FieldShape::kBytes;
  } else if constexpr (std::same_as<T, std::vector<std::uint64_t>>) {
    return FieldShape::kRepeatedU64;
  } else if constexpr (detail::kIsVector<T>) {
    static_assert(ListsFields<typename T::value_type>);
    return FieldShape::kRepeatedMessage;
  } else if constexpr (detail::kIsOptional<T>) {
    static_assert(ListsFields<typename T::value_type>);
    return FieldShape::kOptionalMessage;
  } else {
    static_assert(ListsFields<T>);
    return FieldShape::kMessage;
  }
}

// Whether the struct keeps the fields it does not know (`unknown`).
template <class T>
concept KeepsUnknown = requires(T& message) {
  { message.unknown } -> std::same_as<Slice&>;
};

}  // namespace wavetank::protocol
