#!/usr/bin/env python3
"""Compares the router and the gateway with the least that libcurl allows.

    run.py              CPU times: alternating pairs, medians
    run.py --gate       instructions, counted by callgrind; exit code 1 if a ratio is over its gate
    run.py --keep DIR   with --gate: leaves callgrind's files there, for callgrind_annotate
"""

import argparse
import sys

import instructions

GATES = {"C++ call": 1.25, "C++ streamed chunk": 1.25, "gateway request": 1.4, "gateway chunk": 1.25,
         "guarded gateway request": 1.4, "guarded gateway chunk": 1.25}


def gate(directory):
    print(f"{'instructions per':23} {'floor':>9} {'ours':>9} {'ratio':>6} {'gate':>5}")
    over = False
    for what, floor, ours in instructions.measure(directory):
        ratio = ours / floor
        over |= ratio > GATES[what]
        mark = "" if ratio <= GATES[what] else "  over"
        print(f"{what:23} {floor:9.0f} {ours:9.0f} {ratio:6.2f} {GATES[what]:5.2f}{mark}", flush=True)
    return 1 if over else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("--pairs", type=int, default=11)
    options = parser.parse_args()
    if options.gate:
        return gate(options.keep)
    import cpu

    return cpu.report(options.pairs)


if __name__ == "__main__":
    sys.exit(main())
