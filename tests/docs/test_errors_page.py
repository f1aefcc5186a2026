"""The page of errors has the rows of the one table in error.hpp, and of the one in failure.hpp."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/errors.md").read_text()


def rows(heading):
    """The cells of a table of the page, but for the last, which explains."""
    part = re.search(r"^## " + heading + r"\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")][:-1] for line in lines]


def test_error_codes():
    text = (ROOT / "include/llmroute/error.hpp").read_text()
    codes = re.findall(r'X\((\w+), (\d+), (\d+), "(\w+)", "(\w+)"\)', text)
    assert len(codes) == 19
    assert rows("Codes") == [list(code) for code in codes]


def test_failures():
    text = (ROOT / "include/llmroute/core/failure.hpp").read_text()
    kinds = re.findall(r"LLMROUTE_ROW\(" + r",\s*".join([r"(\w+)"] * 8) + r"\)", text)
    kinds = [row for row in kinds if row[0] != "kind"]
    assert len(kinds) > 30
    expected = [[name, "yes" if elsewhere == "true" else "no", "yes" if same == "true" else "no", blame, code]
                for name, elsewhere, same, blame, _, _, _, code in kinds]
    assert rows("Failures of an attempt") == expected
