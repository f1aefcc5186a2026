"""HTTP clients over a route."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .calls import DEFAULT_CLOCKS
from .transport import Route, transports


def new_http_client(http: ModuleType, route: Route) -> Any:
    return http.Client(transport=transports(http).Transport(route), timeout=http.Timeout(**DEFAULT_CLOCKS))


def new_async_http_client(http: ModuleType, route: Route) -> Any:
    return http.AsyncClient(transport=transports(http).AsyncTransport(route), timeout=http.Timeout(**DEFAULT_CLOCKS))
