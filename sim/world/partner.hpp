// The other process of a world that two processes simulate.
#pragma once

#include <string>
#include <string_view>

namespace wavetank::sim {

class Partner {
 public:
  virtual ~Partner() = default;
  // The two take turns: sends `mine`, and returns what the other has sent in its own call of the same turn.
  // Throws std::runtime_error when the other is gone.
  virtual std::string exchange(std::string_view mine) = 0;
};

}  // namespace wavetank::sim
