"""Callers that are slow, or too many."""

import re
import resource
import signal
import socket
import threading
import time

import pytest
from admin_client import Admin, WITH_STORE
from gateway_server import CHAT, GATEWAY, eventually
from fake_node import delta
from raw_caller import PLAIN, RawCaller, ask, begin_post
from wire import Wire

MEGABYTE = 1 << 20
LIVE = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
WITHOUT_QUARANTINE = {"ASAN_OPTIONS": "quarantine_size_mb=1"}  # address sanitizer keeps what has been freed


def answers(gateway, path="/health"):
    """Whether a new connection is served."""
    try:
        return gateway.get(path).status == 200
    except OSError:
        return False


def rests(gateway, seconds=1):
    """Whether the process sleeps though there is something it could try for ever."""
    before = gateway.cpu_seconds()
    time.sleep(seconds)
    return gateway.cpu_seconds() - before < 0.3 * seconds


def test_callers_that_do_not_read_cost_little_and_are_given_up(start, node):
    """50 streams that nobody reads, longer than what the kernel keeps: nodes wait, memory is bounded, write_timeout ends them."""
    count, size = 50, 100 * MEGABYTE
    sent, ended = [], threading.Semaphore(0)

    def flood(request, connection):
        if not request.json().get("stream"):
            return connection.answer(200, "{}")
        connection.start_stream()
        event, total = delta("x" * 16000), 0
        try:
            while total < size:
                connection.event(event)
                total += 16000
        finally:
            sent.append(total)
            ended.release()

    node.handler = flood
    gateway = start(node, config='[server]\nwrite_timeout = "2s"\n', env=WITHOUT_QUARANTINE)
    gateway.chat()
    before = gateway.peak_memory()
    callers = [RawCaller(gateway, receive_buffer=4096) for _ in range(count)]
    for caller in callers:
        caller.post()
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == count)
    assert gateway.chat().status == 200  # others are served
    for _ in callers:
        assert ended.acquire(timeout=20)
    assert max(sent) < size
    assert gateway.peak_memory() - before < count * 2 * MEGABYTE  # most of it the text kept for errors and resumption
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 0)
    eventually(lambda: gateway.cancelled(stream=True) == count)
    for caller in callers:
        caller.close()


def test_a_caller_that_reads_slowly_is_not_given_up(start, node):
    count = 400

    def flood(_, connection):
        connection.start_stream()
        for _ in range(count):
            connection.event(delta("x" * 16000))
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = flood
    gateway = start(node, config='[server]\nwrite_timeout = "400ms"\n')
    caller = RawCaller(gateway, receive_buffer=65536)
    caller.post()
    seen, begun = bytearray(), time.monotonic()
    while not seen.endswith(b"\r\n0\r\n\r\n"):
        piece = caller.sock.recv(65536)
        assert piece
        seen += piece
        if time.monotonic() - begun < 2:
            time.sleep(0.05)
    assert seen.count(b"data: ") == count + 2 and time.monotonic() - begun > 0.8


def trickle(caller, data, seconds):
    """A byte at a time, until it is refused; how long that took."""
    begun = time.monotonic()
    caller.sock.settimeout(0.02)
    for i in range(len(data)):
        try:
            caller.sock.sendall(data[i:i + 1])
            caller.seen += caller.sock.recv(1000)
        except TimeoutError:
            continue
        except OSError:
            break
        if caller.seen:
            break
        assert time.monotonic() - begun < seconds
    return time.monotonic() - begun


def test_a_head_that_trickles_has_one_deadline_in_all(start, node):
    caller = RawCaller(start(node, config='[server]\nheader_timeout = "300ms"\nidle_timeout = "10s"\n'))
    took = trickle(caller, b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 1000, 3)
    assert caller.seen.startswith(b"HTTP/1.1 408 ") and took >= 0.3


