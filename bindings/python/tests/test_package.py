"""The package as such: names, imports, symbols."""

import json
import pathlib
import subprocess
import sys

import llmroute
from llmroute import _native


def run(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_exported_names():
    assert sorted(llmroute.__all__) == [
        "AsyncStream",
        "AttemptEvent",
        "CallEvent",
        "ConfigError",
        "Error",
        "NodeEvent",
        "NodeView",
        "PickRequest",
        "Reply",
        "Router",
        "Stream",
        "__version__",
    ]
    assert {"OpenAI", "AsyncOpenAI", "Client", "AsyncClient", "http_clients"} < set(dir(llmroute))


def test_the_version_is_the_headers():
    header = pathlib.Path(__file__).resolve().parents[3] / "include/llmroute/version.hpp"
    numbers = [line.split()[2] for line in header.read_text().splitlines() if line.startswith("#define LLMROUTE_VERSION_")]
    assert llmroute.__version__ == ".".join(numbers)


def test_importing_is_cheap_and_brings_no_sdk():
    program = """
import sys, time
began = time.process_time()  # other programs may have the machine
import llmroute
took = time.process_time() - began
print(took, *sorted({"openai", "httpx", "httpx2", "asyncio", "typing"} & set(sys.modules)))
"""
    runs = [run(program).split() for _ in range(5)]
    assert [names for _, *names in runs] == [[]] * 5
    assert min(float(took) for took, *_ in runs) < 0.030


def test_the_module_shows_nothing_but_its_entry():
    listed = subprocess.run(["nm", "-D", "--defined-only", _native.__file__], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in listed.splitlines()] == ["PyInit__native"]


def test_it_lives_beside_pycurl(node):
    program = """
import io, json, sys
import pycurl
import llmroute
url = sys.argv[1]
for _ in range(3):
    router = llmroute.Router(nodes=[{"url": url, "models": ["tiny"]}])
    assert router.chat({"messages": []})["object"] == "chat.completion"
    curl, answer = pycurl.Curl(), io.BytesIO()
    curl.setopt(pycurl.URL, url + "/v1/chat/completions")
    curl.setopt(pycurl.POSTFIELDS, '{"messages":[]}')
    curl.setopt(pycurl.WRITEDATA, answer)
    curl.perform()
    curl.close()
    router.close()
    print(json.loads(answer.getvalue())["object"])
"""
    assert run(program, node.url).split() == ["chat.completion"] * 3
    swapped = program.replace("import pycurl\nimport llmroute", "import llmroute\nimport pycurl")
    assert run(swapped, node.url).split() == ["chat.completion"] * 3


def test_the_package_is_typed():
    folder = pathlib.Path(llmroute.__file__).parent
    assert (folder / "py.typed").exists()
    assert (folder / "_native.pyi").exists()
    assert json.dumps(sorted(path.name for path in folder.glob("*.so"))) != "[]"
