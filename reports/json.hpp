#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "reports/result.hpp"

namespace wavetank::reports {

// result.json: the whole result, pretty-printed, ended by a newline. Percentiles are in milliseconds,
// everything called ...Ns in nanoseconds; the field "units" says so. Histograms are kept whole, as pairs of
// bucket and count. The same result always gives the same bytes.
std::string render_json(const Result& result);

// The text is not a result: not JSON, a missing or ill-typed field, another schema version. what() is one
// line.
class ResultError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The inverse of render_json; derived fields (percentiles, rates) are recomputed, not read. Throws
// ResultError.
Result parse_result_json(std::string_view text);

}  // namespace wavetank::reports
