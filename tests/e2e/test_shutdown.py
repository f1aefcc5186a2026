"""SIGTERM: nothing new is taken, what runs is finished, exit code 0."""

import signal

from demo.client import Question, Wave
from demo.processes import eventually
from demo.servers import fetch

PACED = ("--prefill-us-per-token", "0", "--decode-us", "20000")  # fifty tokens take a second


def refuses(gateway):
    try:
        fetch(gateway.url + "/livez")
    except OSError:
        return True
    return False


def test_running_calls_are_finished(servers):
    gateway = servers.gateway([servers.mock("a", *PACED), servers.mock("b", *PACED)])
    wave = Wave(gateway.url, [Question(f"call-{i}", f"Question {i}", stream=i < 20, max_tokens=50) for i in range(25)])

    def all_run():
        begun = [answer for answer in wave.answers if answer.stream and answer.text]
        return len(begun) == 20 and sum(node["in_flight"] for node in gateway.stats()["nodes"]) == 25

    eventually(all_run, "all run, and the twenty streams have begun")
    gateway.signal(signal.SIGTERM)
    eventually(lambda: refuses(gateway), "it takes nothing new")
    assert all(answer.whole() for answer in wave.wait())
    assert gateway.process.wait(10) == 0


def test_an_idle_gateway_ends_at_once(servers):
    gateway = servers.gateway([servers.mock("a")])
    fetch(gateway.url + "/livez")
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(2) == 0
