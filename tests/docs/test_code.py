"""The code in the documents compiles; where it is a program, it runs."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).parent / "lib"
sys.path.insert(0, str(ROOT / "tests" / "gateway"))

from fake_node import FakeNode  # noqa: E402

PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))]


def blocks(language):
    """Every block of that language: (page, code)."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(page, code) for page in PAGES for code in fence.findall((ROOT / page).read_text())]


BLOCKS = blocks("cpp")
C_BLOCKS = blocks("c")


def compile_cpp(code, directory, *options):
    source = directory / "page.cpp"
    source.write_text(code)
    command = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", source, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page,code", BLOCKS, ids=[page for page, _ in BLOCKS])
def test_it_compiles(page, code, tmp_path):
    assert code.startswith("#include"), "a block is whole"
    compile_cpp(code, tmp_path, "-fsyntax-only")


def test_the_quick_start_runs(tmp_path):
    code = next(code for page, code in BLOCKS if page == "README.md")
    compile_cpp(code, tmp_path, "-o", tmp_path / "page", f"-L{LIBRARY}", "-lllmroute", "-lcurl", "-lsimdjson", "-lfmt", "-pthread")
    answers_hello(tmp_path / "page")


@pytest.mark.parametrize("page,code", C_BLOCKS, ids=[page for page, _ in C_BLOCKS])
def test_the_quick_start_in_c_runs(page, code, tmp_path):
    source = tmp_path / "page.c"
    source.write_text(code)
    command = ["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/capi", source, "-o", tmp_path / "page",
               f"-L{LIBRARY}", "-lllmroute_c", f"-Wl,-rpath,{LIBRARY.resolve()}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers_hello(tmp_path / "page")


def answers_hello(program):
    """Run against one node, it prints the node's name and its answer."""
    node = FakeNode()
    try:
        done = subprocess.run([program, node.url], capture_output=True, text=True, timeout=30)
    finally:
        node.close()
    assert done.returncode == 0, done.stderr
    name, body = done.stdout.splitlines()
    assert name == node.url and '"content": "hello"' in body
