"""How a client is made and copied, and what its options mean to the router."""

import asyncio
import gc
import itertools
import queue
import sys
import time

import openai
import pytest
from fake_node import MODEL, answer_well, completion, delta
from forms import done, following, items
from openai.resources.chat.completions import AsyncCompletions, Completions

import llmroute
from llmroute._openai.plan import HTTP

ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


async def test_several_nodes(make_client, make_node):
    nodes = [make_node(), make_node()]
    client = make_client(nodes=[node.url for node in nodes], api_key="sk-mine")
    for _ in range(16):
        await done(client.chat.completions.create(**ASK))
    assert all(node.requests for node in nodes)
    assert {request.header("authorization") for node in nodes for request in node.requests} == {"Bearer sk-mine"}


async def test_a_node_that_has_a_key_keeps_it(make_client, node):
    client = make_client(nodes=[{"url": node.url, "api_key": "sk-node"}], api_key="sk-mine")
    await done(client.chat.completions.create(**ASK))
    assert [value for name, value in node.requests[0].headers if name == "authorization"] == ["Bearer sk-node"]


async def test_a_key_of_the_environment_goes_to_the_lone_node_only(make_client, node, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    monkeypatch.setenv("OPENAI_BASE_URL", node.url + "/v1")
    await done(make_client().chat.completions.create(**ASK))
    await done(make_client(nodes=[node.url]).chat.completions.create(**ASK))
    assert [request.header("authorization") for request in node.requests] == ["Bearer sk-env", None]


async def test_a_router_of_ones_own(make_client, node):
    with llmroute.Router(nodes=[node.url]) as router:
        client = make_client(router=router)
        assert client.router is router
        await done(client.chat.completions.create(**ASK))
        await done(client.close())
        assert router.route("/v1/chat/completions", b'{"model":"tiny","messages":[]}').status == 200


def test_no_credentials_is_an_error_for_a_lone_node_only(make_client, node):
    with pytest.raises(openai.OpenAIError):
        make_client(base_url=node.url)
    make_client(nodes=[node.url])


def test_a_foreign_http_client_is_refused(make_client, node):
    with pytest.raises(TypeError, match="http_client"):
        make_client(base_url=node.url, api_key="k", http_client=object())


def test_router_and_nodes_exclude_each_other(make_client, node):
    with pytest.raises(TypeError, match="router and nodes"):
        make_client(router=llmroute.Router(nodes=[node.url]), nodes=[node.url])


async def test_a_base_url_is_taken_as_it_is(make_client, make_node):
    node = make_node(lambda request, connection: connection.answer(200, completion(request.path)))
    for base in ("", "/v1", "/api/v4/"):
        client = make_client(base_url=node.url + base, api_key="k")
        assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == base.rstrip(
            "/"
        ) + "/chat/completions"
        raw = await done(client.chat.completions.with_raw_response.create(**ASK))
        assert raw.parse().choices[0].message.content == base.rstrip("/") + "/chat/completions"


@pytest.mark.parametrize("method", ["copy", "with_options"])
async def test_copies_keep_the_router(make_client, node, method):
    client = make_client(nodes=[node.url], timeout=7)
    other = getattr(client, method)(max_retries=5)
    assert type(other) is make_client and other.router is client.router
    assert (other.max_retries, other.timeout, client.max_retries) == (5, 7, 2)
    await done(other.chat.completions.create(**ASK))


async def test_a_copy_may_go_elsewhere(make_client, client, make_node):
    node = make_node(lambda request, connection: connection.answer(200, completion("elsewhere")))
    other = client.copy(base_url=node.url + "/v1")
    assert (await done(other.chat.completions.create(**ASK))).choices[0].message.content == "elsewhere"
    third = client.with_options(router=llmroute.Router(nodes=[node.url]))
    assert (await done(third.chat.completions.create(**ASK))).choices[0].message.content == "elsewhere"
    assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == "hello"


async def test_a_base_url_set_later_is_refused(client, node):
    client.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(openai.APIConnectionError) as caught:
        await done(client.chat.completions.create(**ASK))
    assert "not where" in str(caught.value.__cause__)
    assert node.requests == []


async def test_a_copy_may_have_another_key(client, node):
    await done(client.with_options(api_key="sk-other").chat.completions.create(**ASK))
    client.api_key = "sk-third"
    await done(client.chat.completions.create(**ASK))
    assert [request.header("authorization") for request in node.requests] == ["Bearer sk-other", "Bearer sk-third"]


async def test_a_key_that_would_not_be_sent_is_refused(make_client, node):
    client = make_client(nodes=[node.url], api_key="sk-mine")
    with pytest.raises(TypeError, match="api_key"):
        client.with_options(api_key="sk-other")
    await done(client.with_options(api_key="sk-mine").chat.completions.create(**ASK))
    await done(client.with_options(nodes=[node.url], api_key="sk-other").chat.completions.create(**ASK))
    assert [request.header("authorization") for request in node.requests] == ["Bearer sk-mine", "Bearer sk-other"]


@pytest.mark.parametrize("key", [None, "sk-none", "a function"])
async def test_copies_keep_a_key_that_is_not_sent(make_client, node, form, monkeypatch, key):
    async def next_key():
        return "sk-none"

    if key == "a function":
        key = next_key if form == "asyncio" else lambda: "sk-none"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    client = make_client(router=llmroute.Router(nodes=[node.url]), api_key=key)
    await done(client.with_options(max_retries=0).copy(timeout=7).chat.completions.create(**ASK))
    assert node.requests[0].header("authorization") is None


async def test_a_copy_on_a_router_leaves_the_base_url_behind(make_client, node):
    lone = make_client(base_url="http://127.0.0.1:9/api/v4", api_key="k")
    for options in ({"router": llmroute.Router(nodes=[node.url])}, {"nodes": [node.url]}):
        other = lone.with_options(**options)
        await done(other.chat.completions.create(**ASK))
        await done(other.chat.completions.with_raw_response.create(**ASK))
        await done(other.with_options(timeout=7).chat.completions.with_raw_response.create(**ASK))
    assert {request.path for request in node.requests} == {"/v1/chat/completions"}
    assert len(node.requests) == 6


async def test_a_key_may_be_a_function(make_client, node, form):
    keys = iter(["sk-1", "sk-2"])

    async def next_key():
        return next(keys)

    client = make_client(base_url=node.url + "/v1", api_key=next_key if form == "asyncio" else lambda: next(keys))
    await done(client.chat.completions.create(**ASK))
    await done(client.chat.completions.create(**ASK))
    assert [request.header("authorization") for request in node.requests] == ["Bearer sk-1", "Bearer sk-2"]
    with pytest.raises(TypeError, match="api_key"):
        make_client(nodes=[node.url], api_key=lambda: "k")


def failing(request, connection):
    connection.answer(500, {"error": {"message": "broken"}})


@pytest.mark.parametrize("raw", [False, True])
async def test_max_retries_are_the_routers(make_client, make_node, raw):
    """The attempts of one call, not the product of two loops."""
    for limit, asked in ((0, 1), (1, 2)):
        nodes = [make_node(failing) for _ in range(3)]
        completions = make_client(nodes=[node.url for node in nodes], max_retries=limit).chat.completions
        create = completions.with_raw_response.create if raw else completions.create
        with pytest.raises(openai.InternalServerError):
            await done(create(**ASK))
        assert sum(len(node.requests) for node in nodes) == asked


@pytest.mark.parametrize("raw", [False, True])
async def test_retries_without_end(make_client, node, raw):
    completions = make_client(base_url=node.url + "/v1", api_key="k", max_retries=sys.maxsize).chat.completions
    await done((completions.with_raw_response.create if raw else completions.create)(**ASK))
    assert len(node.requests) == 1


@pytest.mark.parametrize("raw", [False, True])
async def test_a_timeout_is_the_deadline_of_the_call(make_client, make_node, raw):
    node = make_node(lambda request, connection: connection.wait_for_close())
    client = make_client(base_url=node.url + "/v1", api_key="k")
    completions = client.chat.completions
    create = completions.with_raw_response.create if raw else completions.create
    began = time.monotonic()
    with pytest.raises(openai.APITimeoutError) as caught:
        await done(create(**ASK, timeout=0.2))
    assert 0.2 <= time.monotonic() - began < 5
    assert caught.value.request.url == node.url + "/v1/chat/completions"
    with pytest.raises(openai.APITimeoutError):
        await done(client.with_options(timeout=0.1).chat.completions.create(**ASK))


@pytest.mark.parametrize("raw", [False, True])
async def test_leaving_a_stream_early_cancels_it(make_client, make_node, raw):
    gone = queue.Queue()

    def handler(request, connection):
        connection.start_stream()
        connection.event(delta("first"))
        connection.wait_for_close()
        gone.put(True)

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    if raw:
        stream = (await done(client.chat.completions.with_raw_response.create(**ASK, stream=True))).parse()
    else:
        stream = await done(client.chat.completions.create(**ASK, stream=True))
    assert (await following(stream)).choices[0].delta.content == "first"
    await done(stream.close())
    assert await asyncio.to_thread(gone.get, timeout=10)


async def test_a_stream_that_is_dropped_ends_without_the_collector(make_client, make_node):
    gone = queue.Queue()

    def handler(request, connection):
        connection.start_stream()
        connection.event(delta("first"))
        connection.wait_for_close()
        gone.put(True)

    async def read_one(stream):
        if hasattr(stream, "__aiter__"):
            async for _ in stream:
                break
        else:
            for _ in stream:
                break

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    gc.disable()
    try:
        await read_one(await done(client.chat.completions.create(**ASK, stream=True)))
        assert await asyncio.to_thread(gone.get, timeout=10)
    finally:
        gc.enable()


async def test_a_closed_client_asks_nobody(make_client, make_stock, node):
    router = llmroute.Router(nodes=[node.url])
    found = []
    for client in (make_client(router=router), make_stock(base_url=node.url + "/v1", api_key="k", max_retries=0)):
        await done(client.close())
        with pytest.raises((openai.APIConnectionError, RuntimeError)) as caught:
            await done(client.chat.completions.create(**ASK))
        found.append((type(caught.value), str(caught.value)))
    assert found[0] == found[1]
    assert node.requests == []


async def test_what_a_subclass_overrides_is_asked(make_client, node):
    class Tagged(make_client):
        @property
        def default_headers(self):
            return {**super().default_headers, "X-Tag": "mine"}

    await done(Tagged(base_url=node.url + "/v1", api_key="k").chat.completions.create(**ASK))
    assert node.requests[0].header("x-tag") == "mine"


class OwnAuth(HTTP.Auth):
    def __init__(self, value):
        self.value = value

    def auth_flow(self, request):
        request.headers["X-Own"] = self.value
        yield request


# Where a subclass may put something else into each request: the field that shows it, and what makes the override.
HOOKS = {
    "user_agent": ("user-agent", lambda value: property(lambda self: value())),
    "platform_headers": ("x-own", lambda value: lambda self: {"X-Own": value()}),
    "_bearer_auth": ("authorization", lambda value: property(lambda self: {"Authorization": value()})),
    "_auth_headers": ("authorization", lambda value: lambda self, security: {"Authorization": value()}),
    "custom auth": ("x-own", None),
}


@pytest.mark.parametrize("hook", HOOKS)
async def test_what_a_subclass_overrides_is_asked_each_time(make_client, node, form, hook):
    number = itertools.count(1)

    def value():
        return f"own-{next(number)}"

    field, override = HOOKS[hook]
    if override is not None:
        members = {hook: override(value)}
    elif form == "blocking":
        members = {"_custom_auth": lambda self, security: OwnAuth(value())}
    else:
        members = {"custom_auth": property(lambda self: OwnAuth(value()))}
    client = type("Own", (make_client,), members)(base_url=node.url + "/v1", api_key="k")
    for _ in range(2):
        await done(client.chat.completions.create(**ASK))
    sent = [request.header(field) for request in node.requests]
    assert len(set(sent)) == 2 and all(value.startswith("own-") for value in sent)


async def test_a_tracer_around_the_sdks_method_is_called(make_client, node, form, monkeypatch):
    owner = Completions if form == "blocking" else AsyncCompletions
    plain, seen = owner.create, []

    def traced(self, **arguments):
        seen.append(arguments["model"])
        return plain(self, **arguments)

    monkeypatch.setattr(owner, "create", traced)
    answer = await done(make_client(base_url=node.url + "/v1", api_key="k").chat.completions.create(**ASK))
    assert answer.choices[0].message.content == "hello" and seen == [MODEL]


async def test_the_node_is_sent_what_the_sdk_sends(make_client, make_stock, make_node):
    """Fields and body alike, the short way, the long way, and without us."""
    node = make_node(answer_well)
    ours = make_client(base_url=node.url + "/v1", api_key="k", organization="o", default_headers={"X-Own": "1"})
    stock = make_stock(base_url=node.url + "/v1", api_key="k", organization="o", default_headers={"X-Own": "1"})
    ask = {**ASK, "stop": ["a"], "seed": None, "metadata": {"k": "ü"}}
    await done(stock.chat.completions.create(**ask))
    await done(ours.chat.completions.create(**ask))
    await done(ours.chat.completions.with_raw_response.create(**ask))
    http = {"host", "accept-encoding", "connection", "content-length"}
    sent = [
        ({name: value for name, value in request.headers if name not in http}, request.json())
        for request in node.requests
    ]
    assert sent[0] == sent[1]
    sent[2][0].pop("x-stainless-raw-response", None)
    assert sent[0] == sent[2]
    assert len(await items(await done(ours.chat.completions.create(**ask, stream=True)))) == 2
