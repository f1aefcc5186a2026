"""What a node does wrong from the first byte on: by flag, by the control endpoint, by the model's name."""

import subprocess
import time

import pytest
from mock_node_server import BIN, eventually

WAYS = ("flag", "control", "model")


@pytest.fixture(params=WAYS)
def faulty(request, start):
    """faulty(text): a function that asks a node with that fault."""
    def with_fault(text):
        if request.param == "model":
            node = start()
            return node, lambda **fields: node.chat(model=f"fault:{text}", **fields)
        node = start("--fault", text) if request.param == "flag" else start()
        if request.param == "control":
            node.fault(text)
        return node, node.chat

    return with_fault


def test_a_status(faulty):
    _, ask = faulty("status=503,retry_after=7")
    for stream in (False, True):
        answer = ask(stream=stream)
        assert answer.status == 503 and answer.headers["retry-after"] == "7"
        assert answer.json()["error"]["code"] == 503


def test_a_delay(faulty):
    _, ask = faulty("delay_ms=60")
    began = time.monotonic()
    assert ask().status == 200
    assert time.monotonic() - began >= 0.06


@pytest.mark.parametrize("text", ["stall=headers", "cut=stall,events=0"])
def test_silence(faulty, text):
    node, ask = faulty(text)
    with pytest.raises(TimeoutError):
        ask(stream=True, timeout=0.3)
    eventually(lambda: node.stats()["aborted"] == 1)


GARBAGE = {"text": b"upstream", "html": b"<html>", "error": b'{"error"'}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage(faulty, kind):
    _, ask = faulty(f"garbage={kind}")
    for stream in (False, True):
        answer = ask(stream=stream)
        assert answer.status == 200 and answer.body.startswith(GARBAGE[kind])


def test_an_error_for_the_first_event(faulty):
    _, ask = faulty("garbage=error-event")
    answer = ask(stream=True)
    assert "error" in answer.chunks()[0] and answer.done()


def test_breaks_by_their_short_names(faulty):
    _, ask = faulty("reset=0;close=0;reset=400;close=400;close_events=2")
    for _ in range(2):
        with pytest.raises(ConnectionError):
            ask(stream=True)
    answers = [ask(stream=True) for _ in range(3)]
    assert [one.problem for one in answers] == ["ConnectionResetError", "IncompleteRead", "IncompleteRead"]
    assert [len(one.body) for one in answers[:2]] == [400, 400] and len(answers[2].chunks()) == 2


def test_some_requests_only(faulty):
    def struck(text, count):
        _, ask = faulty(text)
        return [ask().status == 500 for _ in range(count)]

    assert struck("status=500,every=3", 6) == [False, False, True] * 2
    assert struck("status=500,times=2", 4) == [True, True, False, False]
    some = struck("status=500,p=0.5", 40)
    assert 5 < sum(some) < 35 and some == struck("status=500,p=0.5", 40)


def test_one_kind_of_request_only(node):
    node.fault("status=404,only=completion")
    assert node.chat().status == 200 and node.complete().status == 404
    node.fault("status=404,only=chat;status=410,only=completion")
    asked = (node.complete, node.chat, node.chat, node.complete)
    assert [ask().status for ask in asked] == [200, 404, 200, 410]


def test_a_fault_can_be_taken_back(node):
    node.fault("status=500")
    assert node.chat().status == 500
    assert node.request("DELETE", "/control/fault").status == 200
    assert node.chat().status == 200


@pytest.mark.parametrize("text", ["nonsense", "status=99", "status=x", "cut=sideways", "bytes=-1", "p=2", "every=0",
                                  "only=me", "stall=later", "status=500;what"])
def test_a_fault_that_is_not_understood(node, text):
    answer = node.request("POST", "/control/fault", {"fault": text})
    assert answer.status == 400 and answer.json()["error"]["param"] == "fault"
    assert node.chat(model=f"fault:{text}").status == 400
    ended = subprocess.run([BIN / "llmroute-mock-node", "--fault", text], capture_output=True, text=True, timeout=10)
    assert ended.returncode == 2 and "is not understood" in ended.stderr
