"""What a person gets wrong is named: in a configuration file by file, line and key, in a request by its field."""

import http.client
import json
import subprocess
import urllib.parse

import pytest
from demo.processes import BIN
from demo.servers import clean_environment

GOOD = '[[nodes]]\nurl = "http://127.0.0.1:9"\n'  # two lines
BAD_FILES = {
    "an unknown key": (GOOD + "[health]\nintervall = 3\n", ["bad.toml:4", "health.intervall", "health.interval"]),
    "an unknown section": (GOOD + "[beaker]\nopen = 3\n", ["bad.toml:3", "beaker", "breaker"]),
    "an unknown key of a node": (GOOD + 'wieght = 2\n', ["bad.toml:3", "wieght", "weight"]),
    "an unknown key of the gateway's own": (GOOD + "[server]\nprot = 1\n", ["bad.toml:4", "server.prot", "server.port"]),
    "a URL without a scheme": ('[[nodes]]\nurl = "gpu-1:8000"\n', ["bad.toml:2", "url", "gpu-1:8000", "http"]),
    "an unknown strategy": (GOOD + '[router]\nstrategy = "round_robbin"\n', ["bad.toml:4", "round_robbin", "round_robin"]),
    "a negative number": (GOOD + "[router]\nmax_retries = -1\n", ["bad.toml:4", "router.max_retries", "-1"]),
    "a negative duration": (GOOD + '[timeouts]\nidle = "-2s"\n', ["bad.toml:4", "timeouts.idle", "-2s"]),
    "a text for a number": (GOOD + '[breaker]\nmin_requests = "many"\n', ["bad.toml:4", "breaker.min_requests"]),
    "a syntax error": (GOOD + "[router\n", ["bad.toml:3"]),
    "a file that is not there": (None, ["bad.toml", "No such file"]),
}


def run_gateway(directory, *args):
    done = subprocess.run([BIN / "llmroute-gateway", *args], cwd=directory, env=clean_environment(), capture_output=True,
                          text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["run", "check-config"])
@pytest.mark.parametrize("mistake", BAD_FILES)
def test_a_mistake_in_the_file_ends_with_2_and_one_line(tmp_path, mistake, command):
    text, parts = BAD_FILES[mistake]
    if text is not None:
        (tmp_path / "bad.toml").write_text(text)
    code, out, err = run_gateway(tmp_path, command, "--config", "bad.toml")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n")
    assert [part for part in parts if part not in err] == [], err


def test_a_directory_is_no_file(tmp_path):
    (tmp_path / "bad.toml").mkdir()
    code, _, err = run_gateway(tmp_path, "check-config", "--config", "bad.toml")
    assert code == 2 and err.count("\n") == 1 and "bad.toml" in err


def deep(levels):
    return '{"model":"tiny","messages":' + "[" * levels + "]" * levels + "}"


CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}
BAD_BODIES = {
    "stream is a text": ({**CHAT, "stream": "true"}, "stream"),
    "messages is a text": ({**CHAT, "messages": "hi"}, "messages"),
    "messages is missing": ({"model": "tiny"}, "messages"),
    "model is a number": ({**CHAT, "model": 7}, "model"),
    "no JSON": ('{"model": "tiny", ', None),
    "NaN": ('{"model":"tiny","messages":[{"role":"user","content":"hi"}],"temperature":NaN}', None),
    "an array": ("[]", None),
    "nothing": ("", None),
    "model twice": ('{"model":"tiny","model":"huge","messages":[{"role":"user","content":"hi"}]}', "model"),
    "a lone surrogate": ('{"model":"tiny","messages":[{"role":"user","content":"\\ud800"}]}', None),
    "a hole without end": (deep(5000), None),
}


@pytest.fixture(scope="module")
def gateway(shared_servers):
    return shared_servers.gateway([shared_servers.mock("a")])


def post(gateway, body):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(gateway.url).netloc, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", body if isinstance(body, str) else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("mistake", BAD_BODIES)
def test_a_bad_body_gets_400_and_the_field_is_named(gateway, mistake):
    body, param = BAD_BODIES[mistake]
    status, answer = post(gateway, body)
    assert status == 400, answer
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["error"]["type"] == "invalid_request_error" and answer["error"]["message"]
    if param:
        assert answer["error"]["param"] == param


def test_no_bad_body_reached_the_node(gateway):
    assert gateway.node("a")["requests"] == 0
    assert post(gateway, CHAT)[0] == 200
