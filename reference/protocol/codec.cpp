// The proto3 wire format of messages.proto, written and read straight from the structs by walking their field
// lists.
//
// Encoding makes two walks: the first measures and notes the size of every nested message, the second writes
// into space of exactly that size. Decoding reads a tag and offers it to the fields in ascending order; as
// encoders write in that order, one walk takes a whole message, and any other order only costs further walks.
//
// Deviation from protobuf: when a singular nested message or the body comes twice, the last one wins whole
// (protobuf merges them field by field). No encoder writes that.
#include "reference/protocol/codec.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "reference/protocol/field_shape.hpp"

namespace wavetank::protocol {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t make_tag(int number, WireFormatLite::WireType type) {
  return (static_cast<std::uint32_t>(number) << 3) | static_cast<std::uint32_t>(type);
}

// The value of a scalar as its varint carries it. Enums are int32 on the wire, so the upper half is
// sign-extended.
template <class T>
constexpr std::uint64_t varint_value(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(value)));
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

constexpr bool is_varint(FieldShape shape) {
  return shape == FieldShape::kBool || shape == FieldShape::kU32 || shape == FieldShape::kU64 ||
         shape == FieldShape::kEnum;
}

std::size_t varint_size(std::uint64_t value) { return CodedOutputStream::VarintSize64(value); }
[[gnu::always_inline]] inline std::size_t tag_size(int number) { return number < 16 ? 1 : 2; }
std::size_t delimited_size(std::size_t size) { return varint_size(size) + size; }

// ---- measuring ----------------------------------------------------------------------------------

// Forgets the sizes of nested messages: for encoded_size().
struct NoSizes {
  std::size_t reserve() { return 0; }
  void set(std::size_t, std::size_t) {}
};

// Keeps the sizes of nested messages in the order in which writing meets them; allocates only above kInline
// of them.
class NestedSizes {
 public:
  std::size_t reserve() {
    if (count_ >= kInline) overflow_.push_back(0);
    return count_++;
  }
  void set(std::size_t slot, std::size_t size) { at(slot) = static_cast<std::uint32_t>(size); }
  std::size_t next() { return at(read_++); }

 private:
  static constexpr std::size_t kInline = 256;
  std::uint32_t& at(std::size_t slot) { return slot < kInline ? inline_[slot] : overflow_[slot - kInline]; }

  std::size_t count_ = 0;
  std::size_t read_ = 0;
  std::array<std::uint32_t, kInline> inline_;  // written before read, so never cleared
  std::vector<std::uint32_t> overflow_;
};

template <class Sizes, ListsFields M>
std::size_t measure(const M& message, Sizes& sizes);

template <class Sizes, ListsFields M>
std::size_t measure_nested(const M& message, Sizes& sizes) {
  const std::size_t slot = sizes.reserve();
  const std::size_t size = measure(message, sizes);
  sizes.set(slot, size);
  return delimited_size(size);
}

std::size_t packed_size(const std::vector<std::uint64_t>& values) {
  std::size_t size = 0;
  for (const std::uint64_t value : values) size += varint_size(value);
  return size;
}

template <class Sizes>
struct Measurer {
  Sizes& sizes;
  std::size_t total = 0;

  template <class T>
  [[gnu::always_inline]] void operator()(int number, const T& value, const char*) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (is_varint(shape)) {
      if (value != T{}) total += tag_size(number) + varint_size(varint_value(value));
    } else if constexpr (shape == FieldShape::kId) {
      if (value.hi != 0) total += tag_size(number) + 8;
      if (value.lo != 0) total += tag_size(number + 1) + 8;
    } else if constexpr (shape == FieldShape::kBytes) {
      if (!value.empty()) total += tag_size(number) + delimited_size(value.size());
    } else if constexpr (shape == FieldShape::kMessage) {
      total += tag_size(number) + measure_nested(value, sizes);
    } else if constexpr (shape == FieldShape::kOptionalMessage) {
      if (value) total += tag_size(number) + measure_nested(*value, sizes);
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      if (!value.empty()) total += tag_size(number) + delimited_size(packed_size(value));
    } else {
      for (const auto& element : value) total += tag_size(number) + measure_nested(element, sizes);
    }
  }
};

