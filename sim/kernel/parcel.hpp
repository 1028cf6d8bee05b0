// Values as bytes, for another process of the same program on a machine of the same kind: each as it lies in
// memory, one behind the other.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wavetank::sim {

class Parcel {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put_all(std::span<const T> values) {
    put(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  void put_text(std::string_view text) { put_all(std::span(text.data(), text.size())); }

  const std::string& bytes() const { return bytes_; }
  // Makes it empty, and keeps its memory.
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

// Takes out in the same order what was put in. std::length_error when there is less than is taken.
class Unpacker {
 public:
  // The bytes must outlive it.
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T take() {
    T value;
    take_to(&value, sizeof(T));
    return value;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  std::vector<T> take_all() {
    const auto count = take<std::size_t>();
    if (count > rest_.size() / sizeof(T)) throw std::length_error("parcel: cut off");
    std::vector<T> values(count);
    take_to(values.data(), count * sizeof(T));
    return values;
  }
  std::string_view take_text() {
    const auto size = take<std::size_t>();
    if (size > rest_.size()) throw std::length_error("parcel: cut off");
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  bool empty() const { return rest_.empty(); }

 private:
  void take_to(void* value, std::size_t size) {
    if (size > rest_.size()) throw std::length_error("parcel: cut off");
    if (size == 0) return;  // of an empty list there is no place
    std::memcpy(value, rest_.begin(), size);
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
};

}  // namespace wavetank::sim
