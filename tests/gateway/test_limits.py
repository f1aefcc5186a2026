"""Limits under a crowd: what was granted never exceeds them, and what was not used comes back."""

import json
from concurrent.futures import ThreadPoolExecutor

from admin_client import Admin, WITH_STORE
from gateway_server import CHAT
from wire import Wire

RPM = 700
CALLERS = 200
EACH = 50  # requests one behind the other on a connection, all sent at once


def pipeline(key):
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "hi"}]})
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}" * (EACH - 1) + f"{head}Connection: close\r\n\r\n{body}"


def test_ten_thousand_requests_at_once_never_exceed_a_keys_limit(start, node):
    gateway = start(node, config=WITH_STORE)
    key, _ = Admin(gateway).key(rpm_limit=RPM)
    wires = [Wire(gateway) for _ in range(CALLERS)]
    for wire in wires:
        wire.send(pipeline(key))
    with ThreadPoolExecutor(CALLERS) as readers:
        statuses = [status for found in readers.map(Wire.statuses, wires) for status in found]
    assert len(statuses) == CALLERS * EACH
    assert statuses.count(200) == len(node.requests) == RPM
    assert statuses.count(429) == len(statuses) - RPM
