"""Tool calls and thoughts, as vLLM streams them."""

import json

import pytest

ARGUMENTS = {"city": {"type": "string"}, "days": {"type": "integer"}, "wind": {"type": "boolean"}}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Wie ist das Wetter?",
                                            "parameters": {"type": "object", "properties": ARGUMENTS}}}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}


def test_a_streamed_call(node):
    answer = node.chat(stream=True, tools=[WEATHER, CLOCK])
    deltas = [one["delta"] for one in answer.choices()]
    assert deltas[0] == {"role": "assistant", "content": ""}
    [head] = deltas[1]["tool_calls"]
    assert head["index"] == 0 and head["type"] == "function" and head["id"].startswith("chatcmpl-tool-")
    assert head["function"] == {"name": "get_weather"}
    pieces = [one["tool_calls"][0] for one in deltas[2:] if "tool_calls" in one]
    assert len(pieces) > 3 and all(set(one) == {"index", "function"} for one in pieces)
    arguments = json.loads("".join(one["function"]["arguments"] for one in pieces))
    assert {name: type(value) for name, value in arguments.items()} == {"city": str, "days": int, "wind": bool}
    assert answer.finish_reason() == "tool_calls" and answer.text() == "" and answer.done()


def test_a_plain_call_is_the_same(node, start):
    stream, [choice] = node.chat(stream=True, tools=[WEATHER]), start().chat(tools=[WEATHER]).json()["choices"]
    pieces = [one["delta"]["tool_calls"][0] for one in stream.choices() if "tool_calls" in one["delta"]]
    [call] = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    assert call["id"] == pieces[0]["id"] and call["function"]["name"] == "get_weather"
    assert call["function"]["arguments"] == "".join(one["function"].get("arguments", "") for one in pieces)


def test_which_tool(node):
    named = node.chat(tools=[WEATHER, CLOCK], tool_choice={"type": "function", "function": {"name": "get_time"}})
    [call] = named.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "get_time", "arguments": "{}"}
    for fields in ({"tools": []}, {"tools": [WEATHER], "tool_choice": "none"}):
        assert node.chat(**fields).text() == node.chat().text()


def test_what_a_tool_returned_is_answered_in_words(node):
    call = {"id": "x", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    conversation = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": None, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "x", "content": "rain"}]
    answer = node.chat(conversation, tools=[WEATHER]).json()["choices"][0]
    assert answer["finish_reason"] == "stop" and answer["message"]["content"]


def test_a_call_that_max_tokens_cuts(node):
    for most in range(1, 30):
        answer = node.chat(tools=[WEATHER], max_tokens=most, stream=True, return_token_ids=True)
        assert len(answer.token_ids()) <= most and answer.done()
        assert answer.finish_reason() == ("tool_calls" if answer.token_ids()[-1] == 0 else "length")


def test_a_call_by_ids_is_the_text_of_the_call(node):
    answer = node.chat(tools=[WEATHER], stream=True, return_token_ids=True)
    asked, said = answer.prompt_token_ids(), answer.token_ids()
    text = node.complete(asked, max_tokens=None).text()
    assert text.startswith('<tool_call>{"name": "get_weather", "arguments": {') and text.endswith("}}</tool_call>")
    rest = node.complete(asked + said[:20], max_tokens=None, return_token_ids=True).json()["choices"][0]
    assert rest["token_ids"] == said[20:] and text.endswith(rest["text"])


def test_a_call_can_be_cut(node):
    answer = node.chat(tools=[WEATHER], stream=True, model="fault:cut=end,tokens=20", return_token_ids=True)
    assert len(answer.token_ids()) == 20 and not answer.done() and answer.finish_reason() is None


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_come_before_content(start, field):
    node = start("--reasoning-field", field)
    stream = node.chat(model="tiny-think", stream=True)
    keys = [next(iter(one["delta"])) for one in stream.choices()[1:]]
    assert keys == sorted(keys, reverse=True) and set(keys) == {field, "content"}
    thought = "".join(one["delta"].get(field, "") for one in stream.choices())
    message = node.chat(model="tiny-think").json()["choices"][0]["message"]
    assert message[field] == thought != "" and message["content"] == stream.text() != ""
    assert node.chat().json()["choices"][0]["message"][field] is None


def test_thoughts_go_on_by_ids_and_contents_by_text(node):
    whole = node.chat("größe", model="tiny-think", stream=True, return_token_ids=True)
    asked, said, text = whole.prompt_token_ids(), whole.token_ids(), whole.text()
    for k in range(len(said)):
        rest = node.complete(asked + said[:k], model="tiny-think", max_tokens=None, return_token_ids=True)
        assert rest.json()["choices"][0]["token_ids"] == said[k:]
    begun = [{"role": "user", "content": "größe"}, {"role": "assistant", "content": text[:10]}]
    rest = node.chat(begun, model="tiny-think", add_generation_prompt=False, continue_final_message=True)
    assert text[:10] + rest.text() == text
    assert rest.json()["choices"][0]["message"]["reasoning_content"] is None
