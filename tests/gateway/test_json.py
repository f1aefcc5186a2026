"""Bodies that are no JSON, or JSON of the wrong kind, sent as raw bytes: refused by field, and no node sees them."""

import json
import re

import pytest
from admin_client import ADMIN_KEY, Admin, WITH_STORE
from fake_node import completion
from gateway_server import CHAT
from raw_caller import RawCaller

GOOD = b'{"model":"tiny","messages":[{"role":"user","content":"hi"}]}'
AFTER = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"  # shows where the body was taken to end
PATHS = [CHAT, "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/rerank", "/v1/moderations",
         "/v1/audio/speech", "/v1/images/generations"]


def also(fields):
    """A good body with these, too."""
    return GOOD[:-1] + b"," + fields + b"}"


def without(name, fields=b""):
    """A good body, but of this field it has what is given."""
    kept = {key: value for key, value in json.loads(GOOD).items() if key != name}
    body = json.dumps(kept).encode()
    return body[:-1] + b"," + fields + b"}" if fields else body


def said(content):
    return GOOD.replace(b"hi", content)


def nested(levels, opening=b"[", closing=b"]"):
    return also(b'"x":' + opening * levels + b"1" + closing * levels)


WRONG_KINDS = {
    "model": [b"7", b"true", b"[]", b'["tiny"]', b"{}"],
    "messages": [b'"hi"', b"7", b"true", b"null", b"{}", b'["hi"]', b"[[]]", b"[null]", b'[{"role":"user"},7]'],
    "stream": [b'"true"', b'"false"', b"1", b"0", b"[]", b"{}"],
    "stream_options": [b'"x"', b"[]", b"true"],
    "max_tokens": [b'"9"', b"true", b"[9]", b"{}"],
    "temperature": [b'"0.5"', b"false", b"[]"],
    "n": [b'"1"', b"true"],
    "user": [b"7", b"[]"],
}
WRONG_FIELDS = {
    **{f"{name} is {value.decode()}": (without(name, b'"%s":%s' % (name.encode(), value)), name)
       for name, values in WRONG_KINDS.items() for value in values},
    "no messages": (without("messages"), "messages"),
    **{f"{name} twice": (also(text), name) for name, text in {
        "model": b'"model":"tiny"', "messages": b'"messages":[]', "stream": b'"stream":false,"stream":true',
        "max_tokens": b'"max_tokens":1,"max_tokens":1'}.items()},
    "model twice, once in escapes": (also(b'"mod\\u0065l":"other"'), "model"),
    "stream twice, both in escapes": (also(b'"\\u0073tream":false,"strea\\u006d":true'), "stream"),
    "model in other letters": (also(b'"Model":"other"'), "model"),
}

