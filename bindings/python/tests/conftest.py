"""Nodes that do as they are told, and routers in front of them."""

import asyncio
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests" / "gateway"))

from fake_node import FakeNode  # noqa: E402

from config import config_for  # noqa: E402

import llmroute  # noqa: E402

# Who starts the tests in the background may have had it ignored, and tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def make_node():
    """FakeNode, closed at the test's end."""
    nodes = []

    def make(*args, **options):
        nodes.append(FakeNode(*args, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def node(make_node):
    return make_node()


@pytest.fixture
def make_router():
    """A router over nodes n1, n2, ... asked in this order."""
    routers = []

    def make(*nodes, **options):
        routers.append(llmroute.Router(config_for(*nodes), **options))
        return routers[-1]

    yield make
    for router in routers:
        router.close()


@pytest.fixture
def router(make_router, node):
    return make_router(node)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine on a loop of that kind."""
    if request.param == "asyncio":
        return asyncio.run
    import uvloop  # where the tests of the SDK run there is none

    return uvloop.run
