// Hands a judge its records in batches.
#pragma once

#include <cstddef>
#include <vector>

#include "conformance/properties/judge.hpp"

namespace wavetank::conformance {

// Keeps records until a batch is together, and lets the judge look ahead in it (Judge::on). The judge knows
// of everything only after flush(); between two of them it is at most kBatch records behind. Not copyable.
class JudgeFeed final : public history::Sink {
 public:
  // `judge` must outlive the feed.
  explicit JudgeFeed(Judge& judge) : judge_(judge) { batch_.reserve(kBatch); }
  JudgeFeed(const JudgeFeed&) = delete;
  JudgeFeed& operator=(const JudgeFeed&) = delete;

  void on(const Record& record) override {
    batch_.push_back(record);
    if (batch_.size() == kBatch) flush();
  }
  void flush() {
    judge_.on(batch_);
    batch_.clear();
  }

 private:
  static constexpr std::size_t kBatch = 128;
  Judge& judge_;
  std::vector<Record> batch_;
};

}  // namespace wavetank::conformance
