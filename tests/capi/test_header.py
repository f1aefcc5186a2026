"""llmroute.h agrees with the library's table of errors, with what is exported, and with the programs built against it."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = (ROOT / "capi/llmroute.h").read_text()
LIBRARY = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).parent.resolve() / "lib"
sys.path.insert(0, str(ROOT / "tests" / "gateway"))

from fake_node import FakeNode  # noqa: E402


def functions(header):
    return sorted(re.findall(r"^LLMROUTE_API [^;(]*?\b(llmroute_\w+)\(", header, re.MULTILINE))


def test_every_error_has_its_number():
    codes = re.findall(r"X\((\w+), (\d+), \d+,", (ROOT / "include/llmroute/error.hpp").read_text())
    status = re.search(r"#define LLMROUTE_OK 0\n(.*?)\n\n", HEADER, re.DOTALL)[1]
    assert len(codes) == 19
    assert re.findall(r"#define LLMROUTE_(\w+) (\d+)", status) == [(name.upper(), number) for name, number in codes]


def test_the_symbols_are_the_functions():
    exported = re.findall(r"^    (llmroute_\w+);", (ROOT / "capi/llmroute.symbols").read_text(), re.MULTILINE)
    assert exported == functions(HEADER)


def test_the_library_exports_the_symbols_and_nothing_else():
    listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY / "libllmroute_c.so"], capture_output=True, text=True, check=True)
    symbols = [line.split()[-1] for line in listed.stdout.splitlines() if line.split()[1] != "A"]
    assert sorted(symbols) == [f"{name}@@LLMROUTE_0.1" for name in functions(HEADER)]


def test_the_name_of_the_library_has_the_abi():
    dynamic = subprocess.run(["readelf", "-d", LIBRARY / "libllmroute_c.so"], capture_output=True, text=True, check=True).stdout
    abi = re.search(r"#define LLMROUTE_ABI (\d+)", HEADER)[1]
    assert f"Library soname: [libllmroute_c.so.{abi}]" in dynamic


@pytest.mark.parametrize("compiler,language", [("gcc", "c99"), ("gcc", "c11"), ("g++", "c++98"), ("g++", "c++20"),
                                               ("clang-16", "c99"), ("clang++-16", "c++20")])
def test_it_compiles_alone(compiler, language):
    kind = "c++" if "++" in language else "c"
    command = [compiler, f"-std={language}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", kind]
    done = subprocess.run([*command, ROOT / "capi/llmroute.h"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("header", sorted((ROOT / "tests/capi/abi").glob("*.h")), ids=lambda path: path.stem)
def test_a_program_built_before_runs(header, tmp_path):
    program = tmp_path / "program"
    subprocess.run(["gcc", "-std=c99", "-pedantic", "-Werror", f'-DLLMROUTE_HEADER="{header}"', header.parent / "program.c",
                    "-o", program, f"-L{LIBRARY}", "-lllmroute_c", f"-Wl,-rpath,{LIBRARY}"], check=True)
    node = FakeNode()
    try:
        done = subprocess.run([program, node.url], capture_output=True, text=True, timeout=30)
    finally:
        node.close()
    assert (done.returncode, done.stdout) == (0, "ok by a\nok by a\n2 picks, 2 calls, streamed\n"), done.stderr
