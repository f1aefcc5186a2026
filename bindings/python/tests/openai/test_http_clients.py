"""HTTP clients over a router, for whatever takes one."""

import importlib.util
import json

import openai
import pytest
from fake_node import MODEL
from forms import done, items, opened

import llmroute
from llmroute._openai import family

ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def router(node):
    with llmroute.Router(nodes=[node.url]) as one:
        yield one


@pytest.fixture
def http_client(router, form):
    return llmroute.http_clients(router)[form == "asyncio"]


@pytest.mark.parametrize("base_url", ["http://llmroute/v1", "https://api.example.com/openai/v1/", "http://elsewhere"])
async def test_the_stock_sdk_on_it(make_stock, http_client, node, base_url):
    client = make_stock(base_url=base_url, api_key="sk-not-for-nodes", http_client=http_client, max_retries=0)
    assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == "hello"
    assert len(await items(await done(client.chat.completions.create(**ASK, stream=True)))) == 2
    assert {request.path for request in node.requests} == {"/v1/chat/completions"}
    assert {request.header("authorization") for request in node.requests} == {None}


async def test_a_refusal_is_not_asked_for_again(make_stock, http_client, router, node):
    router.drain_node(node.url, True)
    client = make_stock(base_url="http://llmroute/v1", api_key="k", http_client=http_client, max_retries=2)
    with pytest.raises(openai.InternalServerError) as caught:
        await done(client.chat.completions.create(**ASK))
    assert caught.value.response.headers["x-should-retry"] == "false"


async def test_without_the_sdk(http_client, node):
    response = await done(http_client.post("http://llmroute/v1/chat/completions", json=ASK))
    assert response.json()["choices"][0]["message"]["content"] == "hello"
    async with opened(
        http_client.stream("POST", "http://llmroute/v1/chat/completions", json={**ASK, "stream": True})
    ) as response:
        lines = await items(response.iter_lines() if hasattr(response.stream, "__iter__") else response.aiter_lines())
    texts = [json.loads(line[6:])["choices"][0]["delta"]["content"] for line in lines if line.startswith("data: {")]
    assert texts == ["hel", "lo"]


async def test_the_router_stays_open(http_client, router, form):
    await done(http_client.aclose() if form == "asyncio" else http_client.close())
    assert router.route("/v1/chat/completions", json.dumps(ASK)).status == 200


def test_the_package_may_be_named(router):
    there = [name for name in family.PACKAGES if importlib.util.find_spec(name)]
    for name in there:
        assert type(llmroute.http_clients(router, package=name)[0]).__module__.partition(".")[0] == name
    assert family.package_of_sdk().__name__ in there
    with pytest.raises(ValueError, match="requests"):
        llmroute.http_clients(router, package="requests")


async def test_who_has_it_may_hook_into_it(make_client, http_client, form):
    seen = []

    async def note_async(request):
        seen.append(request.url.path)

    http_client.event_hooks = {
        "request": [note_async if form == "asyncio" else lambda request: seen.append(request.url.path)]
    }
    client = make_client(http_client=http_client, api_key="k")
    await done(client.chat.completions.create(**ASK))
    await done(client.with_options(timeout=7, api_key="other").chat.completions.create(**ASK))
    assert seen == ["/v1/chat/completions"] * 2
