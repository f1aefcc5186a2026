"""Behind a proxy: X-Forwarded-For counts from those who are trusted, for the log and for the cap per address."""

import threading

import pytest
from fake_node import answer_well
from gateway_server import eventually, run_gateway

TRUSTED = 'trusted_proxies = ["127.0.0.0/8"]\n'


def clients(gateway, count):
    lines = eventually(lambda: len(found := gateway.log("call")) >= count and found)
    return [line["client"] for line in lines]


@pytest.mark.parametrize("config, fields, client", [
    ("", {"X-Forwarded-For": "1.2.3.4"}, "127.0.0.1"),
    ('[server]\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n', {"X-Forwarded-For": "1.2.3.4"}, "127.0.0.1"),
    ("[server]\n" + TRUSTED, {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
    ("[server]\n" + TRUSTED, {"X-Forwarded-For": "6.6.6.6, 1.2.3.4, 127.0.0.9"}, "1.2.3.4"),
    ("[server]\n" + TRUSTED, {"X-Forwarded-For": "2001:db8::1"}, "2001:db8::1"),
    ("[server]\n" + TRUSTED, {"X-Forwarded-For": "<script>"}, "127.0.0.1"),
    ("[server]\n" + TRUSTED, {}, "127.0.0.1"),
])
def test_whom_the_log_names(start, node, config, fields, client):
    gateway = start(node, config=config)
    assert gateway.chat(headers=fields).status == 200
    assert clients(gateway, 1) == [client]


def test_a_refused_token_is_logged_with_its_sender(start, node):
    gateway = start(node, config='[auth]\nauth_token = "sesame"\n[server]\n' + TRUSTED)
    assert gateway.chat(headers={"X-Forwarded-For": "1.2.3.4"}).status == 401
    assert clients(gateway, 1) == ["1.2.3.4"]


def test_the_cap_is_that_of_the_caller_behind_the_proxy(start, node):
    go_on = threading.Event()
    node.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    gateway = start(node, config="[server]\nmax_connections_per_address = 2\n" + TRUSTED)
    held = [threading.Thread(target=gateway.chat, kwargs={"headers": {"X-Forwarded-For": "1.2.3.4"}}) for _ in range(2)]
    for caller in held:
        caller.start()
    eventually(lambda: len(node.requests) == 2)
    refused = gateway.chat(headers={"X-Forwarded-For": "1.2.3.4"})
    assert refused.status == 429 and refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["type"] == "rate_limit_error"
    others = [gateway.request("GET", "/livez", headers={"X-Forwarded-For": f"1.2.3.{i}"}) for i in range(5, 15)]
    assert {answer.status for answer in others} == {200}
    go_on.set()
    for caller in held:
        caller.join()
    eventually(lambda: gateway.chat(headers={"X-Forwarded-For": "1.2.3.4"}).status == 200)
    assert len(node.requests) == 3


def test_a_caller_that_leaves_gives_up_its_place(start, node):
    def silent(_, connection):
        connection.wait_for_close()

    node.handler = silent
    gateway = start(node, config="[server]\nmax_connections_per_address = 1\n" + TRUSTED)
    connection = gateway.connect()
    connection.request("POST", "/v1/chat/completions", '{"model":"tiny","messages":[]}', {"X-Forwarded-For": "1.2.3.4"})
    eventually(lambda: node.requests)
    assert gateway.request("GET", "/livez", headers={"X-Forwarded-For": "1.2.3.4"}).status == 429
    connection.close()
    eventually(lambda: gateway.request("GET", "/livez", headers={"X-Forwarded-For": "1.2.3.4"}).status == 200)


def test_a_word_that_is_no_network_is_named(tmp_path):
    (tmp_path / "llmroute.toml").write_text(
        '[server]\ntrusted_proxies = ["10.0.0.0/8", "proxy"]\n[[nodes]]\nurl = "http://127.0.0.1:1"\n')
    code, _, err = run_gateway(tmp_path, "check-config")
    assert code == 2 and "server.trusted_proxies" in err and '"proxy"' in err and "llmroute.toml:2" in err
