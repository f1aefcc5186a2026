"""A node that does as it is told: real sockets, one thread a connection, an answer written by the test.

The handler gets the parsed request and the connection; what it sends is sent as it is, so a test can stop
half-way, send garbage, or hold an event back until something else has happened.
"""

import json
import socket
import struct
import threading

MODEL = "tiny"


class Request:
    """One request as the node received it."""

    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers  # list of (lower-case name, value)
        self.body = body

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def json(self):
        return json.loads(self.body)


class Connection:
    """The node's side of a connection."""

    def __init__(self, sock):
        self.sock = sock
        self.reader = sock.makefile("rb")

    def read_request(self):
        line = self.reader.readline()
        if not line:
            return None
        method, path, _ = line.decode().split(" ", 2)
        headers = []
        while (line := self.reader.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        length = int(dict(headers).get("content-length", "0"))
        return Request(method, path, headers, self.reader.read(length))

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self, status, body, headers=(), content_type="application/json"):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(data)}\r\n"
        self.send(head + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n")
        self.send(data)

    def start_stream(self, headers=()):
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
                  f"{fields}\r\n")

    def event(self, data):
        text = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
        self.send(f"{len(text):x}\r\n".encode() + text + b"\r\n")

    def end_stream(self):
        self.event("[DONE]")
        self.send("0\r\n\r\n")

    def wait_for_close(self):
        """Blocks until the other side has gone."""
        try:
            while self.sock.recv(4096):
                pass
        except OSError:
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.reader.close()
        self.sock.close()


def delta(text, finish=None):
    """One chat chunk."""
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def completion(text="hello"):
    """A plain chat answer."""
    return {"id": "c", "object": "chat.completion", "created": 1, "model": MODEL,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}


def answer_well(request, connection):
    """The handler a node begins with."""
    if not request.json().get("stream"):
        return connection.answer(200, completion())
    connection.start_stream()
    connection.event(delta("hel"))
    connection.event(delta("lo", "stop"))
    return connection.end_stream()


class FakeNode:
    """Listens at `url`; `requests` are the inference requests so far; `handler` may be changed at any time."""

    def __init__(self, handler=answer_well, models=(MODEL,)):
        self.handler = handler
        self.models = models
        self.requests = []
        self.probes = 0
        self.connections = []
        self.closed = False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                if self.closed:
                    return sock.close()
                self.connections = [other for other in self.connections if other.fileno() != -1] + [sock]
            threading.Thread(target=self._serve, args=(Connection(sock),), daemon=True).start()

    def _serve(self, connection):
        try:
            while (request := connection.read_request()) is not None:
                if request.path == "/health":
                    self.probes += 1
                    connection.answer(200, "")
                elif request.path.endswith("/models"):
                    connection.answer(200, {"object": "list", "data": [{"id": m, "object": "model"} for m in self.models]})
                else:
                    self.requests.append(request)
                    self.handler(request, connection)
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def close(self):
        """The node is gone: nobody listens, and the connections that were kept end too."""
        self.listener.shutdown(socket.SHUT_RDWR)  # else the thread in accept() takes one more connection
        self.listener.close()
        with self.lock:
            self.closed = True
            for sock in self.connections:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has gone already
                    pass
