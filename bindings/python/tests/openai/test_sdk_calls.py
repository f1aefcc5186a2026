"""What the SDK's documentation shows, over a router."""

import json

import openai
import pydantic
import pytest
from fake_node import MODEL, completion, delta
from forms import done, items, opened

import llmroute

ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}


async def test_create(client, node):
    answer = await done(client.chat.completions.create(**ASK, temperature=0.5, user=openai.NOT_GIVEN))
    assert type(answer) is openai.types.chat.ChatCompletion
    assert answer.choices[0].message.content == "hello"
    assert answer.usage.total_tokens == 2
    assert node.requests[0].json() == {**ASK, "temperature": 0.5}


async def test_a_stream(client):
    stream = await done(client.chat.completions.create(**ASK, stream=True))
    assert isinstance(stream, (openai.Stream, openai.AsyncStream))
    chunks = await items(stream)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["hel", "lo"]
    assert {type(chunk) for chunk in chunks} == {openai.types.chat.ChatCompletionChunk}


async def test_the_stream_helper(client):
    async with opened(client.chat.completions.stream(**ASK)) as stream:
        events = await items(stream)
        final = await done(stream.get_final_completion())
    assert [event.delta for event in events if event.type == "content.delta"] == ["hel", "lo"]
    assert final.choices[0].message.content == "hello"


class Verdict(pydantic.BaseModel):
    good: bool
    reason: str


async def test_parse(make_client, make_node):
    node = make_node(lambda request, connection: connection.answer(200, completion('{"good": true, "reason": "so"}')))
    client = make_client(base_url=node.url + "/v1", api_key="k")
    answer = await done(client.chat.completions.parse(**ASK, response_format=Verdict))
    assert answer.choices[0].message.parsed == Verdict(good=True, reason="so")
    assert node.requests[0].json()["response_format"]["json_schema"]["name"] == "Verdict"


async def test_a_streamed_parse(make_client, make_node):
    def handler(request, connection):
        connection.start_stream()
        for part in ('{"good": fal', 'se, "reason": "no"}'):
            connection.event(delta(part))
        connection.event(delta("", "stop"))
        connection.end_stream()

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    async with opened(client.chat.completions.stream(**ASK, response_format=Verdict)) as stream:
        final = await done(stream.get_final_completion())
    assert final.choices[0].message.parsed == Verdict(good=False, reason="no")


async def test_with_raw_response(client, node):
    raw = await done(client.chat.completions.with_raw_response.create(**ASK))
    assert raw.status_code == 200
    assert raw.headers["x-routed-node"] == node.url
    assert raw.headers["x-llmroute-attempts"] == "1"
    assert raw.parse().choices[0].message.content == "hello"
    assert raw.http_request.url == node.url + "/v1/chat/completions"
    assert "x-llmroute-max-retries" not in raw.http_request.headers


async def test_a_raw_stream(client):
    raw = await done(client.chat.completions.with_raw_response.create(**ASK, stream=True))
    assert [chunk.choices[0].delta.content for chunk in await items(raw.parse())] == ["hel", "lo"]


async def test_with_streaming_response(client):
    async with opened(client.chat.completions.with_streaming_response.create(**ASK, stream=True)) as response:
        lines = await items(response.iter_lines())
    assert [line for line in lines if line][-1] == "data: [DONE]"
    async with opened(client.chat.completions.with_streaming_response.create(**ASK)) as response:
        assert json.loads(await done(response.read()))["choices"][0]["message"]["content"] == "hello"


async def test_completions(make_client, make_node):
    def handler(request, connection):
        answer = {
            "id": "t",
            "object": "text_completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "text": "upon", "finish_reason": "stop", "logprobs": None}],
        }
        if not request.json().get("stream"):
            return connection.answer(200, answer)
        connection.start_stream()
        connection.event(answer)
        return connection.end_stream()

    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    answer = await done(client.completions.create(model=MODEL, prompt="Once"))
    assert type(answer) is openai.types.Completion and answer.choices[0].text == "upon"
    chunks = await items(await done(client.completions.create(model=MODEL, prompt="Once", stream=True)))
    assert [chunk.choices[0].text for chunk in chunks] == ["upon"]


