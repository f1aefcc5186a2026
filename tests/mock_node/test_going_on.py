"""An answer that is gone on with: by token ids, by the text so far. The joined answer is the one nobody cut."""

import pytest
from mock_node_server import CHAT

ASCII, WIDE = "Tell me a story", "Erzähl mir etwas über größe 日本"
CONVERSATION = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"},
                {"role": "assistant", "content": "light river "}, {"role": "user", "content": "go on"}]
PROMPTS = {"ascii": ASCII, "wide": WIDE, "conversation": CONVERSATION}


@pytest.fixture(params=PROMPTS)
def prompt(request):
    return PROMPTS[request.param]


def messages(prompt):
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


def whole_tokens(node, prompt, **fields):
    """A whole stream: (prompt's ids, answer's ids, text)."""
    answer = node.chat(prompt, stream=True, return_token_ids=True, **fields)
    return answer.prompt_token_ids(), answer.token_ids(), answer.text()


def test_the_shape_of_a_streamed_chat(node):
    role, *rest = node.chat(stream=True, return_token_ids=True, max_tokens=4).chunks()
    assert role["prompt_token_ids"] and "token_ids" not in role["choices"][0]
    assert role["prompt_text"] is None
    assert all("prompt_token_ids" not in one for one in rest)
    assert [len(one["choices"][0]["token_ids"]) for one in rest] == [1] * 4


def test_without_being_asked_for_ids_are_null(node):
    role, *rest = node.chat(stream=True, max_tokens=4).chunks()
    assert role["prompt_token_ids"] is None and {one["choices"][0]["token_ids"] for one in rest} == {None}


def test_the_shape_of_a_streamed_completion(node):
    first, *rest = node.complete("hello", stream=True, return_token_ids=True, max_tokens=4).chunks()
    assert first["choices"][0]["prompt_token_ids"] and "prompt_token_ids" not in first
    assert {one["choices"][0]["prompt_token_ids"] for one in rest} == {None}
    assert [len(one["choices"][0]["token_ids"]) for one in [first, *rest]] == [1] * 4


def test_plain_answers_have_the_ids_of_streamed_ones(node, prompt):
    asked, said, text = whole_tokens(node, prompt)
    plain = node.chat(prompt, return_token_ids=True).json()
    assert plain["prompt_token_ids"] == asked and plain["choices"][0]["token_ids"] == said
    assert plain["choices"][0]["message"]["content"] == text
    completion = node.complete(asked, return_token_ids=True, max_tokens=None).json()["choices"][0]
    assert completion["prompt_token_ids"] == asked and completion["token_ids"] == said
    assert completion["text"] == text


@pytest.mark.parametrize("stream", [False, True])
def test_from_every_token_the_rest_is_the_same(node, start, prompt, stream):
    other = start()
    asked, said, text = whole_tokens(node, prompt)
    for k in range(len(said)):
        before = node.chat(prompt, stream=True, model=f"fault:cut=end,tokens={k}", return_token_ids=True)
        assert before.token_ids() == said[:k]
        ids = asked + said[:k]
        rest = other.complete([ids] if k % 2 else ids, stream=stream, return_token_ids=True, max_tokens=None)
        given = rest.token_ids() if stream else rest.json()["choices"][0]["token_ids"]
        assert given == said[k:] and before.text() + rest.text() == text
        assert (rest.choices()[-1] if stream else rest.json()["choices"][0])["finish_reason"] == "stop"


def test_three_cuts_and_the_answer_is_whole(start):
    node = start("--answer-tokens", "24", "--fault", "cut=fin,tokens=5;cut=rst,tokens=5;cut=end,tokens=5")
    asked, said, text = whole_tokens(start(), WIDE)
    answer = node.chat(WIDE, stream=True, return_token_ids=True)
    ids, out = answer.token_ids(), answer.text()
    for _ in range(3):
        answer = node.complete(asked + ids, stream=True, return_token_ids=True, max_tokens=1000)
        ids, out = ids + answer.token_ids(), out + answer.text()
    assert ids == said and out == text and answer.finish_reason() == "stop" and answer.done()


