"""The check of includes finds what points the wrong way, and nothing else."""

import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check_includes.py"


def check(tree, files):
    """(exit code, lines) for a tree of these files: path -> what it includes."""
    for path, includes in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text("".join(f"#include {include}\n" for include in includes))
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    subprocess.run(["git", "add", "."], cwd=tree, check=True)
    done = subprocess.run([sys.executable, SCRIPT], cwd=tree, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("path,include", [
    ("include/llmroute/core/node.hpp", "<llmroute/wire/splice.hpp>"),
    ("include/llmroute/core/node.hpp", "<llmroute/router.hpp>"),
    ("include/llmroute/core/node.hpp", "<curl/curl.h>"),
    ("include/llmroute/error.hpp", "<llmroute/config.hpp>"),
    ("include/llmroute/wire/splice.hpp", "<simdjson.h>"),
    ("include/llmroute/wire/splice.hpp", "<llmroute/net/reactor.hpp>"),
    ("include/llmroute/router.hpp", "<curl/curl.h>"),
    ("src/wire/splice.cpp", "<curl/curl.h>"),
    ("src/net/loop.cpp", '"layers/attempt.hpp"'),
    ("src/net/loop.cpp", "<llmroute/router.hpp>"),
    ("src/layers/attempt.cpp", "<simdjson.h>"),
    ("src/router.cpp", "<boost/asio.hpp>"),
    ("src/config.cpp", "<toml++/toml.h>"),
    ("capi/router.cpp", '"net/loop.hpp"'),
    ("capi/router.cpp", "<curl/curl.h>"),
])
def test_a_wrong_include_is_found(tmp_path, path, include):
    assert check(tmp_path, {path: ["<vector>", include]}) == (1, [f"{path}:2: may not include {include.strip(chr(34) + '<>')}"])


@pytest.mark.parametrize("include", ['"net/loop.hpp"', '"../../src/net/loop.hpp"', "<net/loop.hpp>"])
def test_an_example_stays_in_front_of_the_public_headers(tmp_path, include):
    code, lines = check(tmp_path, {"examples/chat/main.cpp": [include], "src/net/loop.hpp": []})
    assert code == 1 and lines[0].startswith("examples/chat/main.cpp:1: ")


def test_right_includes_pass(tmp_path):
    files = {
        "include/llmroute/core/node.hpp": ["<vector>", "<llmroute/error.hpp>", "<fmt/format.h>"],
        "include/llmroute/router.hpp": ["<llmroute/core/node.hpp>"],
        "src/net/loop.cpp": ["<curl/curl.h>", '"net/loop.hpp"', "<sys/epoll.h>"],
        "src/wire/splice.cpp": ["<simdjson.h>", "<llmroute/wire/splice.hpp>"],
        "capi/router.cpp": ["<llmroute/router.hpp>", '"boundary.hpp"', '"llmroute.h"'],
        "examples/gateway/main.cpp": ["<llmroute/router.hpp>", "<boost/asio.hpp>", '"options.hpp"'],
        "examples/gateway/options.hpp": ['"http/server.hpp"'],
        "examples/http/server.hpp": [],
    }
    assert check(tmp_path, files) == (0, ["includes of 8 files point the right way"])
