"""Server-sent events as nodes write them, read by a client that follows the standard to the letter.

Each stream comes whole, and a byte at a time, so that it is cut between CR and LF, inside characters and names.
"""

import json
import threading

import pytest
from gateway_server import Gateway, eventually
from fake_node import FakeNode, delta
from raw_caller import RawCaller

ONE, TWO = json.dumps(delta("h\u00e9"), ensure_ascii=False), json.dumps(delta("\u20ac\U0001f600"), ensure_ascii=False)
END = json.dumps(delta("!", "stop"))
TEXT = "h\u00e9\u20ac\U0001f600!"
BEGUN = f"data: {ONE}\n\ndata: {TWO}\n\n"
WHOLE = f"{BEGUN}data: {END}\n\ndata: [DONE]\n\n"
BOM = "\ufeff"

# The whole text, one [DONE], nothing behind it.
GOOD = {
    "LF": WHOLE,
    "CR": WHOLE.replace("\n", "\r"),
    "CRLF": WHOLE.replace("\n", "\r\n"),
    "mixtures": f"data: {ONE}\r\n\ndata: {TWO}\n\r\ndata: {END}\r\r\ndata: [DONE]\n\r",
    "a BOM in front": BOM + WHOLE,
    "no space behind the colon": WHOLE.replace("data: ", "data:"),
    "two spaces behind the colon": WHOLE.replace("data: {", "data:  {"),
    "data over several lines": WHOLE.replace('{"id": "c", ', '{"id": "c",\ndata: '),
    "comments": ": hello\n\n" + WHOLE.replace("data: {", ": ping\ndata: {") + ": bye\n\n",
    "unknown fields": WHOLE.replace("data: {", "id: 7\nretry: 10\nevent: message\nnonsense\ndata: {"),
    "[DONE] without its blank line": WHOLE.rstrip("\n"),
    "[DONE] with one line end": WHOLE[:-1],
    "events behind [DONE]": WHOLE + BEGUN + 'data: {"error":{"message":"late"}}\n\n' + WHOLE,
    "no [DONE], but a finish_reason": f"{BEGUN}data: {END}\n\n",
    "half an event behind the finish_reason": f"{BEGUN}data: {END}\n\ndata: {{\"id",
}

# What came before is delivered, then there is one error and no [DONE].
BROKEN = {
    "an end without finish_reason and [DONE]": BEGUN,
    "an event without its blank line at the end": f"{BEGUN}data: {END}\n",
    "half an event at the end": f"{BEGUN}data: {END[:20]}",
    "an error as data": BEGUN + 'data: {"error":{"message":"gpu lost"}}\n\n' + WHOLE,
    "an error as event": BEGUN + 'event: error\ndata: {"message":"gpu lost"}\n\n' + WHOLE,
    "no JSON": BEGUN + "data: {nonsense\n\n" + WHOLE,
}


def client_events(data):
    """(name, data) of each event, as the standard says (HTML, section 9.2.6); comments are nothing."""
    text = data.decode().removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")
    events, name, lines = [], "message", []
    for line in text.split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            lines.append(value)
        elif line == "":
            if lines:
                events.append((name, "\n".join(lines)))
            name, lines = "message", []
    return events


def texts(events):
    chunks = [json.loads(data) for _, data in events if data != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    node = FakeNode()
    config = '[router]\nresume = "off"\nmax_retries = 0\n[breaker]\nconsecutive_failures = 0\nfailure_rate = 0\n'
    gateway = Gateway(tmp_path_factory.mktemp("sse"), f'{config}[[nodes]]\nurl = "{node.url}"\n', ("--port", "0"))
    gateway.node = node
    yield gateway
    gateway.stop()
    node.close()


def stream(gateway, text, step=None):
    """The body of a stream for which the node answers `text`, in pieces of `step` bytes."""
    data = text.encode()
    step = step or max(len(data), 1)
    pieces = [data[i:i + step] for i in range(0, len(data), step)]

    def answer(_, connection):
        connection.start_stream()
        for piece in pieces:
            connection.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.send("0\r\n\r\n")

    gateway.node.handler = answer
    return gateway.chat(stream=True)


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", GOOD)
def test_a_good_stream_is_whole(shared, name, step):
    answer = stream(shared, GOOD[name], step)
    events = client_events(answer.body)
    assert answer.status == 200 and texts(events) == TEXT
    assert events[-1] == ("message", "[DONE]") and [data for _, data in events].count("[DONE]") == 1


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_ends_with_one_error(shared, name, step):
    answer = stream(shared, BROKEN[name], step)
    *events, (_, last) = client_events(answer.body)
    assert answer.status == 200 and texts(events) == TEXT[:-1]
    error = json.loads(last)["error"]
    assert set(error) == {"message", "type", "param", "code", "llmroute"} and error["code"] == "stream_interrupted"
    assert b"data: [DONE]" not in answer.body and b'"stop"' not in answer.body


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_before_the_first_content_is_a_plain_error(shared, name):
    answer = stream(shared, BROKEN[name].removeprefix(BEGUN).partition("data: [DONE]")[0].replace(END, "{}"))
    assert answer.status == 502 and set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_left_open_behind_done_does_not_hold_the_caller(start, node):
    gone = threading.Event()

    def answer(_, connection):
        connection.start_stream()
        connection.send(f"{len(WHOLE.encode()):x}\r\n{WHOLE}\r\n")
        connection.wait_for_close()
        gone.set()

    node.handler = answer
    gateway = start(node)
    assert client_events(gateway.chat(stream=True).body)[-1] == ("message", "[DONE]")
    assert gone.wait(5)
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 0)


def test_a_finish_without_done_and_without_an_end_is_a_whole_stream(start, node):
    def answer(_, connection):
        connection.start_stream()
        connection.send(f"{len((text := GOOD['no [DONE], but a finish_reason']).encode()):x}\r\n{text}\r\n")
        connection.close()  # in the middle of the chunked body

    node.handler = answer
    assert client_events(start(node).chat(stream=True).body)[-1] == ("message", "[DONE]")


@pytest.mark.parametrize("begun", ["", BEGUN], ids=["at first", "after content"])
def test_an_event_beyond_the_limit_is_a_failure(shared, begun):
    answer = stream(shared, begun + f"data: {json.dumps(delta('x' * (2 << 20)))}\n\n" + WHOLE)
    if begun:
        assert json.loads(client_events(answer.body)[-1][1])["error"]["code"] == "stream_interrupted"
    else:
        assert answer.status == 502
    assert len(answer.body) < 10_000 and b"data: [DONE]" not in answer.body


def test_a_long_line_in_tiny_pieces_takes_linear_time(shared):
    text = WHOLE.replace("h\u00e9", "x" * 100_000)
    before = shared.cpu_seconds()
    answer = stream(shared, text, 100)
    assert len(texts(client_events(answer.body))) == 100_003
    assert shared.cpu_seconds() - before < 5


def test_an_error_closes_the_connection(shared):
    stream(shared, BROKEN["an end without finish_reason and [DONE]"])
    caller = RawCaller(shared)
    caller.post()
    text = caller.read_to_end()  # ends by itself
    assert text.endswith(b"\r\n0\r\n\r\n") and text.count(b'"error"') == 1
