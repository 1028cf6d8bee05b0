#!/usr/bin/env python3
"""Prints distribution_tables.hpp. Run by hand when a table's shape changes; the build never runs it.

  sim/kernel/make_distribution_tables.py | clang-format-19 --style=file --assume-filename=sim/kernel/x.hpp \\
      > sim/kernel/distribution_tables.hpp

Logarithms and powers are computed with 50 decimal digits, normal quantiles by Wichura's AS 241 (relative error
about 1e-16); every entry is rounded to nearest once.
"""
import decimal
import statistics

decimal.getcontext().prec = 50
LN2 = decimal.Decimal(2).ln()


def rounded(x):
    return int(decimal.Decimal(x).to_integral_value(decimal.ROUND_HALF_EVEN))


def table(comment, kind, name, values):
    print(f"{comment}\ninline constexpr {kind} {name}[{len(values)}] = {{")
    print(", ".join(f"{v}u" if kind == "std::uint32_t" else str(v) for v in values))
    print("};\n")


print("""// Integer tables of the distributions. Printed by make_distribution_tables.py; do not edit by hand.
#pragma once

#include <cstdint>

namespace wavetank::sim::tables {
""")
table("// ln(1 + i / 256) * 2^32", "std::uint32_t", "kLog",
      [rounded((1 + decimal.Decimal(i) / 256).ln() * 2**32) for i in range(257)])
table("// 2^(i / 256) * 2^30", "std::uint32_t", "kPower",
      [rounded((LN2 * i / 256).exp() * 2**30) for i in range(257)])

# Quantiles of the normal distribution by upper tail, 32 linear pieces for each halving of the tail.
normal = statistics.NormalDist()
tails = [2.0**-k * (1 - j / 64) / 2 for k in range(32) for j in range(32)] + [2.0**-33]
table("// The z with P(Z > z) = u / 2, times 2^28, for u = 2^-k * (1 - j / 64) at index 32 k + j; the last has u = 2^-32.",
      "std::int32_t", "kNormal", [round(-normal.inv_cdf(t) * 2**28) + 0 for t in tails])
print("}  // namespace wavetank::sim::tables")
