"""Every way a call can fail is an exception of the SDK, on the short way and on the long one."""

import socket

import openai
import pydantic
import pytest
from fake_node import MODEL, completion, delta
from forms import done, following, items

import llmroute

ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}

CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    418: openai.APIStatusError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


def refusing(status, **headers):
    body = {"error": {"message": f"status {status}", "type": "t", "param": "p", "code": "c"}}
    return lambda request, connection: connection.answer(status, body, headers.items())


@pytest.fixture(params=["short", "raw", "stream", "raw stream"])
def ask(request):
    """ask(client): one call, in one of the forms that go different ways."""

    async def call(client, **options):
        completions = client.chat.completions
        create = completions.with_raw_response.create if "raw" in request.param else completions.create
        if "stream" in request.param:
            options["stream"] = True
        return await done(create(**ASK, **options))

    return call


@pytest.mark.parametrize("status", CLASSES)
async def test_a_status_has_its_class(make_client, make_node, ask, status):
    node = make_node(refusing(status, **{"x-request-id": "req-7"}))
    with pytest.raises(CLASSES[status]) as caught:
        await ask(make_client(base_url=node.url + "/v1", api_key="k", max_retries=0))
    error = caught.value
    assert type(error) is CLASSES[status]
    assert f"status {status}" in error.message
    assert (error.type, error.param, error.code) == ("t", "p", "c")
    assert error.request_id == "req-7"
    assert error.response.headers["x-routed-node"] == node.url
    assert error.response.headers["x-should-retry"] == "false"
    assert isinstance(error.response.extensions["llmroute"], llmroute.Error)


async def test_nobody_at_the_address(make_client, ask):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = "http://127.0.0.1:%d" % taken.getsockname()[1]
    with pytest.raises(openai.APIConnectionError) as caught:
        await ask(make_client(base_url=url, api_key="k", max_retries=0))
    assert type(caught.value) is openai.APIConnectionError
    assert caught.value.__cause__.__cause__.code == "connect_failed"


async def test_a_refusal_of_the_router(make_client, make_node, ask):
    """No node may be asked: 503 in the API's form, not a foreign exception."""
    node = make_node()
    router = llmroute.Router(nodes=[{"name": "a", "url": node.url}])
    router.drain_node("a", True)
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(make_client(router=router))
    assert caught.value.status_code == 503
    assert caught.value.code == "no_healthy_node"
    assert node.requests == []


async def test_a_rate_limit_says_when_to_ask_again(make_client, make_node, ask):
    node = make_node(refusing(429, **{"retry-after": "17"}))
    with pytest.raises(openai.RateLimitError) as caught:
        await ask(make_client(base_url=node.url + "/v1", api_key="k", max_retries=0))
    assert 0 < float(caught.value.response.headers["retry-after"]) <= 17


@pytest.mark.parametrize("raw", [False, True])
async def test_a_stream_that_dies_after_its_first_content(make_client, make_node, raw):
    def handler(request, connection):
        connection.start_stream()
        connection.event(delta("par"))
        connection.event(delta("tial"))
        connection.close()

    config = {"nodes": [{"url": make_node(handler).url}], "router": {"resume": "off"}}
    client = make_client(router=llmroute.Router(config))
    if raw:
        stream = (await done(client.chat.completions.with_raw_response.create(**ASK, stream=True))).parse()
    else:
        stream = await done(client.chat.completions.create(**ASK, stream=True))
    assert (await following(stream)).choices[0].delta.content == "par"
    assert (await following(stream)).choices[0].delta.content == "tial"
    with pytest.raises(openai.APIError) as caught:
        await following(stream)
    assert type(caught.value) is openai.APIError
    assert caught.value.code == "stream_interrupted"
    assert caught.value.request.url.path == "/v1/chat/completions"


async def test_a_stream_that_nobody_goes_on_with(make_client, make_node):
    """What a second node says of going on with it is not what ended it."""

    def handler(request, connection):
        connection.start_stream()
        connection.event(delta("par"))
        connection.close()

    nodes = [{"url": make_node(handler).url, "priority": 1}, {"url": make_node(refusing(503)).url, "priority": 2}]
    client = make_client(router=llmroute.Router(nodes=nodes, strategy="priority"), max_retries=1)
    stream = await done(client.chat.completions.create(**ASK, stream=True))
    with pytest.raises(openai.APIError) as caught:
        await items(stream)
    assert caught.value.code == "stream_interrupted"


@pytest.mark.parametrize("code,status", [(None, 502), (400, 400), (503, 503), (200, 502), ("overloaded", 502), (True, 502)])
async def test_an_error_inside_a_200(make_client, make_node, ask, code, status):
    said = {"message": "what the node says", "type": "t", "param": None, "code": code}

    def handler(request, connection):
        if not request.json().get("stream"):
            return connection.answer(200, {"error": said})
        connection.start_stream()
        connection.event({"error": said})
        return connection.end_stream()

    with pytest.raises(CLASSES.get(status, openai.InternalServerError)) as caught:
        await ask(make_client(base_url=make_node(handler).url + "/v1", api_key="k", max_retries=0))
    assert caught.value.status_code == status
    assert caught.value.body == said
    assert "what the node says" in caught.value.message
    assert caught.value.response.extensions["llmroute"].code == "upstream_error"


@pytest.mark.parametrize("body", ["<html>", '{"id":"x","cho'])
async def test_an_answer_that_is_none(make_client, make_node, ask, body):
    node = make_node(lambda request, connection: connection.answer(200, body, content_type="text/html"))
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(make_client(base_url=node.url + "/v1", api_key="k", max_retries=0))
    assert caught.value.status_code == 502


class Verdict(pydantic.BaseModel):
    good: bool


@pytest.mark.parametrize(
    "reason,expected",
    [("length", openai.LengthFinishReasonError), ("content_filter", openai.ContentFilterFinishReasonError)],
)
async def test_parse_of_an_answer_that_was_cut(make_client, make_node, reason, expected):
    def handler(request, connection):
        answer = completion('{"go')
        answer["choices"][0]["finish_reason"] = reason
        connection.answer(200, answer)

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    with pytest.raises(expected):
        await done(client.chat.completions.parse(**ASK, response_format=Verdict))


async def test_strict_validation(make_client, make_node):
    node = make_node(lambda request, connection: connection.answer(200, {**completion(), "created": "yesterday"}))
    client = make_client(base_url=node.url + "/v1", api_key="k", _strict_response_validation=True)
    with pytest.raises(openai.APIResponseValidationError):
        await done(client.chat.completions.create(**ASK))


async def test_a_path_that_no_node_serves(make_client, make_node):
    node = make_node(refusing(404))
    with pytest.raises(openai.NotFoundError):
        await done(make_client(base_url=node.url + "/v1", api_key="k").moderations.create(input="x"))


async def test_an_address_that_is_not_the_clients(client, node):
    with pytest.raises(openai.APIConnectionError):
        await done(client.get("http://elsewhere.example/v1/models", cast_to=object))
    assert node.requests == []


async def test_it_goes_on_after_failures(make_client, make_node):
    state = {"status": 500}

    def handler(request, connection):
        if state["status"] != 200:
            return connection.answer(state["status"], {"error": {"message": "m"}})
        connection.start_stream()
        connection.event(delta("well", "stop"))
        return connection.end_stream()

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k", max_retries=0)
    with pytest.raises(openai.InternalServerError):
        await done(client.chat.completions.create(**ASK, stream=True))
    state["status"] = 200
    assert len(await items(await done(client.chat.completions.create(**ASK, stream=True)))) == 1
