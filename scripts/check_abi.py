#!/usr/bin/env python3
"""The binary interface that llmroute.h promises, against its description in capi/llmroute.abi: any difference is a failure.

  scripts/check_abi.py            compares
  scripts/check_abi.py --update   describes it anew, for functions that were added; any other change is refused
  scripts/check_abi.py --grown    the same for structs that grew at their end, after a look at what the comparison says

The description is of a library with the header's functions, all empty: it says all that a program built with the header
relies on, and compiles at once. That the real functions are those of the header their compiler sees to.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "capi/llmroute.h"
SYMBOLS = ROOT / "capi/llmroute.symbols"
DESCRIPTION = ROOT / "capi/llmroute.abi"
REMOVED = 8  # the bit of abidiff's exit code for symbols that are gone


def stubs(header: str) -> str:
    """A C source that defines every function of the header."""
    prototypes = re.findall(r"^LLMROUTE_API (.*?);", header, re.MULTILINE | re.DOTALL)
    return '#include "llmroute.h"\n' + "".join(
        f"{prototype} {{{'' if prototype.startswith('void ') else ' return 0; '}}}\n" for prototype in prototypes)


def describe(directory: pathlib.Path) -> pathlib.Path:
    source, library, description = (directory / name for name in ("stubs.c", "libllmroute_c.so", "now.abi"))
    source.write_text(stubs(HEADER.read_text()))
    shutil.copy(HEADER, directory)
    subprocess.run(["gcc", "-std=c99", "-g", "-shared", "-fPIC", "-nostdlib", "-Wno-unused-parameter",
                    f"-Wl,-soname,libllmroute_c.so,--version-script={SYMBOLS},--no-undefined-version", source.name, "-o", library.name],
                   cwd=directory, check=True)
    subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--type-id-style", "hash",
                    "--out-file", description.name, library.name], cwd=directory, check=True)
    return description


def compare(now: pathlib.Path, *options: str) -> int:
    """What abidiff says of the interface as it is now; it prints each difference."""
    return subprocess.run(["abidiff", *options, DESCRIPTION, now]).returncode


def main(mode: str) -> int:
    with tempfile.TemporaryDirectory() as directory:
        now = describe(pathlib.Path(directory))
        if mode == "":
            if difference := compare(now):
                print(f"{DESCRIPTION.name} describes another interface: scripts/check_abi.py --update", flush=True)
            return min(difference, 1)
        if DESCRIPTION.exists():
            changed = compare(now, "--no-added-syms")
            if changed & REMOVED or (changed and mode != "--grown"):
                print("programs built before would break: what changes gets a new name beside the old one", flush=True)
                return 1
        shutil.copy(now, DESCRIPTION)
    return 0


if __name__ == "__main__":
    sys.exit(main("".join(sys.argv[1:])))
