#!/usr/bin/env python3
"""Compares the router and the gateway with the least that libcurl allows.

    run.py              CPU times: alternating pairs, medians, and the gates they are to stay under
    run.py --gate       instructions, counted by callgrind; exit code 1 if there are more than there were
    run.py --keep DIR   with --gate: leaves callgrind's files there, for callgrind_annotate
"""

import argparse
import sys

import instructions

# Instructions in user space, where time is too noisy to judge by: the ratios that were reached, and an eighth more, for the
# floors move by that with what arrives together. They leave out the kernel's part, which is most of a transfer and the same
# for both sides; so they are above those of time.
CEILINGS = {"C++ call": 1.55, "C++ streamed chunk": 3.3, "gateway request": 1.95, "gateway chunk": 2.0,
            "guarded gateway request": 2.25, "guarded gateway chunk": 2.05}


def gate(directory):
    print(f"{'instructions per':23} {'floor':>9} {'ours':>9} {'ratio':>6} {'most':>5}")
    over = False
    for what, floor, ours in instructions.measure(directory):
        ratio = ours / floor
        over |= ratio > CEILINGS[what]
        mark = "" if ratio <= CEILINGS[what] else "  over"
        print(f"{what:23} {floor:9.0f} {ours:9.0f} {ratio:6.2f} {CEILINGS[what]:5.2f}{mark}", flush=True)
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
