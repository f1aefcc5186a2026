#!/usr/bin/env python3
"""Reads what the tests of a --coverage build have run: check_coverage.py BUILD_DIR.

Exits 1 when a function in include/ or src/ was never called, or when core or wire have less than 95 % of their lines run.
A function counts by where it stands: one called instance of a template, in one test binary, is enough.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

FLOOR = 0.95
AREAS = {"core": ("include/llmroute/core/",), "wire": ("include/llmroute/wire/", "src/wire/")}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def reports(data_file: pathlib.Path) -> list[dict]:
    """What gcov says of one object file, one entry a source."""
    run = subprocess.run(["gcov", "--json-format", "--stdout", str(data_file)], capture_output=True, text=True, check=True, cwd=data_file.parent)
    return [file for line in run.stdout.splitlines() if line for file in json.loads(line)["files"]]


def own(name: str, build: pathlib.Path) -> str | None:
    """The path of a source of ours from the root, else nothing."""
    path = pathlib.Path(os.path.normpath(build / name))
    if not path.is_relative_to(ROOT):
        return None
    relative = path.relative_to(ROOT).as_posix()
    return relative if relative.startswith(("include/", "src/")) else None


def main(build: pathlib.Path) -> int:
    lines: dict[str, dict[int, int]] = collections.defaultdict(lambda: collections.defaultdict(int))
    calls: dict[tuple[str, int], int] = collections.defaultdict(int)
    names: dict[tuple[str, int], str] = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for report in pool.map(reports, sorted(build.rglob("*.gcda"))):
            for file in report:
                source = own(file["file"], build)
                if source is None:
                    continue
                for line in file["lines"]:
                    lines[source][line["line_number"]] += line["count"]
                for function in file["functions"]:
                    place = (source, function["start_line"])
                    calls[place] += function["execution_count"]
                    names[place] = function["demangled_name"]
    failed = False
    for place in sorted(place for place, count in calls.items() if count == 0):
        failed = True
        print(f"{place[0]}:{place[1]}: no test calls {names[place]}")
    for area, folders in AREAS.items():
        counts = [count for source, by_line in lines.items() if source.startswith(folders) for count in by_line.values()]
        share = sum(count > 0 for count in counts) / max(len(counts), 1)
        print(f"{area}: {share:.1%} of {len(counts)} lines run")
        failed = failed or share < FLOOR
    print(f"{len(calls)} functions, {sum(count > 0 for count in calls.values())} called")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
