"""The small examples do what their first lines say: against good nodes, with one node down, and with none."""

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin"))
sys.path.insert(0, str(ROOT / "tests" / "gateway"))

from fake_node import FakeNode, answer_well, delta  # noqa: E402


def run(program, *args):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([BIN / f"example_{program}", *args], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def node():
    one = FakeNode()
    yield one
    one.close()


@pytest.fixture
def second_node():
    one = FakeNode()
    yield one
    one.close()


@pytest.fixture
def dead_url():
    """Nobody listens there, and nobody else can while the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield "http://127.0.0.1:%d" % bound.getsockname()[1]


@pytest.mark.parametrize("program", ["chat", "stream", "own_strategy", "own_loop"])
def test_without_arguments_they_say_what_they_take(program):
    code, _, error = run(program)
    assert code == 2 and error.startswith("usage: ")


@pytest.mark.parametrize("program,args", [("chat", ["why?"]), ("stream", ["why?"])])
def test_a_wrong_address_is_named(program, args):
    code, _, error = run(program, *args, "gpu-1:8000")
    assert code == 2 and "nodes[0].url" in error and "http://" in error


def test_chat_prints_the_answer(node):
    code, output, _ = run("chat", 'say "hello"', node.url)
    assert code == 0
    assert '"content": "hello"' in output
    assert f"answered by {node.url}" in output and "1 attempt(s)" in output
    assert node.requests[0].json()["messages"] == [{"role": "user", "content": 'say "hello"'}]


def test_chat_passes_over_nodes_that_are_down(node, dead_url):
    outputs = [run("chat", "hi", dead_url, node.url) for _ in range(4)]
    assert all(code == 0 and f"answered by {node.url}" in output for code, output, _ in outputs)


def test_chat_says_what_was_tried(dead_url):
    code, output, error = run("chat", "hi", dead_url)
    assert (code, output) == (1, "")
    assert f"  {dead_url}: " in error


def test_stream_prints_the_text(node):
    code, output, _ = run("stream", "hi", node.url)
    assert (code, output) == (0, f"hello\nanswered by {node.url}\n")


def test_stream_says_when_an_answer_is_cut_short(node):
    def die(_, connection):
        connection.start_stream()
        connection.event(delta("hel"))
        connection.reset()

    node.handler = die
    code, output, error = run("stream", "hi", node.url)
    assert code == 1 and output == "hel" and node.url in error


def test_own_strategy_stays_in_its_zone(node, second_node):
    code, output, _ = run("own_strategy", node.url, second_node.url)
    assert (code, output) == (0, f"{node.url}\n" * 3)
    assert len(node.requests) == 3 and second_node.requests == []


def test_own_strategy_leaves_its_zone_when_it_must(second_node, dead_url):
    code, output, _ = run("own_strategy", dead_url, second_node.url)
    assert (code, output) == (0, f"{second_node.url}\n" * 3)


def test_own_loop_runs_eight_streams_on_one_thread(node, second_node):
    code, output, _ = run("own_loop", node.url, second_node.url)
    lines = output.splitlines()
    assert code == 0 and len(lines) == 9
    assert set(lines[:8]) <= {node.url, second_node.url}
    assert lines[8].startswith("8 streams, ") and lines[8].endswith(", 0 failed")
    assert len(node.requests) + len(second_node.requests) == 8


def over_the_c_interface(language, *args):
    """The examples that do the same things through llmroute.h."""
    if language == "c":
        command = [BIN / "example_c"]
    else:
        command = [sys.executable, ROOT / "examples/ctypes/main.py"]
    environment = {**os.environ, "LLMROUTE_LIBRARY": str(BIN.resolve().parent / "lib/libllmroute_c.so.0")}
    done = subprocess.run([*command, *args], capture_output=True, text=True, timeout=30, env=environment)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("language", ["c", "ctypes"])
def test_over_the_c_interface_all_forms_of_a_call_work(language, node, second_node):
    code, output, error = over_the_c_interface(language, node.url, second_node.url)
    assert code == 0, error
    one_of_them = f"(?:{re.escape(node.url)}|{re.escape(second_node.url)})"
    assert re.fullmatch(f"chat: {one_of_them} answered\n"
                        "stream: hello\n"
                        "cancel: cancelled after 1 event\n"
                        f"strategy: {re.escape(second_node.url)}\n", output), output


@pytest.mark.parametrize("language", ["c", "ctypes"])
def test_over_the_c_interface_a_failure_has_its_name(language, dead_url):
    code, output, error = over_the_c_interface(language, dead_url)
    assert (code, output) == (1, "")
    assert error.startswith("connect_failed: ") and dead_url in error


@pytest.mark.parametrize("language", ["c", "ctypes"])
def test_over_the_c_interface_usage_is_told(language):
    code, _, error = over_the_c_interface(language)
    assert code != 0 and error.startswith("usage: ")


@pytest.mark.parametrize("language", ["c", "ctypes"])
def test_over_the_c_interface_an_answer_cut_short_is_an_error(language, node):
    def die(request, connection):
        if not request.json().get("stream"):
            return answer_well(request, connection)
        connection.start_stream()
        connection.event(delta("hel"))
        return connection.reset()

    node.handler = die
    code, output, error = over_the_c_interface(language, node.url)
    assert code == 1 and "cancel" not in output and error.startswith("stream_interrupted: ")
