"""The program as its operator meets it: arguments, mistakes, signals."""

import json
import signal
import threading

import pytest
from gateway_server import CHAT, eventually, run_gateway
from fake_node import completion, delta

NODE = '[[nodes]]\nurl = "http://127.0.0.1:9"\n'


def test_the_version_is_one_line(tmp_path):
    code, out, _ = run_gateway(tmp_path, "--version")
    assert code == 0
    assert out.strip().count("\n") == 0 and out.strip().split(" ")[-1].count(".") == 2


def test_a_good_configuration_is_called_good(tmp_path):
    (tmp_path / "llmroute.toml").write_text(NODE)
    code, out, err = run_gateway(tmp_path, "check-config")
    assert (code, err) == (0, "")
    assert "llmroute.toml" in out


@pytest.mark.parametrize("text, parts", [
    (NODE + "[routr]\n", ["bad.toml:3", "routr", "router"]),
    (NODE + "[router]\nmax_retrys = 1\n", ["bad.toml:4", "router.max_retrys", "router.max_retries"]),
    ('[[nodes]]\nurl = "gpu-1:8000"\n', ["bad.toml:2", "url", "gpu-1:8000"]),
    (NODE + '[router]\nstrategy = "least_loadd"\n', ["bad.toml:4", "least_loadd", "least_loaded"]),
    (NODE + "[timeouts]\nconnect = -1\n", ["bad.toml:4", "timeouts.connect"]),
    (NODE + "[router\n", ["bad.toml:3"]),
    (None, ["bad.toml", "No such file"]),
])
@pytest.mark.parametrize("command", ["run", "check-config"])
def test_a_bad_configuration_ends_with_2_and_one_line(tmp_path, command, text, parts):
    if text is not None:
        (tmp_path / "bad.toml").write_text(text)
    code, out, err = run_gateway(tmp_path, command, "--config", "bad.toml")
    assert code == 2 and out == ""
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


def test_a_bad_variable_is_named(tmp_path):
    code, _, err = run_gateway(tmp_path, "run", env={"VLLM_NODES": "http://127.0.0.1:9", "MAX_RETRIES": "x"})
    assert code == 2 and err.count("\n") == 1
    assert "MAX_RETRIES" in err


def test_a_bad_argument_ends_with_2(tmp_path):
    assert run_gateway(tmp_path, "run", "--prot", "1")[0] == 2
    assert run_gateway(tmp_path)[0] == 2
    code, _, err = run_gateway(tmp_path, "run", "--port", "70000", env={"VLLM_NODES": "http://127.0.0.1:9"})
    assert code == 2 and "--port" in err


def test_without_a_node_the_ways_to_give_one_are_said(tmp_path):
    code, _, err = run_gateway(tmp_path, "run")
    assert code == 2 and "VLLM_NODES" in err and "--config" in err


def test_a_taken_port_is_an_error_that_names_it(gateway, tmp_path):
    (tmp_path / "llmroute.toml").write_text(NODE)
    code, _, err = run_gateway(tmp_path, "run", "--host", "192.0.2.1", "--port", "0")
    assert code == 1 and "192.0.2.1" in err


def test_the_environment_alone_is_enough(start, node):
    gateway = start(config="", args=("--port", "0", "--config", "/dev/null"), env={"VLLM_NODES": node.url})
    assert gateway.chat().status == 200


def test_serve_is_run_by_another_name(start, tmp_path, node):
    code, _, err = run_gateway(tmp_path, "serve")
    assert code == 2 and "VLLM_NODES" in err


def test_an_open_host_without_a_token_is_warned_about(start, node):
    gateway = start(node, args=("--port", "0", "--host", "0.0.0.0"))
    assert any(line["level"] == "warn" for line in gateway.log("open"))
    quiet = start(node, config='[auth]\nauth_token = "t"\n', args=("--port", "0", "--host", "0.0.0.0"))
    assert not quiet.log("open")


def test_sigterm_finishes_what_runs_and_takes_nothing_new(start, node):
    go_on = threading.Event()

    def slow(_, connection):
        connection.start_stream()
        connection.event(delta("a"))
        go_on.wait(10)
        connection.event(delta("b", "stop"))
        connection.end_stream()

    node.handler = slow
    gateway = start(node)
    idle = gateway.connect()
    idle.request("GET", "/livez")
    idle.getresponse().read()
    answers = []
    client = threading.Thread(target=lambda: answers.append(gateway.chat(stream=True)))
    client.start()
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 1)
    gateway.signal(signal.SIGTERM)
    eventually(gateway.refuses)
    assert gateway.process.poll() is None
    go_on.set()
    client.join()
    assert answers[0].events()[-1] == "[DONE]"
    assert gateway.wait() == 0


