"""The header fields that answers carry beside the node's own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_node import answer_well, completion, delta
from gateway_server import CHAT, eventually

BOTH = pytest.mark.parametrize("stream", [False, True])


def overhead(answer):
    return int(answer.headers["x-llmroute-overhead-us"])


@BOTH
def test_the_nodes_time_is_no_overhead(start, node, stream):
    def slow(request, connection):
        time.sleep(0.5)
        answer_well(request, connection)

    node.handler = slow
    gateway = start(node)
    assert 0 < min(overhead(gateway.chat(stream=stream)) for _ in range(2)) < 250_000


@BOTH
def test_time_in_the_queue_is_overhead(start, node, stream):
    go_on = threading.Event()
    node.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    gateway = start(node, config="[backpressure]\nmax_concurrent_requests = 1\n")
    with ThreadPoolExecutor(2) as callers:
        callers.submit(gateway.chat)
        eventually(lambda: node.requests)
        waiting = callers.submit(gateway.chat, stream=stream)
        eventually(lambda: gateway.metric("queue_depth ") == 1)
        begun = time.monotonic()
        time.sleep(0.2)
        waited = time.monotonic() - begun
        go_on.set()
    assert overhead(waiting.result()) >= waited * 1e6


@BOTH
def test_the_time_of_failed_attempts_is_no_overhead(start, node, second_node, stream):
    def fails_late(_, connection):
        time.sleep(0.5)
        connection.answer(503, {"error": {"message": "busy"}})

    node.handler = fails_late
    gateway = start(node, second_node, config='[router]\nstrategy = "round_robin"\n')
    answers = [gateway.chat(stream=stream) for _ in range(2)]
    retried = next(answer for answer in answers if answer.headers["x-llmroute-attempts"] == "2")
    assert retried.headers["x-routed-node"] == "n1" and 0 < overhead(retried) < 250_000


@BOTH
@pytest.mark.parametrize("status, passed", [(400, 400), (500, 502)])
def test_errors_tell_the_overhead_as_well(start, node, stream, status, passed):
    node.handler = lambda _, connection: connection.answer(status, {"error": {"message": "no"}})
    answer = start(node, config="[router]\nmax_retries = 0\n").chat(stream=stream)
    assert answer.status == passed and overhead(answer) >= 0
    assert answer.headers["x-routed-node"] == "n0" and answer.headers["x-llmroute-attempts"] == "1"


def with_id(value):
    """A node that calls requests by this name."""
    def answer(request, connection):
        fields = [("x-request-id", value(request) if callable(value) else value)]
        body = request.json()
        if body["max_tokens"] > 1:
            return connection.answer(body["max_tokens"], {"error": {"message": "no"}}, fields)
        if not body["stream"]:
            return connection.answer(200, completion(), fields)
        connection.start_stream(fields)
        connection.event(delta("a", "stop"))
        return connection.end_stream()

    return answer


@BOTH
@pytest.mark.parametrize("status", [1, 400, 429])  # 1: a good answer
def test_the_nodes_name_for_the_request(start, node, stream, status):
    node.handler = with_id("chatcmpl-7")
    gateway = start(node, config="[router]\nmax_retries = 0\n")
    answer = gateway.chat({"X-Request-ID": "mine"}, stream=stream, max_tokens=status)
    assert answer.status == (200 if status == 1 else status)
    assert answer.headers.get_all("x-request-id") == ["mine"]
    assert answer.headers.get_all("x-upstream-request-id") == ["chatcmpl-7"]


@BOTH
def test_a_node_that_takes_over_our_name_has_none_of_its_own(start, node, stream):
    node.handler = with_id(lambda request: request.header("x-request-id"))
    answer = start(node).chat({"X-Request-ID": "mine"}, stream=stream, max_tokens=1)
    assert node.requests[0].header("x-request-id") == "mine"
    assert answer.headers["x-request-id"] == "mine" and answer.headers["x-upstream-request-id"] is None


@pytest.mark.parametrize("value", [b"7\r\nX-Split: 1", b"7\rX-Split: 1", b"7\nX-Split: 1", b"7\0", b"7\x1b[0m"])
def test_the_nodes_name_cannot_split_the_answer(start, node, value):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nx-request-id: "
    node.handler = lambda _, connection: connection.send(head + value + b"\r\n\r\n{}")
    answer = start(node).chat()
    assert answer.status in (200, 502)
    assert answer.headers["x-split"] is None and answer.headers["x-upstream-request-id"] in (None, "7")


def test_nothing_on_the_way_may_keep_a_stream(gateway):
    answer = gateway.chat(stream=True)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers.get_all("cache-control") == ["no-cache"]
    assert answer.headers.get_all("x-accel-buffering") == ["no"]


def test_a_nodes_own_word_on_that_is_not_added(start, node):
    def answer(_, connection):
        connection.start_stream([("cache-control", "max-age=60"), ("x-accel-buffering", "yes")])
        connection.event(delta("a", "stop"))
        connection.end_stream()

    node.handler = answer
    streamed = start(node).chat(stream=True)
    assert streamed.headers.get_all("cache-control") == ["no-cache"]
    assert streamed.headers.get_all("x-accel-buffering") == ["no"]


@BOTH
def test_where_no_node_was_asked_none_is_named(start, node, stream):
    gateway = start(node)
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    for answer in (gateway.chat(stream=stream, model="absent"), gateway.request("POST", CHAT, "{")):
        assert answer.status in (400, 404) and answer.headers["x-request-id"]
        for name in ("x-routed-node", "x-llmroute-attempts", "x-upstream-request-id", "x-should-retry"):
            assert answer.headers[name] is None, name