BROKEN = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "NUL": b"\0",
    "an open brace": b"{",
    "cut in a name": GOOD[:5],
    "cut in a text": GOOD[:12],
    "cut before the end": GOOD[:-1],
    "an array": b"[" + GOOD + b"]",
    "a text": b'"tiny"',
    "a number": b"7",
    "null": b"null",
    "a comma too many": GOOD[:-1] + b",}",
    "no comma": GOOD[:-1] + b'"x":1}',
    "no colon": also(b'"x" 1'),
    "a name without quotes": also(b"x:1"),
    "single quotes": GOOD.replace(b'"', b"'"),
    "a comment": also(b'"x":1/*y*/'),
    "a brace behind": GOOD + b"}",
    "a letter behind": GOOD + b"x",
    "NUL behind": GOOD + b"\0",
    "another document behind": GOOD + GOOD,
    "another document on the next line": GOOD + b"\n" + GOOD,
    "a request behind": GOOD + AFTER,
    **{f"the word {word.decode()}": also(b'"x":' + word)
       for word in (b"tru", b"True", b"nul", b"None", b"undefined", b"truefalse", b"x")},
    **{f"the number {number.decode()}": also(b'"x":' + number)
       for number in (b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"1.", b"1e", b"0x10", b"-", b"1_0",
                      b"1e400", b"-1e400", b"1e99999999999999999999")},
    "a number of 5,000 digits": also(b'"x":' + b"9" * 5000),
    "max_tokens beyond all numbers": also(b'"max_tokens":' + b"9" * 400),
    **{f"surrogates {text.decode()}": said(text)
       for text in (b"\\ud800", b"\\udc00", b"\\udc00\\ud800", b"\\ud800\\ud800", b"\\ud800x", b"\\ud800\\n", b"\\ud800\\u0041")},
    "a lone surrogate as model": GOOD.replace(b"tiny", b"\\udfff"),
    "a lone surrogate in a name": also(b'"\\ud800":1'),
    **{f"escape {text.decode()}": said(text) for text in (b"\\x41", b"\\u12", b"\\u12g4", b"\\a", b"\\'")},
    **{f"in a text the byte {byte:02x}": said(b"a%cb" % byte) for byte in (0, 1, 8, 9, 10, 13, 31)},
    "in a name the byte 00": also(b'"x\0":1'),
    "between values the byte 00": also(b'\0"x":1'),
    **{f"not UTF-8: {text.hex()}": said(text)
       for text in (b"\xff", b"\xfe", b"\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe2\x82", b"\xe2\x28\xa1",
                    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80")},
    "a name that is not UTF-8": also(b'"\xff":1'),
    "a model that is not UTF-8": GOOD.replace(b"tiny", b"tin\xff"),
    "bytes beside values that are not UTF-8": also(b'\xc3\xa4"x":1'),
    "a byte order mark before": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "1,100 arrays": nested(1100),
    "10,000 arrays": nested(10_000),
    "10,000 objects": nested(10_000, b'{"a":', b"}"),
    "10,000 of both": nested(5_000, b'[{"a":', b"}]"),
    "10,000 arrays as messages": without("messages", b'"messages":' + b"[" * 10_000 + b"]" * 10_000),
    "a million arrays without an end": also(b'"x":' + b"[" * 1_000_000),
    "10,000 arrays and nothing else": b"[" * 10_000 + b"]" * 10_000,
}

TAKEN = {
    "as it is": GOOD,
    "blanks around": b" \r\n\t" + GOOD + b" \r\n\t",
    "1,000 arrays": nested(1000),
    "a pair of surrogates": said(b"\\ud83d\\ude00"),
    "four bytes of UTF-8": said("\U0001f600".encode()),
    "escapes": said(b'\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e4'),
    "the largest numbers": also(b'"x":[18446744073709551615,-9223372036854775808,1.7e308,1e-400]'),
    "fields that are null": also(b'"stream":null,"max_tokens":null,"user":null'),
    "a name twice that nobody here reads": also(b'"x":1,"x":2'),
}


@pytest.fixture(scope="module")
def shared(shared):
    shared.node.handler = lambda _, connection: connection.answer(200, completion())  # without a look at the body
    return shared


def by_length(body):
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def in_chunks(body):
    halves = [half for half in (body[:len(body) // 2], body[len(body) // 2:]) if half]
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(half), half) for half in halves) + b"0\r\n\r\n"


def post(gateway, body, path=CHAT, framed=by_length, fields=b""):
    """The answer to it, status and JSON; a request behind it on the same connection is answered as well."""
    caller = RawCaller(gateway)
    caller.sock.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\n%s%s%s" % (path.encode(), fields, framed(body), AFTER))
    data = caller.read_to_end()
    caller.close()
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        size = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1])
        found.append((int(head[9:12]), json.loads(rest[:size])))
        data = rest[size:]
    (status, answer), after = found
    assert after == (200, {"status": "ok"})
    return status, answer


def is_refused(answer, param):
    status, body = answer
    assert status == 400 and set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["type"] == "invalid_request_error" and body["error"]["param"] == param
    return True


@pytest.mark.parametrize("framed", [by_length, in_chunks])
@pytest.mark.parametrize("name", WRONG_FIELDS)
def test_a_field_of_the_wrong_kind_is_named(shared, name, framed):
    body, param = WRONG_FIELDS[name]
    before = len(shared.node.requests)
    assert is_refused(post(shared, body, framed=framed), param)
    assert len(shared.node.requests) == before


@pytest.mark.parametrize("framed", [by_length, in_chunks])
@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_json_is_refused_on_every_path(shared, path, framed):
    before = len(shared.node.requests)
    for name, body in BROKEN.items():
        assert is_refused(post(shared, body, path, framed), None), name
    assert len(shared.node.requests) == before


@pytest.mark.parametrize("framed", [by_length, in_chunks])
@pytest.mark.parametrize("name", TAKEN)
def test_good_json_reaches_the_node_as_it_is(shared, name, framed):
    status, _ = post(shared, TAKEN[name], framed=framed)
    assert status == 200 and shared.node.requests[-1].body == TAKEN[name]


def test_nor_does_the_admin_api_take_what_is_no_json(start):
    gateway = start(config=WITH_STORE)
    for path in ("/admin/v1/models", "/admin/v1/keys"):
        for name, body in BROKEN.items():
            assert is_refused(post(gateway, body, path, fields=f"X-Admin-Key: {ADMIN_KEY}\r\n".encode()), None), name
        assert Admin(gateway).want(200, "GET", path.removeprefix("/admin/v1")) == []
