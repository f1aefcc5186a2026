"""Uses the official `openai` package as its documentation does, against one base URL: openai_calls.py BASE_URL.

With --router CONFIG instead, the same through llmroute.OpenAI and AsyncOpenAI, and a router of that configuration (JSON).

Run in an environment with the version to be tried. Prints one JSON object: the package's version, and what went wrong
with each call (null: nothing).
"""

import asyncio
import json
import sys
import traceback

import openai

# A model of random weights may end an answer whenever it likes.
ENDS = ("length", "stop")
MESSAGES = [{"role": "user", "content": "Say something."}]


def chat(client):
    answer = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=8)
    assert answer.object == "chat.completion" and answer.model == "tiny"
    assert answer.choices[0].finish_reason in ENDS and answer.choices[0].message.content
    assert 0 < answer.usage.completion_tokens <= 8


def chat_stream(client):
    stream = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=8, stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in ENDS
    assert all(chunk.usage is None for chunk in chunks)  # not asked for


def chat_stream_with_usage(client):
    stream = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=8, stream=True,
                                            stream_options={"include_usage": True})
    usages = [chunk.usage for chunk in stream if chunk.usage]
    assert len(usages) == 1 and 0 < usages[0].completion_tokens <= 8


def chat_stream_helper(client):
    with client.chat.completions.stream(model="tiny", messages=MESSAGES, max_tokens=8) as stream:
        texts = [event.delta for event in stream if event.type == "content.delta"]
        assert "".join(texts) == stream.current_completion_snapshot.choices[0].message.content


def completion(client):
    answer = client.completions.create(model="tiny", prompt="Once upon", max_tokens=8)
    assert answer.object == "text_completion" and answer.choices[0].text


def completion_stream(client):
    chunks = list(client.completions.create(model="tiny", prompt="Once upon", max_tokens=8, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)


def embeddings(client):
    answer = client.embeddings.create(model="embed", input=["one text", "another"])
    assert [len(one.embedding) for one in answer.data] == [64, 64]
    again = client.embeddings.create(model="embed", input="one text", encoding_format="float")
    assert len(again.data[0].embedding) == 64


def models(client):
    names = {model.id for model in client.models.list()}
    assert {"tiny", "embed"} <= names, names
    assert client.models.retrieve("embed").id == "embed"


def raw_response(client):
    answer = client.chat.completions.with_raw_response.create(model="tiny", messages=MESSAGES, max_tokens=4)
    assert answer.headers["x-routed-node"].startswith("llama-")
    assert answer.headers["x-request-id"] and answer.parse().choices[0].message.content


def bad_request(client):
    try:
        client.chat.completions.create(model="tiny", messages="no list", max_tokens=4)
    except openai.BadRequestError as error:
        assert "messages" in (error.param or error.message), error.body  # llama.cpp itself names no param
    else:
        raise AssertionError("it was accepted")


def asynchronous(client):
    async def both():
        async with asynchronous_one(client) as other:
            answer = await other.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=8)
            assert answer.choices[0].message.content
            stream = await other.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=8, stream=True)
            assert [chunk async for chunk in stream]

    asyncio.run(both())


def asynchronous_one(client):
    """The asyncio client beside a blocking one."""
    if hasattr(client, "router"):
        import llmroute

        return llmroute.AsyncOpenAI(router=client.router)
    return openai.AsyncOpenAI(base_url=str(client.base_url), api_key="none")


def make_client(arguments):
    """The client that the command line asks for."""
    options = {"api_key": "none", "max_retries": 0, "timeout": 30}
    if arguments[0] != "--router":
        return openai.OpenAI(base_url=arguments[0], **options)
    import llmroute

    return llmroute.OpenAI(router=llmroute.Router(arguments[1]), **options)


CALLS = (chat, chat_stream, chat_stream_with_usage, chat_stream_helper, completion, completion_stream, embeddings, models,
         raw_response, bad_request, asynchronous)


def main():
    results = {}
    with make_client(sys.argv[1:]) as client:
        for call in CALLS:
            try:
                call(client)
                results[call.__name__] = None
            except Exception:
                results[call.__name__] = traceback.format_exc()
    print(json.dumps({"version": openai.__version__, "results": results}))


if __name__ == "__main__":
    main()
