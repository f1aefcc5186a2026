"""The quick start of the page on keys, as it stands there, in a shell with curl and jq."""

import json
import os
import re
import subprocess

from demo.processes import ROOT

ADMIN_KEY = "quick-start-admin-key"
CONFIG = f'[auth]\nkeys = true\nadmin_key = "{ADMIN_KEY}"\n'


def quick_start():
    page = (ROOT / "docs/guide/keys.md").read_text()
    section = page.split("## Quick start\n")[1].split("\n## ")[0]
    return re.search(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[1]


def test_the_quick_start_works_as_it_is_written(servers):
    node = servers.mock("gpu-1")
    gateway = servers.gateway([], CONFIG)
    env = {"PATH": os.environ["PATH"], "GATEWAY": gateway.url, "ADMIN_KEY": ADMIN_KEY, "NODE": node.url}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", quick_start()], env=env, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    plain, _, streamed = done.stdout.partition("data: ")
    answers = [json.loads(text) for text in re.sub(r"\}\s*\{\"", "}\n{\"", plain).splitlines() if text.strip()]
    model, backend, chat = answers
    assert model["name"] == "assistant" and model["model_id"] == "tiny" and model["backends"] == []
    assert backend["url"] == node.url and backend["active"] is True
    assert chat["model"] == "assistant" and chat["choices"][0]["message"]["content"]
    events = [part for part in ("data: " + streamed).split("\n\n") if part.strip()]
    assert events[-1].strip() == "data: [DONE]" and len(events) > 2
    assert {json.loads(event[len("data: "):])["model"] for event in events[:-1]} == {"assistant"}
    assert node.control()["requests"] >= 2
