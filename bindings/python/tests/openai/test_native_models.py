"""What native code builds and what it leaves to the SDK's constructor; that both build the same: test_equivalence.py."""

import concurrent.futures
import gc
import json
from typing import Literal

import openai
import pydantic
import pytest
from equal import differences
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion

from llmroute._native import Model
from llmroute._openai.models import model_of


class Inner(openai.BaseModel):
    n: int


class Outer(openai.BaseModel):
    text: str
    whole: int = 7
    real: float | None = None
    flag: bool | None = None
    word: Literal["a", "b"] | None = None
    inner: Inner | None = None
    items: list[Inner] | None = None
    names: list[list[str]] | None = None
    odd: dict[str, int] | None = None


def read(text):
    return model_of(Outer).read(text.encode())


@pytest.mark.parametrize(
    "members",
    [
        '"whole": 1, "real": 0.5, "flag": true, "word": "b"',
        '"real": 3',
        '"inner": {"n": 1}, "items": [{"n": 2}, {"n": 3}], "names": [["x"], [], ["y", "\\u00e9\\ud83d\\ude00"]]',
        '"real": null, "inner": null, "odd": null',
        '"more": {"x": [1, -1, 18446744073709551615, 1e3, true, null, "s", {}]}, "inner": {"n": 1, "beyond": []}',
        '"text": "said again", "whole": 1, "whole": 2',
    ],
)
def test_what_fits_is_as_the_constructor_has_it(members):
    text = '{"text": "t", %s}' % members
    made, stock = read(text), Outer.construct(**json.loads(text))
    assert made == stock
    assert made.model_dump() == stock.model_dump()
    assert list(made.model_dump()) == list(stock.model_dump())
    assert made.model_fields_set == stock.model_fields_set
    assert made.model_extra == stock.model_extra
    assert (made.inner is None) or made.inner.model_fields_set == stock.inner.model_fields_set
    assert made.model_copy(deep=True) == stock
    made.text = "set"
    assert made.text == "set"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"text": "t"} {}',
        '{"whole": 1}',
        '{"text": null}',
        '{"text": 1}',
        '{"text": "\\ud800"}',
        '{"text": "t", "whole": 1.0}',
        '{"text": "t", "whole": true}',
        '{"text": "t", "whole": null}',
        '{"text": "t", "whole": 123456789012345678901234567890}',
        '{"text": "t", "real": "1"}',
        '{"text": "t", "real": 9007199254740993}',
        '{"text": "t", "real": NaN}',
        '{"text": "t", "flag": 0}',
        '{"text": "t", "word": "c"}',
        '{"text": "t", "inner": []}',
        '{"text": "t", "inner": {"n": "1"}}',
        '{"text": "t", "items": {}}',
        '{"text": "t", "items": [{"n": 1}, null]}',
        '{"text": "t", "odd": {}}',
        '{"text": "t", "_fields_set": 1}',
        '{"text": "t", "inner": {"n": 1, "_fields_set": 1}}',
    ],
)
def test_what_does_not_fit_is_left_to_the_constructor(text):
    assert read(text) is None
    assert read('{"text": "next"}').text == "next"


def test_bytes_that_are_no_text_are_left_to_the_constructor():
    assert model_of(Outer).read(b'{"text": "\xff"}') is None


def test_large_texts_are_read_too():
    assert read(json.dumps({"text": "x" * 3_000_000})).text == "x" * 3_000_000


def test_the_collector_is_as_it_was():
    read('{"text": "t"}')
    assert gc.isenabled()
    gc.disable()
    try:
        read('{"text": "t"}')
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_nothing_is_collected_while_an_object_is_made():
    """The collector runs other people's code."""
    text = json.dumps({"text": "t", "items": [{"n": n} for n in range(3000)]})
    told = []
    gc.callbacks.append(lambda phase, info: told.append(phase))
    try:
        made = read(text)
    finally:
        gc.callbacks.pop()
    assert len(made.items) == 3000
    assert told.count("start") <= 1  # before it, or after


