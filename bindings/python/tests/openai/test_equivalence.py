"""The short way gives what the stock SDK gives: field by field, type by type."""

import json
import random
import typing

import openai
import pytest
from equal import differences
from fake_node import MODEL
from forms import done, items, opened
from openai._utils import PropertyInfo
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_params
from replies import captured, chat, changed, events, made_answers, made_chunks, made_texts

import llmroute
from llmroute._openai.fast import CHAT, COMPLETION
from llmroute._openai.models import model_of
from llmroute._openai.plan import make_plan

ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
SEED = 20261121
CHANGES = 60  # of each made reply


def outcome(make):
    """What comes of a call: its value, or the kind of its exception."""
    try:
        return make()
    except Exception as error:
        return type(error)


@pytest.fixture(scope="module")
def plan():
    client = llmroute.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    return lambda endpoint: make_plan(
        client, endpoint, {"model": MODEL, "prompt": "x"} if endpoint is COMPLETION else ASK
    )


def assert_same(plan, cast_to, data):
    text = json.dumps(data)
    stock = outcome(lambda: plan.client._process_response_data(data=json.loads(text), cast_to=cast_to, response=None))
    ours = outcome(lambda: plan.reader(cast_to)(text.encode()))
    assert differences(ours, stock) == [], text


FORMS = [
    (CHAT, CHAT.answer, list(made_answers())),
    (CHAT, CHAT.chunk, list(made_chunks())),
    (COMPLETION, COMPLETION.answer, list(made_texts())),
    (COMPLETION, COMPLETION.chunk, list(made_texts())),
]


@pytest.mark.parametrize("endpoint,cast_to,replies", FORMS, ids=["answers", "chunks", "texts", "text chunks"])
def test_made_replies(plan, endpoint, cast_to, replies):
    for reply in replies:
        assert_same(plan(endpoint), cast_to, reply)


@pytest.mark.parametrize("endpoint,cast_to,replies", FORMS, ids=["answers", "chunks", "texts", "text chunks"])
def test_replies_changed_at_random(plan, endpoint, cast_to, replies):
    rng = random.Random(SEED)
    one = plan(endpoint)
    for reply in replies:
        for _ in range(CHANGES):
            reply = changed(reply, rng) if rng.random() < 0.9 else changed(replies[0], rng)
            assert_same(one, cast_to, reply)


def test_most_replies_of_real_servers_need_no_lenience():
    """Else the short way would not be short."""
    for _, body in captured("*_chat.http").values():
        assert model_of(CHAT.answer).read(body)
    chunks = [data for name, (_, body) in captured("*_chat_stream*.http").items() for data in events(body)]
    for data in chunks:
        assert model_of(CHAT.chunk).read(data)
    assert len(chunks) > 20


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "a", "id": "b", "choices": [], "created": 1, "model": "m", "object": "chat.completion", "x": 1, "x": 2}',
        '{"id": "\\ud800", "choices": [], "created": 1, "model": "m", "object": "chat.completion"}',
        '{"id": "a", "choices": [], "created": 1, "model": "m", "object": "chat.completion", "x": NaN, "y": -Infinity}',
        '{"id": "a", "choices": [], "created": 123456789012345678901234567890, "model": "m", "object": "chat.completion", "x": -0, "y": 1E400}',
        '{"id": "a", "choices": [], "created": 1, "model": "m", "object": "chat.completion", "deep": %s}'
        % ("[" * 300 + "]" * 300),
        ' {"id": "a", "choices": [], "created": 1, "model": "m", "object": "chat.completion"} ',
        "[]",
        "null",
        '{"choices": [',
        '"text"',
        "7",
        '{"id": "a", "_fields_set": 1}',
    ],
)
def test_odd_json(plan, text):
    one = plan(CHAT)
    stock = outcome(
        lambda: one.client._process_response_data(data=json.loads(text), cast_to=CHAT.answer, response=None)
    )
    assert differences(outcome(lambda: one.reader(CHAT.answer)(text.encode())), stock) == []


def serving(status, body, content_type="application/json"):
    return lambda request, connection: connection.answer(status, body, [("x-request-id", "req-1")], content_type)


def streaming(chunks):
    def handler(request, connection):
        connection.start_stream([("x-request-id", "req-1")])
        for data in chunks:
            connection.event(
                data if isinstance(data, str) else data.decode() if isinstance(data, bytes) else json.dumps(data)
            )
        connection.end_stream()

    return handler


@pytest.fixture
def both(make_client, make_stock, make_node):
    """both(handler, call): what comes of a call, ours and the stock client's, to the same node."""

    async def ask(handler, call):
        node = make_node(handler)
        found = []
        for make in (make_client, make_stock):
            try:
                found.append(await call(make(base_url=node.url + "/v1", api_key="k", max_retries=0)))
            except openai.OpenAIError as error:
                found.append(error)
        assert node.requests[0].json() == node.requests[1].json()
        return found

    return ask


CAPTURED_ANSWERS = (
    captured("*_chat.http") | captured("*_chat_prefill.http") | captured("*_chat_continue_final_message.http")
)


@pytest.mark.parametrize("name", CAPTURED_ANSWERS)
async def test_captured_answers(both, name):
    ours, stock = await both(
        serving(*CAPTURED_ANSWERS[name]), lambda client: done(client.chat.completions.create(**ASK))
    )
    assert differences(ours, stock) == []
    assert ours._request_id == "req-1"


