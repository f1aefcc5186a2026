"""Streamed calls: events as they come, one proper end, one typed error."""

import io
import json
import threading
import time

import pytest
from gateway_server import eventually
from fake_node import delta
from raw_caller import RawCaller


def test_a_stream_is_whole(gateway):
    answer = gateway.chat(stream=True)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-routed-node"] == "n0"
    assert answer.headers["x-llmroute-attempts"] == "1"
    events = answer.events()
    assert events[-1] == "[DONE]" and events.count("[DONE]") == 1
    text = "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events[:-1])
    assert text == "hello"


def test_events_go_out_as_they_come_in(start, node):
    go_on = [threading.Event() for _ in range(3)]

    def lockstep(_, connection):
        connection.start_stream()
        for i, event in enumerate(go_on):
            connection.event(delta(f"part{i}", "stop" if i == 2 else None))
            assert event.wait(10)
        connection.end_stream()

    node.handler = lockstep
    client = RawCaller(start(node))
    client.post()
    for i, event in enumerate(go_on):
        client.read_until(f"part{i}".encode())  # the node goes on only once the caller has this
        event.set()
    client.read_until(b"[DONE]\n\n")
    client.close()


def test_an_event_is_one_piece_without_delay(start, node):
    """No Nagle, no coalescing: 20 events in lockstep take far less than 20 delayed acknowledgements of 40 ms."""
    turn = threading.Semaphore(0)

    def lockstep(_, connection):
        connection.start_stream()
        for i in range(20):
            connection.event(delta(f"<{i}>"))
            assert turn.acquire(timeout=10)
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = lockstep
    client = RawCaller(start(node))
    client.post()
    client.read_until(b"<0>")
    begun = time.monotonic()
    for i in range(20):
        client.read_until(f"<{i}>".encode())
        turn.release()
    assert time.monotonic() - begun < 0.4
    client.close()


def burst(connection, texts):
    """Events in one piece."""
    send, sent = connection.send, []
    connection.send = sent.append
    for text in texts:
        connection.event(delta(text))
    connection.send = send
    connection.send(b"".join(sent))


def test_events_that_came_together_leave_together(start, node):
    go_on, done = threading.Event(), threading.Event()

    def bursts(_, connection):
        connection.start_stream()
        connection.event(delta("first"))
        assert go_on.wait(10)
        burst(connection, [f"<{i}>" for i in range(20)])
        assert done.wait(10)  # nothing comes that could push them out
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = bursts
    client = RawCaller(start(node))
    client.post()
    client.read_until(b"first")
    before = len(client.seen)
    go_on.set()
    client.read_until(b"<0>")
    together = client.seen[before:]
    assert all(f"<{i}>".encode() in together for i in range(20))
    done.set()
    client.read_until(b"[DONE]\n\n")
    client.close()


