"""The paths of the API beside chat: routed where a model answers JSON, else passed to the first node that has them."""

import json
import time

import pytest
from admin_client import ADMIN_KEY, Admin, WITH_STORE, bearer, error
from fake_node import FakeNode
from gateway_server import CHAT, eventually
from wire import Wire

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


DISPOSITION = b"Content-Disposition: form-data; "
PLAIN_HEAD = DISPOSITION + b'name="model"'
# Two readers find two models, or one of them none: heads of a part with the value "tiny".
TWO_WAYS = {
    "two dispositions": DISPOSITION + b'name="x"\r\n' + PLAIN_HEAD,
    "a parameter without a value": DISPOSITION + b'a; name="model"',
    "an encoded name": DISPOSITION + b"name*=utf-8''model",
    "a name in pieces": DISPOSITION + b"name*0=mo; name*1=del",
    "two names": DISPOSITION + b'name="x"; name="model"',
    "a quote behind a backslash": DISPOSITION + b'filename="a\\"; name="model"; x="',
    "an escaped name": DISPOSITION + b'name="mo\\del"',
    "a folded line": DISPOSITION + b'name="x";\r\n name="model"',
    "half a line end": DISPOSITION + b'name="x"\n' + PLAIN_HEAD,
    "other letters": DISPOSITION + b'name="MODEL"',
    "a disposition of another kind": b'Content-Disposition: file; name="model"',
    "no disposition": b"Content-Type: text/plain",
}


def part(head, value):
    return b"--xx\r\n" + head + b"\r\n\r\n" + value + b"\r\n"


@pytest.fixture
def restricted(start, node):
    """A gateway, and the fields of a key that may use "mine" alone."""
    gateway = start(node, config=WITH_STORE)
    key, _ = Admin(gateway).key(allowed_models=["mine"])
    return gateway, bearer(key)


@pytest.mark.parametrize("name", TWO_WAYS)
def test_a_form_names_no_model_that_only_its_node_finds(restricted, node, name):
    gateway, key = restricted
    for first in (b"", part(PLAIN_HEAD, b"mine")):
        for last in (b"", part(PLAIN_HEAD, b"mine")):
            body = first + part(TWO_WAYS[name], b"tiny") + last + b"--xx--\r\n"
            answer = gateway.request("POST", "/v1/audio/transcriptions", body, {**key, **FORM_TYPE})
            assert answer.status == 400 and error(answer)["type"] == "invalid_request_error", (first, last)
    assert not node.requests


@pytest.mark.parametrize("body", [
    part(PLAIN_HEAD, b"mine") + b"--xx--\r\n" + part(PLAIN_HEAD, b"tiny") + b"--xx--\r\n",
    part(PLAIN_HEAD, b"mine") + part(DISPOSITION + b"name=x", b"\n--xx\n" + PLAIN_HEAD + b"\n\ntiny\n--xx--") + b"--xx--",
    part(PLAIN_HEAD + b'; filename="a"', b"mine") + b"--xx--",
])
def test_nor_behind_its_end_a_bare_line_feed_or_a_file(restricted, node, body):
    gateway, key = restricted
    assert gateway.request("POST", "/v1/audio/transcriptions", body, {**key, **FORM_TYPE}).status == 400
    assert not node.requests


@pytest.mark.parametrize("kind", [
    "application/x-www-form-urlencoded", "text/plain", "multipart/mixed; boundary=xx", "application/json; charset=utf-16",
    "multipart/form-data; boundary=xx; charset=utf-7", "multipart/form-data; boundary=yy; boundary=xx",
    "multipart/form-data; boundary*=utf-8''xx",
])
def test_a_content_type_that_is_read_in_other_ways_reaches_no_node(restricted, node, kind):
    gateway, key = restricted
    for body in (b'{"model":"mine"}', b"model=mine", part(PLAIN_HEAD, b"mine") + b"--xx--",
                 part(DISPOSITION + b'name="+AG0AbwBkAGUAbA-"', b"tiny") + part(PLAIN_HEAD, b"mine") + b"--xx--"):
        answer = gateway.request("POST", "/v1/audio/speech", body, {**key, "Content-Type": kind})
        assert answer.status == 400 and error(answer)["param"] == "content-type"
    assert not node.requests


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings", "/v1/audio/speech"])
@pytest.mark.parametrize("name", ["Model", "MODEL", "\\u004dodel"])
def test_json_names_its_model_in_these_letters(restricted, node, path, name):
    """Go takes other letters as well, and of two the last."""
    gateway, key = restricted
    body = '{"model":"mine","messages":[],"input":"x","%s":"tiny"}' % name
    answer = gateway.request("POST", path, body, key)
    assert answer.status == 400 and error(answer)["param"] == "model"
    assert not node.requests


