"""Starts the real gateway in front of nodes written by the tests."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from fake_node import FakeNode  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin"))
GATEWAY = BIN / "llmroute-gateway"
CHAT = "/v1/chat/completions"


def eventually(condition, seconds=10):
    """Waits until the condition holds; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


class Answer:
    """A response, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def events(self):
        return [part[len("data: "):] for part in self.body.decode().split("\n\n") if part]


class Gateway:
    """A running gateway. `log()` is what it wrote to standard error, as parsed lines.

    `descriptors` is how many files and sockets it may have open, `file_size` how long its files may become. With
    `stalled_console` its standard error is a pipe that nobody reads.
    """

    def __init__(self, directory, config, args=(), env=None, descriptors=None, file_size=None, stalled_console=False):
        self.directory = directory
        (directory / "llmroute.toml").write_text(config)
        clean = {"PATH": os.environ["PATH"], **(env or {})}
        self.stderr = open(directory / "log", "w+b")
        self.pipe = [os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"))] if stalled_console else []
        limits = [f"--nofile={descriptors}:{descriptors}"] if descriptors else []
        limits += [f"--fsize={file_size}:{file_size}"] if file_size else []
        limited = ["prlimit", *limits] if limits else []
        self.process = subprocess.Popen([*limited, GATEWAY, "run", *args], cwd=directory, env=clean,
                                        stdout=subprocess.PIPE, stderr=self.pipe[1] if self.pipe else self.stderr, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on https?://(\S+):(\d+)\n", line)
        assert found, f"{line!r} {(directory / 'log').read_text()}"
        self.host, self.port = found[1], int(found[2])

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request(method, path, data, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def chat(self, headers=None, **fields):
        body = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], **fields}
        return self.request("POST", CHAT, body, headers)

    def stats(self):
        return self.get("/stats").json()

    def metric(self, line):
        """The value of the sample that begins with `line`; 0 when there is none."""
        page = self.get("/metrics").body.decode()
        return sum(float(row.rsplit(" ", 1)[1]) for row in page.splitlines() if row.startswith(line))

    def cancelled(self, stream):
        """Calls whose callers have gone, of any model."""
        page = self.get("/metrics").body.decode()
        flag = "true" if stream else "false"
        return sum(float(row.rsplit(" ", 1)[1]) for row in page.splitlines()
                   if row.startswith("requests_total{") and f'status="cancelled",stream="{flag}"' in row)

    def peak_memory(self):
        """The most memory it has had, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_text(self):
        return (self.directory / "log").read_text()

    def log(self, event=None):
        lines = [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]
        return [line for line in lines if event is None or line["event"] == event]

    def refuses(self):
        """Whether new callers are turned away."""
        try:
            self.get("/livez")
        except OSError:
            return True
        return False

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=10):
        return self.process.wait(seconds)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        for file in (self.stderr, *self.pipe):
            file.close()


@pytest.fixture
def node():
    one = FakeNode()
    yield one
    one.close()


@pytest.fixture
def second_node():
    one = FakeNode()
    yield one
    one.close()


@pytest.fixture
def start(tmp_path):
    """start(*nodes, config="...", args=[...], env={...}, and what else Gateway takes): a gateway in front of these nodes."""
    running = []

    def begin(*nodes, config="", args=("--port", "0"), env=None, **more):
        listed = "".join(f'\n[[nodes]]\nname = "n{i}"\nurl = "{node.url}"\n' for i, node in enumerate(nodes))
        directory = tmp_path / f"gateway{len(running)}"
        directory.mkdir()
        running.append(Gateway(directory, config + listed, args, env, **more))
        return running[-1]

    yield begin
    for gateway in running:
        gateway.stop()


@pytest.fixture
def gateway(start, node):
    """One gateway in front of one good node."""
    return start(node)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One gateway, and its node, for the many short tests of a file."""
    node = FakeNode()
    gateway = Gateway(tmp_path_factory.mktemp("shared"), f'[logging]\nlevel = "warn"\n[[nodes]]\nurl = "{node.url}"\n', ("--port", "0"))
    gateway.node = node
    yield gateway
    gateway.stop()
    node.close()


def run_gateway(directory, *args, env=None):
    """A gateway that is expected to end by itself: (exit code, standard output, standard error)."""
    clean = {"PATH": os.environ["PATH"], **(env or {})}
    done = subprocess.run([GATEWAY, *args], cwd=directory, env=clean, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


SIGTERM = signal.SIGTERM
