"""A caller on a bare socket: sees every read of an answer as it comes, and leaves as the test says."""

import json
import socket
import struct

from gateway_server import CHAT

PLAIN = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}]})
STREAM = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "a"}], "stream": True})


class RawCaller:
    """`seen` is what has been read so far."""

    def __init__(self, gateway, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(10)
        self.sock.connect((gateway.host, gateway.port))
        self.seen = b""

    def post(self, body=STREAM, version="1.1"):
        self.sock.sendall(f"POST {CHAT} HTTP/{version}\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def read_until(self, part):
        while part not in self.seen:
            data = self.sock.recv(65536)
            assert data, self.seen
            self.seen += data

    def read_to_end(self):
        while data := self.sock.recv(65536):
            self.seen += data
        return self.seen

    def shut_sending(self):
        """A FIN from one that goes on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        """A FIN from one that has gone."""
        self.sock.close()

    def reset(self):
        """An RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def ask(caller, request=b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"):
    """On a connection that stays; the status."""
    caller.seen = b""
    caller.sock.sendall(request)
    caller.read_until(b"\r\n\r\n")
    head, _, body = caller.seen.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += caller.sock.recv(length - len(body))
    return int(head[9:12])


def begin_post(gateway, length, fields=""):
    """A caller whose body does not come yet."""
    caller = RawCaller(gateway)
    caller.sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n".encode())
    return caller
