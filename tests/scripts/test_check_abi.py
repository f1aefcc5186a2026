"""The check of the binary interface finds what was added, what was taken away, and refuses to describe a break."""

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def check(tmp_path):
    """Runs the script on a copy of the interface whose header and symbols were changed; exit code and output."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/check_abi.py", tmp_path / "scripts")
    shutil.copytree(ROOT / "capi", tmp_path / "capi")

    def run(old="", new="", *options):
        for path in (tmp_path / "capi/llmroute.h", tmp_path / "capi/llmroute.symbols"):
            path.write_text(path.read_text().replace(old, new) if old else path.read_text())
        done = subprocess.run([sys.executable, tmp_path / "scripts/check_abi.py", *options], capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


def test_nothing_has_changed(check):
    assert check() == (0, "")


def test_a_function_that_was_added_is_described_on_request(check):
    header, symbols = "LLMROUTE_API int32_t llmroute_abi(void);", "    llmroute_abi;\n"
    assert check(symbols, symbols + "    llmroute_more;\n")[0] != 0  # not in the header
    code, output = check(header, header + "\nLLMROUTE_API int32_t llmroute_more(void);")
    assert code == 1 and "llmroute_more" in output and "--update" in output
    assert check("", "", "--update")[0] == 0
    assert check() == (0, "")


def test_a_struct_that_grew_at_its_end_is_described_on_request(check):
    old = "  void (*free_user_data)(void *user_data); /* as in llmroute_strategy */"
    assert check(old, old + "\n  void (*on_stop)(void *user_data);")[0] == 1
    assert check("", "", "--update")[0] == 1
    assert check("", "", "--grown")[0] == 0
    assert check() == (0, "")


@pytest.mark.parametrize("old,new", [
    ("int32_t llmroute_abi(void)", "int32_t llmroute_abi(int64_t which)"),
    ("  int32_t priority;", "  int64_t priority;"),
    ("  uint32_t timeout_ms;     /* of", "  uint64_t reserved; uint32_t timeout_ms;     /* of"),
    ("llmroute_loop_fd", "llmroute_loop_descriptor"),
], ids=["parameter", "type of a field", "place of a field", "name"])
def test_a_break_is_found_and_not_described(check, old, new):
    assert check(old, new)[0] == 1
    code, output = check("", "", "--update")
    assert code == 1 and "would break" in output
