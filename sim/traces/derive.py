#!/usr/bin/env python3
"""Derives the trace files of this folder, and the fuzz inputs of the codec tests, from the sources named in README.md.

    python3 sim/traces/derive.py RAW_FOLDER [--corpus reference/protocol/corpus]

RAW_FOLDER holds the sources under the paths used below. Standard library only. The output is the same bytes on every
run: gzip headers carry no time and no name.
"""
import argparse
import calendar
import csv
import gzip
import io
import pathlib
import shutil
import struct
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# Irvine keeps UTC-7 over the whole message trace (2004-04-15 to 2004-10-26, daylight saving time throughout).
LOCAL_TO_UTC_S = 25200


def read_lines(path):
    with gzip.open(path, "rt", encoding="ascii") as file:
        return file.read().splitlines()


def write_gzip(path, data):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(data)
    path.write_bytes(buffer.getvalue())


def write_table(path, header, rows):
    text = header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    data = text.encode("ascii")
    if path.suffix == ".gz":
        write_gzip(path, data)
    else:
        path.write_bytes(data)
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


def derive_messages(raw):
    """Rows "YYYY-MM-DD HH:MM:SS" SRC DST CHARS; SRC = DST is a registration, which is left out."""
    rows = []
    for line in read_lines(raw / "workload/OCnodeslinks_chars.txt.gz"):
        source, destination, characters = line[21:].split()
        if source != destination:
            local = calendar.timegm(time.strptime(line[1:20], "%Y-%m-%d %H:%M:%S"))
            rows.append((local + LOCAL_TO_UTC_S, source, destination, characters))
    published = []
    for line in read_lines(raw / "workload/CollegeMsg.txt.gz"):
        source, destination, unix_s = line.split()
        published.append((int(unix_s), source, destination))
    if sorted(row[:3] for row in rows) != sorted(published):
        raise SystemExit("the two copies of the message trace disagree")
    write_table(HERE / "college_messages.csv.gz", "unix_s,source,destination,characters", rows)


def derive_forum(raw):
    rows = [line.split(",") for line in read_lines(raw / "workload/fb-forum.edges.gz")]
    write_table(HERE / "college_forum.csv.gz", "user,topic,unix_s", rows)


def derive_outages(raw):
    rows = []
    with open(raw / "outages/whatsapp_user_reported.csv", newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            start, end = int(float(row["start_time"])), int(float(row["end_time"]))
            rows.append((start, end - start, round(float(row["status"]) * 1000)))
    write_table(HERE / "whatsapp_outages.csv", "start_s,duration_s,severity_milli", rows)


def people(events):
    """One number per person: names joined by renames are one person. Numbered by first appearance, from 1."""
    parent = {}

    def root(name):
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for event in events:
        if event["event"] == "rename":
            parent[root(event["arg"])] = root(event["user"])
        root(event["user"])
    numbers = {}
    person = {}
    for name in parent:
        person[name] = numbers.setdefault(root(name), len(numbers) + 1)
    return person


def derive_sessions(raw):
    """Sessions from join, quit, part and rename. A session whose start or end the log does not show is left out."""
    with gzip.open(raw / "devices/irc_qtox_sessions.csv.gz", "rt", encoding="ascii", newline="") as file:
        events = list(csv.DictReader(file))
    person = people(events)
    open_since = {}  # name -> second of the join
    moving = {}      # name -> (second of a "changing host" quit, start): the join in the same second goes on with it
    sessions = []    # start, end, person, reason, silent_s
    for event in events:
        now, name, kind = int(event["unix_s"]), event["user"], event["event"]
        if kind == "join":
            quit_at, start = moving.pop(name, (None, None))
            open_since[name] = start if quit_at is not None and now - quit_at <= 1 else now
        elif kind == "rename":
            if name in open_since:
                open_since[event["arg"]] = open_since.pop(name)
        elif kind in ("quit", "part"):
            start = open_since.pop(name, None)
            reason, _, silent = event["arg"].partition(":") if kind == "quit" else ("part", "", "")
            if start is None:
                continue
            if reason == "changing_host":
                moving[name] = (now, start)
            else:
                sessions.append((start, now, person[name], reason, silent))
    sessions.sort()
    starts = {}
    for start, end, who, _, _ in sessions:
        starts.setdefault(who, []).append((start, end))
    rows = []
    for start, end, who, reason, silent in sessions:
        # Online elsewhere at that moment (a second name of the same person): the gap is 0.
        elsewhere = any(s <= end < e for s, e in starts[who] if (s, e) != (start, end))
        later = [s for s, _ in starts[who] if s >= end and s > start]
        offline = 0 if elsewhere else (min(later) - end if later else "")
        rows.append((who, start, end - start, reason, silent, offline))
    write_table(HERE / "irc_qtox_sessions.csv.gz", "user,start_unix_s,duration_s,reason,silent_s,offline_s", rows)


def pack_zip(archive_path, out):
    """Every file of a zip archive by name: length (unsigned 32-bit little-endian), then the bytes; all gzipped."""
    with zipfile.ZipFile(archive_path) as archive:
        names = sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())
        bodies = [archive.read(name) for name in names]
    write_gzip(out, b"".join(struct.pack("<I", len(body)) + body for body in bodies))
    print(f"{out.name}: {len(bodies)} inputs, {sum(map(len, bodies))} bytes, packed {out.stat().st_size}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=pathlib.Path, help="folder with the sources")
    parser.add_argument("--corpus", type=pathlib.Path, help="also write the fuzz inputs of the codec tests here")
    arguments = parser.parse_args()
    derive_messages(arguments.raw)
    derive_forum(arguments.raw)
    derive_outages(arguments.raw)
    derive_sessions(arguments.raw)
    shutil.copyfile(arguments.raw / "latency/aws_21_regions_rtt_ms.csv", HERE / "aws_21_regions_rtt_ms.csv")
    if arguments.corpus:
        for name in ("nanopb_corpus", "nanopb_regressions"):
            pack_zip(arguments.raw / f"fuzz/{name}.zip", arguments.corpus / f"{name}.bin.gz")
        for name in ("blns.json", "UTF-8-test.txt", "utf8tests/utf8tests.bin", "utf8tests/utf8tests.txt"):
            shutil.copyfile(arguments.raw / "text" / name, arguments.corpus / pathlib.Path(name).name)


if __name__ == "__main__":
    main()
