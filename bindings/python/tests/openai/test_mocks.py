"""Applications' own tests put mocks below the HTTP package; the drop-in clients go through them, as the SDK's do."""

import importlib

import openai
import pytest
from fake_node import completion
from forms import done, items

import llmroute
from llmroute._openai.family import package_of_sdk

ASK = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
HTTP = package_of_sdk()
POOLS = importlib.import_module(HTTP.__name__.replace("httpx", "httpcore"))


def mock_of_transport(monkeypatch, answer):
    """As pytest-httpx does it."""

    async def answer_async(transport, request):
        return answer(request)

    monkeypatch.setattr(HTTP.HTTPTransport, "handle_request", lambda transport, request: answer(request))
    monkeypatch.setattr(HTTP.AsyncHTTPTransport, "handle_async_request", answer_async)


def mock_of_pool(monkeypatch, answer):
    """As respx does it, one floor below."""

    def respond(request):
        given = answer(request)
        return POOLS.Response(given.status_code, headers=given.headers.raw, content=given.stream)

    async def respond_async(pool, request):
        return respond(request)

    monkeypatch.setattr(POOLS.ConnectionPool, "handle_request", lambda pool, request: respond(request))
    monkeypatch.setattr(POOLS.AsyncConnectionPool, "handle_async_request", respond_async)


@pytest.mark.parametrize("mock", [mock_of_transport, mock_of_pool])
async def test_a_mock_is_asked_and_no_node(client, node, monkeypatch, mock):
    mock(monkeypatch, lambda request: HTTP.Response(200, json=completion("mocked")))
    answer = await done(client.chat.completions.create(**ASK))
    assert answer.choices[0].message.content == "mocked"
    raw = await done(client.models.with_raw_response.list())
    assert raw.status_code == 200 and "x-routed-node" not in raw.headers
    monkeypatch.undo()
    answer = await done(client.chat.completions.create(**ASK))
    assert answer.choices[0].message.content == "hello"
    assert len(node.requests) == 1


async def test_a_mock_of_the_other_form_is_none(client, form, node, monkeypatch):
    other = ("HTTPTransport", "handle_request") if form == "asyncio" else ("AsyncHTTPTransport", "handle_async_request")
    monkeypatch.setattr(getattr(HTTP, other[0]), other[1], lambda transport, request: pytest.fail("it was asked"))
    assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == "hello"
    raw = await done(client.chat.completions.with_raw_response.create(**ASK))
    assert raw.headers["x-routed-node"] == node.url


async def test_retries_are_then_the_sdks(make_client, monkeypatch):
    asked = []

    def answer(request):
        asked.append(request.headers.get("x-stainless-retry-count"))
        assert "x-llmroute-max-retries" not in request.headers
        return HTTP.Response(500 if len(asked) < 3 else 200, json=completion("at last"), headers={"retry-after-ms": "1"})

    mock_of_transport(monkeypatch, answer)
    client = make_client(base_url="http://mocked/v1", api_key="k", max_retries=2)
    assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == "at last"
    assert asked == ["0", "1", "2"]


async def test_a_node_without_streams_gives_a_stream_that_cannot_be_read(make_client, make_node):
    """Nobody takes its whole answer for an empty stream; until it is read, all is as with the SDK."""
    node = make_node(lambda request, connection: connection.answer(200, completion()))
    client = make_client(base_url=node.url + "/v1", api_key="k", max_retries=0)
    for create in (client.chat.completions.create, client.chat.completions.with_raw_response.create):
        for _ in range(8):  # and it is held against nobody
            stream = await done(create(**ASK, stream=True))
            stream = stream if isinstance(stream, (openai.Stream, openai.AsyncStream)) else stream.parse()
            assert stream.response.status_code == 200
            await done(stream.close())
        stream = await done(create(**ASK, stream=True))
        stream = stream if isinstance(stream, (openai.Stream, openai.AsyncStream)) else stream.parse()
        with pytest.raises(openai.APIError, match="without an event stream"):
            await items(stream)
    assert (await done(client.chat.completions.create(**ASK))).choices[0].message.content == "hello"


async def test_an_answer_is_open_until_it_is_read(client, form):
    if form == "blocking":
        with client.chat.completions.with_streaming_response.create(**ASK) as response:
            assert not response.is_closed
            assert response.parse().choices[0].message.content == "hello"
    else:
        async with client.chat.completions.with_streaming_response.create(**ASK) as response:
            assert not response.is_closed
            assert (await response.parse()).choices[0].message.content == "hello"
    assert response.is_closed
    assert isinstance(client, (llmroute.OpenAI, llmroute.AsyncOpenAI))
