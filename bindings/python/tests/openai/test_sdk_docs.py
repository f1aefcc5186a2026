"""The programs on the page about Python, and the one in the README, run as pasted."""

import re
import subprocess
import sys

import openai
import pytest
from replies import ROOT

import llmroute
from llmroute._openai.fast import CHAT
from llmroute._openai.plan import make_plan

PAGES = ("README.md", "docs/guide/python.md")
BLOCKS = [
    (page, code)
    for page in PAGES
    for code in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
]


def test_there_are_some():
    assert {page for page, _ in BLOCKS} == set(PAGES)


@pytest.mark.parametrize("page,code", BLOCKS, ids=[page for page, _ in BLOCKS])
def test_it_runs(page, code, tmp_path, make_node):
    program = tmp_path / "program.py"
    program.write_text(code)
    done = subprocess.run(
        [sys.executable, program, make_node().url, make_node().url], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout


CODES = re.findall(r"X\((\w+), \d+, (\d+), ", (ROOT / "include/llmroute/error.hpp").read_text())
ROWS = re.findall(r"^\| (`\w+`.*?) \| (.*?) \|$", (ROOT / "docs/guide/python.md").read_text(), re.MULTILINE)
NAMED = {code: cell for codes, cell in ROWS for code in re.findall(r"`(\w+)`", codes)}
NOT_OF_A_CALL = ("node_rejected", "stream_interrupted", "cancelled", "invalid_config")


def test_every_code_is_on_the_page():
    assert {code for code, _ in CODES} <= NAMED.keys() and len(CODES) > 18


@pytest.mark.parametrize("code,status", [row for row in CODES if row[0] not in NOT_OF_A_CALL])
def test_a_code_becomes_the_exception_of_the_page(code, status):
    client = llmroute.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    plan = make_plan(client, CHAT, {"model": "m", "messages": []})
    answered = plan.failure(llmroute.Error("m", code=code, status=int(status), http_status=200))
    silent = plan.failure(llmroute.Error("m", code=code, status=int(status)))
    allowed = [getattr(openai, name) for name in re.findall(r"`(\w+Error)`", NAMED[code])]
    assert type(silent) in allowed
    if "status" in NAMED[code]:
        assert type(answered) in allowed and f"status {answered.status_code}" in NAMED[code]