def test_a_body_must_come_at_a_least_rate(start, node):
    gateway = start(node, config='[server]\nread_timeout = "300ms"\n')
    slow = RawCaller(gateway)
    slow.sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode())
    took = trickle(slow, b" " * 5000, 3)
    assert slow.seen.startswith(b"HTTP/1.1 408 ") and took >= 0.3 and not node.requests
    fair = RawCaller(gateway)
    body = PLAIN.ljust(5000).encode()
    fair.sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode())
    for i in range(0, 5000, 1000):
        fair.sock.sendall(body[i:i + 1000])
        time.sleep(0.15)  # longer than read_timeout in all
    fair.read_until(b"hello")


def is_let_in(admin):
    try:
        return admin.ask("GET", "/keys").status == 200
    except OSError:
        return False


def test_callers_do_not_lock_the_operator_out(start, node):
    """Neither by their number nor by what they send: the admin listener counts for itself."""
    gateway = start(node, config=WITH_STORE + '[server]\nmax_connections = 3\nmax_connections_per_address = 3\n'
                    'max_body = "1MB"\nmax_body_in_flight = "1MB"\nadmin_listen = "127.0.0.1:0"\n')
    found = re.fullmatch(r"admin on http://127\.0\.0\.1:(\d+)\n", gateway.process.stdout.readline())
    callers, gateway.port = gateway.port, int(found[1])
    admin = Admin(gateway)
    key, _ = admin.key()
    port, gateway.port = gateway.port, callers
    crowd = [begin_post(gateway, MEGABYTE, f"Authorization: Bearer {key}\r\nExpect: 100-continue\r\n") for _ in range(3)]
    for one in crowd:
        one.read_until(b"100 Continue")  # it has its place
    crowd[0].sock.sendall(b" " * 1_000_000)
    assert not answers(gateway)
    gateway.port = port
    admin.key(allowed_models=["y" * 200] * 1000)
    idle = [socket.create_connection((gateway.host, gateway.port)) for _ in range(40)]
    eventually(lambda: not is_let_in(admin))  # it has a cap as well
    for one in idle:
        one.close()
    eventually(lambda: is_let_in(admin))
    gateway.port = callers
    for one in crowd:
        one.close()
    eventually(lambda: answers(gateway))


def test_nor_do_they_when_descriptors_run_out(start, node):
    if b"__ubsan" in GATEWAY.read_bytes():
        pytest.skip("the sanitizer's own checks need descriptors")
    gateway = start(node, config=WITH_STORE + '[server]\nworkers = 1\nadmin_listen = "127.0.0.1:0"\n', descriptors=64)
    found = re.fullmatch(r"admin on http://127\.0\.0\.1:(\d+)\n", gateway.process.stdout.readline())
    crowd = [socket.create_connection((gateway.host, gateway.port)) for _ in range(150)]
    eventually(lambda: not answers(gateway))
    gateway.port = int(found[1])
    assert Admin(gateway).want(200, "GET", "/keys") == []
    for one in crowd:
        one.close()


def test_what_is_refused_while_draining_has_its_line_and_is_counted(start, node):
    gateway = start(node)
    late, pages = RawCaller(gateway), RawCaller(gateway)
    for caller in (late, pages):
        assert ask(caller) == 200
    body = f"Host: x\r\nContent-Length: {len(PLAIN)}\r\n\r\n{PLAIN}"
    late.sock.sendall(f"POST {CHAT} HTTP/1.1\r\nX-Request-ID: late\r\n".encode())
    pages.sock.sendall(b"GET /metrics HTTP/1.1\r\n")
    time.sleep(0.2)
    gateway.signal(signal.SIGTERM)
    eventually(lambda: gateway.log("draining"))
    time.sleep(0.2)
    assert ask(late, body.encode()) == 503
    line = eventually(lambda: gateway.log("call"))[0]
    assert (line["request_id"], line["status"], line["error"]) == ("late", 503, "shutting_down")
    assert line["client"] == "127.0.0.1"
    pages.seen = b""
    pages.sock.sendall(b"Host: x\r\n\r\n")
    page = pages.read_to_end().decode()
    assert re.search(r'^requests_total\{.*status="5xx".*\} 1$', page, re.MULTILINE), page
    assert gateway.wait() == 0


