"""kill -9 of one of three nodes under load, and its return."""

import time

import pytest
from demo.client import Question, Wave, ask
from demo.processes import eventually

CALLS, TOKENS, SEATS = 50, 24, 8
SLOW = ("--prefill-us-per-token", "1000", "--decode-us", "30000", "--max-num-seqs", str(SEATS))
CONFIG = """
[router]
strategy = "round_robin"

[health]
{health}

[breaker]
open = "{open}"
"""
NO_PROBES = "active = false"
PROBES = 'interval = "200ms"\ntimeout = "1s"\nhealthy_threshold = 2\nunhealthy_threshold = 2'
SLACK = 1.0  # seconds for a busy machine, on top of what is promised


def fleet(servers, config, *args):
    nodes = [servers.mock(name, *args) for name in ("a", "b", "c")]
    gateway = servers.gateway(nodes, config)
    return gateway, nodes[1]


def small_calls(gateway, count, label):
    return [ask(gateway.url, Question(f"{label}-{i}", f"{label} {i}", stream=i % 2 == 0, max_tokens=2))
            for i in range(count)]


def question(number):
    return Question(f"call-{number:02}", f"Question number {number}", stream=number % 2 == 0, max_tokens=TOKENS)


@pytest.fixture
def killed(servers):
    """Fifty calls in flight, half of them streamed; b dies while some of its streams have begun and others wait."""
    gateway, victim = fleet(servers, CONFIG.format(health=NO_PROBES, open="30s"), *SLOW)
    wave = Wave(gateway.url, [question(number) for number in range(CALLS)])

    def midway():
        early = any(answer.node == "b" and 0 < len(answer.text.split()) < TOKENS / 2 for answer in wave.answers)
        nodes = gateway.stats()["nodes"]
        held = next(node["in_flight"] for node in nodes if node["name"] == "b")
        return early and held >= SEATS + 4 and sum(node["requests"] for node in nodes) == CALLS

    eventually(midway, "all fifty were sent, a stream of b has begun and others wait there")
    victim.kill()
    eventually(lambda: gateway.node("b")["breaker"]["state"] == "open", "b is out", 1)
    return gateway, wave


def test_no_call_is_lost(killed):
    gateway, wave = killed
    answers = wave.wait()
    assert all(answer.whole() for answer in answers)
    begun = [answer for answer in answers if answer.node == "b" and answer.stream]
    retried = {line["request_id"] for line in gateway.log("attempt") if line["node"] == "b"}
    cut = [answer for answer in begun if answer.request_id in retried]
    saved = [answer for answer in answers if answer.request_id in retried and answer.node in ("a", "c")]
    assert cut, "a stream of b had begun when b died"
    assert saved, "other calls waited there"
    for answer in cut[:3] + saved[:3]:
        number = int(answer.request_id.removeprefix("call-"))
        assert answer.text == ask(gateway.node("a")["url"], question(number)).text


def test_a_dead_node_is_left_alone(killed):
    gateway, wave = killed
    wave.wait()
    asked = gateway.node("b")["requests"]
    assert all(answer.whole() and answer.node != "b" for answer in small_calls(gateway, 12, "after"))
    assert gateway.node("b")["requests"] == asked


def seconds_until_it_answers(gateway, name, limit):
    began = time.monotonic()
    count = 0

    def answered():
        nonlocal count
        count += 1
        answer = ask(gateway.url, Question(f"back-{count}", "Are you back?", max_tokens=2))
        assert answer.whole(), answer
        return answer.node == name

    eventually(answered, f"{name} answers again", limit)
    return time.monotonic() - began


def test_probes_bring_a_node_back(servers):
    gateway, victim = fleet(servers, CONFIG.format(health=PROBES, open="60s"))
    assert {answer.node for answer in small_calls(gateway, 6, "before")} == {"a", "b", "c"}
    victim.kill()
    assert all(answer.whole() for answer in small_calls(gateway, 12, "down"))
    assert gateway.node("b")["breaker"]["state"] == "open"  # for longer than this test takes
    eventually(lambda: not gateway.node("b")["healthy"], "probes find b dead")
    victim.start()
    assert seconds_until_it_answers(gateway, "b", 10) <= (2 + 1) * 0.2 + SLACK


def test_half_open_brings_a_node_back_without_probes(servers):
    gateway, victim = fleet(servers, CONFIG.format(health=NO_PROBES, open="1s"))
    victim.kill()
    assert all(answer.whole() for answer in small_calls(gateway, 12, "down"))
    assert gateway.node("b")["breaker"]["state"] == "open"
    victim.start()
    assert seconds_until_it_answers(gateway, "b", 10) <= 1 + SLACK
