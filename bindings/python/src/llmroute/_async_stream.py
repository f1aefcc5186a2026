"""The asyncio form of a stream."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import AsyncCall, Reply


class AsyncStream:
    """Chunks as they come; dropping it cancels the call.

    Events queue natively: reading what is there costs no turn of the asyncio loop. A read that is cancelled has
    taken nothing. Iterating yields dicts, or bytes where `raw` is set.
    """

    __slots__ = ("_call", "raw")

    def __init__(self, call: AsyncCall, raw: bool = False) -> None:
        self._call = call
        self.raw = raw

    @property
    def status(self) -> int:
        return self._call.status

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self._call.headers

    @property
    def node(self) -> str:
        return self._call.node

    @property
    def request_id(self) -> str:
        return self._call.request_id

    async def read(self) -> bytes | None:
        """The JSON of the next chunk, or None at the whole and proper end."""
        call = self._call
        while (item := call.take()) is ...:
            await call.wait()
        return item

    async def read_raw(self) -> bytes | None:
        """The next event as it is to be forwarded, blank line included, or None."""
        call = self._call
        while (item := call.take_raw()) is ...:
            await call.wait()
        return item

    def reply(self) -> Reply:
        """What is known of the call; whole at the stream's end."""
        return self._call.reply()

    async def close(self) -> None:
        """Cancels the call unless it is over."""
        self._call.close()

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Any:
        call = self._call
        take = call.take if self.raw else call.take_parsed
        while (item := take()) is ...:
            await call.wait()
        if item is None:
            raise StopAsyncIteration
        return item

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._call.close()
