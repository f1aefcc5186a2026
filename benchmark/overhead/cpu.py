"""CPU time, the kernel's included: floor and ours in alternating runs, medians of them.

What is measured has a processor for itself: else those it talks to, woken by what it sends, push it aside in the middle of
a turn, and half of what is counted is the kernel changing between them.
"""

import os
import pathlib
import statistics
import subprocess
import sys

import programs

CALLS = 4000
STREAMS = 320
CHUNKS = (10, 110)
IN_BULK = (10, 1010)
PACE = 2  # ms between a stream's chunks
HELD = 1000


PROCESSORS = sorted(os.sched_getaffinity(0))
ALONE = ("taskset", "-c", str(PROCESSORS[0])) if len(PROCESSORS) > 1 else ()


def spent(pid):
    """Microseconds that a process has run, all threads."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1000


def resident(pid):
    """KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def of_client(program):
    """A run: microseconds a call, as the program itself measures."""
    return lambda port, kind, calls: programs.client(program, port, kind, calls, under=ALONE)["us_per_call"]


def of_server(server):
    """The same for a server that runs between load and node; warm."""

    def run(port, kind, calls):
        with server(port, under=ALONE) as between:
            programs.client("load", between.port, kind, max(calls // 10, 32))
            before = spent(between.pid)
            programs.client("load", between.port, kind, calls)
            return (spent(between.pid) - before) / calls

    return run


def per_call(run):
    with programs.node(1) as node:
        return run(node.port, "plain", CALLS)


def per_chunk(run, numbers=CHUNKS, pace=PACE):
    took = []
    for chunks in numbers:
        with programs.node(chunks, pace) as node:
            took.append(run(node.port, "stream", STREAMS))
    return (took[1] - took[0]) / (numbers[1] - numbers[0])


def per_chunk_in_bulk(run):
    """Chunks that arrive together, as no model sends them: what is left is parsing."""
    return per_chunk(run, IN_BULK, None)


def held_stream(server):
    """KiB of resident memory for a stream that waits, ten seconds, as do the calls before that warm the server."""
    with programs.node(2, 10_000) as node, server(node.port) as between:
        programs.client("load", between.port, "plain", HELD, HELD)
        before = resident(between.pid)
        command = [programs.BIN / "bench_load", between.port, "hold", HELD]
        load = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert load.stdout.readline() == b"held\n"
            return (resident(between.pid) - before) / HELD
        finally:
            load.kill()
            load.communicate()


GATES = {"C++ call": 1.25, "C++ streamed chunk": 1.25, "gateway request": 1.4, "gateway chunk": 1.25,
         "guarded gateway request": 1.4, "guarded gateway chunk": 1.25}


def compare(measure, floors, ours, pairs):
    """(floor, ours): medians of alternating runs, of the cheaper floor."""
    runs = [*floors, ours]
    found = [[] for _ in runs]
    for _ in range(pairs):
        for run, figures in zip(runs, found):
            figures.append(measure(run))
    *floor_medians, our_median = map(statistics.median, found)
    return min(floor_medians), our_median


def report(pairs):
    if ALONE:
        os.sched_setaffinity(0, PROCESSORS[1:])  # and so those it starts, but for ALONE
    clients = [of_client("floor_poll"), of_client("floor_socket_action")]
    router = of_client("router_calls")
    proxy, gateway = [of_server(programs.floor_proxy)], of_server(programs.gateway)
    guarded = of_server(programs.guarded_gateway)
    rows = (
        ("C++ call", per_call, clients, router),
        ("C++ streamed chunk", per_chunk, clients, router),
        ("C++ chunk, in bulk", per_chunk_in_bulk, clients, router),
        ("gateway request", per_call, proxy, gateway),
        ("gateway chunk", per_chunk, proxy, gateway),
        ("guarded gateway request", per_call, proxy, guarded),
        ("guarded gateway chunk", per_chunk, proxy, guarded),
        ("gateway chunk, in bulk", per_chunk_in_bulk, proxy, gateway),
    )
    print(f"{'CPU, us, per':24} {'floor':>7} {'ours':>7} {'ratio':>6} {'gate':>5}   medians of {pairs} pairs")
    for what, measure, floors, ours in rows:
        floor, our = compare(measure, floors, ours, pairs)
        print(f"{what:24} {floor:7.2f} {our:7.2f} {our / floor:6.2f} {GATES.get(what, ''):>5}")
        sys.stdout.flush()
    floor, our = held_stream(programs.floor_proxy), held_stream(programs.gateway)
    print(f"{'KiB per waiting stream':24} {floor:7.1f} {our:7.1f} {our / floor:6.2f}")
