"""llmroute.OpenAI and llmroute.AsyncOpenAI: the installed SDK's clients, over a router.

They differ from their bases in the transport, in who retries, and in the short way of the hot methods (fast.py).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import openai

from llmroute import Router

from . import family
from .calls import MAX_RETRIES_FIELD, chosen_retries
from .http_client import new_async_http_client, new_http_client
from .mocks import is_mocked
from .transport import Route

if TYPE_CHECKING:
    from openai.resources.chat import AsyncChat, Chat
    from openai.resources.completions import AsyncCompletions, Completions
    from openai.resources.embeddings import AsyncEmbeddings, Embeddings

HTTP = family.package_of_sdk()

# What requests are written against when a router chooses the node; it is never looked up.
ROUTED_BASE_URL = "http://llmroute/v1"

# A lone node keeps the SDK's clocks and its use of the environment's proxies.
LONE_TIMEOUTS = {"headers": "600s", "idle": "600s"}

Node = str | Mapping[str, Any]


def route_of(http_client: Any) -> Route:
    """The route of a client that this module made. Any other would send past the router."""
    route = getattr(getattr(http_client, "_transport", None), "route", None)
    if not isinstance(route, Route):
        raise TypeError(
            "http_client: llmroute brings its own; settings of connections (proxy, tls) belong to the nodes"
        )
    return route


def with_key(node: Node, api_key: str | None) -> dict[str, Any]:
    """A node that has no key of its own gets the client's."""
    own: dict[str, Any] = {"url": node} if isinstance(node, str) else dict(node)
    keyed = any(own.get(name) for name in ("api_key", "api_keys", "api_key_file")) or any(
        name.lower() == "authorization" for name in own.get("headers", {})
    )
    if api_key and not keyed:
        own["api_key"] = api_key
    return own


def explicit_route(router: Router | None, nodes: Sequence[Node] | None, api_key: object) -> Route:
    """The way that `router=` or `nodes=` asks for."""
    if router is not None and nodes is not None:
        raise TypeError("router and nodes: one is enough")
    if router is not None:
        return Route(router)
    if callable(api_key):
        raise TypeError("api_key: nodes take a key as text; give each node its own")
    key = api_key if isinstance(api_key, str) else None
    return Route(Router(nodes=[with_key(node, key) for node in nodes or ()]), owned=True)


def choose_route(
    router: Router | None, nodes: Sequence[Node] | None, http_client: Any, options: dict[str, Any]
) -> Route:
    """The way a client's requests take; that of a lone node is settled once the SDK knows its base URL.

    Where a router chooses, the keys are the nodes' and base_url is not asked.
    """
    if router is not None or nodes is not None:
        route = explicit_route(router, nodes, options.get("api_key"))
    else:
        route = Route(lone=True, owned=True) if http_client is None else route_of(http_client)
        refuse_another_key(route, options.get("api_key"))
    if not route.lone:
        options["_enforce_credentials"] = False
        options["base_url"] = ROUTED_BASE_URL
    elif (
        route.base_url
        and options.get("base_url")
        and str(options["base_url"]).rstrip("/") != str(route.base_url).rstrip("/")
    ):
        return Route(lone=True, owned=True)  # a copy that goes elsewhere
    return route


def refuse_another_key(route: Route, api_key: object) -> None:
    """A copy that names another key wants it sent. The nodes of its router keep theirs."""
    if not route.lent and route.api_key is not None and api_key and api_key != route.api_key:
        raise TypeError("api_key: the nodes of this client's router have their own; give router= or nodes= with it")


def settle(route: Route, client: Any) -> None:
    """A lone node's router, now that the node is known; else the key that copies may name, too."""
    if route.router is None:
        base_url = client.base_url
        node = {"url": str(base_url), "base_path": "", "proxy": "env"}
        route.router = Router({"nodes": [node], "timeouts": LONE_TIMEOUTS})
        route.base_url = base_url
    elif not route.lone and route.api_key is None:
        route.api_key = client._api_key_provider or client.api_key


