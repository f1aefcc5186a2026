#!/usr/bin/env python3
"""CPU time of a call and of a streamed chunk in Python, against the stock openai SDK and bare HTTP clients.

    benchmark/python/run.py [--pairs N] [--gate] PYTHON...

Each PYTHON is one of an environment that has llmroute, openai and pycurl; one for each family of the SDK. The node is
benchmark/overhead's. Runs alternate; figures are medians, ratios are of pairs. With --gate the exit code is 1 when a
ratio is on the wrong side of its gate.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "overhead"))

import programs  # noqa: E402

CALLS = 600
STREAMS = 16
CHUNKS = (10, 110)
IN_BULK = (10, 1010)
PACE = 1  # ms between a stream's chunks

# ours, theirs, what is measured, how many times cheaper ours has to be.
PAIRS = [
    ("dropin", "stock", "call", 3.0),
    ("dropin-async", "stock-async", "call", 3.0),
    ("dropin", "stock", "chunk", 5.0),
    ("dropin-async", "stock-async", "chunk", 5.0),
    ("dropin", "stock", "chunk in bulk", 5.0),
    ("dropin-async", "stock-async", "chunk in bulk", 5.0),
    ("dropin-raw", "stock-raw", "call", 1.0),
    ("dropin-async-raw", "stock-async-raw", "call", 1.0),
    ("dropin-parsed", "stock-parsed", "call", 1.0),
    ("dropin-async-parsed", "stock-async-parsed", "call", 1.0),
    ("native", "httpx", "call", None),
    ("native", "httpx", "chunk", None),
    ("native", "pycurl", "call", None),
    ("native", "pycurl", "chunk", None),
    ("native", "pycurl", "chunk in bulk", None),
    ("native-async", "stock-async", "call", None),
    ("native-async", "stock-async", "chunk", None),
]
THREADS = 64
THREADED_CALLS = 6400
THREADED = [("dropin", 1.25), ("native", 1.25)]


def spent(python, name, node, kind, count, threads=1):
    """Microseconds of CPU a call."""
    command = [python, HERE / "contender.py", name, f"http://127.0.0.1:{node.port}", kind, str(count), str(threads)]
    return float(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout)


def of_call(python, name):
    with programs.node(1) as node:
        return spent(python, name, node, "plain", CALLS)


def of_chunk(python, name, numbers=CHUNKS, pace=PACE):
    """The difference between long and short streams, whose chunks come one at a time."""
    took = []
    for chunks in numbers:
        with programs.node(chunks, pace) as node:
            took.append(spent(python, name, node, "stream", STREAMS))
    return (took[1] - took[0]) / (numbers[1] - numbers[0])


def of_chunk_in_bulk(python, name):
    """Without the wake-up that each chunk takes when it comes alone."""
    return of_chunk(python, name, IN_BULK, None)


def of_threads(python, name, threads):
    with programs.node(1) as node:
        return spent(python, name, node, "plain", THREADED_CALLS, threads)


def compare(python, pairs, only):
    """Prints a line for each pair; the lines that are over their gates."""
    over = []
    for ours, theirs, what, gate in PAIRS:
        if only and only not in f"{ours} {theirs} {what}":
            continue
        measure = {"call": of_call, "chunk": of_chunk, "chunk in bulk": of_chunk_in_bulk}[what]
        runs = [(measure(python, ours), measure(python, theirs)) for _ in range(pairs)]
        mine, other = (statistics.median(column) for column in zip(*runs))
        ratio = statistics.median(b / a for a, b in runs)
        line = f"| {ours} : {theirs} | {what} | {mine:.1f} | {other:.1f} | {ratio:.2f} | {gate or ''} |"
        print(line, flush=True)
        if gate and ratio < gate:
            over.append(line)
    for name, gate in THREADED:
        if only and only not in f"{name} threads":
            continue
        runs = [(of_threads(python, name, 1), of_threads(python, name, THREADS)) for _ in range(pairs)]
        alone, many = (statistics.median(column) for column in zip(*runs))
        ratio = statistics.median(b / a for a, b in runs)
        line = f"| {name}, {THREADS} threads : 1 | call | {many:.1f} | {alone:.1f} | {ratio:.2f} | {gate} |"
        print(line, flush=True)
        if ratio > gate:
            over.append(line)
    return over


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", default="", help="lines that contain this text")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    over = []
    for python in options.pythons:
        version = subprocess.run(
            [python, "-c", "import openai; print(openai.__version__)"], capture_output=True, text=True, check=True
        )
        print(f"\nopenai {version.stdout.strip()}, microseconds\n")
        print("| | | ours | theirs | ratio | gate |\n|---|---|---|---|---|---|")
        over += compare(python, options.pairs, options.only)
    if options.gate and over:
        sys.exit("over the gate:\n" + "\n".join(over))


if __name__ == "__main__":
    main()
