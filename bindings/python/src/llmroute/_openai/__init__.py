"""What llmroute offers to users of the openai SDK and of what is built on it. Loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmroute import Router

from . import family
from .transport import Route

if TYPE_CHECKING:
    from .clients import AsyncClient as AsyncClient
    from .clients import AsyncOpenAI as AsyncOpenAI
    from .clients import Client as Client
    from .clients import OpenAI as OpenAI

__all__ = ["AsyncClient", "AsyncOpenAI", "Client", "OpenAI", "http_clients"]


def http_clients(router: Router, *, package: str | None = None) -> tuple[Any, Any]:
    """A blocking and an asyncio HTTP client whose requests go through `router`, for whatever takes an `http_client`.

    `package` is "httpx" or "httpx2", whichever the taker is built on; by default the one of the installed openai SDK.
    Of the base URL that requests are written against the host does not matter; its path ends in /v1, or there is none.
    Their key does not matter either: the nodes have their own.
    """
    from .http_client import new_async_http_client, new_http_client

    http = family.choose(package)
    route = Route(router, lent=True)
    return new_http_client(http, route), new_async_http_client(http, route)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import clients

    return getattr(clients, name)