def without_sdk_retries(options: Any, client: Any) -> Any:
    """A request's options with the retry loop of the SDK off, and its limit on the way to the router."""
    if is_mocked(HTTP, isinstance(client, openai.AsyncOpenAI)):  # the router is not asked
        return options
    limit = chosen_retries(options.get_max_retries(client.max_retries))
    options = options.model_copy()
    if limit is not None:
        given = {} if isinstance(options.headers, openai.NotGiven) else options.headers
        options.headers = {**given, MAX_RETRIES_FIELD: str(limit)}
    options.max_retries = 0
    return options


class OpenAI(openai.OpenAI):
    """openai.OpenAI over a router.

    `router`: a Router, which stays the caller's to close. `nodes`: URLs, or nodes as in the configuration; `api_key` is
    the key of those that have none. With neither, `base_url` (or OPENAI_BASE_URL) is the only node. `max_retries` and
    `timeout` are the limits of a whole call, over all nodes.
    """

    _route: Route

    def __init__(
        self,
        *,
        router: Router | None = None,
        nodes: Sequence[Node] | None = None,
        http_client: Any = None,
        **options: Any,
    ) -> None:
        self._route = route = choose_route(router, nodes, http_client, options)
        if http_client is None or route_of(http_client) is not route:
            http_client = new_http_client(HTTP, route)
        super().__init__(http_client=http_client, **options)
        settle(route, self)

    @property
    def router(self) -> Router:
        """What chooses the node."""
        return self._route.target

    def copy(
        self,
        *,
        router: Router | None = None,
        nodes: Sequence[Node] | None = None,
        _extra_kwargs: Mapping[str, Any] = {},
        **options: Any,
    ) -> OpenAI:
        """The same client with other options, on the same router unless another is given."""
        extra = {**_extra_kwargs, "router": router, "nodes": nodes}
        return super().copy(_extra_kwargs=extra, **options)

    with_options = copy

    def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        options = without_sdk_retries(options, self)
        return super().request(cast_to, options, stream=stream, stream_cls=stream_cls)

    def _validate_headers(self, headers: Any, custom_headers: Any) -> None:
        if self._route.lone:
            super()._validate_headers(headers, custom_headers)

    @functools.cached_property
    def chat(self) -> Chat:
        from .fast import RoutedChat

        return RoutedChat(self)

    @functools.cached_property
    def completions(self) -> Completions:
        from .fast import RoutedCompletions

        return RoutedCompletions(self)

    @functools.cached_property
    def embeddings(self) -> Embeddings:
        from .fast import RoutedEmbeddings

        return RoutedEmbeddings(self)


class AsyncOpenAI(openai.AsyncOpenAI):
    """openai.AsyncOpenAI over a router, on asyncio; see OpenAI."""

    _route: Route

    def __init__(
        self,
        *,
        router: Router | None = None,
        nodes: Sequence[Node] | None = None,
        http_client: Any = None,
        **options: Any,
    ) -> None:
        self._route = route = choose_route(router, nodes, http_client, options)
        if http_client is None or route_of(http_client) is not route:
            http_client = new_async_http_client(HTTP, route)
        super().__init__(http_client=http_client, **options)
        settle(route, self)

    @property
    def router(self) -> Router:
        """What chooses the node."""
        return self._route.target

    def copy(
        self,
        *,
        router: Router | None = None,
        nodes: Sequence[Node] | None = None,
        _extra_kwargs: Mapping[str, Any] = {},
        **options: Any,
    ) -> AsyncOpenAI:
        """The same client with other options, on the same router unless another is given."""
        extra = {**_extra_kwargs, "router": router, "nodes": nodes}
        return super().copy(_extra_kwargs=extra, **options)

    with_options = copy

    async def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        options = without_sdk_retries(options, self)
        return await super().request(cast_to, options, stream=stream, stream_cls=stream_cls)

    def _validate_headers(self, headers: Any, custom_headers: Any) -> None:
        if self._route.lone:
            super()._validate_headers(headers, custom_headers)

    @functools.cached_property
    def chat(self) -> AsyncChat:
        from .fast import AsyncRoutedChat

        return AsyncRoutedChat(self)

    @functools.cached_property
    def completions(self) -> AsyncCompletions:
        from .fast import AsyncRoutedCompletions

        return AsyncRoutedCompletions(self)

    @functools.cached_property
    def embeddings(self) -> AsyncEmbeddings:
        from .fast import AsyncRoutedEmbeddings

        return AsyncRoutedEmbeddings(self)


Client = OpenAI
AsyncClient = AsyncOpenAI
