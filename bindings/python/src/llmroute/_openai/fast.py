"""The hot methods, plain and streamed, blocking and asyncio. Which calls go the short way: plan.py."""

from __future__ import annotations

import functools
from typing import Any

from openai.resources.chat import AsyncChat, Chat
from openai.resources.chat.completions import AsyncCompletions as AsyncChatCompletions
from openai.resources.chat.completions import Completions as ChatCompletions
from openai.resources.completions import AsyncCompletions, Completions
from openai.resources.embeddings import AsyncEmbeddings, Embeddings
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llmroute import Error

from .clients import AsyncOpenAI, OpenAI
from .embeddings import read_embeddings
from .no_stream import AsyncNoStream, NoStream, has_no_streams
from .plan import Endpoint, Plan, endpoint, is_plain, is_sdk_function, make_plan
from .streams import AsyncRoutedStream, RoutedStream

CHAT = endpoint(
    "/chat/completions", ChatCompletions.create, ("messages", "model"), ChatCompletion, chunk=ChatCompletionChunk
)
COMPLETION = endpoint("/completions", Completions.create, ("model", "prompt"), Completion, chunk=Completion)
EMBEDDING = endpoint(
    "/embeddings",
    Embeddings.create,
    ("input", "model"),
    CreateEmbeddingResponse,
    defaults={"encoding_format": "base64"},
    read=read_embeddings,
)


def run(plan: Plan) -> Any:
    """Makes the call and waits for its answer, or for its stream's first content."""
    router = plan.client._route.router
    try:
        if plan.stream:
            return RoutedStream(router.stream(plan.path, plan.body, **plan.options), plan)
        reply = router.route(plan.path, plan.body, **plan.options)
    except Error as error:
        if plan.stream and has_no_streams(error):
            return RoutedStream(NoStream(error), plan)
        raise plan.failure(error)  # noqa: B904: its cause is set
    return plan.answer(reply)


async def run_async(plan: Plan) -> Any:
    """The same on the running loop."""
    router = plan.client._route.router
    try:
        if plan.stream:
            return AsyncRoutedStream(await router.astream(plan.path, plan.body, **plan.options), plan)
        reply = await router.aroute(plan.path, plan.body, **plan.options)
    except Error as error:
        if plan.stream and has_no_streams(error):
            return AsyncRoutedStream(AsyncNoStream(error), plan)
        raise plan.failure(error)  # noqa: B904
    return plan.answer(reply)


def plan_for(client: Any, ours: type, endpoint: Endpoint, method: Any, arguments: dict[str, Any]) -> Plan | None:
    """The plan, where neither the SDK's method nor the client's class has been changed by others."""
    if not is_sdk_function(method) or not is_plain(client, ours):
        return None
    return make_plan(client, endpoint, arguments)


class RoutedChatCompletions(ChatCompletions):
    @functools.wraps(ChatCompletions.create)
    def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, OpenAI, CHAT, ChatCompletions.create, arguments)
        return super().create(**arguments) if plan is None else run(plan)


class RoutedCompletions(Completions):
    @functools.wraps(Completions.create)
    def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, OpenAI, COMPLETION, Completions.create, arguments)
        return super().create(**arguments) if plan is None else run(plan)


class RoutedEmbeddings(Embeddings):
    @functools.wraps(Embeddings.create)
    def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, OpenAI, EMBEDDING, Embeddings.create, arguments)
        return super().create(**arguments) if plan is None else run(plan)


class RoutedChat(Chat):
    @functools.cached_property
    def completions(self) -> ChatCompletions:
        return RoutedChatCompletions(self._client)


class AsyncRoutedChatCompletions(AsyncChatCompletions):
    @functools.wraps(AsyncChatCompletions.create)
    async def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, AsyncOpenAI, CHAT, AsyncChatCompletions.create, arguments)
        return await (super().create(**arguments) if plan is None else run_async(plan))


class AsyncRoutedCompletions(AsyncCompletions):
    @functools.wraps(AsyncCompletions.create)
    async def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, AsyncOpenAI, COMPLETION, AsyncCompletions.create, arguments)
        return await (super().create(**arguments) if plan is None else run_async(plan))


class AsyncRoutedEmbeddings(AsyncEmbeddings):
    @functools.wraps(AsyncEmbeddings.create)
    async def create(self, **arguments: Any) -> Any:  # type: ignore[override]
        plan = plan_for(self._client, AsyncOpenAI, EMBEDDING, AsyncEmbeddings.create, arguments)
        return await (super().create(**arguments) if plan is None else run_async(plan))


class AsyncRoutedChat(AsyncChat):
    @functools.cached_property
    def completions(self) -> AsyncChatCompletions:
        return AsyncRoutedChatCompletions(self._client)
