"""TLS on the listener."""

import http.client
import json
import signal
import socket
import ssl
import threading
import time

import pytest
from certificates import Identity, make_key
from fake_node import completion, delta
from gateway_server import CHAT, run_gateway

BODY = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "hi"}]})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    return Identity(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Identity(tmp_path_factory.mktemp("ca"), "authority")


def files(identity, more=""):
    return f'[server.tls]\ncert_file = "{identity.certificate}"\nkey_file = "{identity.key}"\n{more}\n'


def client(server, own=None):
    context = ssl.create_default_context(cafile=server.certificate)
    if own:
        context.load_cert_chain(own.certificate, own.key)
    return context


def connect(gateway, context, raw=None):
    sock = raw or socket.create_connection((gateway.host, gateway.port), timeout=10)
    return context.wrap_socket(sock, server_hostname="127.0.0.1")


def ask(gateway, context, method="GET", path="/livez", body=None):
    connection = http.client.HTTPSConnection(gateway.host, gateway.port, timeout=10, context=context)
    connection.request(method, path, body)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def test_calls_and_streams_go_through(start, node, server):
    gateway = start(node, config=files(server))
    context = client(server)
    status, data = ask(gateway, context, "POST", CHAT, BODY)
    assert status == 200 and json.loads(data)["choices"]
    status, data = ask(gateway, context, "POST", CHAT, json.dumps({**json.loads(BODY), "stream": True}))
    assert status == 200 and data.endswith(b"data: [DONE]\n\n")
    assert "listening" in {line["event"] for line in gateway.log()}


def test_a_connection_is_used_again_and_in_order(start, node, server):
    gateway = start(node, config=files(server))
    sock = connect(gateway, client(server))
    sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    seen = b""
    while piece := sock.recv(65536):
        seen += piece
    assert seen.count(b"HTTP/1.1 200 OK") == 51 and seen.endswith(b'{"status":"ready"}')


def test_a_byte_at_a_time(start, node, server):
    gateway = start(node, config=files(server))
    sock = connect(gateway, client(server))
    for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n":
        sock.sendall(bytes([byte]))
    assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_large_bodies_both_ways(start, node, server):
    text = "x" * 3_000_000
    node.handler = lambda request, connection: connection.answer(200, completion(text))
    gateway = start(node, config=files(server))
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": text}]})
    status, data = ask(gateway, client(server), "POST", CHAT, body)
    assert status == 200 and json.loads(data)["choices"][0]["message"]["content"] == text
    assert node.requests[0].json()["messages"][0]["content"] == text


def test_a_reader_that_is_slow_gets_all(start, node, server):
    """The socket is full again and again, and each record that did not go out goes out as it was."""
    pieces = 3000

    def stream(_, connection):
        connection.start_stream()
        for i in range(pieces):
            connection.event(delta(f"{i}:" + "y" * 500))
        connection.event(delta("", "stop"))
        connection.end_stream()

    node.handler = stream
    gateway = start(node, config=files(server))
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(20)
    raw.connect((gateway.host, gateway.port))
    sock = connect(gateway, client(server), raw)
    body = json.dumps({**json.loads(BODY), "stream": True})
    sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    time.sleep(0.3)  # for the buffers on the way to fill
    seen = b""
    while piece := sock.recv(10_000):
        seen += piece
    found = [int(part.split(b":")[0]) for part in seen.split(b'"content": "')[1:-1]]
    assert found == list(range(pieces)) and b"[DONE]" in seen


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version, good", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                                           (ssl.TLSVersion.TLSv1_3, True)])
def test_versions(start, node, server, version, good):
    gateway = start(node, config=files(server))
    context = client(server)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if good:
        assert connect(gateway, context).version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            connect(gateway, context)


@pytest.mark.parametrize("offered, chosen", [(["h2", "http/1.1"], "http/1.1"), (["h2"], None)])
def test_http_1_1_is_what_is_chosen(start, node, server, offered, chosen):
    gateway = start(node, config=files(server))
    context = client(server)
    context.set_alpn_protocols(offered)
    assert connect(gateway, context).selected_alpn_protocol() == chosen


def test_plain_http_on_a_tls_port_is_told_so(start, node, server):
    gateway = start(node, config=files(server))
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as sock:
        sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode())
        seen = b""
        while piece := sock.recv(65536):  # ends with a FIN, not with a reset
            seen += piece
    assert seen.startswith(b"HTTP/1.1 400 ") and b"https" in seen and seen.count(b"HTTP/1.1") == 1
    assert not node.requests


