"""What stands in for a stream where a node without streams has answered whole.

The SDK's own streams are made before anybody looks at what comes: create() returns, and reading fails. So do these.
"""

from __future__ import annotations

import json
from typing import NoReturn

from llmroute import Error


def has_no_streams(error: Error) -> bool:
    """Whether a stream failed because its last node answered 200 and a JSON object."""
    if error.code != "bad_upstream" or error.http_status != 200:
        return False
    try:
        return isinstance(json.loads(error.body), dict)
    except (ValueError, RecursionError):
        return False


class NoStream:
    """Looks like the router's stream; the first read raises the error."""

    def __init__(self, error: Error) -> None:
        self._error = error
        self.status = error.http_status
        self.headers = error.headers
        self.node = error.node
        self.request_id = error.request_id

    def read(self) -> NoReturn:
        raise self._error

    read_raw = read

    def close(self) -> None:
        """Nothing is open."""


class AsyncNoStream(NoStream):
    """The same for asyncio."""

    async def read(self) -> NoReturn:  # type: ignore[override]
        raise self._error

    read_raw = read  # type: ignore[assignment]

    async def close(self) -> None:  # type: ignore[override]
        """Nothing is open."""
