"""The short way of a stream: the router's chunks straight to the SDK's types."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

from llmroute import Error

from .calls import said_by_node
from .plan import HTTP, Plan
from .transport import stream_fields, transports


def broken(error: Error, request: Any) -> openai.APIError:
    """What the SDK makes of an error event (calls.error_event)."""
    body = said_by_node(error) or json.loads(error.openai_body())["error"]
    message = body.get("message") if isinstance(body, dict) else None
    return openai.APIError(
        message if message and isinstance(message, str) else "An error occurred during streaming",
        request=request,
        body=body,
    )


def chunks(native: Any, plan: Plan, cast_to: Any) -> Iterator[Any]:
    """A stream's objects. Without the SDK's stream, which holds this: whoever drops it half-read ends the call at once."""
    read, build = native.read, plan.reader(cast_to)
    try:
        while (data := read()) is not None:
            yield build(data)
    except Error as error:
        raise broken(error, plan.request()) from error
    finally:
        native.close()


async def async_chunks(native: Any, plan: Plan, cast_to: Any) -> AsyncIterator[Any]:
    """The same for asyncio."""
    read, build = native.read, plan.reader(cast_to)
    try:
        while (data := await read()) is not None:
            yield build(data)
    except Error as error:
        raise broken(error, plan.request()) from error
    finally:
        await native.close()


class RoutedStream(openai.Stream[Any]):
    """openai.Stream over the router's stream; the response that it seems to read is made when somebody looks."""

    def __init__(self, native: Any, plan: Plan) -> None:
        self._native = native
        self._plan = plan
        self._cast_to = plan.endpoint.chunk
        self._client = plan.client
        self._decoder = plan.client._make_sse_decoder()
        self._iterator = self.__stream__()

    @functools.cached_property
    def response(self) -> Any:  # type: ignore[override]
        native = self._native
        return HTTP.Response(
            native.status,
            headers=stream_fields(native),
            stream=transports(HTTP).Events(native),
            request=self._plan.request(),
        )

    def __stream__(self) -> Iterator[Any]:
        return chunks(self._native, self._plan, self._cast_to)

    def __iter__(self) -> Iterator[Any]:
        return self._iterator

    def close(self) -> None:
        """Ends the call; its upstream connection closes with it."""
        self._native.close()
        if "response" in self.__dict__:
            self.response.close()


class AsyncRoutedStream(openai.AsyncStream[Any]):
    """The same for asyncio."""

    def __init__(self, native: Any, plan: Plan) -> None:
        self._native = native
        self._plan = plan
        self._cast_to = plan.endpoint.chunk
        self._client = plan.client
        self._decoder = plan.client._make_sse_decoder()
        self._iterator = self.__stream__()

    @functools.cached_property
    def response(self) -> Any:  # type: ignore[override]
        native = self._native
        return HTTP.Response(
            native.status,
            headers=stream_fields(native),
            stream=transports(HTTP).AsyncEvents(native),
            request=self._plan.request(),
        )

    def __stream__(self) -> AsyncIterator[Any]:
        return async_chunks(self._native, self._plan, self._cast_to)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._iterator

    async def close(self) -> None:
        """Ends the call; its upstream connection closes with it."""
        await self._native.close()
        if "response" in self.__dict__:
            await self.response.aclose()