@pytest.mark.parametrize("size", [10, 1000, 20000])
def test_a_burst_is_whole_and_in_order_though_its_reader_is_slow(start, node, size):
    texts = [f"<{i}>".ljust(size, "x") for i in range(min(5000, 2_000_000 // size))]

    def answer(_, connection):
        connection.start_stream()
        burst(connection, texts)
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = answer
    client = RawCaller(start(node), receive_buffer=4096)
    client.post()
    client.read_until(b"<0>")
    time.sleep(0.1)  # what the sockets take is taken
    seen = bytearray(client.seen)
    while not seen.endswith(b"\r\n0\r\n\r\n"):
        seen += client.sock.recv(65536)
    body = io.BytesIO(seen.partition(b"\r\n\r\n")[2])
    events = b""
    while length := int(body.readline(), 16):
        events += body.read(length)
        assert body.readline() == b"\r\n"
    *chunks, done, _ = events.split(b"\n\n")
    assert done == b"data: [DONE]"
    got = [json.loads(chunk[len("data: "):])["choices"][0]["delta"]["content"] for chunk in chunks]
    assert got == [*texts, ""]
    client.close()


def test_what_came_with_a_break_arrives_before_the_error(start, node):
    def cut(_, connection):
        connection.start_stream()
        burst(connection, [f"<{i}>" for i in range(20)])
        connection.close()

    node.handler = cut
    client = RawCaller(start(node))
    client.post()
    text = client.read_to_end().decode()
    at = [text.index(part) for part in (*(f"<{i}>" for i in range(20)), "stream_interrupted")]
    assert at == sorted(at) and "[DONE]" not in text
    client.close()


def test_http_1_0_gets_a_stream_without_chunks(gateway):
    client = RawCaller(gateway)
    client.post(version="1.0")
    head, _, body = client.read_to_end().partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body.startswith(b"data: {") and body.endswith(b"data: [DONE]\n\n")


def test_a_stream_that_dies_ends_with_one_typed_error(start, node):
    def cut(_, connection):
        connection.start_stream()
        connection.event(delta("half"))
        connection.close()

    node.handler = cut
    gateway = start(node)
    client = RawCaller(gateway)
    client.post()
    text = client.read_to_end().decode()
    assert "half" in text and "[DONE]" not in text and "finish_reason\":\"stop" not in text.replace(" ", "")
    assert text.count('"error"') == 1 and "stream_interrupted" in text
    last = [part for part in text.split("data: ") if part.startswith('{"error"')][0]
    error = json.loads(last.split("\n")[0])["error"]
    assert set(error) == {"message", "type", "param", "code", "llmroute"}
    assert error["llmroute"] == {"partial_tokens": 1, "attempts": len(node.requests)}
    call = eventually(lambda: gateway.log("call"))[0]
    assert call["stream"] is True and call["status"] == 502 and call["error"] == "stream_interrupted"


def test_a_stream_that_never_began_is_retried(start, node, second_node):
    def cut(_, connection):
        connection.start_stream()
        connection.reset()

    node.handler = cut
    gateway = start(node, second_node, config='[router]\nstrategy = "round_robin"\n')
    for _ in range(2):
        answer = gateway.chat(stream=True)
        assert answer.status == 200 and answer.headers["x-routed-node"] == "n1"
        assert answer.events()[-1] == "[DONE]"


def test_a_stream_refused_before_its_start_is_a_plain_error(start, node):
    node.handler = lambda _, connection: connection.answer(400, '{"error":{"message":"no"}}')
    answer = start(node).chat(stream=True)
    assert answer.status == 400 and answer.body == b'{"error":{"message":"no"}}'
    assert answer.headers["content-type"] == "application/json"


def test_a_caller_that_leaves_ends_the_nodes_work(start, node):
    gone = threading.Event()

    def endless(_, connection):
        connection.start_stream()
        connection.event(delta("first"))
        connection.wait_for_close()
        gone.set()

    node.handler = endless
    gateway = start(node)
    client = RawCaller(gateway)
    client.post()
    client.read_until(b"first")
    client.close()
    assert gone.wait(1)
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 0)
    eventually(lambda: gateway.metric('requests_total{model="other",status="cancelled",stream="true"}') == 1)


def test_a_slow_reader_slows_the_node(start, node):
    """The node's writes stall once socket buffers and the 64 KiB of one stream are full; nothing is lost."""
    sent = []
    count = 3000
    filler = "x" * 4000

    def flood(_, connection):
        connection.start_stream()
        for i in range(count):
            connection.event(delta(f"<{i}>{filler}"))
            sent.append(i)
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = flood
    client = RawCaller(start(node), receive_buffer=4096)
    client.post()
    client.read_until(b"<0>")
    stalled_at = -1
    while stalled_at != len(sent):  # no progress for a while: back-pressure has reached the node
        stalled_at = len(sent)
        time.sleep(0.3)
    assert stalled_at < count
    client.read_until(b"[DONE]\n\n")
    text = client.seen.decode()
    at = 0
    for i in range(count):
        found = text.find(f"<{i}>", at)
        assert found >= 0, f"event {i} is missing behind {text[at:at + 200]!r}"
        at = found
    client.close()


def test_many_streams_at_once(start, node):
    gateway = start(node)
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(gateway.chat(stream=True))) for _ in range(50)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(answers) == 50 and all(answer.events()[-1] == "[DONE]" for answer in answers)