@pytest.mark.parametrize("data", [b"\x00" * 300, b"\x16\x03\x01\x02\x00" + b"\xff" * 600, b"junk that is no TLS at all\r\n\r\n"])
def test_what_is_no_handshake_ends_the_connection(start, node, server, data):
    gateway = start(node, config=files(server))
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as sock:
        sock.sendall(data)
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
    assert ask(gateway, client(server))[0] == 200


def test_a_handshake_has_the_time_of_a_head(start, node, server):
    gateway = start(node, config='[server]\nheader_timeout = "200ms"\nidle_timeout = "10s"\n' + files(server))
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as sock:
        sock.sendall(b"\x16\x03\x01")
        begun = time.monotonic()
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass
        assert 0.15 < time.monotonic() - begun < 5


def test_callers_need_a_certificate_when_an_authority_is_named(start, node, server, authority, tmp_path):
    gateway = start(node, config=files(server, f'client_ca_file = "{authority.certificate}"'))
    known = Identity(tmp_path, "known", authority)
    stranger = Identity(tmp_path, "stranger")
    assert ask(gateway, client(server, known))[0] == 200
    for own in (None, stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(gateway, client(server, own))
    context = client(server, known)
    first = connect(gateway, context)
    first.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    first.recv(1000)
    again = context.wrap_socket(socket.create_connection((gateway.host, gateway.port), timeout=10),
                                server_hostname="127.0.0.1", session=first.session)
    again.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert again.recv(1000).startswith(b"HTTP/1.1 200") and again.session_reused


def test_a_caller_that_leaves_ends_the_nodes_work(start, node, server):
    gone = threading.Event()

    def silent(_, connection):
        connection.start_stream()
        connection.event(delta("a"))
        connection.wait_for_close()
        gone.set()

    node.handler = silent
    gateway = start(node, config=files(server))
    sock = connect(gateway, client(server))
    body = json.dumps({**json.loads(BODY), "stream": True})
    sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    assert sock.recv(1000)
    sock.close()
    assert gone.wait(5)


def test_sigterm_says_goodbye(start, node, server):
    gateway = start(node, config=files(server))
    sock = connect(gateway, client(server))
    sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    gateway.signal(signal.SIGTERM)
    assert sock.recv(100) == b""  # an end without a goodbye would be an SSLEOFError
    assert gateway.wait() == 0


@pytest.mark.parametrize("config, parts", [
    ('cert_file = "{absent}"\nkey_file = "{key}"', ["server.tls.cert_file", "absent.pem", "No such file"]),
    ('cert_file = "{cert}"\nkey_file = "{absent}"', ["server.tls.key_file", "absent.pem", "No such file"]),
    ('cert_file = "{cert}"\nkey_file = "{other}"', ["server.tls.key_file", "mismatch"]),
    ('cert_file = "{cert}"\nkey_file = "{cert}"', ["server.tls.key_file"]),
    ('cert_file = "{cert}"\nkey_file = "{locked}"', ["server.tls.key_file"]),
    ('cert_file = "{junk}"\nkey_file = "{key}"', ["server.tls.cert_file", "junk.pem"]),
    ('cert_file = "{cert}"\nkey_file = "{key}"\nclient_ca_file = "{absent}"', ["server.tls.client_ca_file", "No such file"]),
])
def test_files_that_cannot_be_used_are_named_at_the_start(tmp_path, server, config, parts):
    make_key(tmp_path / "other.pem")
    make_key(tmp_path / "locked.pem", "-aes-256-cbc", "-pass", "pass:x")
    (tmp_path / "junk.pem").write_text("junk")
    names = {"cert": server.certificate, "key": server.key,
             **{name: tmp_path / f"{name}.pem" for name in ("absent", "other", "locked", "junk")}}
    (tmp_path / "llmroute.toml").write_text("[server.tls]\n" + config.format(**names) + '\n[[nodes]]\nurl = "http://127.0.0.1:1"\n')
    for command in (("run", "--port", "0"), ("check-config",)):
        code, out, err = run_gateway(tmp_path, *command)
        assert code == 2 and out == "" and "Traceback" not in err
        assert [part for part in parts if part not in err] == [], err


@pytest.mark.parametrize("config, part", [('cert_file = "a"', "server.tls.key_file"), ('key_file = "a"', "server.tls.cert_file"),
                                          ('client_ca_file = "a"', "server.tls.cert_file")])
def test_a_certificate_without_its_key_is_no_configuration(tmp_path, config, part):
    (tmp_path / "llmroute.toml").write_text(f'[server.tls]\n{config}\n[[nodes]]\nurl = "http://127.0.0.1:1"\n')
    code, _, err = run_gateway(tmp_path, "check-config")
    assert code == 2 and part in err and err.count("\n") == 1


def test_many_handshakes_at_once(start, node, server):
    gateway = start(node, config=files(server))
    context = client(server)
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(ask(gateway, context)[0])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
