"""Tests of applications put mocks where the HTTP package would open connections (respx, pytest-httpx).

While there is one it is asked, as it would be by the SDK's own client, and no router: such tests go on as they are.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any


@functools.cache
def _seams(http: ModuleType) -> tuple[type, type]:
    """The two classes whose handle_request such tools replace: the package's transport, and the pool below it."""
    core = importlib.import_module(http.__name__.replace("httpx", "httpcore"))
    return http.HTTPTransport, core.ConnectionPool


def is_mocked(http: ModuleType) -> bool:
    transport, pool = _seams(http)
    return not (
        transport.handle_request.__module__.startswith("httpx")  # type: ignore[attr-defined]
        and pool.handle_request.__module__.startswith("httpcore")  # type: ignore[attr-defined]
    )


def mocked_response(http: ModuleType, request: Any) -> Any:
    return http.HTTPTransport().handle_request(request)


async def async_mocked_response(http: ModuleType, request: Any) -> Any:
    return await http.AsyncHTTPTransport().handle_async_request(request)
