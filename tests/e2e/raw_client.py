"""Clients on bare sockets: one that leaves at a chosen moment, and one that holds a thousand streams in one thread."""

import asyncio
import json
import socket
import urllib.parse


def chat_request(url, prompt, stream=False, max_tokens=16, model="tiny", request_id="raw"):
    """A whole HTTP request for a chat completion, as bytes."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": max_tokens,
                       "stream": stream}).encode()
    netloc = urllib.parse.urlsplit(url).netloc
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: {netloc}\r\nContent-Type: application/json\r\n"
            f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


class Caller:
    """One connection, read only as far as asked, left when the test says so."""

    def __init__(self, url, **question):
        address = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=20)
        self.socket.sendall(chat_request(url, **question))
        self.seen = b""

    def read_until(self, part):
        while part not in self.seen:
            data = self.socket.recv(65536)
            assert data, f"the gateway closed after {self.seen[-500:]!r}"
            self.seen += data

    def leave(self):
        self.socket.close()


class ManyStreams:
    """`count` streams at once. What came is kept as bytes and judged at the end."""

    def __init__(self, url, count, prompt, max_tokens):
        self.url = url
        self.count = count
        self.request = chat_request(url, prompt, stream=True, max_tokens=max_tokens)
        self.bodies = []
        self.begun = 0  # streams whose first text has come

    async def _one(self):
        address = urllib.parse.urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(self.request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            body, begun = bytearray(), False
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
                if not begun and has_text(body):
                    begun = True
                    self.begun += 1
            self.bodies.append(bytes(body))
        finally:
            writer.close()

    async def run(self, when_all_begun=None):
        """Runs them all; calls `when_all_begun` once every one has text and none has ended."""
        streams = [asyncio.ensure_future(self._one()) for _ in range(self.count)]
        while self.begun < self.count and not any(stream.done() for stream in streams):
            await asyncio.sleep(0.05)
        if when_all_begun:
            assert self.begun == self.count and not self.bodies, "they did not all run at the same time"
            when_all_begun()
        await asyncio.gather(*streams)
        return self.bodies


def has_text(body):
    return any(choice["delta"].get("content") for event in events(body) for choice in event["choices"])


def events(body):
    """The JSON events of a stream so far."""
    whole = body[:body.rfind(b"\n\n") + 2] if b"\n\n" in body else b""
    parts = (part[len(b"data: "):] for part in bytes(whole).split(b"\n\n") if part.startswith(b"data: "))
    return [json.loads(part) for part in parts if part != b"[DONE]"]


def text_of(body):
    return "".join(choice["delta"].get("content") or "" for event in events(body) for choice in event["choices"])
