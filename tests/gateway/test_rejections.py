"""Requests turned away before any node: what the caller is told, and what the metrics call it."""

import threading

import pytest
from fake_node import answer_well
from gateway_server import CHAT, SIGTERM, eventually
from raw_caller import PLAIN, RawCaller

REASONS = ["queue_full", "queue_timeout", "rate_limit", "no_node", "draining"]
ONE_AT_A_TIME = '[backpressure]\nmax_concurrent_requests = 1\nqueue_timeout = "100ms"\n'


def counted(page):
    """Of each reason, how many."""
    start = 'requests_rejected_total{reason="'
    lines = [line[len(start):].split('"} ') for line in page.splitlines() if line.startswith(start)]
    return {reason: int(count) for reason, count in lines}


def only(reason, count=1):
    return {one: count if one == reason else 0 for one in REASONS}


def refusals(gateway):
    return counted(gateway.get("/metrics").body.decode())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("capped", ["the gateway", "the node"])
def test_one_that_waits_too_long(start, node, stream, capped):
    go_on = threading.Event()
    node.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    config = ONE_AT_A_TIME if capped == "the gateway" else '[backpressure]\nqueue_timeout = "100ms"\n'
    cap = "max_concurrent_requests = 1\n" if capped == "the node" else ""
    gateway = start(config=config + f'[[nodes]]\nname = "n0"\nurl = "{node.url}"\n{cap}')
    running = RawCaller(gateway)
    running.post(PLAIN)
    eventually(lambda: node.requests)
    answer = gateway.chat(stream=stream)
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "queue_timeout" and answer.json()["error"]["type"] == "server_error"
    assert refusals(gateway) == only("queue_timeout") and len(node.requests) == 1
    flag = "true" if stream else "false"
    assert gateway.metric(f'requests_total{{model="other",status="5xx",stream="{flag}"}}') == 1
    go_on.set()
    running.read_until(b"hello")
    running.close()


def in_the_middle_of(gateway, request):
    """A caller, half of whose request's head the gateway has. The one before it went out in the same piece."""
    caller = RawCaller(gateway)
    caller.sock.sendall(f"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n{request} HTTP/1.1\r\nHost: x\r\n".encode())
    caller.read_until(b'{"status":"ok"}')
    caller.seen = b""
    return caller


def finish(caller, rest="\r\n"):
    """Status, head and body of what is said to the other half."""
    caller.sock.sendall(rest.encode())
    head, _, body = caller.read_to_end().partition(b"\r\n\r\n")
    caller.close()
    return int(head[9:12]), head.lower(), body.decode()


def test_one_that_comes_while_the_gateway_ends(start, node):
    gateway = start(node)
    asking = [in_the_middle_of(gateway, f"POST {CHAT}") for _ in range(2)]
    ready, metrics = in_the_middle_of(gateway, "GET /readyz"), in_the_middle_of(gateway, "GET /metrics")
    gateway.signal(SIGTERM)
    eventually(gateway.refuses)
    for caller in asking:
        status, head, body = finish(caller, f"Content-Length: {len(PLAIN)}\r\n\r\n{PLAIN}")
        assert status == 503 and b"\r\nretry-after: 1" in head and b"\r\nconnection: close" in head
        assert '"type":"server_error"' in body and '"code":"shutting_down"' in body
    assert finish(ready)[0] == 503
    assert counted(finish(metrics)[2]) == only("draining", 2)
    assert gateway.wait() == 0 and not node.requests


def test_one_that_is_over_its_limit(start, node):
    gateway = start(node, config="[limits]\ndefault_rpm = 1\n")
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    assert [gateway.chat().status for _ in range(3)] == [200, 429, 429]
    assert refusals(gateway) == only("rate_limit", 2)


def test_what_a_node_refuses_is_no_rejection(start, node):
    gateway = start(node, config="[router]\nmax_retries = 0\n")
    for status in (400, 429, 500):
        node.handler = lambda _, connection, status=status: connection.answer(status, {"error": {"message": "no"}})
        assert gateway.chat().status == (502 if status == 500 else status)
    assert refusals(gateway) == only("none of them") and len(node.requests) == 3