CAPTURED_STREAMS = captured("*_stream*.http")


@pytest.mark.parametrize("name", CAPTURED_STREAMS)
async def test_captured_streams(both, name):
    async def call(client):
        if "completions" in name:
            create, ask = client.completions.create, {"model": MODEL, "prompt": "x"}
        else:
            create, ask = client.chat.completions.create, ASK
        return await items(await done(create(**ask, stream=True, stream_options={"include_usage": True})))

    ours, stock = await both(streaming(events(CAPTURED_STREAMS[name][1])), call)
    assert differences(ours, stock) == [] and len(ours) > 2


CAPTURED_ERRORS = {name: reply for name, reply in captured("*_error_*.http").items() if reply[0] >= 400}


ERRORS = CAPTURED_ERRORS | {
    "busy": (503, b'{"error": {"message": "busy", "type": "server_error", "param": null, "code": 503}}'),
    "broken": (500, b'{"detail": "Internal Server Error"}'),
    "html": (502, b"<html>Bad Gateway</html>"),
    "null": (500, b"null"),
    "limit": (429, b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}'),
    "text": (400, b"bad request"),
    "teapot": (418, b'{"error": "short and stout"}'),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", ERRORS)
async def test_errors(both, name, streamed):
    ours, stock = await both(
        serving(*ERRORS[name]), lambda client: done(client.chat.completions.create(**ASK, stream=streamed))
    )
    assert type(ours) is type(stock)
    assert str(ours) == str(stock)
    for field in ("message", "body", "status_code", "code", "param", "type", "request_id"):
        assert getattr(ours, field) == getattr(stock, field), field
    assert ours.request.url == stock.request.url and ours.request.method == stock.request.method
    assert ours.response.content == stock.response.content


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("error", [{"message": "out of memory", "type": "t", "param": "p", "code": 507}, {"code": "c"}, "text"])
async def test_an_error_in_mid_stream(both, error, raw):
    async def call(client):
        completions = client.chat.completions
        create = completions.with_raw_response.create if raw else completions.create
        stream = await done(create(**ASK, stream=True))
        return await items(stream.parse() if raw else stream)

    begun = chat([{"index": 0, "delta": {"content": "par"}}], object="chat.completion.chunk")
    ours, stock = await both(streaming([begun, {"error": error}]), call)
    assert type(ours) is type(stock) is openai.APIError
    for field in ("message", "body", "code", "param", "type"):
        assert getattr(ours, field) == getattr(stock, field), field
    assert ours.request.url == stock.request.url


async def test_a_whole_made_stream(both):
    """Those chunks that a router takes for parts of an answer, in one stream."""
    chunks = [chunk for chunk in made_chunks() if isinstance(chunk.get("choices"), list) and chunk["choices"]]
    chunks.append(chat([{"index": 0, "delta": {}, "finish_reason": "stop"}], object="chat.completion.chunk"))
    good = [chunk for chunk in chunks if isinstance(chunk["choices"][0].get("delta"), dict)]

    async def call(client):
        return await items(await done(client.chat.completions.create(**ASK, stream=True)))

    ours, stock = await both(streaming(good), call)
    assert differences(ours, stock) == [] and len(ours) == len(good)


async def test_the_stream_helper_ends_with_the_same_object(both):
    chunks = [
        chat([{"index": 0, "delta": {"role": "assistant", "content": text}}], object="chat.completion.chunk")
        for text in ("a", "b")
    ]
    chunks.append(chat([{"index": 0, "delta": {}, "finish_reason": "stop"}], object="chat.completion.chunk"))

    async def call(client):
        async with opened(client.chat.completions.stream(**ASK)) as stream:
            return await done(stream.get_final_completion())

    ours, stock = await both(streaming(chunks), call)
    assert differences(ours, stock) == []


EMBEDDING = {"object": "list", "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
VECTORS = {
    "base64": ["AACAPwAAAMAAAAAA"],
    "numbers": [[1.0, -2, 0.1]],
    "mixed": ["AACAPw==", [0.5]],
    "none": [],
    "odd": [None],
    "garbled": ["AACA"],
}


@pytest.mark.parametrize("asked", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
@pytest.mark.parametrize("name", VECTORS)
async def test_embeddings(both, name, asked):
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(VECTORS[name])]

    async def call(client):
        try:
            return await done(client.embeddings.create(model="e", input="x", **asked))
        except (ValueError, TypeError) as error:
            return str(error)

    ours, stock = await both(serving(200, {**EMBEDDING, "data": data}), call)
    assert differences(ours, stock) == []


def test_no_parameter_is_spelled_otherwise_in_json():
    """The SDK renames fields where its types say so. The short way does not, so there must be none on it."""
    seen, aliases = set(), []

    def walk(kind):
        if id(kind) in seen:
            return
        seen.add(id(kind))
        for extra in getattr(kind, "__metadata__", ()):
            if isinstance(extra, PropertyInfo) and extra.alias:
                aliases.append(extra.alias)
        for inner in typing.get_args(kind):
            walk(inner)
        if hasattr(kind, "__total__"):
            for inner in typing.get_type_hints(kind, include_extras=True).values():
                walk(inner)

    for params in (
        chat_params.CompletionCreateParamsStreaming,
        chat_params.CompletionCreateParamsNonStreaming,
        completion_create_params.CompletionCreateParamsStreaming,
        embedding_create_params.EmbeddingCreateParams,
    ):
        walk(params)
    assert len(seen) > 100 and aliases == []
