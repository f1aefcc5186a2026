"""HTTP/1.1 as attackers, old clients and bad luck write it. Each case is sent whole, and a byte at a time.

What is expected is the list of status codes on that connection, in order; `close` says the connection ends after
them. A request that is smuggled shows as one status too many, at a node as a request too many.
"""

import json

import pytest
from gateway_server import CHAT
from wire import Wire

BODY = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}]})
HOST = "Host: x\r\n"
LIVE = f"GET /livez HTTP/1.1\r\n{HOST}\r\n"
LAST = f"GET /livez HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
SIZE = len(BODY)
WIDE_SIZE = "".join(chr(0xFEE0 + ord(digit)) for digit in str(SIZE))  # other digits of Unicode
SMUGGLED = f"POST {CHAT} HTTP/1.1\r\n{HOST}Content-Length: {SIZE}\r\n\r\n{BODY}"


def get(fields="", target="/livez", version="HTTP/1.1", method="GET", host=HOST):
    return f"{method} {target} {version}\r\n{host}{fields}\r\n"


def post(fields, body="", target="/livez"):
    return f"POST {target} HTTP/1.1\r\n{HOST}{fields}\r\n{body}"


def chunked(body, fields=""):
    return post(f"Transfer-Encoding: chunked\r\n{fields}", body, target=CHAT)


GOOD_CHUNKS = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"

# name: (bytes, statuses). After an accepted case LAST is sent as well, to see that the connection is in step.
ACCEPTED = {
    "plain": (get(), [200]),
    "two in a row": (LIVE + LIVE, [200, 200]),
    "fifty in a row": (LIVE * 50, [200] * 50),
    "a blank line before": ("\r\n" + LIVE, [200]),
    "a query": (get(target="/livez?a=b&c"), [200]),
    "absolute form": (get(target="http://x/livez"), [200]),
    "absolute form with port": (get(target="http://x:80/livez"), [200]),
    "no path of ours": (get(target="/nothing"), [404]),
    "unknown method": (get(method="BREW"), [405]),
    "OPTIONS *": (get(target="*", method="OPTIONS"), [404]),
    "field names in any case": (get("cOnNeCtIoN: keep-alive\r\n"), [200]),
    "empty field value": (get("X-A:\r\n"), [200]),
    "blanks around a value": (get("X-A: \t b \t\r\n"), [200]),
    "bytes of UTF-8 in a value": (get("X-A: \u00e4\r\n"), [200]),
    "Host with port": (get(host="Host: x:8000\r\n"), [200]),
    "Host in IPv6": (get(host="Host: [::1]:8000\r\n"), [200]),
    "Host empty": (get(host="Host:\r\n"), [200]),
    "100 fields": (get("".join(f"X-{i}: a\r\n" for i in range(99))), [200]),
    "a target of 8 KiB": (get(target="/" + "a" * 8191), [404]),
    "a head of nearly 32 KiB": (get("".join(f"X-{i}: {'a' * 1000}\r\n" for i in range(31))), [200]),
    "WebSocket is passed over": (get("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"), [200]),
    "fields of hop by hop are passed over": (
        post(f"Connection: X-Odd, TE\r\nX-Odd: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: a\r\nCookie: a=b\r\n"
             f"Authorization: Bearer x\r\nX-Admin-Key: y\r\nContent-Length: {len(BODY)}\r\n", BODY, target=CHAT), [200]),
    "Upgrade is passed over": (get("Upgrade: h2c\r\nConnection: Upgrade\r\n"), [200]),
    "Content-Length 0": (get("Content-Length: 0\r\n"), [200]),
    "a GET with a body": (get("Content-Length: 3\r\n") + "abc", [200]),
    "Content-Length with zeros": (get("Content-Length: 0003\r\n") + "abc", [200]),
    "a chunked body": (chunked(GOOD_CHUNKS), [200]),
    "small chunks": (chunked("".join(f"1\r\n{c}\r\n" for c in BODY) + "0\r\n\r\n"), [200]),
    "chunk size with zeros": (chunked(f"0000{len(BODY):x}\r\n{BODY}\r\n000\r\n\r\n"), [200]),
    "chunk size in capitals": (chunked(f"{len(BODY):X}\r\n{BODY}\r\n0\r\n\r\n"), [200]),
    "chunk extension": (chunked(f"{len(BODY):x};a=b\r\n{BODY}\r\n0;c\r\n\r\n"), [200]),
    "chunk size of 16 digits": (chunked(f"{len(BODY):016x}\r\n{BODY}\r\n0\r\n\r\n"), [200]),
    "chunk extension of 256 bytes": (chunked(f"{len(BODY):x};{'a' * 255}\r\n{BODY}\r\n0\r\n\r\n"), [200]),
    "trailers are dropped": (chunked(f"{len(BODY):x}\r\n{BODY}\r\n0\r\nX-T: a\r\n\r\n"), [200]),
    "Transfer-Encoding: Chunked": (post("Transfer-Encoding: Chunked\r\n", GOOD_CHUNKS, target=CHAT), [200]),
}

