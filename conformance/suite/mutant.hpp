// Mutants: small believable mistakes of a server as they look from outside. Each stands between the suite and
// a correct target and alters what is said; a case made for what it breaks must fail. A control alters only
// what a server may do; every case must pass.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/protocol/frames.hpp"

namespace wavetank::conformance {

class Line;

// Where a mistake meddles with a conversation; what is left empty lets everything pass. A mistake lives as
// long as its target and may remember what it likes.
struct Mistake {
  using Frames = std::function<bool(Line&, protocol::Frame&)>;

  // A frame of the client, or to the client, which may be changed; false: it goes no further. What the hook
  // says itself goes before it.
  Frames up;
  Frames down;
  // Bytes that the client wrote by hand, before `up` sees the frame that they are; false: they go no further.
  std::function<bool(Line&, std::string&)> raw;
  // The server has ended the connection; false: the client is not told.
  std::function<bool(Line&)> ended;
  // The server was killed and started again.
  std::function<void()> restarted;
};

struct Mutant {
  std::string_view name;   // stable, words joined by hyphens
  std::string_view story;  // one sentence: what the mistaken server does
  // The requirements of PROTOCOL.md that it breaks, whose records name it; none: a control.
  std::array<std::string_view, 4> breaks;
  Mistake (*make)();

  bool is_control() const { return breaks[0].empty(); }
  std::vector<std::string_view> requirements() const;
};

// All mutants, area by area, then the controls.
std::span<const Mutant> all_mutants();
// nullptr when there is none of that name. O(mutants).
const Mutant* find_mutant(std::string_view name);

// ---- the areas, each in a file of its own
std::span<const Mutant> connection_mutants();
std::span<const Mutant> frame_mutants();
std::span<const Mutant> send_mutants();
std::span<const Mutant> range_mutants();
std::span<const Mutant> feed_mutants();
std::span<const Mutant> receipt_mutants();
std::span<const Mutant> membership_mutants();
std::span<const Mutant> setting_mutants();
std::span<const Mutant> retention_mutants();
std::span<const Mutant> durability_mutants();
std::span<const Mutant> credential_mutants();
std::span<const Mutant> control_mutants();

}  // namespace wavetank::conformance
