"""A connection that requests are written to as they are, and whose answers are counted."""

import json
import socket


class Wire:
    """Raw bytes out; statuses in order back."""

    def __init__(self, gateway):
        self.sock = socket.create_connection((gateway.host, gateway.port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, text, step=None):
        data = text.encode("utf-8")
        try:
            for i in range(0, len(data), step or len(data)):
                self.sock.sendall(data[i:i + (step or len(data))])
        except OSError:
            pass  # refused already: the answer is what counts

    def statuses(self):
        """Reads to the end of the connection, by the lengths that the answers give."""
        data = b""
        try:
            while piece := self.sock.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        self.sock.close()
        found = []
        while data:
            head, blank, rest = data.partition(b"\r\n\r\n")
            assert blank and head.startswith(b"HTTP/1.1 "), data[:200]
            found.append(int(head[9:12]))
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            size = int(length[0].split(b":")[1]) if length else 0
            assert len(rest) >= size
            if found[-1] >= 400:
                assert set(json.loads(rest[:size])["error"]) == {"message", "type", "param", "code"}
            data = rest[size:]
        return found
