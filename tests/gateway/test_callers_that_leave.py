"""Callers that go away at the wrong moment, or only seem to."""

import threading
import time

import pytest
from gateway_server import eventually
from fake_node import completion, delta
from raw_caller import PLAIN, STREAM, RawCaller

LEAVE = [RawCaller.close, RawCaller.reset]
ONE_AT_A_TIME = "[backpressure]\nmax_concurrent_requests = 1\nmax_queue_size = 5\n"


CLOSE = [("connection", "close")]


class HeldNode:
    """Makes a node send its first events, then nothing until `go_on`; `left` is set when the gateway has gone instead.

    Its connections are for one request each: whoever watches one reads whatever comes.
    """

    def __init__(self, node, head=False, content=False):
        self.node, self.head, self.content = node, head, content
        self.go_on, self.left = threading.Event(), threading.Event()
        node.handler = self.answer

    def answer(self, request, connection):
        stream = request.json().get("stream")
        if stream and self.head:
            connection.start_stream(CLOSE)
        if stream and self.content:
            connection.event(delta("first"))
        if not self.go_on.is_set():
            threading.Thread(target=self.watch, args=(connection,), daemon=True).start()
        self.go_on.wait(20)
        if not stream:
            return connection.answer(200, completion(), CLOSE)
        if not self.head:
            connection.start_stream(CLOSE)
        connection.event(delta("last", "stop"))
        return connection.end_stream()

    def watch(self, connection):
        connection.wait_for_close()
        if not self.go_on.is_set():
            self.left.set()


def is_accounted_for(gateway, stream):
    """Counts are back at zero, the permit is free again, log and metrics say what became of the call."""
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 0)
    eventually(lambda: gateway.cancelled(stream) == 1)
    call = eventually(lambda: gateway.log("call"))[0]
    assert call["status"] == 499 and call["error"] == "cancelled" and call["stream"] is stream
    assert gateway.metric("node_failures_total") == 0


@pytest.mark.parametrize("leave", LEAVE)
@pytest.mark.parametrize("body, head, content", [
    pytest.param(PLAIN, False, False, id="plain"),
    pytest.param(STREAM, False, False, id="before the head"),
    pytest.param(STREAM, True, False, id="before the first token"),
    pytest.param(STREAM, True, True, id="in mid-stream"),
])
def test_the_nodes_work_ends_when_the_caller_leaves(start, node, leave, body, head, content):
    held = HeldNode(node, head, content)
    gateway = start(node, config=ONE_AT_A_TIME)
    caller = RawCaller(gateway)
    caller.post(body)
    eventually(lambda: node.requests)
    if content:
        caller.read_until(b"first")
    leave(caller)
    assert held.left.wait(1)
    is_accounted_for(gateway, stream=body is STREAM)
    held.go_on.set()
    assert gateway.chat().status == 200


@pytest.mark.parametrize("leave", LEAVE)
@pytest.mark.parametrize("body", [PLAIN, STREAM], ids=["plain", "stream"])
@pytest.mark.parametrize("config", [ONE_AT_A_TIME, ""], ids=["for a permit", "for a node"])
def test_one_that_leaves_the_queue_gives_up_its_place(start, node, leave, body, config):
    held = HeldNode(node)
    gateway = start(config=config + f'[[nodes]]\nname = "n0"\nurl = "{node.url}"\nmax_concurrent_requests = 1\n')
    running, waiting = RawCaller(gateway), RawCaller(gateway)
    running.post(PLAIN)
    eventually(lambda: node.requests)
    waiting.post(body)
    eventually(lambda: gateway.metric("queue_depth ") == 1)
    leave(waiting)
    eventually(lambda: gateway.metric("queue_depth ") == 0, seconds=1)
    held.go_on.set()
    running.read_until(b"hello")
    is_accounted_for(gateway, stream=body is STREAM)
    assert len(node.requests) == 1
    running.close()


@pytest.mark.parametrize("body, head", [(PLAIN, False), (STREAM, False), (STREAM, True)],
                         ids=["plain", "before the head", "before the first token"])
def test_one_that_only_shuts_its_sending_side_gets_its_answer(start, node, body, head):
    held = HeldNode(node, head)
    gateway = start(node)
    caller = RawCaller(gateway)
    caller.post(body)
    eventually(lambda: node.requests)
    caller.shut_sending()
    caller.read_until(b"HTTP/1.1 100 Continue\r\n\r\n")  # whoever had gone would answer this by a reset
    held.go_on.set()
    answer = caller.read_to_end().partition(b"\r\n\r\n")[2]
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and not held.left.is_set()
    assert answer.endswith(b'"total_tokens": 2}}' if body is PLAIN else b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert eventually(lambda: gateway.log("call"))[0]["status"] == 200


def test_one_that_shuts_its_sending_side_in_mid_stream_gets_the_rest(start, node):
    held = HeldNode(node, head=True, content=True)
    gateway = start(node)
    caller = RawCaller(gateway)
    caller.post()
    caller.read_until(b"first")
    caller.shut_sending()
    caller.read_until(b"\n: waiting\n\n")  # a comment
    before = gateway.cpu_seconds()
    time.sleep(0.5)  # nothing happens, and nothing is done
    assert gateway.cpu_seconds() - before < 0.2
    held.go_on.set()
    text = caller.read_to_end()
    assert b"last" in text and text.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_one_that_shuts_its_sending_side_and_then_leaves_has_left(start, node):
    held = HeldNode(node)
    gateway = start(node)
    caller = RawCaller(gateway)
    caller.post()
    caller.shut_sending()
    caller.read_until(b"100 Continue\r\n\r\n")
    caller.reset()
    assert held.left.wait(1)
    is_accounted_for(gateway, stream=True)


def test_in_http_1_0_there_is_no_way_to_tell(start, node):
    held = HeldNode(node)
    gateway = start(node)
    caller = RawCaller(gateway)
    caller.post(PLAIN, version="1.0")
    eventually(lambda: node.requests)
    caller.shut_sending()
    assert held.left.wait(1) and caller.read_to_end() == b""
    is_accounted_for(gateway, stream=False)


def test_what_was_asked_before_the_sending_side_was_shut_is_answered(start, node):
    held = HeldNode(node)
    gateway = start(node)
    caller = RawCaller(gateway)
    caller.post(PLAIN)
    caller.post(STREAM)
    caller.shut_sending()
    eventually(lambda: node.requests)
    held.go_on.set()
    answers = caller.read_to_end().replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.index(b'"total_tokens": 2}}') < answers.index(b"last") and answers.endswith(b"\r\n0\r\n\r\n")


def test_a_request_that_is_cut_short_reaches_no_node(gateway, node):
    for leave in LEAVE:
        for part in (b"POST /v1/chat", f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode()):
            caller = RawCaller(gateway)
            caller.sock.sendall(part)
            leave(caller)
    assert gateway.chat().status == 200 and len(node.requests) == 1


def test_a_second_request_waits_for_the_end_of_the_stream_before_it(start, node):
    held = HeldNode(node, head=True, content=True)
    caller = RawCaller(start(node))
    caller.post()
    caller.read_until(b"first")
    caller.sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    held.go_on.set()
    stream, _, second = caller.read_to_end().partition(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert stream.count(b"HTTP/1.1") == 1 and b"last" in stream
    assert second.startswith(b"HTTP/1.1 200 OK") and second.endswith(b'{"status":"ok"}')
