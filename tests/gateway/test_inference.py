"""Plain calls through the gateway: what reaches the node, what reaches the caller."""

import json
import threading

import pytest
from gateway_server import CHAT, eventually
from fake_node import FakeNode, completion

ROUND_ROBIN = '[router]\nstrategy = "round_robin"\n'


def test_bodies_stay_bytes(start, node):
    reply = b'{ "id":"c" , "model":"tiny", "n":1.50e2, "x":"\\u00e4\\/", "choices":[]}\n'
    node.handler = lambda _, connection: connection.answer(200, reply)
    sent = b'{"model":"tiny","messages":[{"role":"user","content":"\\u00e4"}],\n "unknown" : 1.50e2}'
    answer = start(node).request("POST", CHAT, sent)
    assert answer.status == 200 and answer.body == reply
    assert node.requests[0].body == sent


@pytest.mark.parametrize("path, body", [
    ("/v1/completions", {"model": "tiny", "prompt": "hi"}),
    ("/v1/embeddings", {"model": "tiny", "input": ["a", "b"]}),
])
def test_the_other_paths_are_routed_too(start, node, path, body):
    node.handler = lambda _, connection: connection.answer(200, {"object": "list", "data": []})
    assert start(node).request("POST", path, body).status == 200
    assert node.requests[0].path == path


def test_the_node_sees_tracing_and_no_secret(start, node):
    gateway = start(node, config='[auth]\nauth_token = "sesame"\n')
    gateway.chat(headers={"Authorization": "Bearer sesame", "Cookie": "a=b", "X-Admin-Key": "k", "TE": "trailers",
                          "Connection": "close, X-Odd", "X-Odd": "1", "traceparent": "00-a-b-01", "tracestate": "x=y"})
    request = node.requests[0]
    assert request.header("traceparent") == "00-a-b-01" and request.header("tracestate") == "x=y"
    for name in ("authorization", "cookie", "x-admin-key", "te", "x-odd", "connection"):
        assert request.header(name) is None, name
    assert "sesame" not in str(request.headers)


