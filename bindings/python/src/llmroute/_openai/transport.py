"""The seam: HTTP transports that hand requests to a router instead of a socket.

Only the transport is swapped, so what the SDK makes of requests and answers is its own. The classes are made once
for each HTTP package, since they derive from its base classes.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from llmroute import Error, Router
from llmroute._native import asks_for_stream, is_inference_path

from . import model_list
from .calls import (
    FRAMING,
    MAX_RETRIES_FIELD,
    TIMED_OUT,
    UNANSWERED,
    Call,
    Fields,
    answer_fields,
    error_event,
    forwarded,
    refusal,
    routed_path,
    seconds_of_clocks,
)
from .mocks import is_mocked
from .no_stream import AsyncNoStream, NoStream, has_no_streams


class Route:
    """Where a transport's requests go: the router, and how a request is read for it."""

    def __init__(
        self, router: Router | None = None, *, lone: bool = False, owned: bool = False, lent: bool = False
    ) -> None:
        self.router = router
        self.lone = lone  # one node at base_url, which takes the caller's key as it comes
        self.owned = owned
        self.lent = lent  # its HTTP client is in the caller's hands, who may have hooks on it
        self.api_key: Any = None  # what the first client had, where the nodes' keys are sent
        self.base_url: Any = None  # a URL of the HTTP package, where only one is the client's

    @property
    def target(self) -> Router:
        if self.router is None:
            raise RuntimeError("the client has no router yet")
        return self.router

    def close(self) -> None:
        if self.owned and self.router is not None:
            self.router.close()

    def read(self, request: Any, body: bytes) -> Call:
        """A request of the HTTP package as a call of the router."""
        url = request.url
        base_path = None
        base = self.base_url
        if base is not None:
            if (url.scheme, url.netloc) != (base.scheme, base.netloc):
                raise ValueError(f"{url.scheme}://{url.host} is not where this client's requests go")
            base_path = base.raw_path.decode("ascii")
        options: dict[str, Any] = {
            "headers": forwarded(request.headers.multi_items(), with_key=self.lone),
            "deadline": seconds_of_clocks(request.extensions.get("timeout", {"read": None})),
        }
        retries = request.headers.get(MAX_RETRIES_FIELD)
        if retries is not None:
            options["max_retries"] = int(retries)
            del request.headers[MAX_RETRIES_FIELD]
        path = routed_path(url.raw_path.decode("ascii"), base_path)
        # Where the router has no stream (images, say) the events come whole, as any other answer.
        stream = request.method == "POST" and is_inference_path(path) and asks_for_stream(body)
        if request.method != "POST":
            options["method"] = request.method
        return Call(path, body, stream, options)


def raise_unanswered(http: ModuleType, request: Any, error: Error) -> None:
    """Raises what the HTTP package raises when nobody answered; the SDK makes its own exceptions of these."""
    if error.http_status != 0:
        return
    if error.code in TIMED_OUT:
        raise http.ReadTimeout(error.message, request=request) from error
    if error.code in UNANSWERED:
        raise http.ConnectError(error.message, request=request) from error


def whole_response(http: ModuleType, request: Any, status: int, fields: Fields, body: bytes, **more: Any) -> Any:
    """An answer that is all here. To the SDK it is open until it has been read, like any other."""
    fields = [*fields, ("content-length", str(len(body)))]
    return http.Response(status, headers=fields, stream=http.ByteStream(body), request=request, **more)


def failed_response(http: ModuleType, request: Any, error: Error) -> Any:
    """A response for a call that failed, with the router's own error beside it, or an exception of the package."""
    raise_unanswered(http, request, error)
    status, fields, body = refusal(error)
    return whole_response(http, request, status, fields, body, extensions={"llmroute": error})


def refuse(http: ModuleType, request: Any, error: ValueError) -> NoReturn:
    raise http.UnsupportedProtocol(str(error), request=request) from None


