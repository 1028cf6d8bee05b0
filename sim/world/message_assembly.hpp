// Messages that come in parts: what has come of each, until it is whole.
//
// A part says how long its message is to be, as the header of a WebSocket frame does. What would be above
// kMaxFrameBytes is refused at its first part, before anything of it is kept (FRM-LIMIT-004), and each
// connection's parts are its own (FRM-PARTS-001).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "reference/environment/defects.hpp"
#include "reference/protocol/codec.hpp"

namespace wavetank::sim {

class MessageAssembly {
 public:
  enum class Step : std::uint8_t {
    kMore,    // kept; the message is not whole yet
    kWhole,   // `bytes` is the message
    kRefused  // too long, or longer than announced; nothing of it is kept
  };

  explicit MessageAssembly(const DefectSet& defects) : defects_(defects) {}

  // One part of a message of `connection`. `announced` is not 0.
  Step add(std::uint32_t connection, std::uint32_t announced, std::string& bytes) {
    // Seeded defect: it is measured when it is there.
    const bool waits = defects_.has(Defect::kLimitAfterBuffering);
    const std::uint32_t place = place_of(connection);
    if (!waits && announced > protocol::kMaxFrameBytes) return refuse(place);
    std::string& kept = parts_[place];
    kept += bytes;
    if (kept.size() < announced) return Step::kMore;
    if (kept.size() > announced || announced > protocol::kMaxFrameBytes) return refuse(place);
    bytes = std::exchange(kept, {});
    parts_.erase(place);
    return Step::kWhole;
  }

  // The connection is over: what has come of its message is forgotten.
  void forget(std::uint32_t connection) {
    if (!parts_.empty() && !defects_.has(Defect::kPartsShareABuffer)) parts_.erase(connection);
  }
  void clear() { parts_.clear(); }
  // Connections of whose messages a part has come.
  std::size_t size() const { return parts_.size(); }

 private:
  // Seeded defect: one buffer is enough, since one part is read at a time.
  std::uint32_t place_of(std::uint32_t connection) const {
    return defects_.has(Defect::kPartsShareABuffer) ? 0 : connection;
  }
  Step refuse(std::uint32_t place) {
    parts_.erase(place);
    return Step::kRefused;
  }

  DefectSet defects_;
  boost::unordered_flat_map<std::uint32_t, std::string> parts_;  // by connection
};

}  // namespace wavetank::sim
