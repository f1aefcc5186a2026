"""Starts the programs that are compared, on ports they choose and print, and stops them by their id."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "benchmark" / "bin")).resolve()

GATEWAY = """
[server]
host = "127.0.0.1"
port = 0
workers = 1

[[nodes]]
name = "node"
url = "http://127.0.0.1:{port}"
models = ["m"]
"""

GUARDED = GATEWAY + """
[auth]
keys = true

[limits]
default_rpm = 100000000
default_tpm = 100000000000

[store]
database_url = "sqlite:{directory}/store.db"

[logging]
dir = "{directory}/logs"
"""


class Server:
    """A running server and the port it printed."""

    def __init__(self, process):
        self.process = process
        self.port = int(re.search(r"(\d+)\s*$", process.stdout.readline())[1])

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()


@contextlib.contextmanager
def server(*command, under=(), log=subprocess.DEVNULL):
    """Runs until the block ends. `under`: a command in front, such as valgrind."""
    process = subprocess.Popen([*under, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=log, text=True)
    started = None
    try:
        started = Server(process)
        yield started
    finally:
        if started:
            started.stop()
        else:
            process.kill()


def node(chunks, pace=None):
    """A node whose streams have this many chunks; without a pace they leave in one write."""
    return server(BIN / "bench_node", "--chunks", chunks, *(() if pace is None else ("--pace", pace)))


def floor_proxy(node_port, under=()):
    return server(BIN / "bench_floor_proxy", node_port, under=under)


@contextlib.contextmanager
def gateway(node_port, under=()):
    """llmroute-gateway with one worker, as the floor has one thread."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(GATEWAY.format(port=node_port))
        config.flush()
        with server(BIN / "llmroute-gateway", "run", "--config", config.name, under=under) as started:
            yield started


def made_key(config):
    """A key of the store that this configuration names."""
    command = [BIN / "llmroute-gateway", "keys", "create", "--config", config, "--name", "benchmark"]
    return re.search(r"ml-[\w-]+", subprocess.run(command, capture_output=True, text=True, check=True).stdout)[0]


@contextlib.contextmanager
def guarded_gateway(node_port, under=()):
    """The same with all that looks at a call on its way: a key of the store, limits, metrics, the log and its files."""
    with tempfile.TemporaryDirectory() as directory:
        config = pathlib.Path(directory) / "llmroute.toml"
        config.write_text(GUARDED.format(port=node_port, directory=directory))
        os.environ["BENCH_KEY"] = made_key(config)  # what the load then shows
        try:
            with server(BIN / "llmroute-gateway", "run", "--config", config, under=under) as started:
                yield started
        finally:
            del os.environ["BENCH_KEY"]


def client(program, port, kind, calls, in_flight=32, under=()):
    """Runs a client to its end; what it reports. A call that failed is an error."""
    command = [*under, BIN / f"bench_{program}", port, kind, calls, in_flight]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{program} {kind}: {done.stdout}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
