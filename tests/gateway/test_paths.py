"""The paths of the API beside chat: routed where a model answers JSON, else passed to the first node that has them."""

import json

import pytest
from fake_node import FakeNode
from gateway_server import eventually

MESSAGE = {"model": "tiny", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
ROUTED = {
    "/v1/responses": {"model": "tiny", "input": "hi"},
    "/v1/messages": MESSAGE,
    "/v1/messages/count_tokens": MESSAGE,
    "/v1/rerank": {"model": "tiny", "query": "q", "documents": ["a"]},
    "/v1/moderations": {"model": "tiny", "input": "hi"},
}
RELAYED = ["/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/generations",
           "/v1/images/edits", "/v1/images/variations"]
FORM = ('--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n'
        '--xx\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\0\1\r\n--xx--\r\n').encode()
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=xx"}


def typed(name, **fields):
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def send_events(connection, events):
    connection.start_stream()
    for event in events:
        connection.send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
    connection.send("0\r\n\r\n")


@pytest.mark.parametrize("path", ROUTED)
def test_json_is_routed(start, node, second_node, path):
    """Also away from a node that has not got the path."""
    node.handler = lambda _, connection: connection.answer(404, {"detail": "Not Found"})
    second_node.handler = lambda _, connection: connection.answer(200, {"model": "tiny", "ok": 1, "usage": {}})
    gateway = start(node, second_node)
    body = json.dumps(ROUTED[path]).encode()
    for _ in range(4):
        answer = gateway.request("POST", path, body)
        assert answer.status == 200 and answer.json()["ok"] == 1 and answer.headers["x-routed-node"] == "n1"
    assert all(request.path == path and request.body == body for request in second_node.requests)
    assert len(node.requests) <= 1


@pytest.mark.parametrize("path", [*ROUTED, "/v1/audio/speech"])
def test_what_is_no_json_is_refused_before_any_node(gateway, node, path):
    for body in ("{", '{"model":7}', "[]", ""):
        answer = gateway.request("POST", path, body)
        assert answer.status == 400 and answer.json()["error"]["type"] == "invalid_request_error"
    assert not node.requests


def test_a_query_goes_to_the_node(start, node):
    node.handler = lambda _, connection: connection.answer(200, {"model": "tiny"})
    assert start(node).request("POST", "/v1/messages?beta=true", MESSAGE, {"anthropic-version": "2023-06-01"}).status == 200
    assert node.requests[0].path == "/v1/messages?beta=true"
    assert node.requests[0].header("anthropic-version") == "2023-06-01"


@pytest.mark.parametrize("path, events, tokens", [
    ("/v1/responses", [typed("response.created", response={}), typed("response.output_text.delta", delta="x"),
                       typed("response.completed", response={"usage": {"input_tokens": 3, "output_tokens": 4}})], (3, 4)),
    ("/v1/messages", [typed("message_start", message={"usage": {"input_tokens": 3, "output_tokens": 1}}), typed("ping"),
                      typed("content_block_delta", delta={"text": "x"}),
                      typed("message_delta", usage={"output_tokens": 4}), typed("message_stop")], (3, 4)),
])
def test_typed_events_come_as_they_are(start, node, path, events, tokens):
    """Nothing is added behind their own end: [DONE] would be an event too many for their readers."""
    node.handler = lambda _, connection: send_events(connection, events)
    gateway = start(node)
    answer = gateway.request("POST", path, {**ROUTED[path], "stream": True})
    assert answer.status == 200 and answer.body == b"".join(events)
    line = eventually(lambda: gateway.log("call"))[0]
    assert (line["prompt_tokens"], line["completion_tokens"]) == tokens


@pytest.mark.parametrize("path", RELAYED)
def test_the_first_node_that_has_the_path_answers(start, node, second_node, path):
    node.handler = lambda _, connection: connection.answer(404, {"detail": "Not Found"})
    second_node.handler = lambda _, connection: connection.answer(200, b"\0sound\xff", content_type="audio/mpeg")
    gateway = start(node, second_node)
    answer = gateway.request("POST", path, FORM, FORM_TYPE)
    assert answer.status == 200 and answer.body == b"\0sound\xff" and answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["x-routed-node"] == "n1"
    seen = second_node.requests[0]
    assert seen.body == FORM and seen.header("content-type") == FORM_TYPE["Content-Type"]
    assert eventually(lambda: gateway.log("call"))[0]["model"] == "tiny"


def test_json_for_a_model_that_answers_with_bytes(start, node):
    node.handler = lambda _, connection: connection.answer(200, b"\0\1", content_type="audio/mpeg")
    body = json.dumps({"model": "tiny", "input": "hi", "voice": "a"}).encode()
    answer = start(node).request("POST", "/v1/audio/speech", body)
    assert answer.status == 200 and answer.body == b"\0\1"
    assert node.requests[0].body == body and node.requests[0].header("content-type") == "application/json"


def test_a_form_that_could_be_read_in_two_ways_reaches_no_node(gateway, node):
    twice = FORM.replace(b"--xx\r\n", b'--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\nother\r\n--xx\r\n', 1)
    for body, kind in [(twice, FORM_TYPE), (FORM[:-6], FORM_TYPE), (FORM, {"Content-Type": "multipart/form-data"})]:
        answer = gateway.request("POST", "/v1/audio/transcriptions", body, kind)
        assert answer.status == 400 and answer.json()["error"]["type"] == "invalid_request_error"
    assert not node.requests


def test_every_path_asks_for_the_token(start, node):
    gateway = start(node, config='[auth]\nauth_token = "sesame"\n')
    for path in [*ROUTED, *RELAYED]:
        assert gateway.request("POST", path, "{}").status == 401
    assert gateway.get("/load-stats").status == 401
    assert not node.requests


def test_no_node_has_it(start):
    nodes = [FakeNode(lambda _, connection: connection.answer(404, {"detail": "Not Found"})) for _ in range(2)]
    gateway = start(*nodes)
    for path in ("/v1/rerank", "/v1/audio/speech"):
        assert gateway.request("POST", path, {"model": "tiny", "query": "q", "input": "x"}).status == 404
