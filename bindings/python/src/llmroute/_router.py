"""Router: choice of node, health, retries and failover in this very process."""

from __future__ import annotations

from . import _native
from ._async_stream import AsyncStream
from ._config import config_text, node_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any, Self, Unpack

    from ._types import Body, CallOptions, ConfigSource, Json, Strategy

CHAT = "/v1/chat/completions"
COMPLETION = "/v1/completions"
EMBEDDING = "/v1/embeddings"


class Router(_native.Router):
    """Thread safe; the asyncio forms run on the caller's own loop, without a thread.

    config: a dict, JSON text, or the path of a .json or .toml file. nodes: URLs or tables, beside the
    configuration's. strategy: a name, or a callable that gets the nodes and the request and returns an index.
    observer: an object with on_attempt, on_call or on_node.
    """

    def __init__(
        self,
        config: ConfigSource | None = None,
        *,
        nodes: Iterable[str | Json] | None = None,
        strategy: str | Strategy | None = None,
        observer: object | None = None,
    ) -> None:
        named = strategy if isinstance(strategy, str) else None
        chooser = None if isinstance(strategy, str) else strategy
        text, source = config_text(config, nodes, named)
        super().__init__(text, source, chooser, observer)

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], *, strategy: str | Strategy | None = None, observer: object | None = None
    ) -> Self:
        return cls(path, strategy=strategy, observer=observer)

    async def aroute(self, path: str, body: bytes | str, **options: Unpack[CallOptions]) -> _native.Reply:
        """route() for asyncio."""
        call = self._start_plain(path, body, **options)
        try:
            await call.wait()
        except BaseException:
            call.close()
            raise
        return call.reply()

    async def astream(self, path: str, body: bytes | str, **options: Unpack[CallOptions]) -> AsyncStream:
        """stream() for asyncio: returns once the first content is there."""
        call = self._start_stream(path, body, **options)
        try:
            await call.wait()
        except BaseException:
            call.close()
            raise
        call.check_open()
        return AsyncStream(call)

    def chat(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        """A dict for a dict, bytes where `raw` is set; a stream of them where the body asks for one."""
        return self._short(CHAT, body, raw, options)

    def completion(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        return self._short(COMPLETION, body, raw, options)

    def embedding(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        return self._short(EMBEDDING, body, raw, options)

    async def achat(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        return await self._ashort(CHAT, body, raw, options)

    async def acompletion(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        return await self._ashort(COMPLETION, body, raw, options)

    async def aembedding(self, body: Body, *, raw: bool = False, **options: Unpack[CallOptions]) -> Any:
        return await self._ashort(EMBEDDING, body, raw, options)

    def _short(self, path: str, body: Body, raw: bool, options: CallOptions) -> Any:
        data = _encoded(body)
        if _native.asks_for_stream(data):
            stream = self.stream(path, data, **options)
            stream.raw = raw
            return stream
        reply = self.route(path, data, **options)
        return reply.content if raw else reply.json()

    async def _ashort(self, path: str, body: Body, raw: bool, options: CallOptions) -> Any:
        data = _encoded(body)
        if _native.asks_for_stream(data):
            stream = await self.astream(path, data, **options)
            stream.raw = raw
            return stream
        reply = await self.aroute(path, data, **options)
        return reply.content if raw else reply.json()

    def add_node(self, node: str | Json) -> None:
        self._add_node(_encoded(node_table(node)))

    def update_node(self, node: str | Json) -> None:
        """The node of that name has these settings from now on; what is known of it stays."""
        self._update_node(_encoded(node_table(node)))

    def reload(self, config: ConfigSource) -> list[str]:
        """Takes over another configuration while calls run, all or nothing. Names what holds from the next start only.

        Calls under way go on with what they began with; what is known of nodes that stay is kept.
        """
        return self._reload(*config_text(config, None, None))

    async def aclose(self) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """A router travels as its configuration; nodes that came at run time and what was learnt stay behind."""
        return _rebuilt, (type(self), *self._recipe())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()


def _encoded(body: Body) -> bytes | str:
    """JSON as it goes to the node."""
    if not isinstance(body, dict):
        return body
    import json  # not at the top: it is a quarter of what importing this package costs

    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _rebuilt(kind: type[Router], text: str, strategy: Strategy | None, observer: object | None) -> Router:
    return kind(text, strategy=strategy, observer=observer)