def stream_fields(stream: Any) -> list[tuple[str, str]]:
    """The fields known when a stream's first content is there; how many attempts it takes, only its end tells."""
    fields = [(name, value) for name, value in stream.headers if name.lower() not in FRAMING]
    present = {name.lower() for name, _ in fields}
    fields.append(("x-routed-node", stream.node))
    if "x-request-id" not in present:
        fields.append(("x-request-id", stream.request_id))
    return fields


@functools.cache
def transports(http: ModuleType) -> SimpleNamespace:
    """The classes for one HTTP package: Transport, AsyncTransport, and the byte streams they answer with."""

    class Events(http.SyncByteStream):  # type: ignore[name-defined, misc]
        """A stream's events as they came; its proper end, or a failure, is the last of them."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            try:
                while (event := self._stream.read_raw()) is not None:
                    yield event
            except Error as error:
                yield error_event(error)

        def close(self) -> None:
            self._stream.close()

    class AsyncEvents(http.AsyncByteStream):  # type: ignore[name-defined, misc]
        """The same for asyncio."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                while (event := await self._stream.read_raw()) is not None:
                    yield event
            except Error as error:
                yield error_event(error)

        async def aclose(self) -> None:
            await self._stream.close()

    def events_response(request: Any, stream: Any) -> Any:
        return http.Response(stream.status, headers=stream_fields(stream), stream=Events(stream), request=request)

    def async_events_response(request: Any, stream: Any) -> Any:
        return http.Response(stream.status, headers=stream_fields(stream), stream=AsyncEvents(stream), request=request)

    class Transport(http.BaseTransport):  # type: ignore[name-defined, misc]
        """Blocking calls."""

        def __init__(self, route: Route) -> None:
            self.route = route
            self._mocked: Any = None  # stands above an application's mock

        def handle_request(self, request: Any) -> Any:
            if is_mocked(http, is_async=False):
                self._mocked = self._mocked or http.HTTPTransport()
                return self._mocked.handle_request(request)
            router = self.route.target
            try:
                call = self.route.read(request, request.read())
            except ValueError as error:
                refuse(http, request, error)
            if known := model_list.answer(router, request.method, call.path):
                return whole_response(http, request, known[0], [("content-type", "application/json")], known[1])
            try:
                if call.stream:
                    return events_response(request, router.stream(call.path, call.body, **call.options))
                reply = router.route(call.path, call.body, **call.options)
            except Error as error:
                if call.stream and has_no_streams(error):
                    return events_response(request, NoStream(error))
                return failed_response(http, request, error)
            fields = answer_fields(reply, len(reply.attempts))
            return whole_response(http, request, reply.status, fields, reply.content)

        def close(self) -> None:
            self.route.close()
            if self._mocked is not None:
                self._mocked.close()

    class AsyncTransport(http.AsyncBaseTransport):  # type: ignore[name-defined, misc]
        """Calls on the running asyncio loop."""

        def __init__(self, route: Route) -> None:
            self.route = route
            self._mocked: Any = None  # stands above an application's mock

        async def handle_async_request(self, request: Any) -> Any:
            if is_mocked(http, is_async=True):
                self._mocked = self._mocked or http.AsyncHTTPTransport()
                return await self._mocked.handle_async_request(request)
            router = self.route.target
            try:
                call = self.route.read(request, await request.aread())
            except ValueError as error:
                refuse(http, request, error)
            if known := model_list.answer(router, request.method, call.path):
                return whole_response(http, request, known[0], [("content-type", "application/json")], known[1])
            try:
                if call.stream:
                    return async_events_response(request, await router.astream(call.path, call.body, **call.options))
                reply = await router.aroute(call.path, call.body, **call.options)
            except Error as error:
                if call.stream and has_no_streams(error):
                    return async_events_response(request, AsyncNoStream(error))
                return failed_response(http, request, error)
            fields = answer_fields(reply, len(reply.attempts))
            return whole_response(http, request, reply.status, fields, reply.content)

        async def aclose(self) -> None:
            self.route.close()
            if self._mocked is not None:
                await self._mocked.aclose()

    return SimpleNamespace(Transport=Transport, AsyncTransport=AsyncTransport, Events=Events, AsyncEvents=AsyncEvents)
