"""Replies as nodes give them: captured ones, ones made by hand, and those changed at random."""

import copy
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[4]
CAPTURES = ROOT / "tests" / "data" / "captures"


def captured(pattern):
    """Status and body of the captures whose names match, by name."""
    found = {}
    for path in sorted(CAPTURES.glob(pattern)):
        head, _, body = path.read_bytes().replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
        found[path.stem] = int(head.split()[1]), body
    assert found, pattern
    return found


def events(body):
    """The data of a captured stream's events, without [DONE]."""
    lines = [line[6:] for line in body.splitlines() if line.startswith(b"data: ")]
    return [line for line in lines if line != b"[DONE]"]


USAGES = [
    None,
    {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": None},
    {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1, "accepted_prediction_tokens": None},
    },
    {"prompt_tokens": 1.0, "completion_tokens": "2", "total_tokens": 3, "cost": 0.25},
    {},
    [],
]

LOGPROB = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -2.5, "bytes": None}]}

MESSAGES = [
    {"role": "assistant", "content": "text"},
    {"role": "assistant", "content": None, "refusal": "I will not"},
    {
        "role": "assistant",
        "content": "ü \U0001f600 \u0000",
        "annotations": [],
        "audio": None,
        "function_call": None,
        "reasoning": "so",
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
    {"role": "assistant", "tool_calls": [{"id": "1", "type": "odd", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}, None]},
    {
        "role": "assistant",
        "content": "x",
        "annotations": [
            {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}}
        ],
    },
    {"role": "tool", "content": ["parts"]},
    {},
    "text",
    None,
]

CHOICES = [
    *({"index": 0, "message": message, "finish_reason": "stop"} for message in MESSAGES),
    {"index": 0, "message": MESSAGES[0], "finish_reason": "abort", "stop_reason": None},
    {"index": True, "message": MESSAGES[0], "finish_reason": None},
    {
        "index": "0",
        "message": MESSAGES[0],
        "finish_reason": "length",
        "logprobs": {"content": [LOGPROB], "refusal": None},
    },
    {
        "index": 0.0,
        "message": MESSAGES[0],
        "finish_reason": "stop",
        "logprobs": {"content": [{**LOGPROB, "top_logprobs": None}]},
    },
]


def chat(choices, **fields):
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "tiny", "choices": choices, **fields}


def made_answers():
    """Plain chat answers."""
    yield from (chat([choice]) for choice in CHOICES)
    yield from (chat([CHOICES[0]], usage=usage) for usage in USAGES)
    yield chat([CHOICES[0], {**CHOICES[3], "index": 1}])
    yield chat([])
    yield chat(None)
    yield chat({})
    yield chat([CHOICES[0]], service_tier="platinum", system_fingerprint=None)
    yield chat(
        [CHOICES[0]], object="chat.completion.v2", metadata={"a": "b"}, unknown={"deep": [1, 2.0, None, {"x": True}]}
    )
    yield chat([CHOICES[0]], created=1.5, model=None, id=7)
    yield chat([CHOICES[0]], big=10**30, tiny=1e-320, negative=-0.0, exponent=1e5, model_config={"x": 1}, _hidden=1)
    yield {"choices": [CHOICES[0]]}


def made_chunks():
    """Chunks of a chat stream."""
    for answer in made_answers():
        chunk = json.loads(
            json.dumps(answer).replace('"message"', '"delta"').replace("chat.completion", "chat.completion.chunk")
        )
        yield chunk
    yield chat(
        [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}}],
        object="chat.completion.chunk",
    )
    yield chat(
        [{"index": 0, "delta": {"content": ""}, "token_ids": [1, 2]}],
        object="chat.completion.chunk",
        prompt_token_ids=None,
    )


def made_texts():
    """Answers of /v1/completions; its chunks have the same form."""
    logprobs = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{"a": -1}], "text_offset": [0]}
    for choice in (
        {"index": 0, "text": "t", "finish_reason": "stop", "logprobs": None},
        {"index": 0, "text": "t", "finish_reason": None, "logprobs": logprobs, "prompt_logprobs": None},
        {"index": 0, "text": None, "finish_reason": "cancelled"},
    ):
        yield {
            "id": "t",
            "object": "text_completion",
            "created": 1,
            "model": "tiny",
            "choices": [choice],
            "usage": USAGES[1],
        }


SCALARS = [
    None,
    True,
    False,
    0,
    -1,
    7,
    2**63,
    1.0,
    1.5,
    -0.0,
    1e300,
    "",
    "0",
    "stop",
    "assistant",
    "function",
    "ü\u2028",
    [],
    {},
    [None],
    [{}],
]


def changed(value, rng):
    """A copy with something put in, taken out or replaced anywhere."""
    value = copy.deepcopy(value)
    place = value
    while True:
        inner = [
            item
            for item in (place.values() if isinstance(place, dict) else place)
            if isinstance(item, (dict, list)) and item
        ]
        if not inner or rng.random() < 0.3:
            break
        place = rng.choice(inner)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    if isinstance(place, dict) and (not keys or rng.random() < 0.2):
        place[rng.choice(["extra", "index", "role", "refusal", "type", "logprobs", "usage"])] = rng.choice(SCALARS)
    elif keys and rng.random() < 0.2:
        del place[rng.choice(keys)]
    elif keys:
        place[rng.choice(keys)] = rng.choice(SCALARS)
    return value
