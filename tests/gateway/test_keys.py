"""Keys of the store at the client API: who may do what, at once, and that no key is ever told again."""

import datetime
import json

import pytest
from admin_client import ADMIN_KEY, Admin, WITH_STORE, bearer, chat_as, error
from gateway_server import CHAT, eventually


@pytest.fixture
def gateway(start, node):
    return start(node, config=WITH_STORE)


@pytest.fixture
def admin(gateway):
    return Admin(gateway)


def in_seconds(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


def test_a_key_opens_what_clients_may_do(gateway, admin, node):
    key, _ = admin.key()
    assert chat_as(gateway, key).status == 200
    assert chat_as(gateway, key, stream=True).events()[-1] == "[DONE]"
    for path in ("/v1/models", "/v1/models/tiny", "/stats"):
        assert gateway.get(path, **bearer(key)).status == 200
    assert not [value for request in node.requests for _, value in request.headers if key in value]


@pytest.mark.parametrize("token", ["ml-" + "x" * 43, "ml-", "x", "'; DROP TABLE api_keys; --", "\u00e9" * 40, "a" * 8000])
def test_another_key_opens_nothing(gateway, admin, node, token):
    admin.key()
    for method, path in (("POST", CHAT), ("GET", "/v1/models"), ("GET", "/stats")):
        answer = gateway.request(method, path, "{}" if method == "POST" else None,
                                 {"Authorization": f"Bearer {token}".encode()})
        assert answer.status == 401 and error(answer)["code"] == "invalid_api_key"
    assert not node.requests
    assert len(admin.want(200, "GET", "/keys")) == 1


def test_nothing_is_open_before_there_is_a_key(gateway, node):
    assert gateway.chat().status == 401
    assert gateway.chat(headers=bearer("")).status == 401
    assert not node.requests


def test_every_route_without_credentials(gateway, node):
    """What is not open is closed: all that the gateway says it has."""
    opened = {"/", "/health", "/livez", "/readyz", "/metrics", "/version", "/ui"}
    endpoints = [endpoint.split(" ") for endpoint in gateway.get("/").json()["endpoints"]]
    assert len(endpoints) > 20
    for method, path in endpoints:
        asked = path.replace("{id}", "x").replace("...", "x")
        answer = gateway.request(method, asked, "{}" if method in ("POST", "PUT") else None)
        if path in opened:
            assert answer.status == 200, path
            continue
        assert answer.status == 401, path
        code = "invalid_admin_key" if path.startswith("/admin/") else "invalid_api_key"
        assert (error(answer)["type"], error(answer)["code"]) == ("authentication_error", code), path
    assert not node.requests


def test_revoking_acts_at_once(gateway, admin, node):
    key, shown = admin.key()
    other, _ = admin.key()
    connection = gateway.connect()  # also on a connection that it was good on

    def ask():
        connection.request("GET", "/v1/models", headers=bearer(key))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert ask() == 200
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    assert ask() == 401
    connection.close()
    assert chat_as(gateway, key).status == 401
    assert chat_as(gateway, other).status == 200
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"active": True})
    assert chat_as(gateway, key).status == 200


def test_a_key_ends_when_it_expires(gateway, admin):
    gone, _ = admin.key(expires_at=in_seconds(-1))
    assert chat_as(gateway, gone).status == 401
    key, shown = admin.key(expires_at=in_seconds(3600))
    assert chat_as(gateway, key).status == 200
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"expires_at": in_seconds(0.3)})
    eventually(lambda: chat_as(gateway, key).status == 401)
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"expires_at": None})
    assert chat_as(gateway, key).status == 200