constexpr int body_number(const Frame& frame) { return body_field(frame.body.index()); }

template <class Sizes, ListsFields M>
std::size_t measure(const M& message, Sizes& sizes) {
  Measurer<Sizes> measurer{sizes};
  M::fields(message, measurer);
  if constexpr (std::same_as<M, Frame>) {
    measurer.total += std::visit(
        [&](const auto& body) -> std::size_t {
          if constexpr (std::same_as<std::decay_t<decltype(body)>, std::monostate>) {
            return 0;
          } else {
            return tag_size(body_number(message)) + measure_nested(body, sizes);
          }
        },
        message.body);
  }
  if constexpr (KeepsUnknown<M>) measurer.total += message.unknown.size();
  return measurer.total;
}

// ---- writing ------------------------------------------------------------------------------------

template <ListsFields M>
std::uint8_t* write(const M& message, NestedSizes& sizes, std::uint8_t* at);

struct Writer {
  NestedSizes& sizes;
  std::uint8_t* at;

  template <class T>
  [[gnu::always_inline]] void operator()(int number, const T& value, const char*) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (is_varint(shape)) {
      if (value == T{}) return;
      tag(number, WireFormatLite::WIRETYPE_VARINT);
      at = CodedOutputStream::WriteVarint64ToArray(varint_value(value), at);
    } else if constexpr (shape == FieldShape::kId) {
      fixed(number, value.hi);
      fixed(number + 1, value.lo);
    } else if constexpr (shape == FieldShape::kBytes) {
      if (value.empty()) return;
      tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
      at = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(value.size()), at);
      raw(value);
    } else if constexpr (shape == FieldShape::kMessage) {
      nested(number, value);
    } else if constexpr (shape == FieldShape::kOptionalMessage) {
      if (value) nested(number, *value);
    } else if constexpr (shape == FieldShape::kRepeatedU64) {
      if (value.empty()) return;
      tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
      at = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(packed_size(value)), at);
      for (const std::uint64_t element : value) at = CodedOutputStream::WriteVarint64ToArray(element, at);
    } else {
      for (const auto& element : value) nested(number, element);
    }
  }

  [[gnu::always_inline]] void tag(int number, WireFormatLite::WireType type) {
    at = CodedOutputStream::WriteTagToArray(make_tag(number, type), at);
  }
  [[gnu::always_inline]] void fixed(int number, std::uint64_t value) {
    if (value == 0) return;
    tag(number, WireFormatLite::WIRETYPE_FIXED64);
    at = CodedOutputStream::WriteLittleEndian64ToArray(value, at);
  }
  void raw(const Slice& bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  template <ListsFields M>
  void nested(int number, const M& message) {
    tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    at = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(sizes.next()), at);
    at = write(message, sizes, at);
  }
};

template <ListsFields M>
std::uint8_t* write(const M& message, NestedSizes& sizes, std::uint8_t* at) {
  Writer writer{sizes, at};
  M::fields(message, writer);
  if constexpr (std::same_as<M, Frame>) {
    std::visit(
        [&](const auto& body) {
          if constexpr (!std::same_as<std::decay_t<decltype(body)>, std::monostate>) {
            writer.nested(body_number(message), body);
          }
        },
        message.body);
  }
  if constexpr (KeepsUnknown<M>) writer.raw(message.unknown);
  return writer.at;
}

template <ListsFields M>
std::size_t size_of(const M& message) {
  NoSizes sizes;
  return measure(message, sizes);
}

