// One property watched online: what a monitor is told, what it keeps and how it speaks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conformance/history/record.hpp"
#include "conformance/properties/outcome.hpp"
#include "conformance/properties/truth.hpp"
#include "conformance/requirements/registry.hpp"

namespace wavetank::conformance {

struct PropertyState {
  const Requirement* requirement = nullptr;
  std::uint64_t antecedents = 0;  // how often the condition occurred that the property speaks about
  std::uint64_t violations = 0;
  std::uint64_t unverified =
      0;  // witnesses that could not be judged: older than what is kept, or never settled
  std::vector<Violation> examples;  // the first kMostExamples
  std::string inconclusive;         // why the property cannot be called passed; empty = it can
  std::string note;                 // what a reader should know besides, for example a measured share
};

using ViolationListener = std::function<void(std::string_view property, const Violation& violation)>;

// Watches one property. Listens only; O(1) per record; judges every record against the truth as it was before
// it.
class Monitor {
 public:
  // `id` must be in the registry. `truth` must outlive the monitor.
  Monitor(std::string_view id, Truth& truth) : truth_(truth) { state_.requirement = find_property(id); }
  virtual ~Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // The kinds of record that on() wants to see.
  virtual KindSet kinds() const = 0;
  virtual void on(const Observation& seen) = 0;

  // Every entry of every log, once and in log order, as soon as all entries before it have been witnessed.
  virtual bool wants_known() const { return false; }
  virtual void on_known(const Truth::KnownEntry& /*known*/) {}
  // A check this monitor parked can be decided now.
  virtual void on_settled(const ParkedCheck& /*check*/) {}
  // The run is over.
  virtual void finish() {}
  // Bytes of its own, the truth's not counted.
  virtual std::size_t bytes() const { return 0; }

  const PropertyState& state() const { return state_; }
  void listen(ViolationListener listener) { listener_ = std::move(listener); }

 protected:
  Truth& truth() { return truth_; }
  void fired(std::uint64_t times = 1) { state_.antecedents += times; }
  void unverified(std::uint64_t times = 1) { state_.unverified += times; }
  void inconclusive(std::string reason) { state_.inconclusive = std::move(reason); }
  void note(std::string text) { state_.note = std::move(text); }

  // Counts a violation; its text is made only while examples are still wanted or somebody listens.
  template <class... Args>
  void violate(const Record& record, fmt::format_string<Args...> text, Args&&... args) {
    violate_at(record.time, record.conversation, record.device, record.seq, record.key, text,
               std::forward<Args>(args)...);
  }
  template <class... Args>
  void violate_at(TimeNs time, ConversationIndex conversation, DeviceTag device, std::uint64_t seq,
                  MessageKey key, fmt::format_string<Args...> text, Args&&... args) {
    ++state_.violations;
    if (state_.examples.size() >= kMostExamples) return;
    keep({time, conversation, device, fmt::format(text, std::forward<Args>(args)...), seq, key});
  }

 private:
  void keep(Violation violation) {
    state_.examples.push_back(std::move(violation));
    if (listener_) listener_(state_.requirement->id, state_.examples.back());
  }

  Truth& truth_;
  PropertyState state_;
  ViolationListener listener_;
};

}  // namespace wavetank::conformance
