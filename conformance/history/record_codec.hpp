// Records as bytes: the kind, the time since the record before, a mask of the members that are not as
// expected, and those members. What is expected follows from the records before (a device keeps its user, a
// message its digest), the same at both ends. A record of a busy run takes about a dozen bytes before
// compression.
//
// Both classes must see the records of one history from the first on, in its order. O(1) per record; each
// keeps tables of a fixed 3 MiB.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/history/packing.hpp"
#include "conformance/history/record.hpp"

namespace wavetank::history {

// No record takes more bytes than this.
inline constexpr std::size_t kLongestRecord = 160;

// What a record is expected to look like. A table forgets what another device or message in its slot needs.
class Expectation {
 public:
  Expectation();
  // `known` with the members that follow from its kind, device and key.
  Record of(const Record& known) const;
  void learn(const Record& record);
  TimeNs time() const { return time_; }

 private:
  struct OfDevice {
    DeviceTag device = kNone;
    UserIndex user = kNone;
    std::uint32_t connection = 0;
  };
  struct OfMessage {
    MessageKey key;
    std::uint64_t digest = 0;
    std::uint32_t size = 0;
  };
  const OfDevice& slot_of(DeviceTag device) const;
  std::size_t place_of(MessageKey key) const;

  TimeNs time_ = 0;
  std::vector<OfDevice> devices_;
  std::vector<OfMessage> messages_;
};

class RecordEncoder {
 public:
  // Appends to `out`. `record.kind` must be below Kind::kCount.
  void encode(const Record& record, std::string& out);

 private:
  Expectation expectation_;
};

class RecordDecoder {
 public:
  // The record of this kind whose bytes follow it. In doubt `in.ok()` is false.
  Record decode(Kind kind, Unpacker& in);

 private:
  Expectation expectation_;
};

}  // namespace wavetank::history
