#pragma once

#include <cstdint>
#include <vector>

// How uneven the shards of a region get when its conversations are not equally busy and each lies on a shard
// chosen at random. The busiest shard, and not the mean one, decides how many shards are needed.
namespace wavetank::capacity {

// The shares of a region's messages that its conversations have: Zipf's law, the k-th busiest in proportion
// to k^-exponent. Where the hottest conversation is known to have more than that gives it, it has `hot_share`
// and the others share the rest.
class Skew {
 public:
  // `conversations` >= 1, `exponent` >= 0, `hot_share` in [0, 1].
  Skew(double exponent, double conversations, double hot_share);

  // Of the hottest conversation. No number of shards brings the busiest one below it.
  [[nodiscard]] double hottest() const { return hottest_; }

  // A share that the busiest of `shards` shards exceeds with a probability of at most `risk`: for each shard
  // Chernoff's bound of a sum of independent indicators (Mitzenmacher and Upfal, Probability and Computing,
  // chapter 4), with the shares as they are, over all shards the union bound. Never above 1, never below 1 /
  // shards nor below hottest(). Conversations beyond the first are taken in classes of nearly equal shares.
  [[nodiscard]] double busiest_shard(double shards, double risk) const;

  // So many conversations have a share of so much each; the shares add up to 1.
  struct Class {
    double count;
    double share;
  };
  [[nodiscard]] const std::vector<Class>& classes() const { return classes_; }

 private:
  std::vector<Class> classes_;
  double hottest_ = 1;
};

}  // namespace wavetank::capacity
