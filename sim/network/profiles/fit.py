#!/usr/bin/env python3
"""Fits the access-link profiles of this folder (fibre, wifi, 4g, 3g) to measured links.

    python3 sim/network/profiles/fit.py RAW_FOLDER

RAW_FOLDER holds the sources named in README.md under the paths used below. Standard library only; the same input
gives the same bytes. What is fitted and what is assumed is told in README.md, in the same order as here.
"""
import argparse
import csv
import gzip
import pathlib

HERE = pathlib.Path(__file__).resolve().parent

DELAY_POINTS = 201      # half-per-cent steps: the 99.5 % value is a point of its own
STALL_POINTS = 201
RATE_POINTS = 21
SHORTEST_STALL_MS = 100
SHORTEST_DEAD_SPOT_MS = 10_000
WINDOW_MS = 10_000
LEAST_DELIVERING_MS = 1_000

# Assumptions: no source of ours measures these.
FIBRE_ACCESS_RTT_US = range(2_000, 8_001, 100)  # home to the nearest data centre's door, there and back, uniform
WIFI_AIR_US = 1_000                             # one way over the air and through the home router, idle
ASSUMED_RATES_KBPS = {"fibre": (40_000, 100_000), "wifi": (20_000, 50_000)}  # up, down
ASSUMED_LOSS_PER_MILLION = {"fibre": 100, "wifi": 1_000}

LTE_DOWN = ["mahimahi/Verizon-LTE-short.down", "mahimahi/TMobile-LTE-short.down", "mahimahi/ATT-LTE-driving-2016.down",
            "nyc-lte/trace-2768760-taxi3", "nyc-lte/trace-3201711-timessquare", "nyc-lte/trace-3204803-timessquare"]
LTE_UP = ["mahimahi/Verizon-LTE-short.up", "mahimahi/TMobile-LTE-short.up", "mahimahi/ATT-LTE-driving-2016.up"]
UMTS_DOWN = ["mahimahi/TMobile-UMTS-driving.down", "mahimahi/Verizon-EVDO-driving.down"]
UMTS_UP = ["mahimahi/TMobile-UMTS-driving.up", "mahimahi/Verizon-EVDO-driving.up"]
LTE_MODES = {"LTE"}
UMTS_MODES = {"UMTS", "HSDPA", "HSUPA", "HSPA+"}

# Pairs of devices this near each other show the access links more than the wide area.
NEAR_PAIR_MS = 50
FEWEST_SAMPLES = 80
STEP_MS = 10                      # the source's resolution
FLAT_BINS = range(100, 350, 10)   # where the measuring platform's own pauses stand alone
JITTER_BINS = range(0, 100, 10)
SHORTEST_STRAGGLER_MS = 2_000     # beyond the platform's own pauses (peaks at 390, 880, 1,350 and 1,820 ms)
TRAVERSALS = 4                    # a round trip between two devices crosses an access link four times
LINKS = 2                         # ... of two devices


def quantiles(values, points):
    """Evenly spaced quantiles, the first the least and the last the largest value; linear between values, rounded."""
    ordered = sorted(values)
    table = []
    for index in range(points):
        position = index * (len(ordered) - 1)
        low, rest = divmod(position, points - 1)
        high = min(low + 1, len(ordered) - 1)
        table.append(round(ordered[low] + (ordered[high] - ordered[low]) * rest / (points - 1)))
    return table


