"""Tests of applications put mocks where the HTTP package would open connections (respx, pytest-httpx).

While there is one it is asked, as it would be by the SDK's own client, and no router: such tests go on as they are.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any


@functools.cache
def _seams(http: ModuleType, is_async: bool) -> tuple[tuple[type, str, str, str], ...]:
    """What such tools replace: a method of the package's transport, or of the pool below it; whose module it is of."""
    core = importlib.import_module(http.__name__.replace("httpx", "httpcore"))
    prefix, method = ("Async", "handle_async_request") if is_async else ("", "handle_request")
    return tuple(
        (getattr(package, prefix + name), method, package.__name__, package.__name__ + ".")
        for package, name in ((http, "HTTPTransport"), (core, "ConnectionPool"))
    )


def is_mocked(http: ModuleType, is_async: bool) -> bool:
    """Whether one of the two functions is not the package's own."""
    for owner, method, package, prefix in _seams(http, is_async):
        module = getattr(getattr(owner, method), "__module__", "")
        if module != package and not module.startswith(prefix):
            return True
    return False
