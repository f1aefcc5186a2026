"""What an HTTP request means to the router, and what the router's answer means over HTTP.

No HTTP package is needed here: both families of clients share this.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from llmroute import Error

Fields = list[tuple[str, str]]

# Carries the SDK's max_retries to the transport, which takes it off again.
MAX_RETRIES_FIELD = "x-llmroute-max-retries"

# What the SDK has when nothing is said. Who left it so has chosen nothing: the router's own settings hold.
DEFAULT_RETRIES = 2
DEFAULT_CLOCKS = {"connect": 5.0, "read": 600, "write": 600, "pool": 600}

# Who wants "unlimited" retries says sys.maxsize or math.inf; the router counts in an int.
MOST_RETRIES = 1_000_000

# `timeout=None` is "for ever" in the SDK; the router needs a number. A year.
FOR_EVER = 365 * 86400.0

# The router speaks HTTP itself and asks for no compression; its nodes' keys are its own.
NOT_FORWARDED = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "authorization",
        "x-stainless-raw-response",
        MAX_RETRIES_FIELD,
    }
)

# A body is given to the HTTP package whole, which counts it itself.
FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})

TIMED_OUT = frozenset({"deadline_exceeded", "upstream_timeout"})
UNANSWERED = frozenset({"connect_failed", "tls_failed", "upstream_error", "bad_upstream"})


class Call(NamedTuple):
    """One call of the router: router.route(path, body, **options), or router.stream()."""

    path: str
    body: bytes
    stream: bool
    options: dict[str, Any]


def chosen_retries(limit: float) -> int | None:
    """max_retries for the router; None: its own."""
    return None if limit == DEFAULT_RETRIES else int(min(limit, MOST_RETRIES))


def seconds(timeout: object) -> float | None:
    """A timeout of the SDK, a number or a Timeout, as the deadline of a call; None: the router's own."""
    if timeout is None:
        return FOR_EVER
    if isinstance(timeout, (int, float)):
        return float(timeout)
    return seconds_of_clocks(timeout.as_dict())  # type: ignore[attr-defined]


def seconds_of_clocks(clocks: Mapping[str, float | None]) -> float | None:
    """The clock of a plain answer is `read`: silence until it is whole."""
    if clocks == DEFAULT_CLOCKS:
        return None
    read = clocks.get("read")
    return FOR_EVER if read is None else float(read)


def forwarded(fields: Iterable[tuple[str, str]], *, with_key: bool) -> Fields:
    """The fields of a request that go to the node. JSON is what the router sends when nothing else is said."""
    kept = []
    for name, value in fields:
        lower = name.lower()
        if lower == "content-type" and value == "application/json":
            continue
        if lower not in NOT_FORWARDED or (with_key and lower == "authorization"):
            kept.append((lower, value))
    return kept


def routed_path(raw_path: str, base_path: str | None) -> str:
    """The path as the router knows it, where the API begins with /v1.

    `base_path` is that of the client's base_url; without it the API begins at the last "/v1/" there is.
    """
    if base_path is not None and raw_path.startswith(base_path):
        return "/v1/" + raw_path[len(base_path) :]
    path, mark, query = raw_path.partition("?")
    start = path.rfind("/v1/")
    return ("/v1" + path if start < 0 else path[start:]) + mark + query


def answer_fields(reply: Any, attempts: int) -> Fields:
    """The fields of an answer: the node's, and which node it was."""
    fields = [(name, value) for name, value in reply.headers if name.lower() not in FRAMING]
    return _with_route(fields, reply.node, reply.request_id, attempts)


def said_by_node(error: Error) -> Any:
    """What the last node says is wrong in an answer that had begun well: `error` of its JSON; None: nothing."""
    if error.http_status >= 400 or (error.attempts and error.attempts[-1]["http_status"] >= 400):
        return None
    try:
        body = json.loads(error.body)
    except (ValueError, RecursionError):
        return None
    return (body.get("error") or None) if isinstance(body, dict) else None


def status_of(said: Any) -> int | None:
    """The HTTP status that some engines have as the code of such an error."""
    code = said.get("code") if isinstance(said, dict) else None
    return code if type(code) is int and 400 <= code <= 599 else None


def refusal(error: Error) -> tuple[int, Fields, bytes]:
    """Status, fields and body of a call that failed: as the node had them, if it was one that answered.

    The router has retried; the caller need not.
    """
    own = error.http_status >= 400
    said = said_by_node(error)
    body = error.body if (own and error.body) or said else error.openai_body()
    fields = [(name, value) for name, value in error.headers if name.lower() not in FRAMING]
    if said or body is not error.body:
        fields = [(name, value) for name, value in fields if name.lower() != "content-type"]
        fields.append(("content-type", "application/json"))
    present = {name.lower() for name, _ in fields}
    if error.retry_after is not None and "retry-after" not in present:
        fields.append(("retry-after", f"{error.retry_after:.3f}"))
    if "x-should-retry" not in present:
        fields.append(("x-should-retry", "false"))
    status = error.http_status if own else status_of(said) or error.status
    return status, _with_route(fields, error.node, error.request_id, len(error.attempts)), body


def error_event(error: Error) -> bytes:
    """A stream's last event when it died after its first content: the node's own words, if that was how it died."""
    lines = (error.body if said_by_node(error) else error.openai_body()).splitlines()
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def _with_route(fields: Fields, node: str, request_id: str, attempts: int) -> Fields:
    present = {name.lower() for name, _ in fields}
    if node:
        fields.append(("x-routed-node", node))
    if request_id and "x-request-id" not in present:
        fields.append(("x-request-id", request_id))
    fields.append(("x-llmroute-attempts", str(attempts)))
    return fields