async def test_streamed_tool_calls(make_client, make_node):
    def call(**function):
        chunk = delta(None)
        chunk["choices"][0]["delta"] = {"tool_calls": [{"index": 0, "type": "function", "function": function}]}
        return chunk

    def handler(request, connection):
        connection.start_stream()
        first = call(name="weather", arguments="")
        first["choices"][0]["delta"]["tool_calls"][0]["id"] = "call_1"
        connection.event(first)
        for part in ('{"town": "Ke', 'mpten"}'):
            connection.event(call(arguments=part))
        connection.event(delta(None, "tool_calls"))
        connection.end_stream()

    tools = [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "strict": True,
                "parameters": {
                    "type": "object",
                    "properties": {"town": {"type": "string"}},
                    "required": ["town"],
                    "additionalProperties": False,
                },
            },
        }
    ]
    client = make_client(base_url=make_node(handler).url + "/v1", api_key="k")
    async with opened(client.chat.completions.stream(**ASK, tools=tools)) as stream:
        final = await done(stream.get_final_completion())
    assert final.choices[0].message.tool_calls[0].function.arguments == '{"town": "Kempten"}'
    assert final.choices[0].finish_reason == "tool_calls"


async def test_models_of_several_nodes_are_the_union(make_client, make_node):
    nodes = [make_node(models=("one", "both")), make_node(models=("two", "both"))]
    router = llmroute.Router(nodes=[{"url": node.url, "models": list(node.models)} for node in nodes])
    client = make_client(router=router)
    listed = await items(await done(client.models.list()))
    assert sorted(model.id for model in listed) == ["both", "one", "two"]
    assert {type(model) for model in listed} == {openai.types.Model}
    assert (await done(client.models.retrieve("two"))).owned_by == "llmroute"
    with pytest.raises(openai.NotFoundError, match="three"):
        await done(client.models.retrieve("three"))


async def test_a_callers_own_fields_and_body_reach_the_node(client, node):
    await done(
        client.chat.completions.create(
            **ASK, extra_headers={"X-Trace": "t"}, extra_body={"top_k": 3}, extra_query={"v": "1"}
        )
    )
    await done(client.chat.completions.create(**ASK, extra_headers={"X-Trace": "u"}, extra_body={"top_k": 4}))
    slow, quick = node.requests
    assert (slow.header("x-trace"), quick.header("x-trace")) == ("t", "u")
    assert (slow.json()["top_k"], quick.json()["top_k"]) == (3, 4)
    assert slow.path == "/v1/chat/completions?v=1"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_query_changes_nothing_in_the_routing(make_client, make_node, streamed):
    bad = make_node(lambda request, connection: connection.answer(503, {"error": {"message": "busy"}}))
    good = make_node()
    nodes = [{"url": bad.url, "priority": 1}, {"url": good.url, "priority": 2}]
    client = make_client(router=llmroute.Router(nodes=nodes, strategy="priority"), default_query={"v": "1"})
    answer = await done(client.chat.completions.create(**ASK, stream=streamed, extra_query={"w": "2"}))
    if streamed:
        assert [chunk.choices[0].delta.content for chunk in await items(answer)] == ["hel", "lo"]
    else:
        assert answer.choices[0].message.content == "hello"
    assert [request.path for node in (bad, good) for request in node.requests] == ["/v1/chat/completions?v=1&w=2"] * 2


async def test_pydantic_objects_and_iterators_are_arguments_too(client, node):
    answer = await done(client.chat.completions.create(**ASK))
    turns = iter([*ASK["messages"], answer.choices[0].message, {"role": "user", "content": "Go on"}])
    await done(client.chat.completions.create(model=MODEL, messages=turns))
    assert node.requests[1].json()["messages"][1] == {"role": "assistant", "content": "hello"}


async def test_wrong_arguments_are_refused_as_ever(client):
    with pytest.raises(TypeError, match="messages"):
        await done(client.chat.completions.create(model=MODEL))
    with pytest.raises(TypeError, match="no_such"):
        await done(client.chat.completions.create(**ASK, no_such=1))
    with pytest.raises(TypeError, match="parse"):
        await done(client.chat.completions.create(**ASK, response_format=Verdict))