def test_the_answer_says_who_gave_it(start, node):
    def answer(_, connection):
        connection.answer(200, completion(), [("openai-processing-ms", "7"), ("x-ratelimit-remaining-tokens", "9"),
                                              ("set-cookie", "a=b"), ("server", "node"), ("x-request-id", "node's")])

    node.handler = answer
    answer = start(node).chat(headers={"X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] == "mine" and answer.headers.get_all("x-request-id") == ["mine"]
    assert answer.headers["x-routed-node"] == "n0"
    assert answer.headers["x-llmroute-attempts"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["openai-processing-ms"] == "7"
    assert answer.headers["x-ratelimit-remaining-tokens"] == "9"
    assert answer.headers["set-cookie"] is None and answer.headers["x-should-retry"] is None


@pytest.mark.parametrize("value", [b"7\r\nX-Split: 1", b"7\rX-Split: 1", b"7\nX-Split: 1", b"7\0", b"7\x1b[0m"])
def test_a_nodes_field_cannot_split_the_answer(start, node, value):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nopenai-processing-ms: "
    node.handler = lambda _, connection: connection.send(head + value + b"\r\n\r\n{}")
    answer = start(node).chat()
    assert answer.headers["x-split"] is None and answer.headers["openai-processing-ms"] in (None, "7")
    assert answer.status in (200, 502)


def test_a_nodes_4xx_passes_untouched(start, node):
    body = b'{"detail":[{"loc":["body","messages"]}]}'
    node.handler = lambda _, connection: connection.answer(422, body)
    answer = start(node).chat()
    assert answer.status == 422 and answer.body == body
    assert answer.headers["x-routed-node"] == "n0"
    assert len(node.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_of_the_gateway_is_no_news_for_callers(start, node, status):
    node.handler = lambda _, connection: connection.answer(status, {"error": {"message": "bad key sk-abcdefgh12345678"}})
    answer = start(node).chat()
    assert answer.status == 502
    assert b"sk-" not in answer.body and answer.json()["error"]["code"] == "upstream_error"


def test_another_node_takes_over(start, node, second_node):
    node.handler = lambda _, connection: connection.answer(503, {"error": {"message": "busy"}})
    gateway = start(node, second_node, config=ROUND_ROBIN)
    answers = [gateway.chat() for _ in range(2)]
    assert all(answer.status == 200 and answer.headers["x-routed-node"] == "n1" for answer in answers)
    retried = [answer for answer in answers if answer.headers["x-llmroute-attempts"] == "2"]
    assert retried and len(node.requests) == len(retried)
    assert gateway.metric('upstream_errors_total{node="n0",code="503"}') == len(retried)
    assert gateway.metric('node_failures_total{node="n0",kind="status"}') == len(retried)


def test_when_all_fail_the_caller_need_not_retry(start, node, second_node):
    for one in (node, second_node):
        one.handler = lambda _, connection: connection.answer(500, "Traceback", content_type="text/plain")
    answer = start(node, second_node).chat()
    assert answer.status == 502 and b"Traceback" not in answer.body
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["type"] == "server_error"


def test_no_node_at_all_is_503_with_retry_after(start):
    gone = FakeNode()
    gone.close()
    gateway = start(gone, config="[router]\nmax_retries = 0\n")
    seen = [gateway.chat() for _ in range(5)]
    assert seen[0].status == 502
    assert seen[-1].status == 503 and int(seen[-1].headers["retry-after"]) >= 1
    assert gateway.metric('requests_rejected_total{reason="no_node"}') >= 1


def test_a_model_that_is_nowhere_is_404(gateway):
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    answer = gateway.chat(model="absent")
    assert answer.status == 404 and answer.json()["error"]["code"] == "model_not_found"
    assert gateway.metric('requests_total{model="other",status="4xx"') == 1


def test_a_body_beyond_the_limit_is_413_before_it_is_read(start, node):
    gateway = start(node, config='[server]\nmax_body = "1KB"\n')
    connection = gateway.connect()
    connection.putrequest("POST", CHAT)
    connection.putheader("Content-Length", "2000")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and "error" in json.loads(answer.read())
    connection.close()


def test_a_full_queue_is_503_with_retry_after(start, node):
    go_on = threading.Event()

    def held(_, connection):
        go_on.wait(10)
        connection.answer(200, completion())

    node.handler = held
    gateway = start(node, config="[backpressure]\nmax_concurrent_requests = 1\nmax_queue_size = 1\n")
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(gateway.chat())) for _ in range(2)]
    clients[0].start()
    eventually(lambda: node.requests)
    clients[1].start()
    eventually(lambda: gateway.metric("queue_depth ") == 1)
    refused = gateway.chat()
    assert refused.status == 503 and refused.json()["error"]["code"] == "queue_full"
    assert int(refused.headers["retry-after"]) >= 1
    assert gateway.metric('requests_rejected_total{reason="queue_full"}') == 1
    go_on.set()
    for client in clients:
        client.join()
    assert [answer.status for answer in answers] == [200, 200]
    assert gateway.metric("queue_depth ") == 0


def test_a_caller_that_leaves_is_not_worked_for(start, node):
    gone = threading.Event()

    def silent(_, connection):
        connection.wait_for_close()
        gone.set()

    node.handler = silent
    gateway = start(node)
    connection = gateway.connect()
    connection.request("POST", CHAT, json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}]}))
    eventually(lambda: node.requests)
    connection.close()
    assert gone.wait(1)
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 0)
    eventually(lambda: gateway.metric('requests_total{model="other",status="cancelled"') == 1)


def test_a_caller_that_leaves_the_queue_gives_up_its_place(start, node):
    go_on = threading.Event()

    def held(_, connection):
        go_on.wait(10)
        connection.answer(200, completion())

    node.handler = held
    gateway = start(node, config="[backpressure]\nmax_concurrent_requests = 1\nmax_queue_size = 5\n")
    client = threading.Thread(target=gateway.chat)
    client.start()
    eventually(lambda: node.requests)
    waiting = gateway.connect()
    waiting.request("POST", CHAT, json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}]}))
    eventually(lambda: gateway.metric("queue_depth ") == 1)
    waiting.close()
    eventually(lambda: gateway.metric("queue_depth ") == 0, seconds=1)
    go_on.set()
    client.join()
    assert len(node.requests) == 1


def test_requests_on_one_connection_are_answered_in_order(gateway):
    connection = gateway.connect()
    for i in range(20):
        connection.request("POST", CHAT, json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}]}),
                           {"X-Request-ID": f"r{i}"})
        response = connection.getresponse()
        assert response.headers["x-request-id"] == f"r{i}"
        assert json.loads(response.read())["choices"][0]["message"]["content"] == "hello"
    connection.close()