template <ListsFields M>
void append(const M& message, std::string& out) {
  NestedSizes sizes;
  const std::size_t size = measure(message, sizes);
  const std::size_t start = out.size();
  // The length is our own sum: libstdc++ 12 hands the new capacity to the callback where the standard says
  // the size.
  out.resize_and_overwrite(start + size, [&](char* data, std::size_t) {
    write(message, sizes, reinterpret_cast<std::uint8_t*>(data) + start);
    return start + size;
  });
}

// ---- reading ------------------------------------------------------------------------------------

// Sets every field to what an absent field means in proto3 (a struct's own defaults may differ).
struct Zeroer {
  template <class T>
  void operator()(int, T& value, const char*) const {
    if constexpr (is_varint(field_shape<T>())) value = T{};
  }
};
template <ListsFields M>
void zero(M& message) {
  M::fields(message, Zeroer{});
}

// Reads from a run of bytes whose end moves in for nested messages. Own inline primitives instead of
// CodedInputStream: its calls out of line for every longer varint and every limit made decoding a page 1.6
// times slower than the generated classes, these make it faster. What is unknown is still passed over by
// protobuf's own WireFormatLite::SkipField.
class Parser {
 public:
  explicit Parser(std::string_view bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  // Reads fields up to the current end into `message`, which is fresh. False = error().
  template <ListsFields M>
  bool parse(M& message);
  DecodeError error() const { return error_; }

 private:
  template <ListsFields M>
  struct Walk;

  template <class T>
  bool read(T& value);
  template <class T>
  bool read_body(Frame& frame);
  bool read_body(std::uint32_t tag, Frame& frame, bool& taken);
  template <ListsFields M>
  bool read_nested(M& message);
  bool read_packed(std::vector<std::uint64_t>& values);
  bool read_bytes(Slice& bytes);
  template <int kMaxBytes = 10>
  bool read_varint(std::uint64_t& value);
  bool read_fixed64(std::uint64_t& value);
  bool read_length(std::size_t& length);
  bool skip(std::uint32_t tag, const std::uint8_t* start, std::string* kept);
  template <class T>
  void make_room(std::vector<T>& list);

  static constexpr int kHeadBytes = 5;  // the longest tag and the longest length, as in protobuf's parser

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  DecodeError error_ = DecodeError::kMalformed;
  std::size_t bytes_limit_ = kMaxPayloadBytes;  // of one bytes field
};

// Refuses encodings longer than kMaxBytes; bits beyond the 64th are dropped, as protobuf does.
template <int kMaxBytes>
[[gnu::always_inline]] inline bool Parser::read_varint(std::uint64_t& value) {
  if (at_ == end_) return false;
  std::uint64_t byte = *at_++;
  value = byte;
  for (int shift = 7; (byte & 0x80) != 0; shift += 7) {
    if (at_ == end_ || shift == 7 * kMaxBytes) return false;
    byte = *at_++;
    value += (byte - 1) << shift;  // -1 takes the continuation bit of the byte before away
  }
  return true;
}

[[gnu::always_inline]] inline bool Parser::read_fixed64(std::uint64_t& value) {
  if (left() < 8) return false;
  at_ = CodedInputStream::ReadLittleEndian64FromArray(at_, &value);
  return true;
}

// A length that the enclosing message really holds.
[[gnu::always_inline]] inline bool Parser::read_length(std::size_t& length) {
  std::uint64_t size = 0;
  if (!read_varint<kHeadBytes>(size) || size > left()) return false;
  length = static_cast<std::size_t>(size);
  return true;
}

// Offers one tag after the other to the fields in their order.
template <ListsFields M>
struct Parser::Walk {
  Parser& parser;
  const std::uint8_t* tag_start = nullptr;
  std::uint32_t tag = 0;  // the tag that waits for its field; 0 = the message is over
  bool ok = true;
  bool progressed = false;

