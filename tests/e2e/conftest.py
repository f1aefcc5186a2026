"""Starts real programs for the end-to-end tests: mock nodes, llama.cpp servers, the gateway. Stops them by their id.

Each test has a directory of its own; when it fails, the end of every log in there is part of the report.
"""

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from demo.servers import Gateway, MockNode, RealNode, prepare_real_nodes  # noqa: E402


SANITIZER = re.compile(r"^==\d+==ERROR: |: runtime error: |WARNING: ThreadSanitizer", re.MULTILINE)


class Servers:
    """Starts programs in one directory and remembers them."""

    def __init__(self, directory):
        self.directory = directory
        self.programs = []

    def start(self, program):
        self.programs.append(program)
        return program.start()

    def mock(self, name, *args):
        return self.start(MockNode(name, self.directory, *args))

    def real(self, name, model, *args):
        return self.start(RealNode(name, self.directory, model, *args))

    def gateway(self, nodes, config=""):
        return self.start(Gateway(self.directory, nodes, config))

    def stop(self):
        for program in reversed(self.programs):
            program.stop()
        for program in self.programs:
            assert not SANITIZER.search(program.log_text()), program.log_path
            if isinstance(program, Gateway):
                assert program.process.returncode == 0, f"the gateway ended badly: {program.log_path}"


@pytest.fixture
def servers(tmp_path):
    """For one test."""
    started = Servers(tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_servers(tmp_path_factory):
    """For all tests of a module."""
    started = Servers(tmp_path_factory.mktemp("shared"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def real_nodes(shared_servers):
    """Three llama.cpp chat servers and one for embeddings: (chat nodes, embeddings node)."""
    model = prepare_real_nodes()
    chat = [shared_servers.real(f"llama-{i}", model) for i in (1, 2, 3)]
    return chat, shared_servers.real("llama-embed", model, "--embeddings", "--name", "tiny-embed")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if not report.failed:
        return
    for started in (one for one in getattr(item, "funcargs", {}).values() if isinstance(one, Servers)):
        for log in sorted(started.directory.glob("*.log")):
            report.sections.append((f"end of {log}", log.read_text(errors="replace")[-1500:]))
