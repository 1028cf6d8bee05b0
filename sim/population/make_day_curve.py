#!/usr/bin/env python3
"""Prints day_curve_table.hpp. Run by hand when the curve changes; the build never runs it.

  sim/population/make_day_curve.py | clang-format-19 --style=file --assume-filename=sim/population/x.hpp \\
      > sim/population/day_curve_table.hpp

A sinusoid that is highest at 16:30, and two humps, at half past twelve and at half past eight in the evening, the
second higher. Their shape is an assumption; their size is chosen such that the peak is 1.55 times the mean, which is
published (342 k/s against 220 k/s, Rick Reed's talk on WhatsApp, HighScalability 2014-03-31).
"""
import math

STEPS = 96  # quarters of an hour
PEAK = 1.55


def hump(hour, middle, width):
    distance = min(abs(hour - middle), 24 - abs(hour - middle))
    return math.exp(-distance * distance / (2 * width * width))


def curve(humps):
    raw = [1 + 0.5 * math.cos(2 * math.pi * (i / 4 - 16.5) / 24) + humps * (0.6 * hump(i / 4, 12.5, 1.2) +
           hump(i / 4, 20.5, 1.5)) for i in range(STEPS)]
    mean = sum(raw) / STEPS
    return [value / mean for value in raw]


low, high = 0.0, 2.0
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if max(curve(middle)) < PEAK else (low, middle)
values = [round(value * 1e6) for value in curve(low)]

print("""// The rate of a usual day by its quarters of an hour. Printed by make_day_curve.py; do not edit by hand.
#pragma once

#include <cstdint>

namespace wavetank::sim::tables {

// At minute 15 * i of the day, in millionths of the day's mean; straight lines in between.""")
print(f"inline constexpr std::uint32_t kDayCurve[{STEPS}] = {{")
print(", ".join(f"{value}u" for value in values))
print("};\n\n}  // namespace wavetank::sim::tables")
