// MOV-FENCE: a bucket has one owner.
//
// Whoever serves a request or an effect on a bucket says under which version of it. Of one version there is
// one owner, and when a bucket was served under a version, nobody serves it under a lower one: whoever has
// given it away has stopped before the next one begins.
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"

namespace wavetank::conformance {
namespace {

class MoveFence final : public Monitor {
 public:
  explicit MoveFence(Truth& truth) : Monitor("MOV-FENCE", truth) {}

  KindSet kinds() const override { return kinds_of(Kind::kBucketServed); }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    const auto [at, fresh] = newest_.try_emplace(record.value, Owner{record.value2, record.size});
    Owner& newest = at->second;
    if (fresh || record.value2 > newest.version) {
      if (!fresh && record.size != newest.node) fired();
      newest = {record.value2, record.size};
    } else if (record.value2 < newest.version) {
      violate(record,
              "node {} served bucket {} under version {}, after node {} had served it under version {}",
              record.size, record.value, record.value2, newest.node, newest.version);
    } else if (record.size != newest.node) {
      violate(record, "nodes {} and {} both served bucket {} under version {}", newest.node, record.size,
              record.value, record.value2);
    }
  }

  std::size_t bytes() const override { return table_bytes(newest_); }

 private:
  struct Owner {
    std::uint64_t version = 0;
    std::uint32_t node = 0;
  };
  boost::unordered_flat_map<std::uint64_t, Owner> newest_;  // by bucket: of the highest version so far
};

}  // namespace

std::unique_ptr<Monitor> make_move_fence(Truth& truth) { return std::make_unique<MoveFence>(truth); }

}  // namespace wavetank::conformance