def test_threads_read_at_once():
    text = json.dumps({"text": "t", "items": [{"n": n} for n in range(50)]})
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: read(text).items[49].n, range(1000))) == [49] * 1000


def aliased():
    class Aliased(openai.BaseModel):
        text: str = pydantic.Field(alias="Text")

    return Aliased


def validated():
    class Validated(openai.BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def upper(cls, text):
            return text.upper()

    return Validated


def private():
    class Private(openai.BaseModel):
        text: str
        _mine: int = 1

    return Private


def made_anew():
    class MadeAnew(openai.BaseModel):
        items: list[int] = pydantic.Field(default_factory=list)

    return MadeAnew


def shared():
    class Shared(openai.BaseModel):
        items: list[int] = []

    return Shared


def strict():
    class Strict(pydantic.BaseModel):
        text: str

    return Strict


def constructed_otherwise():
    class Otherwise(openai.BaseModel):
        @classmethod
        def construct(cls, _fields_set=None, **values):
            return super().construct(_fields_set, **values)

    return Otherwise


def stripped():
    class Stripped(openai.BaseModel):
        model_config = pydantic.ConfigDict(str_strip_whitespace=True)
        text: str | None = None

    return Stripped


def initialised():
    class Initialised(openai.BaseModel):
        def __init__(self, **values):
            super().__init__(**values)

    return Initialised


@pytest.mark.parametrize(
    "make", [aliased, validated, private, made_anew, shared, strict, constructed_otherwise, stripped, initialised]
)
def test_models_that_are_more_than_their_fields_are_left_to_the_constructor(make):
    assert model_of(make()) is None


class Node(openai.BaseModel):
    name: str
    within: "Node | None" = None
    bare: list | None = None


def test_models_within_themselves_are_left_to_the_constructor_from_the_second_on():
    model = model_of(Node)
    assert model.read(b'{"name": "n", "within": null}').name == "n"
    assert model.read(b'{"name": "n", "within": {"name": "m"}}') is None
    assert model.read(b'{"name": "n", "bare": []}') is None


def answer_with(tool_call):
    message = {"role": "assistant", "content": None, "tool_calls": [tool_call]}
    return {
        "id": "a",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}],
    }


@pytest.mark.parametrize(
    "tool_call",
    [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "beyond": 1},
        {"type": "custom", "id": "1", "custom": {"name": "f", "input": "x", "beyond": 1}},
    ],
)
def test_tool_calls_of_either_kind_are_built(tool_call):
    answer = answer_with(tool_call)
    made = model_of(ChatCompletion).read(json.dumps(answer).encode())
    stock = ChatCompletion.construct(**answer)
    assert differences(made, stock) == []
    assert type(made.choices[0].message.tool_calls[0]) is type(stock.choices[0].message.tool_calls[0])


def test_a_tool_call_of_neither_kind_is_left_to_the_constructor():
    answer = answer_with({"id": "1", "type": "other", "function": {"name": "f", "arguments": "{}"}})
    assert model_of(ChatCompletion).read(json.dumps(answer).encode()) is None


def test_what_is_nested_too_deep_for_the_stack_is_left_to_the_constructor():
    assert read('{"text": "t", "x": %s}' % ("[" * 200 + "]" * 200)).model_extra
    assert read('{"text": "t", "x": %s}' % ("[" * 300 + "]" * 300)) is None


def test_embeddings_in_base64_are_text_where_they_are_asked_for_so():
    text = json.dumps(
        {
            "object": "list",
            "model": "m",
            "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
    ).encode()
    assert model_of(CreateEmbeddingResponse).read(text) is None
    assert model_of(CreateEmbeddingResponse, embedding=str).read(text).data[0].embedding == "AACAPw=="


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ([("x", dict, None, True, False)], "not a kind of value: <class 'dict'>"),
        ([(f"x{n}", str, None, True, False) for n in range(65)], "a model of more than 64 fields"),
    ],
)
def test_what_no_model_is_made_of(fields, says):
    with pytest.raises(TypeError, match=says):
        Model(Outer, fields)
