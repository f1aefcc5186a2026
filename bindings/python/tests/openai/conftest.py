"""Scripted nodes, and both forms of the client under one name.

A test is a coroutine; what it awaits may be the blocking form's plain value just as well (forms.py).
"""

import asyncio
import inspect
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests" / "gateway"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

for name in [name for name in os.environ if name.startswith("OPENAI_")]:
    del os.environ[name]

import openai  # noqa: E402
from fake_node import FakeNode, answer_well  # noqa: E402

import llmroute  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 60))
    return True


@pytest.fixture
def make_node():
    """make_node(handler): a node that answers as the handler does."""
    nodes = []

    def make(handler=answer_well, **options):
        nodes.append(FakeNode(handler, **options))
        return nodes[-1]

    yield make
    for one in nodes:
        one.close()


@pytest.fixture
def node(make_node):
    return make_node()


@pytest.fixture(params=["blocking", "asyncio"])
def form(request):
    return request.param


@pytest.fixture
def make_client(form):
    """make_client(**options): llmroute.OpenAI or llmroute.AsyncOpenAI."""
    return {"blocking": llmroute.OpenAI, "asyncio": llmroute.AsyncOpenAI}[form]


@pytest.fixture
def make_stock(form):
    """make_stock(**options): the SDK's own client."""
    return {"blocking": openai.OpenAI, "asyncio": openai.AsyncOpenAI}[form]


@pytest.fixture
def client(make_client, node):
    """A client of one node, given as a base URL."""
    return make_client(base_url=node.url + "/v1", api_key="sk-test", max_retries=0)
