"""A caller that leaves ends the node's work within a second, whenever it leaves, and gives back what it held."""

import time

import pytest
from demo.processes import eventually
from raw_client import Caller

WITHIN = 1.0  # seconds from the caller's leaving to the node's seeing it
SILENT = ("--fault", "stall=headers")  # takes the request and says nothing
PACED = ("--prefill-us-per-token", "0", "--decode-us", "50000")  # a token every 50 ms, for as long as it is asked


def in_flight(gateway):
    return sum(node["in_flight"] for node in gateway.stats()["nodes"])


def leaves(caller, gateway, node):
    """The caller goes; the node sees it in time, and the gateway's counts are zero again."""
    before = node.control()["aborted"]
    caller.leave()
    left = time.monotonic()
    eventually(lambda: node.control()["aborted"] == before + 1, "the node sees the abort", WITHIN)
    assert time.monotonic() - left <= WITHIN
    eventually(lambda: in_flight(gateway) == 0 and node.control()["active"] == 0, "nothing runs any more", WITHIN)
    eventually(lambda: any(name.startswith("requests_total") and 'status="cancelled"' in name
                           for name in gateway.metrics()), "the call is counted as cancelled")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_before_anything_has_come(servers, stream):
    node = servers.mock("silent", *SILENT)
    gateway = servers.gateway([node])
    caller = Caller(gateway.url, prompt="hello", stream=stream)
    eventually(lambda: node.control()["active"] == 1, "the node has the request")
    leaves(caller, gateway, node)


def test_before_the_first_token(servers):
    node = servers.mock("slow", "--prefill-us-per-token", "1000000", "--decode-us", "1000")
    gateway = servers.gateway([node])
    caller = Caller(gateway.url, prompt="a prompt that takes ten seconds and more to be read", stream=True)
    eventually(lambda: node.control()["active"] == 1, "the node has the request")
    leaves(caller, gateway, node)


def test_in_the_middle_of_a_stream(servers):
    node = servers.mock("paced", *PACED)
    gateway = servers.gateway([node])
    caller = Caller(gateway.url, prompt="hello", stream=True, max_tokens=400)
    caller.read_until(b'"content":')
    leaves(caller, gateway, node)


def test_while_a_plain_answer_is_being_made(servers):
    node = servers.mock("paced", *PACED)
    gateway = servers.gateway([node])
    caller = Caller(gateway.url, prompt="hello", max_tokens=400)
    eventually(lambda: node.control()["active"] == 1, "the node has the request")
    leaves(caller, gateway, node)


def test_while_it_waits_in_the_queue(servers):
    node = servers.mock("silent", *SILENT)
    gateway = servers.gateway([node], "[backpressure]\nmax_concurrent_requests = 1\nmax_queue_size = 4\n")
    first = Caller(gateway.url, prompt="first")
    eventually(lambda: node.control()["active"] == 1, "the node has the first request")
    seen = node.control()["requests"]
    queued = [Caller(gateway.url, prompt="second", stream=stream) for stream in (False, True)]
    eventually(lambda: gateway.stats()["queue_depth"] == 2, "two wait")
    for caller in queued:
        caller.leave()
    eventually(lambda: gateway.stats()["queue_depth"] == 0, "nobody waits any more", WITHIN)
    assert node.control()["requests"] == seen  # they never reached the node
    leaves(first, gateway, node)


def test_a_permit_comes_back_when_its_caller_leaves(servers):
    node = servers.mock("silent", *SILENT)
    gateway = servers.gateway([node], "[backpressure]\nmax_concurrent_requests = 1\nmax_queue_size = 4\n")
    first, second = Caller(gateway.url, prompt="first"), Caller(gateway.url, prompt="second")
    eventually(lambda: gateway.stats()["queue_depth"] == 1, "one waits")
    first.leave()
    eventually(lambda: gateway.stats()["queue_depth"] == 0 and node.control()["active"] == 1, "the other has its turn")
    leaves(second, gateway, node)