  [[gnu::always_inline]] void next() {
    tag = 0;
    if (parser.at_ == parser.end_) return;
    tag_start = parser.at_;
    std::uint64_t number = 0;
    ok = parser.read_varint<kHeadBytes>(number) && (static_cast<std::uint32_t>(number) >> 3) != 0;
    if (ok) tag = static_cast<std::uint32_t>(number);
  }
  [[gnu::always_inline]] void took(bool read_ok) {
    progressed = true;
    if (read_ok) {
      next();
    } else {
      ok = false;
      tag = 0;
    }
  }

  template <class T>
  [[gnu::always_inline]] void operator()(int number, T& value, const char*) {
    constexpr FieldShape shape = field_shape<T>();
    if constexpr (is_varint(shape)) {
      while (tag == make_tag(number, WireFormatLite::WIRETYPE_VARINT)) took(parser.read(value));
    } else if constexpr (shape == FieldShape::kId) {
      while (tag == make_tag(number, WireFormatLite::WIRETYPE_FIXED64)) took(parser.read_fixed64(value.hi));
      while (tag == make_tag(number + 1, WireFormatLite::WIRETYPE_FIXED64))
        took(parser.read_fixed64(value.lo));
    } else {
      while (tag == make_tag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) took(parser.read(value));
      if constexpr (shape == FieldShape::kRepeatedU64) {
        while (tag == make_tag(number, WireFormatLite::WIRETYPE_VARINT))
          took(parser.read(value.emplace_back()));
      }
    }
  }
};

template <ListsFields M>
bool Parser::parse(M& message) {
  zero(message);
  // What is asked for may be as long as the frame: who is asked refuses it, and the connection goes on
  // (FRM-LIMIT-002).
  if constexpr (std::same_as<M, SendMessage> || std::same_as<M, PutSetting>) bytes_limit_ = kMaxFrameBytes;
  std::string unknown;
  Walk<M> walk{*this};
  walk.next();
  while (walk.tag != 0) {
    walk.progressed = false;
    M::fields(message, walk);
    if constexpr (std::same_as<M, Frame>) {
      if (walk.tag != 0) {
        bool taken = false;
        const bool read_ok = read_body(walk.tag, message, taken);
        if (taken) walk.took(read_ok);
      }
    }
    if (walk.tag != 0 && !walk.progressed) {
      walk.took(skip(walk.tag, walk.tag_start, KeepsUnknown<M> ? &unknown : nullptr));
    }
  }
  if constexpr (KeepsUnknown<M>) {
    if (walk.ok && !unknown.empty()) message.unknown = Slice(unknown);
  }
  return walk.ok;
}

template <class T>
[[gnu::always_inline]] inline bool Parser::read(T& value) {
  constexpr FieldShape shape = field_shape<T>();
  if constexpr (is_varint(shape)) {
    std::uint64_t number = 0;
    if (!read_varint(number)) return false;
    if constexpr (shape == FieldShape::kBool) {
      value = number != 0;
    } else if constexpr (shape == FieldShape::kEnum) {
      value = static_cast<T>(static_cast<std::uint32_t>(number));
    } else {
      value = static_cast<T>(number);
    }
    return true;
  } else if constexpr (shape == FieldShape::kBytes) {
    return read_bytes(value);
  } else if constexpr (shape == FieldShape::kMessage) {
    value = T{};
    return read_nested(value);
  } else if constexpr (shape == FieldShape::kOptionalMessage) {
    return read_nested(value.emplace());
  } else if constexpr (shape == FieldShape::kRepeatedU64) {
    return read_packed(value);
  } else {
    static_assert(shape == FieldShape::kRepeatedMessage);
    if (value.size() >= kMaxRepeatedMessages) {
      error_ = DecodeError::kTooLarge;
      return false;
    }
    if (value.empty()) make_room(value);
    return read_nested(value.emplace_back());
  }
}

// Guesses the length of a list from its first element and what is left; the guess is bounded, so a lie costs
// little.
template <class T>
void Parser::make_room(std::vector<T>& list) {
  const std::uint8_t* start = at_;
  std::size_t length = 0;
  if (read_length(length)) list.reserve(std::min<std::size_t>(left() / (length + 2) + 1, 128));
  at_ = start;
}

template <ListsFields M>
bool Parser::read_nested(M& message) {
  std::size_t length = 0;
  if (!read_length(length)) return false;
  const std::uint8_t* outer_end = std::exchange(end_, at_ + length);
  const bool ok = parse(message);
  end_ = outer_end;
  return ok;
}

bool Parser::read_packed(std::vector<std::uint64_t>& values) {
  std::size_t length = 0;
  if (!read_length(length)) return false;
  const std::uint8_t* outer_end = std::exchange(end_, at_ + length);
  bool ok = true;
  while (ok && at_ != end_) ok = read_varint(values.emplace_back());
  end_ = outer_end;
  return ok;
}

bool Parser::read_bytes(Slice& bytes) {
  std::size_t length = 0;
  if (!read_length(length)) return false;
  if (length > bytes_limit_) {
    error_ = DecodeError::kPayloadTooLarge;
    return false;
  }
  bytes = Slice(std::string_view(reinterpret_cast<const char*>(at_), length));
  at_ += length;
  return true;
}

// Passes over the field of `tag`, which began at `start`; appends its bytes to `kept` when there is one.
bool Parser::skip(std::uint32_t tag, const std::uint8_t* start, std::string* kept) {
  if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
    std::size_t length = 0;
    if (!read_length(length)) return false;
    at_ += length;
  } else {
    CodedInputStream rest(at_, static_cast<int>(left()));
    if (!WireFormatLite::SkipField(&rest, tag)) return false;
    at_ += rest.CurrentPosition();
  }
  if (kept != nullptr)
    kept->append(reinterpret_cast<const char*>(start), static_cast<std::size_t>(at_ - start));
  return true;
}

