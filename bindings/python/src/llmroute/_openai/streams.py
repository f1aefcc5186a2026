"""The short way of a stream: the router's chunks straight to the SDK's types."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

from llmroute import Error

from .plan import HTTP, Plan
from .transport import stream_fields, transports


def broken(error: Error, request: Any) -> openai.APIError:
    """What the SDK makes of an error event."""
    body = json.loads(error.openai_body())["error"]
    message = body.get("message") if isinstance(body, dict) else None
    return openai.APIError(
        message if message and isinstance(message, str) else "An error occurred during streaming",
        request=request,
        body=body,
    )


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
        read, build = self._native.read, self._plan.reader(self._cast_to)
        try:
            while (data := read()) is not None:
                yield build(data)
        except Error as error:
            raise broken(error, self.response.request) from error
        finally:
            self.close()

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

    async def __stream__(self) -> AsyncIterator[Any]:
        read, build = self._native.read, self._plan.reader(self._cast_to)
        try:
            while (data := await read()) is not None:
                yield build(data)
        except Error as error:
            raise broken(error, self.response.request) from error
        finally:
            await self.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._iterator

    async def close(self) -> None:
        """Ends the call; its upstream connection closes with it."""
        await self._native.close()
        if "response" in self.__dict__:
            await self.response.aclose()
