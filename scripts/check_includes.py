#!/usr/bin/env python3
"""Includes point one way: core <- wire, net <- router <- capi, examples. Prints every line that points another way and exits 1."""

import pathlib
import re
import subprocess
import sys

GROUND = r"llmroute/(headers|http_method|usage|error|result|version|text)\.hpp"
CORE = r"llmroute/core/"
STANDARD = r"[a-z_]+(\.h)?$|sys/|netinet/|arpa/"

# What the files of a folder may include, beside the standard library. The first folder that fits a file counts.
RULES = [
    (r"include/llmroute/core/", [GROUND, CORE, r"fmt/"]),
    (r"include/llmroute/wire/", [GROUND, CORE, r"llmroute/wire/"]),
    (r"include/llmroute/net/", [GROUND, CORE, r"llmroute/net/"]),
    (r"include/llmroute/(headers|http_method|usage|error|result|version|text)\.hpp", [GROUND, CORE]),
    (r"include/llmroute/", [r"llmroute/"]),
    (r"src/wire/", [GROUND, CORE, r"llmroute/wire/", r"wire/", r"simdjson\.h", r"fmt/"]),
    (r"src/net/", [GROUND, CORE, r"llmroute/net/", r"net/", r"curl/", r"fmt/", r"pthread\.h"]),
    (r"src/config", [r"llmroute/", r"config_", r"simdjson\.h", r"fmt/"]),
    (r"capi/", [r"llmroute/", r"llmroute\.h", r"\w+\.hpp$", r"fmt/"]),
    (r"src/", [r"llmroute/", r"layers/", r"router/", r"net/", r"fmt/"]),
]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')


def library_fault(path: str, target: str) -> bool:
    """Whether a file of the library may not include this."""
    patterns = next(patterns for folder, patterns in RULES if re.match(folder, path))
    # A bare name is a header of the standard library, unless it is one of the libraries' that look like it.
    if re.match(STANDARD, target) and target != "simdjson.h":
        return False
    return not any(re.match(pattern, target) for pattern in patterns)


def example_fault(path: str, target: str) -> bool:
    """Whether an example, or a binding, reaches behind the public headers: what it names is to be found in src/ alone."""
    seen_from = (pathlib.Path(path).parent, pathlib.Path("examples"), pathlib.Path("include"))
    if any((folder / target).exists() for folder in seen_from):
        return "src" in (pathlib.Path(path).parent / target).resolve().parts
    return (pathlib.Path("src") / target).exists()


def faults(path: str) -> list[str]:
    fault = example_fault if path.startswith(("examples/", "bindings/")) else library_fault
    with open(path, encoding="utf-8") as source:
        includes = [(number, found[1]) for number, line in enumerate(source, 1) if (found := INCLUDE.match(line))]
    return [f"{path}:{number}: may not include {target}" for number, target in includes if fault(path, target)]


def main() -> int:
    command = ["git", "ls-files", "--", "include", "src", "capi", "examples", "bindings"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    files = [path for path in listed if path.endswith((".hpp", ".cpp")) and pathlib.Path(path).exists()]
    wrong = [fault for path in files for fault in faults(path)]
    print("\n".join(wrong) if wrong else f"includes of {len(files)} files point the right way")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