@pytest.mark.parametrize("file", [
    'name="file"; filename="\u00e4.wav"', 'name="file"; filename="\u00e4%22b\\c;x.wav"', 'name="file"; filename="a%22b\\\\c.wav"',
    'name="file"; filename="a\\"b.wav"', "name=file; filename=a.wav; filename*=utf-8''a.wav", 'name="file"',
])
def test_forms_as_clients_write_them_go_on(start, node, file):
    """In this order: all, browsers and curl, httpx, Go, .NET."""
    node.handler = lambda _, connection: connection.answer(200, {"text": "hi"})
    gateway = start(node)
    body = part(f"Content-Disposition: form-data; {file}\r\nContent-Type: audio/wav".encode(), b"RIFF\0\n--") + \
        part(PLAIN_HEAD, b"tiny") + b"--xx--\r\n"
    answer = gateway.request("POST", "/v1/audio/transcriptions", body, FORM_TYPE)
    assert answer.status == 200 and node.requests[0].body == body


def request_lines(gateway, count):
    return eventually(lambda: len(found := gateway.log("request")) >= count and found)


def test_every_request_has_its_line(start, node):
    gateway = start(node, config='[logging]\nlevel = "debug"\n[auth]\nauth_token = "sesame"\nadmin_key = "k"\n')
    asked = [("GET", "/livez", {}, 200), ("GET", "/nothing?key=secret", {}, 404), ("DELETE", CHAT, {}, 405),
             ("GET", "/v1/models", {}, 401), ("GET", "/v1/models/x", bearer("sesame"), 404),
             ("GET", "/stats", bearer("sesame"), 200), ("GET", "/admin/v1/keys", {}, 401)]
    for method, path, fields, status in asked:
        assert gateway.request(method, path, headers={"X-Request-ID": f"id-{status}", **fields}).status == status
    assert gateway.chat().status == 401 and gateway.chat(headers=bearer("sesame")).status == 200
    assert gateway.get("/admin/v1/keys", **{"X-Admin-Key": "k"}).status == 200
    eventually(lambda: len(gateway.log("call")) == 2 and gateway.log("admin"))
    lines = request_lines(gateway, len(asked))
    assert len(lines) == len(asked)
    for line, (method, path, _, status) in zip(lines, asked):
        assert (line["method"], line["path"], line["status"]) == (method, path.partition("?")[0], status)
        assert line["request_id"] == f"id-{status}" and line["client"] == "127.0.0.1"
        assert line["level"] == ("debug" if path == "/livez" else "info")
    assert "secret" not in gateway.log_text()


def test_so_has_what_is_no_request(start, node):
    gateway = start(node)
    sent = [("GET /a?b HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", 400, {"method": "GET", "path": "/a"}),
            ("\n", 400, {}), (f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413, {"path": CHAT}),
            ("GET /%22%0a\"" + "a" * 8000 + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, {"method": "GET"})]
    for text, status, _ in sent:
        wire = Wire(gateway)
        wire.send(text)
        assert wire.statuses() == [status]
    lines = request_lines(gateway, len(sent))
    for line, (_, status, parts) in zip(lines, sent):
        assert line["status"] == status and line["client"] == "127.0.0.1" and line["request_id"]
        assert {name: line[name] for name in parts} == parts
    assert "method" not in lines[1] and lines[3]["path"].startswith('/%22%0a"aaa') and len(lines[3]["path"]) < 1100


def test_nothing_is_said_of_probes_that_went_well_unless_asked_for(gateway):
    assert gateway.get("/livez").status == 200 and gateway.get("/metrics").status == 200
    assert gateway.get("/v1/models").status == 200 and gateway.get("/nothing").status == 404
    assert [line["path"] for line in request_lines(gateway, 2)] == ["/v1/models", "/nothing"]


def test_who_tries_admin_keys_is_told_of(start, node):
    gateway = start(node, config=WITH_STORE + "[server]\nworkers = 1\n")
    guess = "GET /admin/v1/models HTTP/1.1\r\nHost: x\r\nX-Admin-Key: guess\r\n"
    assert gateway.get("/admin/v1/keys").status == 401
    wire = Wire(gateway)
    wire.send((guess + "\r\n") * 19 + guess + "Connection: close\r\n\r\n")
    assert wire.statuses() == [401] * 20
    time.sleep(1)
    assert gateway.get("/admin/v1/keys", **{"X-Admin-Key": ADMIN_KEY[:-1]}).status == 401
    eventually(lambda: [line for line in gateway.log("admin_refused") if "left_out" in line])
    lines = gateway.log("admin_refused")
    assert [line["reason"] for line in lines[:2]] == ["no key", "wrong key"] and lines[1]["path"] == "/admin/v1/models"
    assert all(line["level"] == "warn" and line["client"] == "127.0.0.1" and line["request_id"] for line in lines)
    assert len(lines) + sum(line.get("left_out", 0) for line in lines) == 22 and len(lines) < 22
    assert "guess" not in gateway.log_text() and ADMIN_KEY[:-1] not in gateway.log_text()
