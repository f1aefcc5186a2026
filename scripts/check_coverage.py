#!/usr/bin/env python3
"""Reads what the tests of a --coverage build have run: check_coverage.py BUILD_DIR.

Exits 1 when a function in include/, src/ or capi/ was never called, or when core or wire have less than 95 % of their lines
run. A function counts by where it stands: one called instance of a template, in one test binary, is enough. An inline
function that no source uses leaves no trace in a build, so all headers are compiled once more with everything kept.
scripts/coverage_allowed.txt lists what provably cannot be called, with the reason.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FLOOR = 0.95
AREAS = {"core": ("include/llmroute/core/",), "wire": ("include/llmroute/wire/", "src/wire/")}
ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "scripts" / "coverage_allowed.txt"


def reports(data_file: pathlib.Path) -> list[dict]:
    """What gcov says of one object file, one entry a source."""
    command = ["gcov", "--json-format", "--stdout", str(data_file)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=data_file.parent)
    return [file for line in run.stdout.splitlines() if line for file in json.loads(line)["files"]]


def unused_headers(directory: str) -> pathlib.Path:
    """The notes of an object file with every inline function of every header in it, none of them run."""
    headers = [path.relative_to(ROOT / top) for top in ("include", "src", "capi") for path in (ROOT / top).rglob("*.hpp")]
    source = pathlib.Path(directory) / "headers.cpp"
    source.write_text("".join(f"#include <{header}>\n" for header in sorted(headers)))
    flags = ["-std=c++20", "-O0", "--coverage", "-fkeep-inline-functions", f"-I{ROOT}/include", f"-I{ROOT}/src", f"-I{ROOT}/capi"]
    subprocess.run(["g++", *flags, "-c", source, "-o", source.with_suffix(".o")], check=True)
    return source.with_suffix(".gcno")


def own(name: str, build: pathlib.Path) -> str | None:
    """The path of a source of ours from the root, else nothing."""
    path = pathlib.Path(os.path.normpath(build / name))
    if not path.is_relative_to(ROOT):
        return None
    relative = path.relative_to(ROOT).as_posix()
    return relative if relative.startswith(("include/", "src/", "capi/")) else None


def is_written(source: str, line: int) -> bool:
    """Whether a body stands there; what the compiler makes by itself (= default) is not ours to call."""
    text = (ROOT / source).read_text().splitlines()[line - 1]
    return not re.search(r"= default\b|^\s*(struct|class)\b", text)


def allowed() -> set[tuple[str, str]]:
    """Source and function of each line of the list: `path: function  # reason`."""
    lines = ALLOWED.read_text().splitlines() if ALLOWED.exists() else []
    entries = [line.split("  # ")[0].split(": ", 1) for line in lines if line and not line.startswith("#")]
    return {(source, function) for source, function in entries}


class Tally:
    """How often each line and each function of ours was run, over all object files."""

    def __init__(self, build: pathlib.Path):
        self.build = build
        self.lines: dict[str, dict[int, int]] = collections.defaultdict(lambda: collections.defaultdict(int))
        self.calls: dict[tuple[str, int], int] = collections.defaultdict(int)
        self.names: dict[tuple[str, int], str] = {}

    def add(self, file: dict) -> None:
        source = own(file["file"], self.build)
        if source is None:
            return
        for line in file["lines"]:
            self.lines[source][line["line_number"]] += line["count"]
        for function in file["functions"]:
            place = (source, function["start_line"])
            self.calls[place] += function["execution_count"]
            self.names[place] = function["demangled_name"]

    def uncalled(self) -> list[str]:
        """A line for each function that was not called and should be, and for each that is allowed for nothing."""
        places = sorted(place for place, count in self.calls.items() if count == 0 and is_written(*place))
        excused = allowed()
        found = [(source, line, self.names[source, line]) for source, line in places]
        stale = excused - {(source, name) for source, _, name in found}
        return [f"{source}:{line}: no test calls {name}" for source, line, name in found if (source, name) not in excused] + [
            f"{ALLOWED.name}: {source}: {name} is called, or gone" for source, name in sorted(stale)]

    def share(self, folders: tuple[str, ...]) -> tuple[float, int]:
        """The share of lines that ran, of how many."""
        counts = [count for source, lines in self.lines.items() if source.startswith(folders) for count in lines.values()]
        return sum(count > 0 for count in counts) / max(len(counts), 1), len(counts)


def main(build: pathlib.Path) -> int:
    tally = Tally(build)
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for report in pool.map(reports, [*sorted(build.rglob("*.gcda")), unused_headers(directory)]):
            for file in report:
                tally.add(file)
    uncalled = tally.uncalled()
    print("\n".join(uncalled), end="\n" if uncalled else "")
    failed = bool(uncalled)
    for area, folders in AREAS.items():
        share, lines = tally.share(folders)
        print(f"{area}: {share:.1%} of {lines} lines run")
        failed = failed or share < FLOOR
    called = sum(count > 0 for count in tally.calls.values())
    print(f"{len(tally.calls)} functions, {called} called")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
