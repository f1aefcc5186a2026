"""The examples in languages whose compilers not everybody has: built here, run against two mock nodes.

For `scripts/test.sh --only languages`; pytest does not find the file by itself.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).resolve()
LIB = BIN.parent / "lib"


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, **options)


def built(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr


def go(directory):
    flags = {"CGO_CFLAGS": f"-I{ROOT}/capi", "CGO_LDFLAGS": f"-L{LIB} -Wl,-rpath,{LIB}", "CGO_ENABLED": "1"}
    built("go", "build", "-o", directory / "example", ".", cwd=ROOT / "examples/go", env={**os.environ, **flags})
    return [directory / "example"]


def rust(directory):
    built("rustc", "--edition", "2021", "-D", "warnings", ROOT / "examples/rust/main.rs", "-o", directory / "example",
          "-L", LIB, "-C", f"link-arg=-Wl,-rpath,{LIB}")
    return [directory / "example"]


def node(directory):
    for name in ("main.js", "package.json"):
        shutil.copy(ROOT / "examples/node" / name, directory)
    built("npm", "install", "--no-audit", "--no-fund", cwd=directory)
    return ["node", directory / "main.js"]


@pytest.fixture(params=[go, rust, node], ids=lambda build: build.__name__, scope="module")
def example(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("example"))


@pytest.fixture
def nodes():
    """Two mock nodes; their URLs."""
    running = [subprocess.Popen([BIN / "llmroute-mock-node", "--port", "0", "--answer-tokens", "4"], stdout=subprocess.PIPE, text=True)
               for _ in range(2)]
    yield [one.stdout.readline().split()[-1] for one in running]
    for one in running:
        one.terminate()
        one.wait(10)
        one.stdout.close()


def call(example, *urls):
    return run(*example, *urls, env={**os.environ, "LLMROUTE_LIBRARY": str(LIB / "libllmroute_c.so.0")})


def test_all_forms_of_a_call_work(example, nodes):
    done = call(example, *nodes)
    assert done.returncode == 0, done.stderr
    one_of_them = "(?:" + "|".join(map(re.escape, nodes)) + ")"
    assert re.fullmatch(f"chat: {one_of_them} answered\n"
                        r"stream: \w+( \w+)+ ?\n"
                        "cancel: cancelled after 1 event\n"
                        f"strategy: {re.escape(nodes[1])}\n", done.stdout), done.stdout


def test_a_failure_has_its_name(example):
    done = call(example, "http://127.0.0.1:1")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("connect_failed: ")


def test_usage_is_told(example):
    done = call(example)
    assert done.returncode == 2 and done.stderr.startswith("usage: ")
