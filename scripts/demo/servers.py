"""The servers of the demo and of the end-to-end tests: mock nodes, real llama.cpp nodes, the gateway."""

import fcntl
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from .processes import BIN, ROOT, Program

REAL_NODES = ROOT / "scripts" / "real_nodes"
REAL_VENV = ROOT / "build" / "venv-llamacpp"
MODEL = "tiny"


def fetch(url, body=None, method=None, seconds=10):
    """The answer's body and header fields; an HTTP error raises."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return answer.read(), answer.headers


def fetch_json(url, body=None, method=None):
    return json.loads(fetch(url, body, method)[0])


class MockNode(Program):
    """llmroute-mock-node: answers are a pure function of the prompt, so that any two of them agree."""

    def __init__(self, name, directory, *args):
        command = [BIN / "llmroute-mock-node", "--name", name, "--model", MODEL, *args]
        super().__init__(name, command, directory)

    def control(self):
        """What it has seen: requests, aborted, active."""
        return fetch_json(self.url + "/control/stats")


class RealNode(Program):
    """llama.cpp's own server around a small model of random weights."""

    def __init__(self, name, directory, model_file, *args):
        command = [REAL_VENV / "bin" / "python", REAL_NODES / "serve.py", "--model", model_file, *args]
        super().__init__(name, command, directory)

    def identity(self):
        """(Server header, who owns the model, the model), as the server itself says it."""
        body, headers = fetch(self.url + "/v1/models")
        model = json.loads(body)["data"][0]
        return headers["Server"], model["owned_by"], model["id"]


def prepare_real_nodes():
    """Installs llama.cpp's server into a virtual environment and makes the model, once; the model's path."""
    model = REAL_VENV / "tiny.gguf"
    REAL_VENV.parent.mkdir(exist_ok=True)
    with open(REAL_VENV.parent / "venv-llamacpp.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs side by side: one installs, the other waits
        if not model.exists():
            python = make_venv(REAL_VENV, "-r", REAL_NODES / "requirements.txt")
            subprocess.run([python, REAL_NODES / "make_model.py", model], check=True)
    return model


def make_venv(directory, *requirements):
    """A virtual environment with these requirements; its interpreter."""
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements], check=True)
    return python


def clean_environment():
    """Without the variables that the gateway reads: they would beat its file."""
    kept = ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
    return {name: os.environ[name] for name in kept if name in os.environ}


class Gateway(Program):
    """llmroute-gateway in front of `nodes`, which have a name and a url; `config` is TOML in front of them."""

    def __init__(self, directory, nodes=(), config="", env=None):
        directory = pathlib.Path(directory)
        listed = "".join(f'\n[[nodes]]\nname = "{node.name}"\nurl = "{node.url}"\n' for node in nodes)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "llmroute.toml").write_text(config + listed)
        super().__init__("gateway", [BIN / "llmroute-gateway", "run", "--config", "llmroute.toml"], directory,
                         clean_environment() if env is None else env)

    def stats(self):
        return fetch_json(self.url + "/stats")

    def node(self, name):
        """What the gateway knows of one node."""
        return next(node for node in self.stats()["nodes"] if node["name"] == name)

    def metrics(self):
        """Every sample of /metrics: name with labels -> value."""
        text = fetch(self.url + "/metrics")[0].decode()
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def log(self, event):
        """The log lines of one kind, in order."""
        lines = (json.loads(line) for line in self.log_text().splitlines() if line.startswith("{") and line.endswith("}"))
        return [line for line in lines if line.get("event") == event]
