"""The load balancer for LLM inference that lives inside your process."""

from __future__ import annotations

from ._async_stream import AsyncStream
from ._error import ConfigError, Error
from ._native import AttemptEvent, CallEvent, NodeEvent, NodeView, PickRequest, Reply, Stream, __version__
from ._router import Router

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AsyncStream",
    "AttemptEvent",
    "CallEvent",
    "ConfigError",
    "Error",
    "NodeEvent",
    "NodeView",
    "PickRequest",
    "Reply",
    "Router",
    "Stream",
    "__version__",
]

_of_the_sdk = ("AsyncClient", "AsyncOpenAI", "Client", "OpenAI", "http_clients")


def __getattr__(name: str) -> Any:
    """The drop-in classes import the SDK they stand in for, so only those who ask for them pay for it."""
    if name not in _of_the_sdk:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _openai

    return getattr(_openai, name)


def __dir__() -> list[str]:
    return [*__all__, *_of_the_sdk]