def test_a_key_is_for_the_models_it_names(gateway, admin, node):
    admin.model("mine", node.url, model_id="tiny")
    admin.model("other", node.url, model_id="tiny")
    key, shown = admin.key(allowed_models=["mine"])
    assert chat_as(gateway, key, model="mine").status == 200
    asked = len(node.requests)
    for model in ("other", "tiny", "absent"):
        answer = chat_as(gateway, key, model=model)
        assert answer.status == 403, model
        assert error(answer)["type"] == "permission_error" and error(answer)["code"] == "model_not_allowed"
        assert error(answer)["param"] == "model" and "mine" in error(answer)["message"]
    assert len(node.requests) == asked
    listed = gateway.get("/v1/models", **bearer(key)).json()["data"]
    assert [model["id"] for model in listed] == ["mine"]
    assert gateway.get("/v1/models/mine", **bearer(key)).status == 200
    assert gateway.get("/v1/models/other", **bearer(key)).status == 404
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"allowed_models": []})
    assert chat_as(gateway, key, model="other").status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_an_absent_model_is_404_and_those_that_are_there_are_named(gateway, admin, node, stream):
    """All of them to a key without a list, of its list to another, and none that it may not use."""
    first, _ = admin.key()
    eventually(lambda: [model["id"] for model in gateway.get("/v1/models", **bearer(first)).json()["data"]] == ["tiny"])
    for name in ("mine", "secret-alias"):
        admin.model(name, node.url, model_id="tiny")
    admin.model("asleep", node.url, model_id="tiny", active=False)
    for allowed, named, unnamed in [([], ["mine", "secret-alias", "tiny"], []),
                                    (["absent", "mine", "gone"], ["mine"], ["secret-alias", "tiny", "gone"]),
                                    (["absent"], [], ["mine", "secret-alias", "tiny"])]:
        answer = chat_as(gateway, admin.key(allowed_models=allowed)[0], model="absent", stream=stream)
        said = error(answer)
        assert answer.status == 404 and answer.headers["content-type"] == "application/json"
        assert (said["type"], said["code"], said["param"]) == ("not_found_error", "model_not_found", "model")
        before, _, there = said["message"].partition("; there are")
        assert before == 'no model "absent"' and there.partition(": ")[2] == (", ".join(named) or "none")
        assert not [name for name in [*unnamed, "asleep"] if name.encode() in answer.body]
    assert not node.requests


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_a_key_may_not_use_looks_as_one_that_is_absent(gateway, admin, node, stream):
    admin.model("mine", node.url, model_id="tiny")
    admin.model("secret-alias", node.url, model_id="tiny")
    key, _ = admin.key(allowed_models=["mine"])
    for model in ("secret-alias", "absent"):
        answer = chat_as(gateway, key, model=model, stream=stream)
        assert answer.status == 403 and answer.headers["content-type"] == "application/json"
        assert error(answer)["message"] == f'this key may not use model "{model}"; it may use: mine'
    assert not node.requests


def test_no_way_around_the_models_of_a_key(gateway, admin, node):
    """What names no model in particular, or names it elsewhere than in JSON, is no way in."""
    key, _ = admin.key(allowed_models=["other"])
    form = b'--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n--xx--\r\n'
    sent = [(CHAT, {"model": "", "messages": []}, {}), (CHAT, {"messages": []}, {}),
            ("/v1/embeddings", {"model": "tiny", "input": "x"}, {}), ("/v1/messages", {"model": "tiny", "messages": []}, {}),
            ("/v1/rerank", {"model": "tiny", "query": "x", "documents": []}, {}),
            ("/v1/images/generations", {"model": "tiny", "prompt": "x"}, {})]
    for model in (b"tiny", b""):
        sent.append(("/v1/audio/transcriptions", form % model, {"Content-Type": "multipart/form-data; boundary=xx"}))
    for path, body, headers in sent:
        answer = gateway.request("POST", path, body, {**bearer(key), **headers})
        assert answer.status == 403, (path, body, answer.body)
        assert error(answer)["code"] == "model_not_allowed"
    assert not node.requests


def test_a_request_without_a_model_is_judged_by_the_default_one(start, node):
    gateway = start(node, config=WITH_STORE + '[router]\ndefault_model = "tiny"\n')
    admin = Admin(gateway)
    body = {"messages": [{"role": "user", "content": "hi"}]}
    good, _ = admin.key(allowed_models=["tiny"])
    bad, _ = admin.key(allowed_models=["other"])
    assert gateway.request("POST", CHAT, body, bearer(good)).status == 200
    assert gateway.request("POST", CHAT, body, bearer(bad)).status == 403


