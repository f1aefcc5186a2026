"""Streams that are cut: after exactly so many tokens, events or bytes, and in every way."""

import pytest
from mock_node_server import CHAT, Answer, eventually

HELLO = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "stream": True}
PROBLEMS = {"fin": "IncompleteRead", "rst": "ConnectionResetError", "end": "", "error": "", "garbage": ""}


def stream(node, **fields):
    return node.chat(stream=True, **fields)


def silent(node, **fields):
    """A stream that falls silent: all that came. A node without pace has sent it before it looks at stats."""
    connection, response = node.open("POST", CHAT, {**HELLO, **fields})
    assert node.stats()["active"] == 1
    connection.sock.settimeout(0.05)
    answer = Answer(response)
    connection.close()
    eventually(lambda: node.stats()["active"] == 0)
    return answer


@pytest.mark.parametrize("how", PROBLEMS)
@pytest.mark.parametrize("tokens", [0, 1, 5])
def test_after_tokens(node, how, tokens):
    whole = stream(node, max_tokens=8)
    answer = stream(node, max_tokens=8, model=f"fault:cut={how},tokens={tokens}", return_token_ids=True)
    assert answer.status == 200 and answer.problem == PROBLEMS[how]
    if how == "garbage":
        assert answer.data().pop().startswith('{"id"') and not answer.data().pop().endswith("}")
        return
    assert answer.text() == "".join(one["delta"]["content"] for one in whole.choices()[:tokens + 1])
    assert len(answer.token_ids()) == tokens and all(one["finish_reason"] is None for one in answer.choices())
    assert answer.done() == (how == "error")
    assert ("error" in answer.chunks()[-1]) == (how == "error")


def test_a_stall_after_tokens(node):
    answer = silent(node, model="fault:cut=stall,tokens=3", return_token_ids=True)
    assert answer.problem == "TimeoutError" and len(answer.token_ids()) == 3 and not answer.done()


def test_behind_the_last_token_only_done_is_missing(node):
    answer = stream(node, max_tokens=4, model="fault:cut=fin,tokens=4")
    assert answer.finish_reason() == "length" and not answer.done()
    assert stream(node, max_tokens=4, model="fault:cut=fin,tokens=5").done()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_after_events(node, count):
    answer = stream(node, model=f"fault:cut=end,events={count}")
    assert len(answer.chunks()) == count and not answer.done()


@pytest.mark.parametrize("how", ["fin", "rst", "end"])
@pytest.mark.parametrize("count", [1, 300, 800])
def test_after_bytes(node, how, count):
    model = f"fault:cut={how},bytes={count}"
    for streamed in (True, False):
        answer = node.chat(stream=streamed, max_tokens=40, return_token_ids=True, model=model)
        assert len(answer.body) == count and answer.problem == PROBLEMS[how]


def test_a_stall_after_bytes(node):
    answer = silent(node, model="fault:cut=stall,bytes=300")
    assert len(answer.body) == 300 and answer.problem == "TimeoutError"


def test_before_the_head(node):
    for how, problem in (("fin", "RemoteDisconnected"), ("rst", "ConnectionResetError")):
        with pytest.raises(ConnectionError) as error:
            stream(node, model=f"fault:cut={how},bytes=0")
        assert type(error.value).__name__ == problem


@pytest.mark.parametrize("by_name", [True, False], ids=["model", "control"])
def test_one_after_the_other(node, by_name):
    text = "cut=fin,tokens=2;;cut=end,tokens=3;cut=rst,tokens=4"
    model = f"fault:{text}" if by_name else "tiny"
    if not by_name:
        node.fault(text)
    answers = [stream(node, model=model, return_token_ids=True) for _ in range(6)]
    assert [len(one.token_ids()) for one in answers] == [2, 24, 3, 4, 24, 24]
    assert [one.problem for one in answers] == ["IncompleteRead", "", "", "ConnectionResetError", "", ""]
    assert [one.done() for one in answers] == [False, True, False, False, True, True]


def test_each_node_counts_the_requests_for_a_model_itself(start):
    nodes, model = [start(), start()], "fault:cut=fin,tokens=2,times=1"
    for node in nodes:
        assert not stream(node, model=model).done()
        assert stream(node, model=model).done()


def test_completions_and_token_ids_are_cut_alike(node):
    answer = node.complete(stream=True, model="fault:cut=end,tokens=3", return_token_ids=True)
    assert len(answer.token_ids()) == 3 and answer.finish_reason() is None