def midpoints(values, count):
    """`count` values that stand for equal shares of the distribution: what a sum of two draws is computed from."""
    ordered = sorted(values)
    return [ordered[(2 * index + 1) * len(ordered) // (2 * count)] for index in range(count)]


def opportunities(raw, name):
    with gzip.open(raw / "links" / f"{name}.gz", "rt", encoding="ascii") as file:
        return [int(line) for line in file]


def capacity_stalls(raw, names):
    """Gaps of at least SHORTEST_STALL_MS in saturated links, and the mean time from one to the next, in ms."""
    gaps, span = [], 0
    for name in names:
        times = opportunities(raw, name)
        gaps += [b - a for a, b in zip(times, times[1:]) if b - a >= SHORTEST_STALL_MS]
        span += times[-1] - times[0]
    return gaps, round(span / len(gaps))


def rates(raw, names):
    """Capacity in kbit/s of each whole window of 10 s while the link delivers: time inside stalls does not count, and a
    window with less than LEAST_DELIVERING_MS outside of them is left out. One opportunity is 1,500 bytes."""
    found = []
    for name in names:
        times = opportunities(raw, name)
        windows = (times[-1] - times[0]) // WINDOW_MS
        counts, stalled = [0] * (windows + 1), [0] * (windows + 1)
        for before, now in zip(times, times[1:]):
            counts[min((now - times[0]) // WINDOW_MS, windows)] += 1
            if now - before >= SHORTEST_STALL_MS:
                for window in range((before - times[0]) // WINDOW_MS, min((now - times[0]) // WINDOW_MS, windows) + 1):
                    start = times[0] + window * WINDOW_MS
                    stalled[window] += max(0, min(now, start + WINDOW_MS) - max(before, start))
        found += [count * 1_500 * 8 // (WINDOW_MS - stall) for count, stall in zip(counts[:windows], stalled)
                  if WINDOW_MS - stall >= LEAST_DELIVERING_MS]
    return found


def phone_rows(raw, modes):
    with gzip.open(raw / "links/irish-5g/irish_5g_lte_3g.csv.gz", "rt", encoding="ascii", newline="") as file:
        return [row for row in csv.DictReader(file) if row["mode"] in modes and row["ping_avg_ms"]]


def single_pings(row):
    """The pings behind a row's average, least and largest, as far as can be told: the others share what is left."""
    average, least, largest = (float(row[f"ping_{what}_ms"]) for what in ("avg", "min", "max"))
    answered = {"0.0": 5, "20.0": 4, "40.0": 3, "60.0": 2, "50.0": 2, "80.0": 1}[row["ping_loss_pct"]]
    if answered == 1:
        return [average]
    between = answered - 2
    rest = (average * answered - least - largest) / between if between else 0
    return [least, largest] + [min(max(rest, least), largest)] * between


def cellular_delay(rows):
    """Half of each ping's round trip, in microseconds."""
    return quantiles([ping * 500 for row in rows for ping in single_pings(row)], DELAY_POINTS)


def cellular_loss(rows):
    """Lost pings per million, one direction: half of the mean loss over rows with an answer."""
    return round(sum(float(row["ping_loss_pct"]) for row in rows) * 10_000 / len(rows) / 2)


def dead_spots(raw):
    """Stretches of at least SHORTEST_DEAD_SPOT_MS in which a commuting phone logged nothing, and the mean distance."""
    runs = {}
    with gzip.open(raw / "links/oslo-3g/oslo_3g_commute.csv.gz", "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            runs.setdefault(row["trace"], []).append(round(float(row["t_s"]) * 1_000))
    gaps, span = [], 0
    for times in runs.values():
        gaps += [b - a for a, b in zip(times, times[1:]) if b - a >= SHORTEST_DEAD_SPOT_MS]
        span += times[-1] - times[0]
    return gaps, round(span / len(gaps))


def fibre_delays(raw):
    """Assumed access plus measured distance between zones of one metro; half of the round trip, all combinations."""
    with open(raw / "latency/ibm_cloud_regions_and_zones_rtt_ms.csv", newline="", encoding="ascii") as file:
        zones = [round(float(row["rtt_ms"]) * 1_000) for row in csv.DictReader(file) if row["scope"] == "az"]
    return [(access + zone) / 2 for access in FIBRE_ACCESS_RTT_US for zone in zones]


def near_pair_excess(raw):
    """Round trips between near devices above the least of the same ordered pair, in milliseconds."""
    pairs = {}
    path = raw / "latency/seattle_personal_devices_rtt_ms_slices1-96.csv.gz"
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for _, source, *values in reader:
            for index, value in enumerate(values, 1):
                # A zero between two devices has no stated meaning: missing.
                if index != int(source) and value and int(value) > 0:
                    pairs.setdefault((int(source), index), []).append(int(value))
    excess = []
    for values in pairs.values():
        base = min(values)
        if len(values) >= FEWEST_SAMPLES and base <= NEAR_PAIR_MS:
            excess += [value - base for value in values]
    return excess


def wifi_jitter(excess):
    """One-way jitter of one access link in microseconds, as values that stand for equal shares."""
    counts = {}
    for value in excess:
        counts[value] = counts.get(value, 0) + 1
    flat = sum(counts.get(step, 0) for step in FLAT_BINS) / len(FLAT_BINS)
    weights = [max(0.0, counts.get(step, 0) - flat) for step in JITTER_BINS]
    total = sum(weights)

    def round_trip_quantile(share):
        below = 0.0
        for step, weight in zip(JITTER_BINS, weights):
            if weight and share * total <= below + weight:
                return (step + STEP_MS * (share * total - below) / weight) * 1_000
            below += weight
        return (JITTER_BINS[-1] + STEP_MS) * 1_000

    values, count = [], 20 * DELAY_POINTS
    for index in range(count):
        above = TRAVERSALS * (1 - (2 * index + 1) / (2 * count))
        values.append(round_trip_quantile(1 - above) if above < 1 else 0.0)
    return values


def write_profile(name, delay_us, rates_kbps, loss, stalls=None, dead=None):
    rows = [("loss_per_million", 0, loss)]
    rows += [("delay_us", index, value) for index, value in enumerate(delay_us)]
    for parameter, table in zip(("up_kbps", "down_kbps"), rates_kbps):
        rows += [(parameter, index, value) for index, value in enumerate(table)]
    for parameter, process in (("stall", stalls), ("dead_spot", dead)):
        lengths, interval = process if process else ([], 0)
        rows.append((f"{parameter}_interval_ms", 0, interval))
        if lengths:
            rows += [(f"{parameter}_ms", index, value) for index, value in enumerate(quantiles(lengths, STALL_POINTS))]
    text = "parameter,position,value\n" + "".join(f"{p},{i},{v}\n" for p, i, v in rows)
    (HERE / f"{name}.csv").write_text(text, encoding="ascii")

    def at(table, per_mille):
        return table[per_mille * (len(table) - 1) // 1_000]

    stall_text = "no stalls"
    if stalls:
        share = sum(stalls[0]) / len(stalls[0]) / stalls[1]
        stall_text = f"{len(stalls[0])} stalls, one in {stalls[1]} ms, {share:.2%} of the time"
    print(f"{name}: delay us p0/50/90/95/99/99.5/100 {[at(delay_us, p) for p in (0, 500, 900, 950, 990, 995, 1000)]}, "
          f"up {at(rates_kbps[0], 500)} down {at(rates_kbps[1], 500)} kbit/s (least {rates_kbps[0][0]}, "
          f"{rates_kbps[1][0]}), loss {loss}/10^6, {stall_text}"
          + (f", {len(dead[0])} dead spots, one in {dead[1]} ms" if dead else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=pathlib.Path, help="folder with the sources")
    raw = parser.parse_args().raw

    fibre = fibre_delays(raw)
    assumed = {name: [[rate] * 2 for rate in pair] for name, pair in ASSUMED_RATES_KBPS.items()}
    write_profile("fibre", quantiles(fibre, DELAY_POINTS), assumed["fibre"], ASSUMED_LOSS_PER_MILLION["fibre"])

    excess = near_pair_excess(raw)
    jitter = wifi_jitter(excess)
    wifi = [base + WIFI_AIR_US + extra for base in midpoints(fibre, DELAY_POINTS) for extra in jitter]
    stragglers = [value for value in excess if value >= SHORTEST_STRAGGLER_MS]
    share = len(stragglers) / len(excess) / LINKS
    interval = round(sum(stragglers) / len(stragglers) / share)
    write_profile("wifi", quantiles(wifi, DELAY_POINTS), assumed["wifi"], ASSUMED_LOSS_PER_MILLION["wifi"],
                  (stragglers, interval))

    for name, modes, up, down, dead in (("4g", LTE_MODES, LTE_UP, LTE_DOWN, None),
                                        ("3g", UMTS_MODES, UMTS_UP, UMTS_DOWN, dead_spots(raw))):
        rows = phone_rows(raw, modes)
        capacity = [quantiles(rates(raw, names), RATE_POINTS) for names in (up, down)]
        write_profile(name, cellular_delay(rows), capacity, cellular_loss(rows), capacity_stalls(raw, up + down), dead)


if __name__ == "__main__":
    main()
