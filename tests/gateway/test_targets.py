"""A request never chooses a host: whatever it names, the configured node is asked and nobody else is spoken to."""

import socket

import pytest
from admin_client import Admin, WITH_STORE, bearer
from gateway_server import CHAT

MESSAGES = [{"role": "user", "content": "hi"}]
BODY = {"model": "tiny", "messages": MESSAGES, "prompt": "hi", "input": "hi", "query": "q", "documents": ["a"],
        "max_tokens": 5, "voice": "a"}
ROUTED = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/rerank",
          "/v1/moderations"]
RELAYED = ["/v1/audio/speech", "/v1/images/generations"]


class Elsewhere:
    """A host that nobody is to speak to."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.host = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.url = f"http://{self.host}"

    def was_left_alone(self):
        with pytest.raises(BlockingIOError):
            self.listener.accept()
        return True


@pytest.fixture
def elsewhere():
    one = Elsewhere()
    yield one
    one.listener.close()


def fields_naming(elsewhere):
    names = ["X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL",
             "X-Base-URL", "X-Api-Base", "OpenAI-Base-URL", "X-Upstream", "X-Routed-Node", "X-LiteLLM-Api-Base",
             "Destination", "Referer", "Origin"]
    fields = {name: elsewhere.host if name.endswith("Host") else elsewhere.url for name in names}
    return {**fields, "Host": elsewhere.host, "Forwarded": f"host={elsewhere.host};proto=http",
            "Proxy-Authorization": "Basic eDp5", "http_proxy": elsewhere.url}


def body_naming(elsewhere):
    names = ["api_base", "base_url", "api_url", "url", "endpoint", "host", "proxy", "node", "nodes", "server"]
    more = {"base_url": f"{elsewhere.url}/v1", "api_base": elsewhere.url, "api_key": "sk-theirs"}
    return {**BODY, **dict.fromkeys(names, elsewhere.url), **more, "extra_body": more, "litellm_params": more,
            "metadata": more}


def is_asked(node, path, count=1):
    """By its own name, and without what the caller gave out as credentials."""
    assert [request.path for request in node.requests] == [path] * count
    for request in node.requests:
        assert f"http://{request.header('host')}" == node.url
        assert request.header("authorization") is None
    return True


@pytest.mark.parametrize("path", [*ROUTED, *RELAYED])
def test_neither_body_nor_fields_choose_the_node(start, node, elsewhere, path):
    gateway = start(node)
    answer = gateway.request("POST", path, body_naming(elsewhere), fields_naming(elsewhere))
    assert answer.status == 200 and answer.headers["x-routed-node"] == "n0"
    assert is_asked(node, path)
    sent = {name for name, _ in node.requests[0].headers}
    assert not sent & {name.lower() for name in fields_naming(elsewhere) if name != "Host"}
    assert elsewhere.was_left_alone()


@pytest.mark.parametrize("target", ["http://{host}" + CHAT, "https://user:pass@{host}" + CHAT])
def test_nor_does_the_authority_of_a_target(start, node, elsewhere, target):
    gateway = start(node)
    answer = gateway.request("POST", target.format(host=elsewhere.host), BODY)
    assert (answer.status, len(node.requests)) in ((200, 1), (400, 0))
    assert elsewhere.was_left_alone()


@pytest.mark.parametrize("target", ["//{host}" + CHAT, "/@{host}" + CHAT, "/v1/http://{host}/v1/models",
                                    "/http://{host}/", "@{host}" + CHAT])
def test_nor_does_a_path_that_looks_like_a_host(start, node, elsewhere, target):
    gateway = start(node)
    assert gateway.request("POST", target.format(host=elsewhere.host), BODY).status in (400, 404, 405)
    assert not node.requests and elsewhere.was_left_alone()


@pytest.mark.parametrize("query", ["base_url={url}", "x=@{host}", "//{host}/", "a=1&api_base={url}#@{host}"])
def test_nor_does_a_query(start, node, elsewhere, query):
    gateway = start(node)
    answer = gateway.request("POST", f"{CHAT}?{query.format(url=elsewhere.url, host=elsewhere.host)}", BODY)
    assert answer.status in (200, 400) and len(node.requests) == (answer.status == 200)
    assert elsewhere.was_left_alone()


@pytest.mark.parametrize("model", ["{url}", "{url}/v1/tiny", "n1/tiny", "openai/tiny@{host}"])
def test_nor_does_a_model(start, node, elsewhere, model):
    gateway = start(node)
    gateway.chat(model=model.format(url=elsewhere.url, host=elsewhere.host))
    assert elsewhere.was_left_alone()


def test_nor_does_a_form(start, node, elsewhere):
    fields = {"model": "tiny", "api_base": elsewhere.url, "base_url": elsewhere.url, "url": elsewhere.url}
    part = '--xx\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    form = "".join(part.format(name, value) for name, value in fields.items()) + "--xx--\r\n"
    node.handler = lambda _, connection: connection.answer(200, {"text": "hi"})
    gateway = start(node)
    path, kind = "/v1/audio/transcriptions", {"Content-Type": "multipart/form-data; boundary=xx"}
    assert gateway.request("POST", path, form, kind).status == 200
    assert is_asked(node, path) and elsewhere.was_left_alone()


@pytest.mark.parametrize("path", [CHAT, "/v1/audio/speech"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nor_does_a_redirect(start, node, elsewhere, path, status):
    where = [("location", elsewhere.url + path), ("refresh", f"0; url={elsewhere.url}")]
    node.handler = lambda _, connection: connection.answer(status, {}, where)
    gateway = start(node, config="[router]\nmax_retries = 0\n")
    answer = gateway.request("POST", path, BODY)
    assert answer.status == 502 and answer.headers["location"] is None and answer.headers["refresh"] is None
    assert elsewhere.host.encode() not in answer.body and is_asked(node, path) and elsewhere.was_left_alone()


def test_nor_does_a_key(start, node, elsewhere):
    """Where callers have keys, one that may name nodes to the admin API may not by itself."""
    gateway = start(node, config=WITH_STORE)
    key, _ = Admin(gateway).key()
    answer = gateway.request("POST", CHAT, body_naming(elsewhere), {**fields_naming(elsewhere), **bearer(key)})
    assert answer.status == 200 and is_asked(node, CHAT)
    refused = gateway.request("POST", "/admin/v1/models", {"name": "x"}, {**bearer(key), **fields_naming(elsewhere)})
    assert refused.status == 401 and elsewhere.was_left_alone()
