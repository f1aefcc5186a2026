"""The check of coverage finds functions that nobody calls and areas whose lines do not run."""

import pathlib
import shutil
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check_coverage.py"
HEADER = """#pragma once
template <class T> T twice(T value) { return value + value; }
inline int unused(int value) {
  return value + 1;
}
"""


@pytest.fixture
def tree(tmp_path):
    """A tree with the script and nothing covered yet."""
    for folder in ("scripts", "include/llmroute/core", "src/wire", "build"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    return tmp_path


def check(tree, body, header=HEADER):
    """Compiles and runs a program with this main; what the script says of it."""
    (tree / "include/llmroute/core/sum.hpp").write_text(header)
    (tree / "src/wire/dialect.cpp").write_text("int dialect() { return 1; }\n")
    (tree / "main.cpp").write_text(f"#include <llmroute/core/sum.hpp>\nint dialect();\nint main() {{ {body} }}\n")
    flags = ["g++", "-std=c++20", "--coverage", f"-I{tree}/include"]
    for source, name in (("src/wire/dialect.cpp", "dialect.o"), ("main.cpp", "main.o")):
        subprocess.run([*flags, "-c", tree / source, "-o", tree / "build" / name], check=True)
    subprocess.run([*flags, "build/dialect.o", "build/main.o", "-o", "build/program"], check=True, cwd=tree)
    subprocess.run([tree / "build/program"], check=True)
    done = subprocess.run([sys.executable, tree / "scripts/check_coverage.py", tree / "build"], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_all_is_called(tree):
    code, output = check(tree, "return twice(1) + unused(1) + dialect() - 5;")
    assert code == 0 and "3 functions, 3 called" in output


def test_a_function_that_nobody_calls_is_named(tree):
    code, output = check(tree, "return twice(1) + dialect() - 3;")
    assert code == 1 and "include/llmroute/core/sum.hpp:3: no test calls unused(int)" in output


def test_one_called_instance_of_a_template_is_enough(tree):
    code, _ = check(tree, "if (dialect() == 2) return twice(1.5) > 0; return twice(1) + unused(1) - 4;")
    assert code == 0


def test_lines_that_do_not_run_count(tree):
    header = HEADER.replace("  return value + 1;", "  if (value == 7) {\n    value += 2;\n  }\n  return value + 1;")
    code, output = check(tree, "return twice(1) + unused(1) + dialect() - 5;", header)
    assert code == 1 and "core: 80.0%" in output


def test_what_is_allowed_passes_and_must_be_needed(tree):
    allowed = tree / "scripts/coverage_allowed.txt"
    allowed.write_text("# why\ninclude/llmroute/core/sum.hpp: unused(int)  # for the sake of it\n")
    # The line it has still counts for the area: one more that runs keeps the share above the floor.
    header = HEADER.replace("return value + value; }", "\n" + "  value += 0;\n" * 60 + "  return value + value;\n}")
    assert check(tree, "return twice(1) + dialect() - 3;", header)[0] == 0
    code, output = check(tree, "return twice(1) + unused(1) + dialect() - 5;", header)
    assert code == 1 and "coverage_allowed.txt: include/llmroute/core/sum.hpp: unused(int) is called, or gone" in output
