"""Plain calls and pull streams."""

import json
import threading

import pytest
from fake_node import completion, delta

import llmroute

HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()
PATH = "/v1/chat/completions"


def test_a_reply_tells_all_there_is(router, node):
    reply = router.route(PATH, BODY)
    assert reply.status == 200
    assert ("content-type", "application/json") in reply.headers
    assert json.loads(reply.content) == completion() == reply.json()
    assert reply.content is reply.content
    assert (reply.node, reply.model) == ("n1", "tiny")
    assert len(reply.request_id) == 15
    assert [attempt["node"] for attempt in reply.attempts] == ["n1"]
    assert reply.attempts[0]["error"] is None
    assert reply.usage == {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cached_tokens": 0}
    assert reply.time > 0
    assert reply.first_content is None


def test_options_reach_the_node(router, node):
    router.route(PATH, BODY.decode(), headers={"X-One": "1"}, request_id="req-1", deadline=5, max_retries=0, tenant="t")
    router.route(PATH, BODY, headers=[("X-Two", b"2")], priority=1, session_key="s", resume="off")
    router.route(PATH, b'{"messages":[]}', model="tiny")
    first, second, third = node.requests
    assert third.json()["model"] == "tiny"
    assert (first.header("x-one"), first.header("x-request-id")) == ("1", "req-1")
    assert second.header("x-two") == "2"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"deadline": -1}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"resume": "maybe"}, "resume"),
        ({"headers": [("one",)]}, "headers"),
    ],
)
def test_a_bad_option_is_named(router, options, param):
    with pytest.raises(llmroute.Error) as caught:
        router.route(PATH, BODY, **options)
    assert (caught.value.code, caught.value.param) == ("invalid_argument", param)


def test_a_body_is_bytes_or_text(router):
    with pytest.raises(llmroute.Error, match="body: bytes or str"):
        router.route(PATH, 7)


def test_a_stream_is_read_as_chunks(router):
    with router.stream(PATH, BODY) as stream:
        assert (stream.status, stream.node) == (200, "n1")
        assert ("content-type", "text/event-stream") in stream.headers
        assert len(stream.request_id) == 15
        chunks = []
        while (chunk := stream.read()) is not None:
            chunks.append(json.loads(chunk))
        assert chunks == [delta("hel"), delta("lo", "stop")]
        assert stream.read() is None
        assert stream.reply().first_content > 0


def test_a_stream_is_read_as_events_to_forward(make_node, make_router):
    def talk(request, connection):
        connection.start_stream()
        connection.event(delta("a", "stop"))
        comment = b": still here\n\n"
        connection.send(f"{len(comment):x}\r\n".encode() + comment + b"\r\n")
        connection.end_stream()

    stream = make_router(make_node(talk)).stream(PATH, BODY)
    events = list(iter(stream.read_raw, None))
    assert events[0].startswith(b'data: {"id": "c"')
    assert events[1:] == [b": still here\n\n", b"data: [DONE]\n\n"]


def test_iterating_yields_dicts_or_bytes(router):
    assert list(router.stream(PATH, BODY)) == [delta("hel"), delta("lo", "stop")]
    assert [json.loads(chunk) for chunk in router.chat({**HELLO, "stream": True}, raw=True)] == [
        delta("hel"),
        delta("lo", "stop"),
    ]


def test_short_forms_take_and_give_dicts(router, node):
    assert router.chat(HELLO) == completion()
    assert router.completion({"prompt": "a"}) == completion()
    assert router.embedding({"input": "ä"}, raw=True) == json.dumps(completion()).encode()
    assert list(router.chat({**HELLO, "stream": True})) == [delta("hel"), delta("lo", "stop")]
    assert list(router.chat(json.dumps({**HELLO, "stream": True}))) == [delta("hel"), delta("lo", "stop")]
    assert [request.path for request in node.requests[:3]] == ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"]
    assert node.requests[2].json()["input"] == "ä"


def test_a_cut_stream_ends_with_an_error_that_has_the_text(make_node, make_router):
    def cut(request, connection):
        connection.start_stream()
        connection.event(delta("hel"))
        connection.reset()

    stream = make_router(make_node(cut)).stream(PATH, BODY, resume="off")
    assert json.loads(stream.read()) == delta("hel")
    for _ in range(2):  # it stays cut
        with pytest.raises(llmroute.Error) as caught:
            stream.read()
        assert (caught.value.code, caught.value.partial) == ("stream_interrupted", "hel")


