"""Each program of the page "Coming from another client", as it stands there, with whatever of it is installed here."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests" / "gateway"))

from fake_node import FakeNode, completion, delta  # noqa: E402

PAGE = (ROOT / "docs" / "guide" / "coming-from.md").read_text()
PROGRAMS = dict(re.findall(r"^## (\S+)\n.*?^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
MODULES = {
    "openai": "openai",
    "litellm": "litellm",
    "LangChain": "langchain_openai",
    "LlamaIndex": "llama_index",
    "instructor": "instructor",
    "pydantic-ai": "pydantic_ai",
    "openai-agents": "agents",
}
INSTALLED = [name for name in PROGRAMS if importlib.util.find_spec(MODULES[name])]
STREAMED = ("LangChain", "LlamaIndex")
ANSWER = '{"text": "hello"}'


def answer(request, connection):
    if not request.json().get("stream"):
        return connection.answer(200, completion(ANSWER))
    connection.start_stream()
    connection.event(delta(ANSWER[:9]))
    connection.event(delta(ANSWER[9:], "stop"))
    return connection.end_stream()


def fail(request, connection):
    connection.answer(503, {"error": {"message": "busy"}})


def test_every_program_is_tried_somewhere():
    assert set(PROGRAMS) == set(MODULES) and INSTALLED


@pytest.mark.parametrize("name", INSTALLED)
def test_the_program_of_the_page(name, tmp_path):
    """Nobody listens at the address it writes against, so an answer has come through our transport."""
    good, busy = (FakeNode(handler, models=("gpt-4o-mini",)) for handler in (answer, fail))
    program = tmp_path / "program.py"
    program.write_text(PROGRAMS[name])
    try:
        done = subprocess.run(
            [sys.executable, program, busy.url, good.url], capture_output=True, text=True, timeout=120
        )
    finally:
        good.close()
        busy.close()
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout
    assert [request.json().get("stream", False) for request in good.requests] == (
        [False, True] if name in STREAMED else [False]
    )
