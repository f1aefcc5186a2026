"""Answers of a node that is well: the shapes are those of vLLM, the words a function of the prompt."""

import json

import pytest
from mock_node_server import CHAT, COMPLETIONS, EMBEDDINGS


def test_a_chat(node):
    answer = node.chat("hello", max_tokens=5)
    body = answer.json()
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert body["object"] == "chat.completion" and body["model"] == "tiny" and body["id"].startswith("chatcmpl-")
    [choice] = body["choices"]
    assert choice["message"]["role"] == "assistant" and len(choice["message"]["content"].split()) == 5
    assert choice["finish_reason"] == "length" and choice["stop_reason"] is None and choice["token_ids"] is None
    assert body["prompt_token_ids"] is None
    assert body["usage"]["completion_tokens"] == 5
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + 5


def test_a_streamed_chat(node):
    answer = node.chat("hello", max_tokens=5, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    role, *words, usage = answer.chunks()
    assert answer.done()
    assert role["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}]
    assert role["prompt_token_ids"] is None
    assert [set(one["choices"][0]["delta"]) for one in words] == [{"content"}] * 5
    assert [one["choices"][0]["finish_reason"] for one in words] == [None] * 4 + ["length"]
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] == 5
    assert {one["object"] for one in answer.chunks()} == {"chat.completion.chunk"}
    assert len({one["id"] for one in answer.chunks()}) == 1


def test_usage_only_when_it_is_asked_for(node):
    assert all("usage" not in one for one in node.chat(stream=True).chunks())
    options = {"include_usage": True, "continuous_usage_stats": True}
    chunks = node.chat(stream=True, max_tokens=3, stream_options=options).chunks()
    assert [one["usage"]["completion_tokens"] for one in chunks] == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("fields", [{}, {"max_tokens": 7}, {"n": 2}])
def test_streamed_and_plain_say_the_same(node, fields):
    for i in range(fields.get("n", 1)):
        assert node.chat(stream=True, **fields).text(i) == node.chat(**fields).text(i) != ""
        assert node.complete(stream=True, **fields).text(i) == node.complete(**fields).text(i) != ""


def test_a_completion(node):
    answer = node.complete("Once upon", max_tokens=4)
    [choice] = answer.json()["choices"]
    assert answer.json()["object"] == "text_completion" and answer.json()["id"].startswith("cmpl-")
    assert choice["finish_reason"] == "length" and len(choice["text"].split()) == 4
    stream = node.complete("Once upon", max_tokens=4, stream=True)
    assert stream.done() and len(stream.chunks()) == 4
    assert stream.chunks()[0]["choices"][0] == {
        "index": 0, "text": choice["text"].split()[0] + " ", "logprobs": None, "finish_reason": None,
        "stop_reason": None, "prompt_token_ids": None, "token_ids": None}


def test_a_completion_is_sixteen_tokens_long_unless_told_otherwise(node):
    assert node.complete().json()["usage"]["completion_tokens"] == 16
    assert node.complete().json()["choices"][0]["finish_reason"] == "length"
    assert node.complete(max_tokens=None).json()["choices"][0]["finish_reason"] == "stop"


def test_several_prompts_are_answered_one_by_one(node):
    together = node.complete(["one", "two"], n=2)
    assert [one["index"] for one in together.json()["choices"]] == [0, 1, 2, 3]
    for i, prompt in enumerate(("one", "two")):
        alone = node.complete(prompt, n=2)
        assert [together.text(2 * i), together.text(2 * i + 1)] == [alone.text(0), alone.text(1)]


def test_two_nodes_agree_and_prompts_differ(node, start):
    other = start()
    for prompt in ("hello", "größe"):
        assert node.chat(prompt).text() == other.chat(prompt).text()
        assert node.complete(prompt).text() == other.complete(prompt).text()
    assert node.chat("hello").text() != node.chat("hello!").text()
    assert node.chat([{"role": "system", "content": "hello"}]).text() != node.chat("hello").text()
    parts = [{"role": "user", "content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]}]
    assert node.chat(parts).text() == node.chat("hello").text()


def test_max_tokens_cuts_the_same_answer(node):
    full = node.chat()
    assert full.json()["choices"][0]["finish_reason"] == "stop"
    for field in ("max_tokens", "max_completion_tokens"):
        short = node.chat(**{field: 3})
        assert full.text().startswith(short.text()) and short.json()["usage"]["completion_tokens"] == 3
        assert short.json()["choices"][0]["finish_reason"] == "length"


def test_an_answer_can_end_before_max_tokens(start):
    node = start("--answer-tokens", "10")
    for fields in ({}, {"max_tokens": 500}):
        body = node.chat(**fields).json()
        assert body["usage"]["completion_tokens"] == 10 and body["choices"][0]["finish_reason"] == "stop"
    assert node.chat(max_tokens=10, ignore_eos=True).json()["choices"][0]["finish_reason"] == "length"
    last = node.chat(stream=True).choices()[-1]
    assert last["delta"] == {"content": ""} and last["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_stop_strings(node, stream):
    full = node.chat(max_tokens=12).text()
    words = full.split()
    stop = f"{words[5][2:]} {words[6][:2]}"  # across two tokens
    answer = node.chat(max_tokens=12, stop=["never seen", stop], stream=stream)
    assert answer.text() == full[:full.index(stop)]
    choice = answer.choices()[-1] if stream else answer.json()["choices"][0]
    assert choice["finish_reason"] == "stop" and choice["stop_reason"] == stop
    kept = node.chat(max_tokens=12, stop=stop, include_stop_str_in_output=True, stream=stream)
    assert kept.text() == full[:full.index(stop) + len(stop)]
    assert node.chat(max_tokens=12, stop="never seen", stream=stream).text() == full


def test_two_choices(node):
    answer = node.chat(n=2, max_tokens=6)
    assert [one["index"] for one in answer.json()["choices"]] == [0, 1]
    assert answer.text(0) != answer.text(1) and answer.text(0) == node.chat(max_tokens=6).text()
    assert answer.json()["usage"]["completion_tokens"] == 12
    stream = node.chat(n=2, max_tokens=6, stream=True)
    assert all(len(one["choices"]) == 1 for one in stream.chunks())
    assert [stream.finish_reason(0), stream.finish_reason(1)] == ["length", "length"]


def test_embeddings(node):
    def embed(inputs):
        return node.request("POST", EMBEDDINGS, {"model": "tiny", "input": inputs}).json()

    both = embed(["one", "two"])
    assert both["object"] == "list" and [one["index"] for one in both["data"]] == [0, 1]
    assert both["data"][1]["embedding"] == embed("two")["data"][0]["embedding"] != both["data"][0]["embedding"]
    assert len(both["data"][0]["embedding"]) == 8
    assert both["usage"]["completion_tokens"] == 0 < both["usage"]["prompt_tokens"] == both["usage"]["total_tokens"]


BAD = {
    "no JSON": (CHAT, "{", None),
    "no messages": (CHAT, {}, "body.messages"),
    "messages that are no list": (CHAT, {"messages": "hi"}, "body.messages"),
    "a message without a role": (CHAT, {"messages": [{"content": "hi"}]}, "body.messages.role"),
    "no prompt": (COMPLETIONS, {}, "body.prompt"),
    "a prompt that is a number": (COMPLETIONS, {"prompt": 1}, "prompt"),
    "an id that is no token": (COMPLETIONS, {"prompt": [99]}, "prompt"),
    "no input": (EMBEDDINGS, {}, "body.input"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request(node, case):
    path, body, param = BAD[case]
    answer = node.request("POST", path, body)
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["code"] == 400 and error["param"] == param and error["message"]


def test_an_unknown_model_and_an_unknown_path(node):
    answer = node.chat(model="nope")
    assert answer.status == 404
    assert answer.json()["error"]["param"] == "model" and answer.json()["error"]["type"] == "NotFoundError"
    assert node.request("GET", "/nope").json() == {"detail": "Not Found"}
    assert node.request("GET", CHAT).status == 405


def test_the_last_request_can_be_looked_at(node):
    node.complete("Once upon", max_tokens=4)
    last = node.request("GET", "/control/last").json()
    assert last["path"] == COMPLETIONS
    assert json.loads(last["body"]) == {"model": "tiny", "prompt": "Once upon", "max_tokens": 4}