def test_what_is_passed_on_must_name_a_model_of_the_key(start, node):
    """Its body goes as it is, without the default model: a node would serve what it likes."""
    node.handler = lambda request, connection: connection.answer(200, {"text": "x"})
    gateway = start(node, config=WITH_STORE + '[router]\ndefault_model = "tiny"\n')
    key, _ = Admin(gateway).key(allowed_models=["tiny"])
    form = '--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n--xx--\r\n'
    multipart = {"Content-Type": "multipart/form-data; boundary=xx"}
    for path, body, headers in (("/v1/audio/transcriptions", form % "", multipart), ("/v1/images/generations", {"prompt": "x"}, {}),
                                ("/v1/images/generations", {"model": "", "prompt": "x"}, {})):
        answer = gateway.request("POST", path, body, {**bearer(key), **headers})
        assert answer.status == 403 and error(answer)["code"] == "model_not_allowed", (path, body)
    assert not node.requests
    assert gateway.request("POST", "/v1/audio/transcriptions", form % "tiny", {**bearer(key), **multipart}).status == 200


def test_tokens_of_tenants_and_the_one_token_go_beside_keys(start, node):
    gateway = start(node, config=WITH_STORE + 'auth_token = "sesame"\ntokens = { "sk-demo-123" = "tenant-a" }\n')
    key, _ = Admin(gateway).key()
    for good in ("sesame", "sk-demo-123", key):
        assert chat_as(gateway, good).status == 200
    for bad in ("tenant-a", "sesam", "sk-demo-12"):
        assert chat_as(gateway, bad).status == 401


def test_limits_of_a_key_are_told_and_hold(gateway, admin):
    key, _ = admin.key(rpm_limit=2, tpm_limit=1000)
    first = chat_as(gateway, key)
    assert first.status == 200
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["x-ratelimit-limit-tokens"] == "1000"
    assert 0 < int(first.headers["x-ratelimit-remaining-tokens"]) <= 1000
    streamed = chat_as(gateway, key, stream=True)
    assert streamed.headers["x-ratelimit-remaining-requests"] == "0"
    over = chat_as(gateway, key)
    assert over.status == 429 and error(over)["code"] == "rate_limit_exceeded"
    assert int(over.headers["retry-after"]) >= 1
    names = ["limit-requests", "remaining-requests", "reset-requests", "limit-tokens", "remaining-tokens", "reset-tokens"]
    assert all(over.headers[f"x-ratelimit-{name}"] for name in names)
    assert over.headers["x-ratelimit-reset-requests"].endswith("s")
    other, _ = admin.key(rpm_limit=2)
    assert chat_as(gateway, other).status == 200


