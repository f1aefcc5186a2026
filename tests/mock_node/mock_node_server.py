"""Starts mock nodes and asks them, as their own tests need it: one node a module, or one with flags of its own."""

import http.client
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).resolve()
CHAT, COMPLETIONS, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"


def eventually(condition, seconds=10):
    """Waits until the condition holds; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.002)
    return value


class Answer:
    """A response, read as far as it goes. `problem` is the name of what ended it early."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body, self.problem = b"", ""
        try:
            while piece := response.read1(65536):
                self.body += piece
        except (OSError, http.client.HTTPException) as error:
            self.problem = type(error).__name__

    def json(self):
        return json.loads(self.body)

    def data(self):
        """What stands behind each whole `data: `."""
        parts = self.body.decode(errors="replace").split("\n\n")
        assert all(part.startswith("data: ") for part in parts[:-1]), parts
        return [part[len("data: "):] for part in parts[:-1]]

    def chunks(self):
        return [json.loads(data) for data in self.data() if data != "[DONE]"]

    def done(self):
        return self.data()[-1:] == ["[DONE]"]

    def choices(self, index=0):
        """Every choice with that index, in order."""
        return [one for chunk in self.chunks() for one in chunk.get("choices", []) if one["index"] == index]

    def text(self, index=0):
        """The content of a stream or of a plain answer, of either kind."""
        if not self.body.startswith(b"data: "):
            choice = self.json()["choices"][index]
            return choice["text"] if "text" in choice else choice["message"]["content"]
        return "".join(one["text"] if "text" in one else one["delta"].get("content", "") for one in self.choices(index))

    def token_ids(self, index=0):
        """Those of a stream, joined."""
        return [token for one in self.choices(index) for token in one.get("token_ids") or []]

    def prompt_token_ids(self):
        """Of a chat: beside the choices of the answer or of its first chunk."""
        whole = self.chunks()[0] if self.body.startswith(b"data: ") else self.json()
        return whole["prompt_token_ids"]

    def finish_reason(self, index=0):
        return self.choices(index)[-1]["finish_reason"]


class Node:
    """A running mock node."""

    def __init__(self, *flags):
        command = [BIN / "llmroute-mock-node", "--port", "0", "--model", "tiny", "--model", "tiny-think", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        found = re.fullmatch(r"listening on http://(\S+):(\d+)\n", self.process.stdout.readline())
        self.host, self.port = found[1], int(found[2])

    def connect(self, timeout=20):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def open(self, method, path, body=None, headers=None, timeout=20):
        """(connection, response): the head has come, the body is still to be read."""
        connection = self.connect(timeout)
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body),
                           headers or {})
        return connection, connection.getresponse()

    def request(self, method, path, body=None, headers=None, timeout=20):
        connection, response = self.open(method, path, body, headers, timeout)
        try:
            return Answer(response)
        finally:
            connection.close()

    def chat(self, prompt="hello", timeout=20, **fields):
        """`prompt`: the user's text, or all messages."""
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        return self.request("POST", CHAT, {"model": "tiny", "messages": messages, **fields}, timeout=timeout)

    def complete(self, prompt="hello", timeout=20, **fields):
        return self.request("POST", COMPLETIONS, {"model": "tiny", "prompt": prompt, **fields}, timeout=timeout)

    def fault(self, text):
        answer = self.request("POST", "/control/fault", {"fault": text})
        assert answer.status == 200, answer.body

    def stats(self):
        return self.request("GET", "/control/stats").json()

    def metric(self, name):
        page = self.request("GET", "/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)}{{[^}}]*}} (\S+)$", page, re.MULTILINE)
        return float(found[1])

    def stop(self):
        """It ends well even with answers under way; a sanitizer that has found something makes it end badly."""
        self.process.terminate()
        ended = self.process.wait(10)
        self.process.stdout.close()
        assert ended == 0


@pytest.fixture
def start():
    """start("--flag", ...): a node of the test's own."""
    running = []

    def begin(*flags):
        running.append(Node(*flags))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def shared_node():
    one = Node()
    yield one
    one.stop()


@pytest.fixture
def node(shared_node):
    """The module's node, without faults."""
    yield shared_node
    shared_node.request("DELETE", "/control/fault")
