"""Counts instructions by callgrind, which hardly depend on how busy the machine is.

Each figure is a difference of two runs, so that starting up is not in it.
The node takes its time: a program that finds its answer there already takes another path than one that waits for it.
"""

import pathlib
import re
import tempfile

import programs

PACE = 40  # ms, in which a program under callgrind is done with every answer or chunk before the next come
CALLS = (200, 1200)
CHUNKS = (10, 60)
STREAMS = 32


class Counter:
    """The front of a command that is counted, and what was counted."""

    def __init__(self, directory, name):
        self.file = pathlib.Path(directory) / f"callgrind.{name}"
        self.under = ("valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={self.file}")

    def instructions(self):
        return int(re.search(r"^(?:summary|totals): (\d+)", self.file.read_text(), re.MULTILINE)[1])


def per_call(count):
    """`count(kind, number)` is a run's instructions."""
    few, many = (count("plain", calls) for calls in CALLS)
    return (many - few) / (CALLS[1] - CALLS[0])


def per_chunk(count):
    few, many = (count("stream", chunks) for chunks in CHUNKS)
    return (many - few) / (STREAMS * (CHUNKS[1] - CHUNKS[0]))


def of_client(program, directory):
    """count(kind, number) for a client of the node."""

    def count(kind, number):
        counter = Counter(directory, f"{program}.{kind}.{number}")
        chunks, calls = (number, STREAMS) if kind == "stream" else (1, number)
        with programs.node(chunks, PACE) as node:
            programs.client(program, node.port, kind, calls, under=counter.under)
        return counter.instructions()

    return count


def of_server(start, name, directory):
    """The same for a server between load and node; `start(node_port, under)` runs it."""

    def count(kind, number):
        counter = Counter(directory, f"{name}.{kind}.{number}")
        chunks, calls = (number, STREAMS) if kind == "stream" else (1, number)
        with programs.node(chunks, PACE) as node, start(node.port, counter.under) as between:
            programs.client("load", between.port, kind, calls)
        return counter.instructions()

    return count


def measure(directory=None):
    """Rows of (what, floor, ours)."""
    with tempfile.TemporaryDirectory() as own:
        place = directory or own
        poll, action = (of_client(floor, place) for floor in ("floor_poll", "floor_socket_action"))
        router = of_client("router_calls", place)
        yield "C++ call", min(per_call(poll), per_call(action)), per_call(router)
        yield "C++ streamed chunk", min(per_chunk(poll), per_chunk(action)), per_chunk(router)
        proxy = of_server(programs.floor_proxy, "floor_proxy", place)
        floor = per_call(proxy), per_chunk(proxy)
        for name, start in (("gateway", programs.gateway), ("guarded gateway", programs.guarded_gateway)):
            ours = of_server(start, name.replace(" ", "_"), place)
            yield f"{name} request", floor[0], per_call(ours)
            yield f"{name} chunk", floor[1], per_chunk(ours)
