#!/usr/bin/env python3
"""Whether streams that die go on exactly: two vLLM nodes with one model, a stream cut after every few tokens.

    scripts/resume_check.py http://gpu-1:8000 http://gpu-2:8000

The gateway (scripts/build.sh makes it) is put in front of both, with a relay before each that sees what is said. The
first cuts its stream after n chunks; the other node goes on from the token ids. The ids that it was given and those it
answered with, and the caller's text, must be those of the uncut stream at temperature 0. Exit code 0: they were, at
every cut, in both directions.
"""

import argparse
import http.client
import json
import pathlib
import socket
import struct
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from demo.servers import Gateway, fetch_json  # noqa: E402

PROMPTS = ("Tell me about the river", "Erzähl mir vom Fluß 🌊 bitte")
CONFIG = """
[router]
strategy = "priority"
retry_budget = 5

[health]
active = false

[breaker]
consecutive_failures = 1000
min_requests = 100000

[[nodes]]
name = "cut"
url = "{relay}"
provider = "vllm"
priority = 0

[[nodes]]
name = "whole"
url = "{whole}"
provider = "vllm"
priority = 1
"""


class Relay:
    """Passes requests on to a node, one a connection; resets an event stream after `cut_after` events.

    Of the last stream it knows what was asked (`asked`) and the token ids that came (`ids`).
    """

    def __init__(self, node):
        self.node = urllib.parse.urlsplit(node).netloc
        self.cut_after = None
        self.cuts = 0
        self.asked = {}
        self.ids = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller):
        with caller, caller.makefile("rb") as reader:
            method, path, _ = reader.readline().decode().split(" ", 2)
            fields = http.client.parse_headers(reader)
            body = reader.read(int(fields.get("content-length", 0)))
            node = http.client.HTTPConnection(self.node, timeout=120)
            node.request(method, path, body, {"Content-Type": "application/json"})
            if method == "POST":
                self.asked, self.ids = json.loads(body), []
            self._answer(caller, node.getresponse())
            node.close()

    def _answer(self, caller, response):
        kind = response.headers.get("content-type", "application/json")
        caller.sendall(f"HTTP/1.1 {response.status} X\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode())
        events = 0
        for line in response:
            if line.startswith(b"data: {"):
                self.ids += token_ids(json.loads(line[6:]))
            caller.sendall(line)
            events += line.startswith(b"data: ")
            if "event-stream" in kind and events == self.cut_after:
                self.cuts += 1
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return


def token_ids(event):
    return [number for choice in event.get("choices", ()) for number in choice.get("token_ids") or ()]


def streamed(url, model, prompt, tokens, **more):
    """(text, finish reason, ids of the prompt, ids of the answer) of a streamed chat; ids where they are asked for."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": True, "temperature": 0,
            "max_tokens": tokens, **more}
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=300)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text, finish, asked, ids, done = "", None, [], [], False
    for line in response:
        done = done or line.startswith(b"data: [DONE]")
        if done or not line.startswith(b"data: "):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            raise RuntimeError(event["error"]["message"])
        asked = event.get("prompt_token_ids") or asked
        ids += token_ids(event)
        for choice in event.get("choices", ()):
            text += choice["delta"].get("content") or ""
            finish = choice.get("finish_reason") or finish
    connection.close()
    if response.status != 200 or not done:
        raise RuntimeError(f"{url}: status {response.status}, {'whole' if done else 'cut'}")
    return text, finish, asked, ids


def told_apart(given, answered, asked):
    """(ids of the prompt, ids of the answer) when a node was given the prompt and the beginning of the answer."""
    return given[:asked], given[asked:] + answered


def check(first, second, tokens, step):
    """Cuts `first`, lets `second` go on; the number of cuts made, and of streams that came out otherwise."""
    model = fetch_json(second + "/v1/models")["data"][0]["id"]
    relay, other = Relay(first), Relay(second)
    by_ids = wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        gateway = Gateway(directory, config=CONFIG.format(relay=relay.url, whole=other.url)).start()
        try:
            for prompt in PROMPTS:
                relay.cut_after = None
                uncut = streamed(second, model, prompt, tokens, return_token_ids=True)
                for relay.cut_after in range(2, tokens, step):
                    other.asked, other.ids = {}, []
                    text, finish, _, _ = streamed(gateway.url, model, prompt, tokens)
                    if not other.asked:  # several tokens came in one chunk: it was over before the cut
                        ids = uncut[2:]
                    else:
                        given = other.asked.get("prompt")  # none when nothing had come before the cut
                        by_ids += given is not None
                        ids = told_apart(given or uncut[2], other.ids, len(uncut[2]))
                    whole = text, finish, *ids
                    if whole != uncut:
                        wrong += 1
                        print(f"cut after {relay.cut_after} chunks:\n  uncut   {uncut}\n  resumed {whole}")
        finally:
            gateway.stop()
            relay.close()
            other.close()
    print(f"{first} cut, {second} goes on: {relay.cuts} cuts, {by_ids} resumed by ids, {wrong} not equal")
    return by_ids, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("node", nargs=2, help="the address of a vLLM server; both serve the same model")
    parser.add_argument("--tokens", type=int, default=48, help="length of each answer")
    parser.add_argument("--step", type=int, default=3, help="chunks between two cuts")
    options = parser.parse_args()
    one, two = (node.rstrip("/").removesuffix("/v1") for node in options.node)
    results = [check(first, second, options.tokens, options.step) for first, second in ((one, two), (two, one))]
    return 0 if all(by_ids > 0 and wrong == 0 for by_ids, wrong in results) else 1


if __name__ == "__main__":
    sys.exit(main())
