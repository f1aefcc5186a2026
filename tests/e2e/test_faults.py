"""What nodes do wrong, through the gateway, with a second node that is well.

The caller gets a whole answer. Where a stream that has begun is not to go on elsewhere it ends with the typed error:
never with a faked end.
"""

import pytest
from demo.client import Question, ask

CALLS = 4  # round robin: two of them begin at the bad node
CONFIG = """
[router]
strategy = "round_robin"

[timeouts]
first_content = "300ms"
response = "500ms"
idle = "500ms"

[health]
active = false
"""

# As the mock node's --fault takes them.
BEFORE_CONTENT = {
    "503": "status=503",
    "429 with Retry-After": "status=429,retry_after=1",
    "reset before the headers": "reset=0",
    "closed before the headers": "close=0",
    "silence": "stall=headers",
    "200 that is not JSON": "garbage=text",
    "a web page with 200": "garbage=html",
    "an error object in a 200": "garbage=error",
}


@pytest.fixture
def pair(servers):
    """pair(fault): a gateway in front of a bad and a good node, and the good node."""
    def start(fault, config=CONFIG):
        bad, good = servers.mock("bad", "--fault", fault), servers.mock("good")
        return servers.gateway([bad, good], config), good

    return start


def four(gateway, stream):
    return [ask(gateway.url, Question(f"call-{i}", f"Question {i}", stream=stream)) for i in range(CALLS)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", BEFORE_CONTENT)
def test_a_failure_before_the_first_text_is_not_seen(pair, fault, stream):
    gateway, good = pair(BEFORE_CONTENT[fault])
    for i, answer in enumerate(four(gateway, stream)):
        assert answer.whole() and answer.node == "good", answer
        assert answer.text == ask(good.url, Question("x", f"Question {i}")).text
    failed = gateway.log("attempt")
    assert failed and {line["node"] for line in failed} == {"bad"}


STREAMS_ONLY = {
    "an error event first": "garbage=error-event",
    "silence after the headers": "stall=content",
}


@pytest.mark.parametrize("fault", STREAMS_ONLY)
def test_a_stream_that_has_not_begun_goes_elsewhere(pair, fault):
    gateway, good = pair(STREAMS_ONLY[fault])
    for i, answer in enumerate(four(gateway, stream=True)):
        assert answer.whole() and answer.node == "good", answer
        assert answer.text == ask(good.url, Question("x", f"Question {i}")).text
    assert {line["node"] for line in gateway.log("attempt")} == {"bad"}


AFTER_CONTENT = {
    "closed after some events": "close_events=4",
    "reset after some bytes": "reset=1200",
    "silence in the middle": "stall=middle",
}


@pytest.mark.parametrize("fault", AFTER_CONTENT)
def test_a_stream_that_has_begun_goes_on_elsewhere(pair, fault):
    gateway, good = pair(AFTER_CONTENT[fault])
    answers = four(gateway, stream=True)
    assert "bad" in {answer.node for answer in answers}  # as the head says: it began there
    for i, answer in enumerate(answers):
        assert answer.whole() and answer.text == ask(good.url, Question("x", f"Question {i}")).text


@pytest.mark.parametrize("fault", AFTER_CONTENT)
def test_a_stream_that_has_begun_ends_with_a_typed_error(pair, fault):
    gateway, good = pair(AFTER_CONTENT[fault], CONFIG.replace("[router]", '[router]\nresume = "off"'))
    answers = four(gateway, stream=True)
    assert {answer.node for answer in answers} == {"bad", "good"}
    for i, answer in enumerate(answers):
        full = ask(good.url, Question("x", f"Question {i}")).text
        if answer.node == "good":
            assert answer.whole() and answer.text == full
            continue
        assert answer.text and full.startswith(answer.text) and answer.text != full
        assert "stream_interrupted" in answer.problem
        assert not answer.done and not answer.finish_reason


def test_a_plain_answer_that_is_cut_is_asked_for_again(pair):
    gateway, good = pair("close=100")
    for answer in four(gateway, stream=False):
        assert answer.whole() and answer.node == "good", answer
    assert {line["node"] for line in gateway.log("attempt")} == {"bad"}


def test_when_every_node_fails_the_error_is_typed(servers):
    nodes = [servers.mock(name, "--fault", "status=503") for name in ("one", "two")]
    gateway = servers.gateway(nodes, CONFIG)
    for stream in (False, True):
        answer = ask(gateway.url, Question("call", "Question", stream=stream))
        assert answer.status == 502 and not answer.text and "upstream_error" in answer.problem, answer
