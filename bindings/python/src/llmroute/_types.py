"""Types that signatures name. Imported by type checkers alone: at run time nothing needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from ._native import NodeView, PickRequest

Json = dict[str, Any]
Body = Json | bytes | str
HeaderFields = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
ConfigSource = Json | str | os.PathLike[str]
Strategy = Callable[[Sequence[NodeView], PickRequest], int]


class CallOptions(TypedDict, total=False):
    """What one call may want that differs from the router's configuration."""

    method: str
    headers: HeaderFields | None  # sent upstream beside the router's own
    deadline: float | None  # seconds for the whole call
    max_retries: int | None
    tenant: str | None
    priority: int  # in the queue: higher first
    session_key: str | None
    request_id: str | None
    resume: Literal["off", "safe", "best_effort"] | None
    model: str | None  # of a body that does not say it where the router reads
