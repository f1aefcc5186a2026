#!/usr/bin/env python3
"""Includes point one way: core <- wire, net <- router. Prints every line that points another way and exits 1."""

import re
import subprocess
import sys

GROUND = r"llmroute/(headers|usage|error|result|version|text)\.hpp"
CORE = r"llmroute/core/"
STANDARD = r"[a-z_]+(\.h)?$|sys/|netinet/|arpa/"

# Folder: what it may include, beside its own folder and the standard library. The first that fits a file counts.
RULES = [
    (r"include/llmroute/core/", [GROUND, CORE, r"fmt/"]),
    (r"include/llmroute/wire/", [GROUND, CORE, r"llmroute/wire/"]),
    (r"include/llmroute/net/", [GROUND, CORE, r"llmroute/net/"]),
    (r"include/llmroute/", [GROUND, r"llmroute/"]),
    (r"src/wire/", [GROUND, CORE, r"llmroute/wire/", r"wire/", r"simdjson\.h", r"fmt/"]),
    (r"src/net/", [GROUND, CORE, r"llmroute/net/", r"net/", r"curl/", r"fmt/", r"pthread\.h"]),
    (r"src/config", [GROUND, CORE, r"llmroute/", r"config_", r"simdjson\.h", r"fmt/"]),
    (r"src/(layers|router)/|src/[a-z]+\.cpp", [r"llmroute/", r"layers/", r"router/", r"net/", r"fmt/"]),
    (r"examples/mock_node/|examples/http/", None),
    (r"examples/", None),
]

PRIVATE = re.compile(r'^\s*#include\s+"(?:net|router|layers|wire)/')
INCLUDE = re.compile(r'^\s*#include\s+[<"]([^>"]+)[>"]')


def allowed(path: str) -> list[str] | None:
    for folder, patterns in RULES:
        if re.match(folder, path):
            return patterns
    return None


def main() -> int:
    files = subprocess.run(["git", "ls-files", "--", "include", "src", "examples"], capture_output=True, text=True, check=True)
    wrong = []
    for path in files.stdout.split():
        if not path.endswith((".hpp", ".cpp")):
            continue
        patterns = allowed(path)
        with open(path, encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                target = found.group(1)
                if path.startswith("examples/"):
                    if PRIVATE.match(line) and path.split("/")[1] not in target:
                        wrong.append(f"{path}:{number}: {target}: examples use public headers only")
                    continue
                if patterns is None or re.match(STANDARD, target):
                    continue
                if not any(re.match(pattern, target) for pattern in patterns):
                    wrong.append(f"{path}:{number}: {target}")
    print("\n".join(wrong) if wrong else "all includes point the right way")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
