// MOV-FENCE: a bucket has one owner.
//
// Of all that was served of one bucket before, in the order of the history: nothing under a higher version,
// and nothing under the same version by another node. It fires where the version rises from one node to
// another.
#include <map>
#include <set>
#include <vector>

#include "conformance/exact/properties.hpp"

namespace wavetank::conformance::exact {

Findings move_fence(const Facts& facts) {
  Findings out;
  std::map<std::uint64_t, std::vector<const Record*>> served;  // by bucket
  for (const Record* record : facts.records) {
    if (record->kind == Kind::kBucketServed) served[record->value].push_back(record);
  }
  std::set<const Record*> wrong;
  for (const auto& [bucket, records] : served) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Record& r = *records[i];
      // The first of those under the highest version so far.
      const Record* newest = nullptr;
      for (std::size_t before = 0; before < i; ++before) {
        if (newest == nullptr || records[before]->value2 > newest->value2) newest = records[before];
      }
      if (newest == nullptr) continue;
      const bool is_higher = r.value2 > newest->value2;
      if (is_higher && r.size != newest->size) out.fired();
      if (!is_higher && (r.value2 < newest->value2 || r.size != newest->size)) wrong.insert(&r);
    }
  }
  // In the order of the history again.
  for (const Record* record : facts.records) {
    if (!wrong.contains(record)) continue;
    out.violate(*record, "node {} served bucket {} under version {}, which was another node's by then",
                record->size, record->value, record->value2);
  }
  return out;
}

}  // namespace wavetank::conformance::exact
