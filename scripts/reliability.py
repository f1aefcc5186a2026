#!/usr/bin/env python3
"""Writes docs/reliability.md from what the fault tests see: reliability.py [test_faults binary].

The rows, their order and their outcomes are the test's own; times are rounded, and of three runs the shortest counts, so
that the page changes only when the behaviour does. Exits 1 when the tests fail: then nothing is written.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
RUNS = 3
SHORTEST_FIRST = ["< 250 ms", "< 1 s", "< 5 s"]

INTRODUCTION = """# Reliability

What a caller gets when a node goes wrong. Every row below is a test: a scripted node does the damage on a real socket, once to a plain
call and once to a stream. `n1` is broken and asked first, `n2` is in order. `scripts/reliability.py` writes this page from what the
tests see.

Promised, and checked in every row:

- The caller gets a whole and right answer, or an error with a code. Part of an answer is never given as a whole one, and no text comes
  twice.
- A request that a node refuses for its content (400, 413, 422) goes back to the caller as the node said it, and nobody else is asked.
- A stream that dies after its first content goes on from another node where that gives the same text (`resume`); otherwise it ends
  with `stream_interrupted` and the text so far.
- When the call is over, nothing of it is left: no socket in use, no place in a queue, no count.
- TLS fails closed: a node that cannot prove its name is sent nothing.
- Redirects are not followed, and bodies that were packed unasked are not unpacked.

*Attempts* counts both nodes. *Time* is the call's: a clock's name says that this clock, set in `timeouts`, ended the first attempt;
else nothing was waited for. *Alone* is what the call comes to with no other node to ask. *Charged to* is who bears the failure: the
node as a whole, the one model on it, or the key that was sent. Error codes and failures are explained in
[errors](reference/errors.md), clocks in [configuration](guide/configuration.md).

## More than one call

- With one node of three broken, in 24 ways after the other, all answers stay whole and right; the slowest hundredth takes the longer
  by at most the clock that finds the node out. A node that refuses, resets or answers 5xx is out within a second.
- With every node down and circuits open, calls are refused in less than 50 ms.
- Retries never bury failing nodes: attempts are at most 1.2 times the calls, and a bucket of ten.
- The first node that comes back is asked within a circuit's `open` time or one probe interval.
- A node that is silent is not asked twice by one call; `first_content` moves a stream on, but not from the last candidate.
"""


def run(binary: pathlib.Path) -> list[dict]:
    """One run's rows, as the tests append them."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        environment = {**os.environ, "LLMROUTE_RELIABILITY": file.name}
        subprocess.run([binary, "[table]"], env=environment, check=True, stdout=sys.stderr)
        return [json.loads(line) for line in pathlib.Path(file.name).read_text().splitlines()]


def shortest(times: list[str]) -> str:
    return min(times, key=lambda time: SHORTEST_FIRST.index(time) if time in SHORTEST_FIRST else 0)


def merged(runs: list[list[dict]]) -> list[dict]:
    """The rows of the last run with the shortest time of all."""
    return [{**rows[-1], "time": shortest([row["time"] for row in rows])} for rows in zip(*runs, strict=True)]


def table(rows: list[dict]) -> str:
    lines = ["| fault | plain | attempts | time | alone | streamed | attempts | time | alone | charged to |", "|---" * 10 + "|"]
    by_mode = {(row["fault"], row["mode"]): row for row in rows}
    for fault in dict.fromkeys(row["fault"] for row in rows):
        cells = [by_mode[fault, mode][key] for mode in ("plain", "streamed") for key in ("outcome", "attempts", "time", "alone")]
        charged = dict.fromkeys(by_mode[fault, mode]["charged"] for mode in ("plain", "streamed"))
        lines.append("| " + " | ".join([fault, *cells, " or ".join(charged)]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    binary = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/dev/bin/test_faults")
    rows = merged([run(binary) for _ in range(RUNS)])
    page = INTRODUCTION
    for area in dict.fromkeys(row["area"] for row in rows):
        page += f"\n## {area}\n\n" + table([row for row in rows if row["area"] == area])
    PAGE.write_text(page)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
