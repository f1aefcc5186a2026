"""The access line, and the three files of `logging.dir`."""

import json
import threading

import pytest
from fake_node import completion, delta
from gateway_server import CHAT, eventually, run_gateway

FILES = ("llmroute.log", "llmroute-error.log", "llmroute-structured.log")


def in_files(more=""):
    return f'[logging]\ndir = "logs"\n{more}'


def read(gateway, name):
    path = gateway.directory / "logs" / name
    return path.read_text() if path.exists() else ""


def calls(gateway, name="llmroute-structured.log"):
    lines = [json.loads(line) for line in read(gateway, name).splitlines()]
    return [line for line in lines if line["event"] == "call"]


def test_the_access_line_of_a_stream(start, node):
    def stream(_, connection):
        connection.start_stream()
        connection.event(delta("a"))
        connection.event(delta("b", "stop"))
        connection.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}})
        connection.end_stream()

    node.handler = stream
    gateway = start(node)
    assert gateway.chat(headers={"X-Request-ID": "r-1"}, stream=True).status == 200
    line = eventually(lambda: gateway.log("call"))[0]
    assert 0 < line.pop("ttft_ms") <= line.pop("duration_ms")
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "event": "call", "request_id": "r-1", "model": "tiny", "node": "n0", "attempts": 1,
                    "status": 200, "stream": True, "client": "127.0.0.1", "tokens": 9, "prompt_tokens": 7,
                    "completion_tokens": 2}


def test_a_request_that_fails_on_this_side_is_an_error(start, node, second_node):
    for one in (node, second_node):
        one.handler = lambda _, connection: connection.answer(500, {"error": {"message": "x"}})
    gateway = start(node, second_node)
    assert gateway.chat().status == 502
    line = eventually(lambda: gateway.log("call"))[0]
    assert line["level"] == "error" and line["status"] == 502 and line["attempts"] > 1 and line["error"] == "upstream_error"


def test_three_files(start, node):
    gateway = start(node, config=in_files('format = "text"\nconsole = false\n'))
    assert gateway.chat(headers={"X-Request-ID": "good-1"}).status == 200
    node.handler = lambda _, connection: connection.answer(500, {})
    assert gateway.chat(headers={"X-Request-ID": "bad-1"}).status == 502
    eventually(lambda: len(calls(gateway)) == 2 and "bad-1" in read(gateway, FILES[1]))
    everything = eventually(lambda: "bad-1" in (text := read(gateway, FILES[0])) and text)
    assert " info  call request_id=good-1 model=tiny node=n0 attempts=1 status=200 " in everything
    assert "good-1" not in read(gateway, FILES[1])
    assert gateway.log_text() == ""
    assert [line["request_id"] for line in calls(gateway)] == ["good-1", "bad-1"]


def test_a_file_that_is_rotated_is_begun_anew(start, node):
    gateway = start(node, config=in_files())
    assert gateway.chat(headers={"X-Request-ID": "before"}).status == 200
    eventually(lambda: calls(gateway))
    logs = gateway.directory / "logs"
    for name in FILES:
        (logs / name).rename(logs / f"{name}.1")

    def in_the_new_file():
        assert gateway.chat(headers={"X-Request-ID": "after"}).status == 200
        return "after" in read(gateway, FILES[0]) and "after" in read(gateway, FILES[2])

    eventually(in_the_new_file)
    assert "before" in read(gateway, "llmroute.log.1") and "before" not in read(gateway, FILES[0])


def test_a_full_disk_stops_no_request(start, node):
    """The limit of a file's size stands for the disk's."""
    gateway = start(node, config=in_files(), file_size=20_000)
    for _ in range(200):
        assert gateway.chat().status == 200
    eventually(lambda: len(read(gateway, FILES[0])) > 15_000)
    assert max(len(read(gateway, name)) for name in FILES) <= 20_000
    assert gateway.get("/health").status == 200
    assert len(node.requests) == 200


def test_a_console_that_nobody_reads_stops_no_request(start, node):
    gateway = start(node, stalled_console=True)
    for _ in range(600):
        assert gateway.chat(headers={"X-Request-ID": "x" * 100}).status == 200
    gateway.signal(15)
    assert gateway.wait(20) == 0


def test_a_directory_that_cannot_be_had_is_named_at_the_start(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "llmroute.toml").write_text('[logging]\ndir = "file/logs"\n[[nodes]]\nurl = "http://127.0.0.1:1"\n')
    code, out, err = run_gateway(tmp_path, "run", "--port", "0")
    assert code == 1 and out == "" and "logging.dir" in err and "file/logs" in err


@pytest.mark.parametrize("kind", ["json", "text"])
def test_nothing_of_a_callers_ends_a_line_or_gets_in_whole(start, node, kind):
    node.handler = lambda _, connection: connection.answer(404, {"error": {"message": "no such model"}})
    gateway = start(node, config=in_files(f'format = "{kind}"\n') + '[router]\nresume = "off"\n')
    evil = 'x\n{"event":"call","request_id":"forged"}\r\x1b[2J\u009b' + "y" * 5000
    gateway.request("POST", CHAT, {"model": evil, "messages": []})
    gateway.chat(headers={"X-Request-ID": 'a" level=error'})
    eventually(lambda: len(calls(gateway)) == 2)
    for name in FILES:
        for line in read(gateway, name).splitlines():
            assert not line.startswith("{\"event\":\"call\",\"request_id\":\"forged") and len(line) < 3000
            assert all(character.isprintable() for character in line)
    assert all(line["request_id"].startswith("req-") for line in calls(gateway))


def test_keys_prompts_and_answers_stay_out_of_all_files(start, node):
    node.handler = lambda _, connection: connection.answer(200, completion("ANSWER"))
    config = in_files('level = "debug"\n') + '[auth]\nauth_token = "sesame"\n'
    gateway = start(node, config=config)
    body = {"model": "tiny", "messages": [{"role": "user", "content": "PROMPT"}]}
    for token in ("sesame", "wrongkey"):
        gateway.request("POST", CHAT, body, {"Authorization": f"Bearer {token}"})
    eventually(lambda: len(calls(gateway)) == 2)
    gateway.signal(15)
    gateway.wait()
    everything = gateway.log_text() + "".join(read(gateway, name) for name in FILES)
    for secret in ("sesame", "wrongkey", "PROMPT", "ANSWER"):
        assert secret not in everything


def test_lines_of_many_callers_are_whole(start, node):
    gateway = start(node, config=in_files() + "[server]\nworkers = 4\n")
    callers = [threading.Thread(target=lambda: [gateway.chat() for _ in range(25)]) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    eventually(lambda: len(calls(gateway)) == 200 and len(calls(gateway, FILES[0])) == 200)