# Fields that one reader takes for the end of the body and another does not: what follows would be a request.
DOUBTFUL_ENDS = {
    "CL and TE": "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "TE and CL": "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "TE twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "TE chunked, chunked": "Transfer-Encoding: chunked, chunked",
    "TE gzip, chunked": "Transfer-Encoding: gzip, chunked",
    "TE chunked;q=1": "Transfer-Encoding: chunked;q=1",
    "TE quoted": 'Transfer-Encoding: "chunked"',
    "TE empty": "Transfer-Encoding:",
    "TE with vertical tab": "Transfer-Encoding: \x0bchunked",
    "TE with a comma behind": "Transfer-Encoding: chunked,",
    "TE with a space before the colon": "Transfer-Encoding : chunked",
    "TE folded": "Transfer-Encoding:\r\n chunked",
}

# After these nothing more is answered and the connection ends.
REFUSED = {
    **{name: post(f"{fields}\r\n", "0\r\n\r\n" + SMUGGLED, target=CHAT) for name, fields in DOUBTFUL_ENDS.items()},
    "no method": " /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad token in the method": get(method="G(T"),
    "a very long method": get(method="G" * 40),
    "no target": "GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": "GET /livez\r\nHost: x\r\n\r\n",
    "two blanks": "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the target": get(target="/li vez"),
    "tab in the request line": "GET\t/livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the target": get(target="/li\0vez"),
    "UTF-8 in the target": get(target="/\u00e4"),
    "relative target": get(target="livez"),
    "fragment in the target": get(target="/livez#a"),
    "* for GET": get(target="*"),
    "authority form": get(target="x:80"),
    "absolute form without host": get(target="http:///livez"),
    "bare LF after the request line": "GET /livez HTTP/1.1\nHost: x\r\n\r\n",
    "bare LF throughout": "GET /livez HTTP/1.1\nHost: x\n\n",
    "bare LF after a field": "GET /livez HTTP/1.1\r\nHost: x\nX: a\r\n\r\n",
    "bare LF as blank line": "GET /livez HTTP/1.1\r\nHost: x\r\n\n",
    "bare CR in a value": get("X-A: a\rb\r\n"),
    "CR CR LF": get("X-A: a\r\r\n"),
    "two blank lines before": "\r\n\r\n" + LIVE,
    "space before the colon": get("X-A : a\r\n"),
    "space before the first name": "GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",
    "folded line": get("X-A: a\r\n b\r\n"),
    "folded by tab": get("X-A: a\r\n\tb\r\n"),
    "folded before Transfer-Encoding": get("X-A: a\r\n Transfer-Encoding: chunked\r\n"),
    "no colon": get("X-A\r\n"),
    "no name": get(": a\r\n"),
    "bad token in a name": get("X(A: a\r\n"),
    "UTF-8 in a name": get("X-\u00e4: a\r\n"),
    "NUL in a value": get("X-A: a\0b\r\n"),
    "DEL in a value": get("X-A: a\x7fb\r\n"),
    "ESC in a value": get("X-A: a\x1bb\r\n"),
    "NUL in a name": get("X\0A: a\r\n"),
    "CR in a name": get("X\rA: a\r\n"),
    "bare CR throughout": "GET /livez HTTP/1.1\rHost: x\r\r",
    "Host with NUL": get(host="Host: x\0y\r\n"),
    "Host absent": get(host=""),
    "Host twice": get("Host: x\r\n"),
    "Host with a blank": get(host="Host: a b\r\n"),
    "Host with a path": get(host="Host: x/y\r\n"),
    "Host with a user": get(host="Host: u@x\r\n"),
    "Host with a bad port": get(host="Host: x:8a\r\n"),
    "Host with a list": get(host="Host: x, y\r\n"),
    "Host with an open bracket": get(host="Host: [::1\r\n"),
    "Content-Length twice, unlike": post(f"Content-Length: {SIZE}\r\nContent-Length: {SIZE + 1}\r\n", BODY + "d", target=CHAT),
    "Content-Length twice, alike": post(f"Content-Length: {SIZE}\r\nContent-Length: {SIZE}\r\n", BODY, target=CHAT),
    "Content-Length listed": post(f"Content-Length: {SIZE}, {SIZE}\r\n", BODY, target=CHAT),
    "Content-Length +3": post(f"Content-Length: +{SIZE}\r\n", BODY, target=CHAT),
    "Content-Length -3": post(f"Content-Length: -{SIZE}\r\n", BODY, target=CHAT),
    "Content-Length 0x3": post(f"Content-Length: 0x{SIZE:x}\r\n", BODY, target=CHAT),
    "Content-Length 3 0": post(f"Content-Length: {SIZE} 0\r\n", BODY, target=CHAT),
    "Content-Length 3.0": post(f"Content-Length: {SIZE}.0\r\n", BODY, target=CHAT),
    "Content-Length empty": post("Content-Length:\r\n", BODY, target=CHAT),
    "Content-Length beyond 64 bits": post("Content-Length: 18446744073709551619\r\n", BODY, target=CHAT),
    "Content-Length of 19 digits": post("Content-Length: 9223372036854775807\r\n", BODY, target=CHAT),
    "Content-Length in other digits": post(f"Content-Length: {WIDE_SIZE}\r\n", BODY, target=CHAT),
    "Content-Length with a space before the colon": post(f"Content-Length : {SIZE}\r\n", BODY, target=CHAT),
    "TE in HTTP/1.0": f"POST {CHAT} HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunk size empty": chunked(f"\r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size no digit": chunked(f"g\r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size signed": chunked(f"+{SIZE:x}\r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size 0x3": chunked(f"0x{SIZE:x}\r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size with a blank before": chunked(f" {SIZE:x}\r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size with a blank behind": chunked(f"{SIZE:x} \r\n{BODY}\r\n0\r\n\r\n"),
    "chunk size of 17 digits": chunked(f"{SIZE:017x}\r\n{BODY}\r\n0\r\n\r\n"),
    "bare LF after the chunk size": chunked(f"{SIZE:x}\n{BODY}\r\n0\r\n\r\n"),
    "bare LF after the chunk": chunked(f"{SIZE:x}\r\n{BODY}\n0\r\n\r\n"),
    "a chunk too long for its size": chunked(f"{SIZE:x}\r\n{BODY}d\r\n0\r\n\r\n"),
    "bare LF at the end": chunked("0\r\n\n"),
    "bare LF in an extension": chunked(f"{SIZE:x};a\n{BODY}\r\n0\r\n\r\n"),
    "CR in an extension": chunked(f"{SIZE:x};a\rb\r\n{BODY}\r\n0\r\n\r\n"),
    "the last chunk, then CR": chunked("0\r\n\rx"),
    "bare CR after the chunk": chunked(f"{SIZE:x}\r\n{BODY}\r0\r\n\r\n"),
    "NUL in a trailer": chunked("0\r\nX: a\0b\r\n\r\n"),
    "Transfer-Encoding as a trailer": chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "Host as a trailer": chunked("0\r\nHost: y\r\n\r\n"),
    "folded trailer": chunked("0\r\n X: a\r\n\r\n"),
    "trailer without colon": chunked("0\r\nX\r\n\r\n"),
    "Content-Length as a trailer": chunked("0\r\nContent-Length: 3\r\n\r\n"),
    "TLS where HTTP is spoken": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
}

OTHER = {
    "HTTP/2.0": (get(version="HTTP/2.0"), 505),
    "HTTP/1.2": (get(version="HTTP/1.2"), 505),
    "HTTP/0.9": (get(version="HTTP/0.9"), 505),
    "the preface of HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "http/1.1": (get(version="http/1.1"), 400),
    "HTTP/1.10": (get(version="HTTP/1.10"), 400),
    "CONNECT": (get(method="CONNECT", target="x:80"), 405),
    "TRACE": (get(method="TRACE"), 405),
    "TE gzip": (post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n" + SMUGGLED, target=CHAT), 501),
    "TE identity": (post("Transfer-Encoding: identity\r\n", "0\r\n\r\n" + SMUGGLED, target=CHAT), 501),
    "Expect something else": (post("Expect: a-miracle\r\nContent-Length: 3\r\n", "abc"), 417),
    "101 fields": (get("".join(f"X-{i}: a\r\n" for i in range(100))), 431),
    "a long field": (get("X-A: " + "a" * 33000 + "\r\n"), 431),
    "a head beyond 32 KiB": (get("".join(f"X-{i}: {'a' * 1000}\r\n" for i in range(33))), 431),
    "a field without an end": ("GET /livez HTTP/1.1\r\nX-A: " + "a" * 40000, 431),
    "a long target": (get(target="/" + "a" * 8200), 414),
    "a target without an end": ("GET /" + "a" * 20000, 414),
    "a long line beyond both limits": ("GET /" + "a" * 40000, 414),
    "much where a chunk should end": (chunked("3\r\nabc\r" + "x" * 400 + "\r\n"), 400),
    "a long chunk extension": (chunked("3;" + "a" * 300 + "\r\nabc\r\n0\r\n\r\n"), 400),
    "long extensions in all": (chunked("".join(f"1;{'a' * 200}\r\nx\r\n" for _ in range(100)) + "0\r\n\r\n"), 400),
    "long trailers": (chunked("0\r\n" + "".join(f"X: {'a' * 2000}\r\n" for _ in range(6)) + "\r\n"), 400),
    "a body one byte beyond the limit": (post(f"Content-Length: {(50 << 20) + 1}\r\n", target=CHAT), 413),
    "a chunk one byte beyond the limit": (chunked(f"{(50 << 20) + 1:x}\r\nabc"), 413),
    "Expect, and a body beyond the limit": (post("Expect: 100-continue\r\nContent-Length: 99999999\r\n", target=CHAT), 413),
    "a body beyond the limit": (post("Content-Length: 99999999\r\n", target=CHAT), 413),
    "chunks beyond the limit": (chunked("5f5e0ff\r\nabc"), 413),
}


STEPS = [None, 1]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(shared, name, step):
    text, expected = ACCEPTED[name]
    wire = Wire(shared)
    wire.send(text + LAST, step)
    assert wire.statuses() == [*expected, 200]


@pytest.mark.parametrize("name", [name for name, (text, _) in ACCEPTED.items() if CHAT in text])
def test_what_reaches_the_node_is_built_anew(shared, name):
    """The body alone, with one length; no coding, extension or trailer of the caller's."""
    before = len(shared.node.requests)
    wire = Wire(shared)
    wire.send(ACCEPTED[name][0] + LAST)
    assert wire.statuses() == [200, 200]
    assert len(shared.node.requests) == before + 1
    seen = shared.node.requests[-1]
    assert (seen.method, seen.path, seen.body.decode()) == ("POST", CHAT, BODY)
    names = [name for name, _ in seen.headers]
    assert names.count("content-length") == names.count("host") == 1
    assert set(names) <= {"host", "content-length", "content-type", "accept", "x-request-id", "user-agent"}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", REFUSED)
def test_refused(shared, name, step):
    before = len(shared.node.requests)
    wire = Wire(shared)
    wire.send(REFUSED[name] + LIVE, step)
    assert wire.statuses() == [400]
    assert len(shared.node.requests) == before


@pytest.mark.parametrize("step", [None, 7])
@pytest.mark.parametrize("name", OTHER)
def test_refused_for_another_reason(shared, name, step):
    text, status = OTHER[name]
    before = len(shared.node.requests)
    wire = Wire(shared)
    wire.send(text + LIVE, step)
    assert wire.statuses() == [status]
    assert len(shared.node.requests) == before


@pytest.mark.parametrize("text", [LIVE, chunked(GOOD_CHUNKS), REFUSED["CL and TE"]])
def test_cut_in_two_at_every_place(shared, text):
    whole = Wire(shared)
    whole.send(text + LAST)
    expected = whole.statuses()
    for at in range(1, len(text)):
        wire = Wire(shared)
        wire.send(text[:at])
        wire.send(text[at:] + LAST)
        assert wire.statuses() == expected, at


def test_http_1_0_closes_unless_asked_not_to(shared):
    wire = Wire(shared)
    wire.send("GET /livez HTTP/1.0\r\n\r\n" + LIVE)
    assert wire.statuses() == [200]
    wire = Wire(shared)
    wire.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST)
    assert wire.statuses() == [200, 200]


def test_a_head_request_gets_no_body(shared):
    connection = shared.connect()
    connection.request("HEAD", "/livez")
    answer = connection.getresponse()
    assert answer.status == 200 and int(answer.headers["content-length"]) > 0 and answer.read() == b""
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", ["HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n",
                                   "HEAD /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"])
def test_what_is_refused_after_a_head_has_its_body(shared, first, step):
    """That there is none to come was said of the request before."""
    wire = Wire(shared)
    wire.send(first + REFUSED["bare CR in a value"], step)
    data = b""
    while piece := wire.sock.recv(65536):
        data += piece
    _, _, second = data.partition(b"\r\n\r\n")
    head, _, body = second.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"Connection: close" in head
    assert f"Content-Length: {len(body)}".encode() in head and json.loads(body)["error"]


def test_100_continue_comes_when_the_body_is_wanted(shared):
    wire = Wire(shared)
    wire.send(post(f"Expect: 100-continue\r\nContent-Length: {len(BODY)}\r\n", target=CHAT))
    interim = wire.sock.recv(1000)
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(BODY + LAST)
    assert wire.statuses() == [200, 200]


def test_100_continue_does_not_come_when_it_is_refused(shared):
    wire = Wire(shared)
    wire.send(post("Expect: 100-continue\r\nContent-Length: 10\r\n", target="/v1/nothing"))
    assert wire.statuses() == [404]


def test_what_is_refused_early_is_answered_though_the_body_keeps_coming(shared):
    """Closing on unread input would reset the connection, and take the answer away with it."""
    for text, status in [(post("Content-Length: 99999999\r\n", target=CHAT), 413), (post("Content-Length: 99999\r\n"), 405),
                         (get("X : a\r\n"), 400)]:
        wire = Wire(shared)
        wire.send(text + "x" * 2_000_000)
        assert wire.statuses() == [status]


def test_the_order_of_checks(start, node):
    """Framing, limits, authentication, JSON: each is refused though what comes later is wrong as well."""
    gateway = start(node, config='[auth]\nauth_token = "sesame"\n[server]\nmax_body = "1KB"\n')
    token = "Authorization: Bearer sesame\r\n"
    for text, status in [
            (post("Content-Length: 5\r\nContent-Length: 5000\r\n", "{nons", target=CHAT), 400),
            (post("Content-Length: 5000\r\n", "{nons", target=CHAT), 413),
            (post("Expect: 100-continue\r\nContent-Length: 5\r\n", target=CHAT), 401),
            (post("Content-Length: 5\r\n", "{nons", target=CHAT), 401),
            (post(f"Content-Length: 5\r\nConnection: close\r\n{token}", "{nons", target=CHAT), 400)]:
        wire = Wire(gateway)
        wire.send(text)
        assert wire.statuses() == [status]
    assert not node.requests
