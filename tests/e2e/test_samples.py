"""Each sample configuration routes a real request, with only the addresses in it changed."""

import json
import urllib.request

import pytest
from demo.processes import BIN, ROOT, Program
from demo.servers import clean_environment

SAMPLES = ROOT / "examples" / "gateway" / "samples"
KEYS = {"OPENAI_API_KEY": "provider-key"}


class Sampled(Program):
    """A gateway that runs with a copy of a sample."""

    def __init__(self, directory, name, replaced, env):
        text = (SAMPLES / name).read_text()
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)
        super().__init__("gateway", [BIN / "llmroute-gateway", "run", name], directory, {**clean_environment(), **env})

    def ask(self, path, body=None, method=None, **fields):
        """The answer's JSON and header fields; an HTTP error raises."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in fields.items()}}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read()), answer.headers

    def chat(self, model, **fields):
        """The node that has answered."""
        body = {"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "hi"}]}
        answer, headers = self.ask("/v1/chat/completions", body, **fields)
        assert answer["choices"][0]["message"]["content"]
        return headers["X-Routed-Node"]


@pytest.fixture
def sampled(servers, tmp_path):
    def start(name, replaced, **env):
        return servers.start(Sampled(tmp_path / "sampled", name, replaced, env))

    return start


def test_llmroute_toml(servers, sampled):
    node = servers.mock("a")
    assert sampled("llmroute.toml", {"http://127.0.0.1:8001": node.url}).chat("tiny") == "gpu-1"


def test_servers_toml(servers, sampled):
    first, second = servers.mock("a"), servers.mock("b")
    gateway = sampled("servers.toml", {"http://gpu-server-1:8081": first.url, "http://gpu-server-2:8088": second.url})
    assert gateway.chat("tiny") in (first.url, second.url)


def test_gateway_yaml(servers, sampled):
    node = servers.mock("a", "--model", "llama-big")
    gateway = sampled("gateway.yaml", {}, ADMIN_API_KEY="admin-secret")
    admin = {"X_Admin_Key": "admin-secret"}
    model, _ = gateway.ask("/admin/v1/models", {"name": "llama", "model_id": "llama-big"}, **admin)
    gateway.ask(f"/admin/v1/models/{model['id']}/backends", {"url": node.url, "weight": 1, "active": True}, **admin)
    made, _ = gateway.ask("/admin/v1/keys", {"name": "k"}, **admin)
    assert gateway.chat("llama", Authorization=f"Bearer {made['key']}") == node.url


def test_providers_yaml(servers, sampled):
    nodes = [servers.mock(name, "--model", "gpt-mini") for name in ("fast", "slow")]
    nodes.append(servers.mock("flaky", "--model", "gpt-mini", "--api-key", KEYS["OPENAI_API_KEY"]))
    replaced = {f"http://127.0.0.1:{8001 + i}": node.url for i, node in enumerate(nodes)}
    gateway = sampled("providers.yaml", replaced, **KEYS)
    token = {"Authorization": "Bearer sk-demo-123"}
    assert gateway.chat("gpt-mini", **token) in ("fast-vllm", "slow-triton", "flaky-openai")


def test_litellm_yaml(servers, sampled):
    keyed = ("--model", "gpt-4o-mini", "--api-key", KEYS["OPENAI_API_KEY"])
    nodes = {"8003": servers.mock("first", *keyed), "8004": servers.mock("second", *keyed),
             "8001": servers.mock("other", "--model", "llama-3")}
    gateway = sampled("litellm.yaml", {f"http://127.0.0.1:{port}": node.url for port, node in nodes.items()}, **KEYS)
    assert gateway.chat("gpt-mini") in ("gpt-mini", "gpt-mini-2")
    assert gateway.chat("other") == "other"
    nodes["8003"].kill()
    nodes["8004"].kill()
    assert gateway.chat("gpt-mini") == "other"


def test_gateway_env(servers, sampled):
    nodes = [servers.mock(name) for name in ("a", "b")]
    replaced = {f"http://127.0.0.1:{8001 + i}": node.url for i, node in enumerate(nodes)}
    assert sampled("gateway.env", replaced).chat("tiny") in [node.url for node in nodes]


def test_the_usual_place_is_found(servers, tmp_path):
    node = servers.mock("a")
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / ".env").write_text(f"VLLM_NODES={node.url}\n")
    gateway = servers.start(Program("gateway", [BIN / "llmroute-gateway", "run"], tmp_path, clean_environment()))
    said = next(json.loads(line) for line in gateway.log_text().splitlines() if '"event":"listening"' in line)
    assert (said["configuration"], said["form"]) == ("gateway/.env", ".env")
