#!/usr/bin/env python3
"""A gateway in front of three mock nodes whose faults change every second, under steady load: soak.py [--minutes N] [--seed N].

Plain calls, streams, and streams that are left half-way. Exit code 0: every answer was whole and right, or an error with a
code; memory stayed flat; and when the load was over, nothing was left of it: no call in flight or in a queue, no connection
of a client's, no descriptor beyond the connections that are kept to the nodes.
"""

import argparse
import http.client
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter

from demo.client import Question, ask
from demo.processes import eventually
from demo.servers import Gateway, MockNode, fetch_json

CLIENTS = 8
PAUSE = 0.01  # of a client between two calls, seconds: refusals come at once
NODES = 3
GROWTH = 1.05  # of resident memory, from the first third of the run after its warm-up to the last
CODE = re.compile(r"'code': '?([a-z_0-9]+)")  # a node's own may be a number
FAULTS = ("status=503", "status=429,retry_after=1", "status=500,times=3", "delay_ms=300", "cut=fin,tokens=3", "cut=rst,tokens=5",
          "cut=rst,bytes=0", "cut=fin,bytes=200", "cut=rst,bytes=900,times=2", "cut=error,tokens=6", "cut=garbage,tokens=2",
          "cut=end,tokens=4", "cut=stall,tokens=4", "stall=headers", "garbage=html", "garbage=error")

# Faults last a second: a breaker that rests a node for ten, or at last for a minute, would hide most of them.
CONFIG = """
[router]
strategy = "least_loaded"
retry_budget = 1

[breaker]
open = "500ms"
max_open = "500ms"

[timeouts]
headers = "500ms"
response = "1s"
idle = "500ms"
total = "30s"
"""


class Process:
    """What the kernel knows of a process."""

    def __init__(self, pid):
        self.directory = pathlib.Path(f"/proc/{pid}")

    def resident_kb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", (self.directory / "status").read_text())[1])

    def descriptors(self):
        return len(os.listdir(self.directory / "fd"))

    def connections_at(self, port):
        """Of clients: connections, in whatever state, on a port that it listens on."""
        listening = "0A"
        lines = (line.split() for line in (self.directory / "net" / "tcp").read_text().splitlines()[1:])
        inodes = {f"socket:[{line[9]}]" for line in lines if int(line[1].split(":")[1], 16) == port and line[3] != listening}
        return sum(self._link(fd) in inodes for fd in os.listdir(self.directory / "fd"))

    def _link(self, fd):
        try:
            return os.readlink(self.directory / "fd" / fd)
        except FileNotFoundError:  # closed meanwhile
            return ""


class Load:
    """Clients that ask one question after the other until they are told to stop, and judge the answers."""

    def __init__(self, url, seed):
        self.url = url
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.counts = Counter()
        self.wrong = []
        self.texts = {}  # by prompt: nodes give one prompt one answer
        self.threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed}-{i}"), i)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _run(self, chance, client):
        number = 0
        while not self.stopped.wait(PAUSE):
            number += 1
            kind = chance.choice(("plain", "stream", "left"))
            question = Question(f"soak-{client}-{number}", f"tell me of {chance.randrange(50)}", kind != "plain", max_tokens=24)
            if kind == "left":
                self._leave(question, chance)
            else:
                self._judge(ask(self.url, question), question)

    def _leave(self, question, chance):
        """Reads a little of a stream, and goes."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request("POST", "/v1/chat/completions", question.body(), {"Content-Type": "application/json"})
            if chance.random() < 0.7:
                connection.getresponse().read1(chance.randrange(1, 400))
        except OSError as error:
            self._note("wrong", f"{question.request_id}: {error}")
        finally:
            connection.close()
        self._note("left")

    def _judge(self, answer, question):
        if not answer.whole():
            typed = CODE.search(answer.problem)
            return self._note(typed[1]) if typed else self._note("wrong", f"{question.request_id}: {answer}")
        with self.lock:
            usual = self.texts.setdefault(question.prompt, answer.text)
        same = answer.text == usual
        self._note("whole" if same else "wrong", None if same else f"{question.request_id}: {answer.text!r}, not {usual!r}")

    def _note(self, kind, wrong=None):
        with self.lock:
            self.counts[kind] += 1
            if wrong:
                self.wrong.append(wrong)


def change_faults(nodes, chance):
    """One node gets a fault, or two do; the others have none."""
    broken = chance.sample(nodes, chance.choice((0, 1, 1, 2)))
    for node in nodes:
        if node in broken:
            fetch_json(node.url + "/control/fault", {"fault": chance.choice(FAULTS)}, method="POST")
        else:
            fetch_json(node.url + "/control/fault", method="DELETE")


def run_load(gateway, nodes, seconds, seed):
    """The clients' load, and the memory in use, once a second."""
    chance = random.Random(seed)
    process = Process(gateway.pid)
    resident = []
    load = Load(gateway.url, seed)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            change_faults(nodes, chance)
            time.sleep(1)  # the beat of the faults; nothing is waited for
            resident.append(process.resident_kb())
    finally:
        load.stop()
    return load, resident


def growth(resident):
    """Memory of the last third over that of the first, once the first fifth has warmed everything up."""
    warm = resident[len(resident) // 5:]
    third = max(1, len(warm) // 3)
    return statistics.median(warm[-third:]) / statistics.median(warm[:third])


def worked(counts):
    """The load was one: of the answers that were waited for, most were whole."""
    return counts["whole"] > (counts.total() - counts["left"]) / 2


def flat(resident):
    """Memory did not grow. A minute is all warm-up: nothing can be said of it."""
    return len(resident) < 60 or growth(resident) <= GROWTH


def left_over(gateway, before):
    """What is not as it was before the load, in words."""
    process = Process(gateway.pid)

    def rest():
        stats = gateway.stats()
        found = {node["name"]: node["in_flight"] for node in stats["nodes"] if node["in_flight"]}
        found.update({"queue": stats["queue_depth"]} if stats["queue_depth"] else {})
        gauges = {name: value for name, value in gateway.metrics().items() if "queue_depth" in name or "active_requests" in name}
        found.update({name: value for name, value in gauges.items() if value})
        clients = process.connections_at(gateway.port)
        found.update({"client connections": clients} if clients else {})
        kept = process.descriptors() - before
        found.update({"descriptors": kept} if kept > CLIENTS * NODES else {})
        return found

    try:
        eventually(lambda: not rest(), "nothing is left", seconds=20, pause=0.1)
        return {}
    except TimeoutError:
        return rest()


def soak(directory, seconds, seed):
    """True: all was well. Says what it saw."""
    nodes = [MockNode(f"node-{i}", directory, "--decode-us", "2000", "--seed", "1").start() for i in range(NODES)]
    gateway = Gateway(directory, nodes, CONFIG).start()
    try:
        gateway.stats()
        before = Process(gateway.pid).descriptors()
        load, resident = run_load(gateway, nodes, seconds, seed)
        left = left_over(gateway, before)
        print(f"{seconds:.0f} s, seed {seed}: {dict(load.counts)}, {resident[-1]} KB, x {growth(resident):.3f}, "
              f"left over: {left or 'nothing'}")
        print("\n".join(load.wrong[:20]))
        return not load.wrong and not left and flat(resident) and worked(load.counts)
    finally:
        for program in (gateway, *nodes):
            program.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmroute-soak-") as directory:
        return 0 if soak(directory, chosen.minutes * 60, chosen.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