def test_max_tokens_goes_down_by_what_was_said(node):
    asked, said, text = whole_tokens(node, ASCII, max_tokens=40)
    rest = node.complete(asked + said[:15], max_tokens=25, return_token_ids=True).json()
    assert rest["choices"][0]["token_ids"] == said[15:] and rest["choices"][0]["finish_reason"] == "length"
    assert rest["usage"] == {"prompt_tokens": len(asked) + 15, "completion_tokens": 25,
                             "total_tokens": len(asked) + 40}


def test_a_text_completion_goes_on_by_ids_too(node):
    whole = node.complete(WIDE, max_tokens=20, stream=True, return_token_ids=True)
    asked, said = whole.choices()[0]["prompt_token_ids"], whole.token_ids()
    for k in range(1, 20):
        rest = node.complete(asked + said[:k], max_tokens=20 - k, stream=True, return_token_ids=True)
        assert rest.token_ids() == said[k:]


def test_tokens_can_end_within_a_character(node):
    answer = node.chat(WIDE, max_tokens=200, stream=True, return_token_ids=True)
    pieces = [(one["token_ids"], one["delta"]["content"]) for one in answer.choices()[1:]]
    held = [i for i, (ids, text) in enumerate(pieces) if ids and not text]
    assert held and all(len(ids) == 1 for ids, _ in pieces)
    assert any(ord(letter) > 0x7f for letter in answer.text()) and "\ufffd" not in answer.text()
    assert all(text for _, text in (pieces[i + 1] for i in held if i + 1 not in held and i + 1 < len(pieces)))
    assert all(text for _, text in [(one["token_ids"], one["delta"]["content"]) for one in
                                    node.chat(ASCII, max_tokens=200, stream=True).choices()[1:]])


def test_half_a_character_at_the_end_is_not_shown(node):
    texts = [node.chat(WIDE, max_tokens=n).text() for n in range(1, 30)]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:]))
    assert any(earlier == later for earlier, later in zip(texts, texts[1:]))


def go_on(node, prompt, text, **fields):
    return node.chat([*messages(prompt), {"role": "assistant", "content": text}],
                     add_generation_prompt=False, continue_final_message=True, **fields)


def test_from_every_character_the_rest_is_the_same(node, prompt):
    text = node.chat(prompt).text()
    for at in range(len(text) + 1):
        rest = go_on(node, prompt, text[:at], return_token_ids=True)
        assert text[:at] + rest.text() == text, at
        assert rest.json()["choices"][0]["finish_reason"] == "stop"
    stream = go_on(node, prompt, text[:20], stream=True)
    assert text[:20] + stream.text() == text and stream.done()
    assert stream.choices()[0]["delta"] == {"role": "assistant", "content": ""}


def test_text_and_then_ids(node):
    text = node.chat(WIDE).text()
    half = go_on(node, WIDE, text[:21], stream=True, return_token_ids=True, max_tokens=5)
    ids = half.prompt_token_ids() + half.token_ids()
    assert text[:21] + half.text() + node.complete(ids, max_tokens=None).text() == text


def test_a_text_that_is_no_beginning_is_gone_on_with_somehow(node):
    one, same, other = (go_on(node, ASCII, text).text() for text in ("Well,", "Well,", "No,"))
    assert one == same != other and one != node.chat(ASCII).text()


def test_inviting_and_going_on_exclude_each_other(node):
    conversation = [*messages(ASCII), {"role": "assistant", "content": "Well,"}]
    answer = node.chat(conversation, continue_final_message=True)
    assert answer.status == 400 and "continue_final_message" in answer.json()["error"]["message"]


def test_stop_strings_after_going_on(node):
    asked, said, text = whole_tokens(node, ASCII)
    stop = text.split()[20]
    cut = text.index(stop) if text.index(stop) > 60 else None
    rest = node.complete(asked + said[:20], stop=stop, max_tokens=None).json()["choices"][0]
    assert rest["stop_reason"] == stop and rest["text"] == ""
    assert cut is None or node.chat(ASCII, stop=stop).text() == text[:cut]
