"""The demo holds what it prints, says so by its exit code, and leaves nothing behind."""

import re
import signal
import subprocess
import sys

from demo.processes import BIN, ROOT, eventually
from demo.servers import clean_environment, prepare_real_nodes
from left_running import left_running


def start(directory, *args, **env):
    return subprocess.Popen([sys.executable, ROOT / "scripts" / "demo", "--logs", directory, *args],
                            env={**clean_environment(), "LLMROUTE_BIN_DIR": str(BIN), **env},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(directory, *args, **env):
    demo = start(directory, *args, **env)
    text, _ = demo.communicate(timeout=120)
    return demo.returncode, text


def rows(text):
    """The decisions: (request, kind, answered by) of the twenty."""
    return re.findall(r"^   (demo-\d\d)  (plain|stream) +(\S+)", text, re.MULTILINE)


def test_mock_nodes(tmp_path):
    code, text = run(tmp_path)
    assert code == 0, text
    decided = rows(text)
    assert len(decided) == 20 and [kind for _, kind, _ in decided].count("stream") == 10
    assert re.search(r"slow: \S", text) and "flaky: 503" in text
    assert 'requests_total{model="tiny",status="2xx",stream="true"}' in text
    assert "every answer was whole" in text
    assert left_running(tmp_path) == []


def test_real_servers(tmp_path):
    prepare_real_nodes()
    code, text = run(tmp_path, "--real")
    assert code == 0, text
    assert len(re.findall(r"^   llama-\d  llama.cpp  llamacpp  tiny +http://127", text, re.MULTILINE)) == 3
    assert len({node for _, _, node in rows(text)}) >= 2
    assert left_running(tmp_path) == []


def test_the_readers_own_nodes(servers, tmp_path):
    nodes = [servers.mock(name) for name in ("one", "two")]
    code, text = run(tmp_path / "demo", VLLM_NODES=",".join(node.url for node in nodes))
    assert code == 0, text
    assert {node for _, _, node in rows(text)} == {node.url for node in nodes}


def test_an_answer_that_is_not_whole_fails_it(servers, tmp_path):
    bad = servers.mock("bad", "--fault", "status=500")
    code, text = run(tmp_path / "demo", VLLM_NODES=bad.url)
    assert code == 1
    assert "not as it has to be" in text and "demo-01: " in text


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path):
    demo = start(tmp_path)
    eventually(lambda: (tmp_path / "gateway.log").exists() and left_running(tmp_path), "the demo runs")
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=20)
    assert demo.returncode == 128 + signal.SIGINT
    assert left_running(tmp_path) == []
