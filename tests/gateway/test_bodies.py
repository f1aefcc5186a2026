"""Bodies that take their time: how much of it they have, how much room, and what becomes of their key meanwhile."""

import json
import time

import pytest
from admin_client import Admin, WITH_STORE
from gateway_server import CHAT, eventually
from raw_caller import PLAIN, RawCaller, ask, begin_post

MEGABYTE = 1 << 20


def status_of(caller):
    """Of the next answer, which is read."""
    return ask(caller, b"")


def test_a_body_that_came_fast_buys_no_time(start, node):
    """Else who sends 50 MB less a byte at once is let alone for half a day."""
    caller = begin_post(start(node, config='[server]\nread_timeout = "300ms"\n'), 10 * MEGABYTE)
    caller.sock.sendall(b" " * 9 * MEGABYTE)
    begun = time.monotonic()
    assert status_of(caller) == 408
    assert time.monotonic() - begun < 5 and not node.requests


def test_without_a_read_timeout_a_body_may_take_any_time(start, node):
    caller = begin_post(start(node, config="[server]\nread_timeout = 0\nheader_timeout = \"50ms\"\n"), MEGABYTE)
    for size in (500_000, 100):
        caller.sock.sendall(b" " * size)
        time.sleep(0.3)
    caller.sock.sendall(PLAIN.rjust(MEGABYTE - 500_100).encode())
    assert status_of(caller) == 200


def send_body(gateway, size, room=1):
    """A caller that has sent a whole body, or all of it that was read."""
    caller = begin_post(gateway, size * room)
    try:
        caller.sock.sendall(PLAIN.rjust(size).encode())
    except OSError:
        pass  # refused already
    return caller


def test_bodies_have_so_much_room_in_all(start, node):
    gateway = start(node, config='[server]\nmax_body = "800KB"\nmax_body_in_flight = "800KB"\nworkers = 1\n')
    first = begin_post(gateway, 790_000)
    first.sock.sendall(b" " * 700_000)
    other = RawCaller(gateway)
    for _ in range(50):  # each turn of its loop the gateway reads 64 KiB of the first
        assert ask(other) == 200
    for size in (200_000, 390_000, 200_000):
        head, _, body = send_body(gateway, size, room=2).read_to_end().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ") and head.count(b"\r\nRetry-After: 1\r\n") == 1 and b"Connection: close" in head
        assert json.loads(body)["error"]["code"] == "overloaded"
    assert gateway.chat().status == 200  # what comes in one piece is not counted
    assert status_of(send_body(gateway, 90_000)) == 200
    first.sock.sendall(PLAIN.rjust(90_000).encode())
    assert status_of(first) == 200
    for _ in range(3):  # all was given back
        assert status_of(send_body(gateway, 390_000)) == 200
    lines = eventually(lambda: len(found := gateway.log("request")) == 3 and found)
    assert {(line["status"], line["path"]) for line in lines} == {(503, CHAT)}


@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
def test_a_key_that_is_revoked_while_a_body_comes_opens_nothing(start, node, path):
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    key, shown = admin.key()
    method = "POST" if path == CHAT else "GET"
    callers = [RawCaller(gateway) for _ in range(2)]
    for caller in callers:
        caller.sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
                            f"Content-Length: {len(PLAIN)}\r\n\r\n{PLAIN[:9]}".encode())
    assert ask(callers[0], PLAIN[9:].encode()) == 200
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    asked = len(node.requests)
    assert ask(callers[1], PLAIN[9:].encode()) == 401
    assert len(node.requests) == asked
    if path == CHAT:
        assert eventually(lambda: [line for line in gateway.log("call") if line["status"] == 401])
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"active": True})
    call = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(PLAIN)}\r\n\r\n{PLAIN}"
    assert ask(callers[1], call.encode()) == 200  # on the same connection


def test_a_key_that_is_restricted_while_a_body_comes_is_so_already(start, node):
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    key, shown = admin.key()
    caller = begin_post(gateway, len(PLAIN), f"Authorization: Bearer {key}\r\n")
    assert admin.want(200, "PUT", f"/keys/{shown['id']}", {"allowed_models": ["other"]})
    assert ask(caller, PLAIN.encode()) == 403 and not node.requests