def test_a_crowd_of_idle_connections_is_capped(start, node):
    gateway = start(node, config="[server]\nmax_connections = 200\n")
    first = RawCaller(gateway)
    assert ask(first) == 200
    crowd = []
    for _ in range(1000):
        try:
            crowd.append(socket.create_connection((gateway.host, gateway.port)))
        except OSError:
            pass
    assert ask(first) == 200
    assert rests(gateway)
    assert not answers(gateway)
    for one in crowd:
        one.close()
    eventually(lambda: answers(gateway))
    assert gateway.chat().status == 200


def test_thousands_of_idle_connections_cost_little(start, node):
    count = 3000
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2 * count:
        pytest.skip(f"no more than {most} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gateway = start(node, config='[server]\nidle_timeout = "60s"\n', env=WITHOUT_QUARANTINE)
    first = RawCaller(gateway)
    assert ask(first) == 200
    before = gateway.peak_memory()
    crowd = [RawCaller(gateway) for _ in range(count)]
    for one in crowd[::2]:  # half of them have asked for something
        assert ask(one) == 200
    assert ask(first) == 200 and answers(gateway) and gateway.chat().status == 200
    assert rests(gateway)
    if b"__asan" not in GATEWAY.read_bytes():
        assert gateway.peak_memory() - before < count * 4096
    for one in crowd:
        one.close()
    assert ask(first) == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_out_of_descriptors_the_gateway_waits_and_comes_back(start, node, workers):
    if b"__ubsan" in GATEWAY.read_bytes():
        pytest.skip("the sanitizer's own checks need descriptors")
    gateway = start(node, config=f"[server]\nworkers = {workers}\n", descriptors=64)
    keep = RawCaller(gateway)
    assert ask(keep) == 200
    crowd = [socket.create_connection((gateway.host, gateway.port)) for _ in range(150)]
    eventually(lambda: not answers(gateway))
    assert ask(keep) == 200
    assert rests(gateway)
    call = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(PLAIN)}\r\n\r\n{PLAIN}".encode()
    assert ask(keep, call) == 200  # a call needs one descriptor more: the last are kept for that
    for one in crowd:
        one.close()
    eventually(lambda: answers(gateway))
    eventually(lambda: gateway.chat().status == 200)
    assert gateway.process.poll() is None


def test_slow_heads_bodies_and_idlers_are_cut_off(start, node):
    gateway = start(node, config='[server]\nheader_timeout = "100ms"\nread_timeout = "100ms"\nidle_timeout = "100ms"\n')
    wire = Wire(gateway)
    wire.send("GET /livez HT")
    assert wire.statuses() == [408]
    wire = Wire(gateway)
    wire.send(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    assert wire.statuses() == [408]
    wire = Wire(gateway)
    wire.send(LIVE)
    assert wire.statuses() == [200]
    assert Wire(gateway).statuses() == []


def test_connections_are_capped(start, node):
    gateway = start(node, config="[server]\nmax_connections = 5\nworkers = 2\n")
    wires = [Wire(gateway) for _ in range(5)]
    for wire in wires:
        wire.send(LIVE)
        assert wire.sock.recv(12) == b"HTTP/1.1 200"
    assert Wire(gateway).statuses() == []
    for wire in wires:
        wire.sock.close()

    def answered():
        wire = Wire(gateway)
        wire.send(LAST)
        return wire.statuses() == [200]

    eventually(answered)


def test_connections_of_one_address_are_capped(start, node):
    gateway = start(node, config="[server]\nmax_connections_per_address = 1\n")
    wire = Wire(gateway)
    wire.send(LIVE)
    assert wire.sock.recv(12) == b"HTTP/1.1 200"
    assert Wire(gateway).statuses() == []
    wire.sock.close()
