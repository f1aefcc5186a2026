"""The official openai package, unchanged, against four real llama.cpp servers behind one gateway.

Both families of the package are tried: 2.x on httpx and 3.x on httpx2. Each has an environment of its own, so that
neither depends on what the tests themselves are run with.
"""

import functools
import json
import pathlib
import subprocess

import pytest
from demo.processes import ROOT, eventually
from demo.servers import fetch_json, make_venv

VERSIONS = ("2.54.0", "3.52.0")
CALLS = ("chat", "chat_stream", "chat_stream_with_usage", "chat_stream_helper", "completion", "completion_stream",
         "embeddings", "models", "raw_response", "bad_request", "asynchronous")

CONFIG = """
[router]
strategy = "round_robin"

[[models]]
name = "embed"
model_id = "tiny-embed"
nodes = ["llama-embed"]
"""


@pytest.fixture(scope="module")
def gateway(real_nodes, shared_servers):
    """The chat servers tell their models themselves; the embeddings server's are configured."""
    chat, embed = real_nodes
    nodes = "".join(f'[[nodes]]\nname = "{node.name}"\nurl = "{node.url}"\n' for node in chat)
    nodes += f'[[nodes]]\nname = "{embed.name}"\nurl = "{embed.url}"\nmodels = ["tiny-embed"]\n'
    one = shared_servers.gateway((), CONFIG + nodes)
    eventually(lambda: {"tiny", "embed"} <= {model["id"] for model in fetch_json(one.url + "/v1/models")["data"]},
               "the gateway knows the models")
    return one


@pytest.fixture(scope="module")
def outcome(gateway):
    """outcome(version): what openai_calls.py said of this version of the package."""
    @functools.cache
    def run(version):
        python = make_venv(ROOT / "build" / f"venv-openai-{version}", f"openai=={version}")
        script = pathlib.Path(__file__).with_name("openai_calls.py")
        done = subprocess.run([python, script, gateway.url + "/v1"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("version", VERSIONS)
def test_every_call_was_tried_with_the_version_asked_for(outcome, version):
    assert outcome(version)["version"] == version
    assert tuple(outcome(version)["results"]) == CALLS


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_package_works_unchanged(outcome, version, call):
    trouble = outcome(version)["results"][call]
    assert trouble is None, trouble


def test_several_servers_answered(gateway, outcome, real_nodes):
    for version in VERSIONS:
        outcome(version)
    answered = {line["node"] for line in gateway.log("call") if line["status"] == 200}
    assert answered == {node.name for node in (*real_nodes[0], real_nodes[1])}
