// Equal entries in one block of memory, whoever keeps them.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <vector>

#include "reference/protocol/frames.hpp"

namespace wavetank::store {

struct EventBlock : boost::intrusive_ref_counter<EventBlock, boost::thread_unsafe_counter> {
  explicit EventBlock(const protocol::Event& event) : value(event) {}
  const protocol::Event value;
};
using SharedEvent = boost::intrusive_ptr<const EventBlock>;

// An entry stands in its log and in the feeds of all its readers. Stores that are given the same object keep
// it in one block as long as no more than about `places` (a power of two) other entries come in between. All
// of them belong to one thread.
class EventBlocks {
 public:
  // Memory: 8 bytes a place, and the blocks that only a place still holds.
  explicit EventBlocks(std::size_t places = 1 << 12) : recent_(places) {}

  // A block that holds a copy of the event. O(1).
  SharedEvent share(const protocol::Event& event) {
    SharedEvent& place = recent_[(IdHash()(event.conversation) + event.conv_seq) & (recent_.size() - 1)];
    if (!place || place->value != event) place = SharedEvent(new EventBlock(event));
    return place;
  }

 private:
  std::vector<SharedEvent> recent_;
};

}  // namespace wavetank::store