def test_a_key_without_limits_has_the_configured_ones(start, node):
    gateway = start(node, config=WITH_STORE + "[limits]\ndefault_rpm = 1\n")
    admin = Admin(gateway)
    usual, _ = admin.key()
    free, _ = admin.key(rpm_limit=0)
    assert [chat_as(gateway, usual).status for _ in range(2)] == [200, 429]
    answers = [chat_as(gateway, free) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert "x-ratelimit-limit-requests" not in answers[0].headers


def test_a_nodes_own_limits_are_not_told_beside_the_keys(gateway, admin, node):
    from fake_node import completion
    node.handler = lambda request, connection: connection.answer(200, completion(), [("x-ratelimit-limit-requests", "77")])
    key, _ = admin.key(rpm_limit=5)
    assert chat_as(gateway, key).headers.get_all("x-ratelimit-limit-requests") == ["5"]
    free, _ = admin.key()
    assert chat_as(gateway, free).headers.get_all("x-ratelimit-limit-requests") == ["77"]


def test_the_log_names_a_key_by_its_prefix(gateway, admin):
    key, shown = admin.key()
    chat_as(gateway, key)
    line = eventually(lambda: [one for one in gateway.log("call") if one["status"] == 200])[-1]
    assert line["key_prefix"] == shown["key_prefix"]


def test_no_key_is_told_again(gateway, admin, node, tmp_path):
    """After a run with everything in it: no key in a log, an error, a page, or the store."""
    from fake_node import completion
    secrets = [ADMIN_KEY]
    said = []

    def echo(request, connection):  # a node that quotes what it was sent
        connection.answer(401, {"error": {"message": str(request.headers)}})

    for fields in ({}, {"rpm_limit": 1}, {"allowed_models": ["other"]}, {"expires_at": in_seconds(-1)}):
        key, shown = admin.key(**fields)
        secrets.append(key)
        for _ in range(2):
            said.append(chat_as(gateway, key).body)
        node.handler = echo
        said.append(chat_as(gateway, key).body)
        node.handler = lambda request, connection: connection.answer(200, completion())
        said.append(chat_as(gateway, key, messages="wrong").body)
        said.append(gateway.get("/admin/v1/keys", **{"X-Admin-Key": key}).body)
        said.append(admin.ask("GET", f"/keys/{shown['id']}").body)
        said.append(admin.ask("DELETE", f"/keys/{shown['id']}").body)
        said.append(chat_as(gateway, key).body)
    last, _ = admin.key()
    secrets.append(last)
    for path in ("/", "/health", "/stats", "/metrics", "/version", "/v1/models", "/readyz"):
        said.append(gateway.get(path, **bearer(last)).body)
    said += [admin.ask("GET", path).body for path in ("/keys", "/models")]
    gateway.signal(15)
    assert gateway.wait() == 0
    said += [path.read_bytes() for path in gateway.directory.iterdir() if path.name != "llmroute.toml"]
    assert b"invalid_api_key" in b"".join(said) and b"key.revoke" in b"".join(said)
    for secret in secrets:
        assert not [text for text in said if secret.encode() in text], secret[:8]


NODE_KEY = "sk-node-" + "n0deK3y" * 5
PASSED_ON = [400, 404, 409, 413, 422, 429]  # these answers of a node are the caller's


def quoted(request):
    """What a node was sent, in the forms in which one may quote it."""
    lines = "\n".join(f"{name}: {value}" for name, value in request.headers)
    key = request.header("authorization").partition(" ")[2]
    return {"message": f"you sent\n{lines}", "key": key, "param": f"Incorrect API key provided: {key}.",
            "headers": dict(request.headers), "list": str(request.headers), "code": f"<{key}>",
            "body": request.body.decode()}


def quotes(status):
    """A node that answers by quoting; "event": by an error in mid-stream, "good": beside a good answer's head."""
    from fake_node import completion, delta

    def answer(request, connection):
        said = {"error": quoted(request)}
        if status == "event" and request.json().get("stream"):
            connection.start_stream()
            connection.event(delta("a"))
            connection.event(said)
            return connection.send("0\r\n\r\n")
        if status == "event":
            return connection.answer(500 if request.path == "/v1/audio/speech" else 200, said)
        if status == "text":
            return connection.answer(400, str(request.headers), content_type="text/plain")
        if status == "good":
            return connection.answer(200, completion())
        return connection.answer(status, said)

    return answer


def whole(answer):
    """Header fields and body."""
    return str(answer.headers).encode() + answer.body


def asked_of_everything(gateway, admin, key, shown):
    """What is said to a caller with this key, wherever it may be quoted."""
    said = []
    both = {**bearer(key), "X-Admin-Key": ADMIN_KEY}
    for stream in (False, True):
        said.append(whole(gateway.chat(headers=both, stream=stream)))
    said.append(whole(gateway.request("POST", "/v1/audio/speech", {"model": "tiny", "input": "x"}, both)))
    said.append(whole(gateway.request("POST", "/v1/embeddings", {"model": "tiny", "input": "x"}, both)))
    said.append(whole(chat_as(gateway, key, messages="wrong")))
    for path in ("/v1/chat/completions", "/v1/audio/speech", "/v1/nothing", "/livez"):  # where a name belongs
        named = {**both, "X-Request-ID": key}
        said.append(whole(gateway.request("POST", path, {"model": key, "input": "x", "messages": []}, named)))
    said.append(whole(gateway.get("/admin/v1/keys", **{"X-Admin-Key": "wrong", "X-Request-ID": key})))
    said.append(whole(chat_as(gateway, key + "x")))
    said.append(whole(gateway.get("/v1/nothing", **both)))
    pages = ("/", "/health", "/readyz", "/stats", "/load-stats", "/metrics", "/version", "/v1/models", "/v1/models/x")
    for path in pages:
        said.append(whole(gateway.get(path, **both)))
    for path in ("/keys", "/models", f"/keys/{shown['id']}", "/keys/x"):
        said.append(whole(admin.ask("GET", path)))
        said.append(whole(admin.ask("GET", path, headers={"X-Admin-Key": key})))
    said.append(whole(admin.ask("POST", "/models", {"name": "m", "model_id": 7, "key": key})))
    said.append(whole(admin.ask("DELETE", f"/keys/{shown['id']}")))
    said.append(whole(chat_as(gateway, key)))
    return said


@pytest.mark.parametrize("status", [*PASSED_ON, 401, 402, 403, 500, 503, "text", "event", "good"])
def test_no_key_is_told_by_a_node_that_quotes_what_it_was_sent(start, node, status):
    """Neither a caller's, nor the node's own, nor the admin's: in no answer, page, log or file."""
    node.handler = quotes(status)
    gateway = start(config=WITH_STORE + '[logging]\ndir = "logs"\nlevel = "debug"\n[router]\nmax_retries = 0\n'
                    + f'[[nodes]]\nname = "n0"\nurl = "{node.url}"\napi_key = "{NODE_KEY}"\n')
    admin = Admin(gateway)
    key, shown = admin.key()
    said = asked_of_everything(gateway, admin, key, shown)
    assert node.requests and all(one.header("authorization") == f"Bearer {NODE_KEY}" for one in node.requests)
    assert not [value for one in node.requests for _, value in one.headers if key in value or ADMIN_KEY in value]
    if status in PASSED_ON:
        assert b"you sent" in said[0] and b"you sent" in said[1]
    gateway.signal(15)
    assert gateway.wait() == 0
    files = [path for path in gateway.directory.rglob("*") if path.is_file() and path.name != "llmroute.toml"]
    assert len([path for path in files if path.parent.name == "logs"]) == 3
    said += [path.read_bytes() for path in files]
    for secret in (key, NODE_KEY, ADMIN_KEY):
        for part in (secret, secret[9:]):  # beyond the prefix that tells which one it is
            assert not [text for text in said if part.encode() in text], part[:12]


@pytest.mark.parametrize("before", ["\n", "\t", "\u201c", "\u00ab", "="])
def test_a_key_that_a_node_quotes_behind_an_escape_is_not_told(start, node, before):
    """In JSON a line break or a typographic quote may end in a letter or a digit: \\n, \\u201c."""
    def answer(request, connection):
        key = request.header("authorization").partition(" ")[2]
        said = {"message": f"no such key: {before}{key}", "type": "x", "param": None, "code": None}
        connection.answer(400, {"error": said})

    node.handler = answer
    gateway = start(config=f'[[nodes]]\nname = "n0"\nurl = "{node.url}"\napi_key = "{NODE_KEY}"\n')
    answer = gateway.chat()
    assert answer.status == 400 and error(answer)["message"].startswith("no such key: ")
    assert NODE_KEY[9:].encode() not in answer.body


def test_json_of_errors_is_whole(gateway):
    """A token that looks like JSON or a header is no way into an answer."""
    answer = gateway.chat(headers={"Authorization": 'Bearer "},"x":{"'})
    assert answer.status == 401 and set(json.loads(answer.body)) == {"error"}