@pytest.mark.parametrize("leave", [lambda stream: stream.close(), lambda stream: stream.__exit__(None, None, None), None])
def test_leaving_a_stream_early_closes_its_socket(make_node, make_router, leave):
    gone = threading.Event()

    def hold(request, connection):
        connection.start_stream()
        connection.event(delta("hel"))
        connection.wait_for_close()
        gone.set()

    stream = make_router(make_node(hold)).stream(PATH, BODY)
    stream.read()
    if leave is None:
        del stream
    else:
        leave(stream)
        with pytest.raises(llmroute.Error, match="closed"):  # not the whole answer, so not None
            stream.read()
    assert gone.wait(20)


def test_closing_a_stream_wakes_the_thread_that_reads_it(make_node, make_router):
    def hold(request, connection):
        connection.start_stream()
        connection.event(delta("hel"))
        connection.wait_for_close()

    stream = make_router(make_node(hold)).stream(PATH, BODY)
    stream.read()
    codes = []
    entered = threading.Event()

    def read():
        entered.set()
        try:
            stream.read()
        except llmroute.Error as error:
            codes.append(error.code)

    reader = threading.Thread(target=read)
    reader.start()
    entered.wait()
    stream.close()  # it may come before the reader waits, or after
    reader.join(20)
    assert not reader.is_alive()
    assert codes in ([], ["cancelled"])


def test_closing_a_router_ends_what_waits_on_it(make_node, make_router):
    arrived = threading.Event()

    def hold(request, connection):
        arrived.set()
        connection.wait_for_close()

    router = make_router(make_node(hold))
    codes = []

    def call():
        try:
            router.route(PATH, BODY)
        except llmroute.Error as error:
            codes.append(error.code)

    caller = threading.Thread(target=call)
    caller.start()
    assert arrived.wait(20)
    router.close()
    router.close()  # closing twice is nothing
    caller.join(20)
    assert codes == ["shutting_down"]
    with pytest.raises(llmroute.Error, match="closed") as caught:
        router.route(PATH, BODY)
    assert caught.value.code == "shutting_down"


def test_snapshot_and_explain(router):
    router.chat(HELLO)
    snapshot = router.snapshot()
    assert snapshot["in_flight"] == 0
    assert (snapshot["nodes"][0]["name"], snapshot["nodes"][0]["requests"]) == ("n1", 1)
    assert snapshot["models"] == router.models() == ["tiny"]
    explanation = router.explain(PATH, BODY)
    assert explanation["strategy"] == "priority"
    assert [(node["node"], node["picked"]) for node in explanation["nodes"]] == [("n1", True)]


def test_nodes_come_and_go(make_node, router):
    second = make_node()
    router.add_node({"name": "n2", "url": second.url, "models": ["tiny"]})
    router.drain_node("n1", True)
    assert router.route(PATH, BODY).node == "n2"
    router.update_node({"name": "n2", "url": make_node().url, "models": ["tiny"]})
    assert router.route(PATH, BODY).node == "n2"
    assert len(second.requests) == 1
    router.drain_node("n1", False)
    router.remove_node("n2")
    assert router.route(PATH, BODY).node == "n1"
    with pytest.raises(llmroute.Error, match="not there"):
        router.remove_node("n2")
    with pytest.raises(llmroute.Error, match="not there"):
        router.update_node({"name": "n2", "url": second.url})
    with pytest.raises(llmroute.ConfigError, match="adress"):
        router.add_node({"adress": second.url})


def test_other_requests_go_to_a_node_that_serves_them(make_node, make_router):
    def answer(request, connection):
        connection.answer(200 if request.path == "/v1/files/f-1" else 404, {"was": request.method})

    router = make_router(make_node(lambda request, connection: connection.answer(404, {})), make_node(answer))
    reply = router.route("/v1/files/f-1", b"", method="DELETE")
    assert (reply.node, reply.json()) == ("n2", {"was": "DELETE"})
    with pytest.raises(llmroute.Error) as caught:
        router.route("/v1/nothing", b"", method="GET")
    assert caught.value.status == 404
    with pytest.raises(llmroute.Error, match="method"):
        router.route("/v1/files", b"", method="BREW")


def test_a_stream_of_responses_ends_by_its_own_event(make_node, make_router):
    def talk(request, connection):
        connection.start_stream()
        connection.event({"type": "response.output_text.delta", "delta": "a"})
        connection.event({"type": "response.completed", "response": {}})
        connection.send("0\r\n\r\n")

    stream = make_router(make_node(talk)).stream("/v1/responses", b'{"model":"tiny","input":"a"}')
    assert [b"[DONE]" in event for event in iter(stream.read_raw, None)] == [False, False]