template <class T>
bool Parser::read_body(Frame& frame) {
  return read_nested(frame.body.emplace<T>());
}

bool Parser::read_body(std::uint32_t tag, Frame& frame, bool& taken) {
  constexpr std::size_t kBodies = std::variant_size_v<Body>;
  using Reader = bool (Parser::*)(Frame&);
  static constexpr auto readers = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Reader, kBodies - 1>{&Parser::read_body<std::variant_alternative_t<I + 1, Body>>...};
  }(std::make_index_sequence<kBodies - 1>{});

  const std::size_t alternative = body_index(tag >> 3);
  taken = (tag & 7) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED && alternative != 0;
  return taken && (this->*readers[alternative - 1])(frame);
}

template <ListsFields M>
std::expected<M, DecodeError> decode_as(std::string_view bytes) {
  if (bytes.size() > kMaxFrameBytes) return std::unexpected(DecodeError::kTooLarge);
  std::expected<M, DecodeError> result;
  Parser parser(bytes);
  if (!parser.parse(*result)) result = std::unexpected(parser.error());
  return result;
}

}  // namespace

std::size_t encoded_size(const Frame& frame) { return size_of(frame); }
std::size_t encoded_size(const Event& event) { return size_of(event); }
std::size_t encoded_size(const Change& change) { return size_of(change); }
std::size_t encoded_size(const OutboxItem& item) { return size_of(item); }

void encode(const Frame& frame, std::string& out) { append(frame, out); }
void encode(const Event& event, std::string& out) { append(event, out); }
void encode(const Change& change, std::string& out) { append(change, out); }
void encode(const OutboxItem& item, std::string& out) { append(item, out); }

std::expected<Frame, DecodeError> decode(std::string_view bytes) { return decode_as<Frame>(bytes); }
std::expected<Event, DecodeError> decode_event(std::string_view bytes) { return decode_as<Event>(bytes); }
std::expected<Change, DecodeError> decode_change(std::string_view bytes) { return decode_as<Change>(bytes); }
std::expected<OutboxItem, DecodeError> decode_outbox_item(std::string_view bytes) {
  return decode_as<OutboxItem>(bytes);
}

}  // namespace wavetank::protocol