def test_sigterm_loses_nothing_of_twenty_streams(start, node):
    go_on = threading.Event()

    def slow(request, connection):
        connection.start_stream()
        connection.event(delta(request.json()["messages"][0]["content"]))
        go_on.wait(20)
        for i in range(50):
            connection.event(delta(f" {i}"))
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = slow
    gateway = start(node, config="[server]\nworkers = 4\n")
    answers = {}

    def ask(name):
        answers[name] = gateway.chat(stream=True, messages=[{"role": "user", "content": name}])

    callers = [threading.Thread(target=ask, args=(f"caller {i}",)) for i in range(20)]
    for caller in callers:
        caller.start()
    eventually(lambda: gateway.stats()["nodes"][0]["in_flight"] == 20)
    gateway.signal(signal.SIGTERM)
    eventually(gateway.refuses)
    go_on.set()
    for caller in callers:
        caller.join()
    for name, answer in answers.items():
        *events, last = answer.events()
        text = "".join(json.loads(event)["choices"][0]["delta"]["content"] for event in events)
        assert text == name + "".join(f" {i}" for i in range(50)) and last == "[DONE]"
    assert len(answers) == 20 and gateway.wait() == 0


def test_a_second_signal_ends_at_once(start, node):
    def silent(_, connection):
        connection.wait_for_close()

    node.handler = silent
    gateway = start(node)
    client = threading.Thread(target=lambda: pytest.raises(Exception, gateway.chat))
    client.start()
    eventually(lambda: node.requests)
    gateway.signal(signal.SIGINT)
    eventually(gateway.refuses)
    gateway.signal(signal.SIGINT)
    gateway.wait(5)
    client.join()


def test_the_drain_timeout_ends_what_does_not_end(start, node):
    def silent(_, connection):
        connection.wait_for_close()

    node.handler = silent
    gateway = start(node, config='[server]\ndrain_timeout = "100ms"\n')
    client = threading.Thread(target=lambda: pytest.raises(Exception, gateway.chat))
    client.start()
    eventually(lambda: node.requests)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 0
    client.join()


def test_one_line_a_call_and_one_a_failed_attempt(start, node, second_node):
    def broken(_, connection):
        connection.answer(503, {"error": {"message": "busy"}})

    node.handler = broken
    gateway = start(node, second_node, config='[router]\nstrategy = "round_robin"\n')
    ids = {f"r{i}" for i in range(4)}
    for one in ids:
        assert gateway.chat(headers={"X-Request-ID": one}).status == 200
    calls = eventually(lambda: len(gateway.log("call")) == 4 and gateway.log("call"))
    assert {line["request_id"] for line in calls} == ids
    attempts = gateway.log("attempt")
    assert attempts
    for line in attempts:
        assert line["request_id"] in ids and line["node"] == "n0" and line["status"] == 503
    retried = [line for line in calls if line["attempts"] == 2]
    assert {line["request_id"] for line in retried} == {line["request_id"] for line in attempts}
    assert all(line["node"] == "n1" and line["status"] == 200 and line["duration_ms"] > 0 for line in retried)


@pytest.mark.parametrize("signals", [1, 2])
def test_the_log_is_whole_when_the_program_has_ended(start, node, signals):
    silent = threading.Event()

    def answer(_, connection):
        if silent.is_set():
            connection.wait_for_close()
        else:
            connection.answer(200, completion())

    node.handler = answer
    gateway = start(node)
    ids = [f"r{i}" for i in range(20)]
    for one in ids:
        assert gateway.chat(headers={"X-Request-ID": one}).status == 200
    if signals == 2:  # the second ends the program at once, so something must keep it from ending by the first
        silent.set()
        client = threading.Thread(target=lambda: pytest.raises(Exception, gateway.chat))
        client.start()
        eventually(lambda: len(node.requests) == 21)
    gateway.signal(signal.SIGTERM)
    if signals == 2:
        eventually(gateway.refuses)
        gateway.signal(signal.SIGTERM)
        client.join()
    gateway.wait(10)
    assert [line["request_id"] for line in gateway.log("call")][:20] == ids


def test_keys_and_prompts_stay_out_of_the_log(start, node):
    node.handler = lambda _, connection: connection.answer(500, completion())
    gateway = start(node, config='[auth]\nauth_token = "sesame"\n[logging]\nlevel = "debug"\n')
    body = {"model": "tiny", "messages": [{"role": "user", "content": "PROMPT"}]}
    gateway.request("POST", CHAT, body, {"Authorization": "Bearer sesame"})
    gateway.request("POST", CHAT, body, {"Authorization": "Bearer wrongkey"})
    eventually(lambda: len(gateway.log("call")) >= 2)
    for secret in ("sesame", "PROMPT", "wrongkey"):
        assert secret not in gateway.log_text()
