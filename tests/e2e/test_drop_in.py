"""llmroute.OpenAI and AsyncOpenAI over four real llama.cpp servers, no gateway between, on both families of the SDK."""

import functools
import json
import pathlib
import subprocess

import pytest
from demo.processes import ROOT
from demo.servers import make_venv

VERSIONS = ("2.54.0", "3.52.0")


@pytest.fixture(scope="module")
def outcome(real_nodes):
    """outcome(version): what openai_calls.py said of llmroute's clients over this version of the package."""
    chat, embed = real_nodes
    config = {
        "router": {"strategy": "round_robin"},
        "nodes": [
            *({"name": node.name, "url": node.url, "models": ["tiny"]} for node in chat),
            {"name": embed.name, "url": embed.url, "models": ["tiny-embed"]},
        ],
        "models": [{"name": "embed", "model_id": "tiny-embed", "nodes": [embed.name]}],
    }

    @functools.cache
    def run(version):
        # As scripts/test.sh has built it; who runs this file alone waits for the build.
        package = next((ROOT / "build" / "python-wheel").glob("*.whl"), ROOT / "bindings" / "python")
        python = make_venv(ROOT / "build" / f"venv-openai-{version}", f"openai=={version}", str(package))
        script = pathlib.Path(__file__).with_name("openai_calls.py")
        done = subprocess.run(
            [python, script, "--router", json.dumps(config)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("version", VERSIONS)
def test_every_call_works(outcome, version):
    said = outcome(version)
    assert said["version"] == version
    assert len(said["results"]) > 10
    assert {call: trouble for call, trouble in said["results"].items() if trouble} == {}
