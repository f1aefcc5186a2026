"""Every route that is not open, asked with every kind of credential that is no good: nothing of it reaches a node."""

import hashlib

import pytest
from admin_client import ADMIN, ADMIN_KEY, Admin, WITH_STORE, bearer, error, rows

OPEN = {"/", "/health", "/livez", "/readyz", "/metrics", "/version", "/ui"}
PATHS_OF_MODELS = {"/v1/models", "/v1/models/tiny"}
BODY = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "prompt": "hi", "input": "hi", "voice": "a",
        "query": "q", "documents": ["a"], "max_tokens": 5}
FORM = ('--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n'
        '--xx\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--xx--\r\n').encode()
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=xx"}


@pytest.fixture
def gateway(start, node):
    return start(node, config=WITH_STORE)


@pytest.fixture
def admin(gateway):
    return Admin(gateway)


def endpoints(gateway):
    """Method and path of all that the gateway says it has and that is not open."""
    listed = [tuple(endpoint.split(" ")) for endpoint in gateway.get("/").json()["endpoints"]]
    return [(method, path) for method, path in listed if path not in OPEN]


def client_routes(gateway):
    """The requests of callers: method, path, body."""
    found = [(method, path.replace("...", "tiny")) for method, path in endpoints(gateway)
             if not path.startswith("/admin/")]
    assert len(found) >= 18
    return [(method, path, BODY if method == "POST" else None) for method, path in found]


def with_changed_end(key):
    return key[:-1] + ("A" if key[-1] != "A" else "B")


def revoked(admin):
    key, shown = admin.key()
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    return key


def switched_off(admin):
    key, shown = admin.key()
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"active": False})
    return key


BAD_KEYS = {
    "wrong": lambda admin: with_changed_end(admin.key()[0]),
    "cut short": lambda admin: admin.key()[0][:-1],
    "its prefix": lambda admin: admin.key()[1]["key_prefix"],
    "its id": lambda admin: admin.key()[1]["id"],
    "its hash": lambda admin: hashlib.sha256(admin.key()[0].encode()).hexdigest(),
    "expired": lambda admin: admin.key(expires_at="2020-01-31T12:00:00Z")[0],
    "revoked": revoked,
    "switched off": switched_off,
    "the admin's": lambda admin: ADMIN_KEY,
}


def is_refused(answer, where):
    assert answer.status == 401, where
    assert answer.headers["www-authenticate"].startswith("Bearer"), where
    assert (error(answer)["type"], error(answer)["code"]) == ("authentication_error", "invalid_api_key"), where
    assert error(answer)["param"] is None, where


def test_a_good_key_opens_every_route(gateway, admin, node):
    """So that the requests below are refused for their keys and for nothing else."""
    key, _ = admin.key(allowed_models=["tiny"])
    asked = 0
    for method, path, body in client_routes(gateway):
        assert gateway.request(method, path, body, bearer(key)).status == 200, path
        asked += method == "POST"
        assert len(node.requests) == asked, path


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_a_key_that_is_no_good_opens_no_route(gateway, admin, node, kind):
    key = BAD_KEYS[kind](admin)
    for method, path, body in client_routes(gateway):
        is_refused(gateway.request(method, path, body, bearer(key)), path)
        if method == "GET":
            assert gateway.request("HEAD", path, headers=bearer(key)).status == 401, path
    assert not node.requests


@pytest.mark.parametrize("headers", [
    lambda key: {"X-Api-Key": key},
    lambda key: {"X-Admin-Key": key},
    lambda key: {"Api-Key": key},
    lambda key: {"Cookie": f"Authorization=Bearer {key}"},
    lambda key: {"Authorization": key},
    lambda key: {"Authorization": f"Basic {key}"},
    lambda key: {"Authorization": f"Bearer x {key}"},
    lambda key: {"Proxy-Authorization": f"Bearer {key}"},
])
def test_a_good_key_in_another_place_opens_no_route(gateway, admin, node, headers):
    key, _ = admin.key()
    for method, path, body in client_routes(gateway):
        is_refused(gateway.request(method, path, body, headers(key)), path)
        is_refused(gateway.request(method, f"{path}?api_key={key}&key={key}", body), path)
    assert not node.requests


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_of_another_model_asks_no_node(gateway, admin, node, stream):
    key, _ = admin.key(allowed_models=["other"])
    requests = [(path, {**body, "stream": stream}, {}) for method, path, body in client_routes(gateway) if body]
    requests += [(path, FORM, FORM_TYPE) for path, _, _ in requests if path.startswith(("/v1/audio/", "/v1/images/"))]
    assert len(requests) >= 20
    for path, body, fields in requests:
        answer = gateway.request("POST", path, body, {**bearer(key), **fields})
        assert answer.status == 403, path
        said = error(answer)
        assert (said["type"], said["code"], said["param"]) == ("permission_error", "model_not_allowed", "model"), path
    absent = gateway.get("/v1/models/tiny", **bearer(key))
    assert absent.status == 404 and error(absent)["code"] == "model_not_found"
    assert b"tiny" not in gateway.get("/v1/models", **bearer(key)).body
    assert not node.requests


ADMIN_CREDENTIALS = {
    "none": lambda key: {},
    "a client's key": bearer,
    "a client's key as the admin's": lambda key: {"X-Admin-Key": key},
    "the admin's key as a client's": lambda key: bearer(ADMIN_KEY),
    "a longer one": lambda key: {"X-Admin-Key": ADMIN_KEY + "x"},
    "a shorter one": lambda key: {"X-Admin-Key": ADMIN_KEY[:-1]},
    "one in capitals": lambda key: {"X-Admin-Key": ADMIN_KEY.upper()},
    "its repetition": lambda key: {"X-Admin-Key": ADMIN_KEY * 2},
    "its hash": lambda key: {"X-Admin-Key": hashlib.sha256(ADMIN_KEY.encode()).hexdigest()},
    "an empty one": lambda key: {"X-Admin-Key": ""},
    "a scheme before it": lambda key: {"X-Admin-Key": f"Bearer {ADMIN_KEY}"},
}


def admin_requests(gateway, model, backend, key):
    """Each would succeed with the right key: method, path, body."""
    found = []
    for method, path in endpoints(gateway):
        if not path.startswith("/admin/"):
            continue
        if path.startswith("/admin/v1/keys"):
            path = path.replace("{id}", key)
        path = path.replace("/models/{id}", f"/models/{model}").replace("/backends/{id}", f"/backends/{backend}")
        assert "{" not in path
        made = {"url": "http://127.0.0.1:9"} if path.endswith("/backends") else {"name": "made"}
        found.append((method, path, {"POST": made, "PUT": {"active": False}}.get(method)))
    assert len(found) == 13
    return found


@pytest.mark.parametrize("kind", ADMIN_CREDENTIALS)
def test_the_admin_api_opens_to_its_own_key_alone(gateway, admin, node, kind):
    key, shown = admin.key()
    model = admin.model("mine", node.url)["id"]
    backend = admin.want(200, "GET", f"/models/{model}")["backends"][0]["id"]
    before = [admin.want(200, "GET", path) for path in ("/models", "/keys")], rows(gateway, "SELECT * FROM audit_log")
    for method, path, body in admin_requests(gateway, model, backend, shown["id"]):
        answer = gateway.request(method, path, body, ADMIN_CREDENTIALS[kind](key))
        assert answer.status == 401, (method, path)
        assert (error(answer)["type"], error(answer)["code"]) == ("authentication_error", "invalid_admin_key"), path
        if method == "GET":
            assert gateway.request("HEAD", path, headers=ADMIN_CREDENTIALS[kind](key)).status == 401, path
    after = [admin.want(200, "GET", path) for path in ("/models", "/keys")], rows(gateway, "SELECT * FROM audit_log")
    assert after == before and not node.requests


def test_the_requests_above_are_refused_for_nothing_else(gateway, admin, node):
    _, shown = admin.key()
    model = admin.model("mine", node.url)["id"]
    backend = admin.want(200, "GET", f"/models/{model}")["backends"][0]["id"]
    asked = admin_requests(gateway, model, backend, shown["id"])
    for method, path, body in sorted(asked, key=lambda one: (one[0] == "DELETE", -len(one[1]))):
        answer = gateway.request(method, path, body, ADMIN)
        assert answer.status == {"GET": 200, "PUT": 200, "POST": 201, "DELETE": 204}[method], (method, path)


def test_without_an_admin_key_there_is_no_admin_api(start, node):
    gateway = start(node, config="[auth]\nkeys = true\n")
    for headers in ({}, {"X-Admin-Key": ""}, ADMIN, bearer("")):
        for method, path, body in admin_requests(gateway, "x", "y", "z"):
            answer = gateway.request(method, path, body, headers)
            assert answer.status == 403 and error(answer)["type"] == "permission_error", (method, path)


@pytest.mark.parametrize("target", [
    "//stats", "/stats/", "/./stats", "/livez/../stats", "/%73tats", "/stats;a=b", "/stats%00", "/stats?a=b", "/STATS",
    "http://x/stats", "/version/../v1/models", "//v1/models", "/v1//models", "/v1/models/", "/v1/models?open=1",
    "/v1/models/..%2f..%2fstats", "//admin/v1/keys", "/admin/v1/keys/", "/admin//v1/keys", "/admin/v1/keys/..",
    "/admin/v1/models/%2e%2e/keys", "/livez/../admin/v1/keys", "http://x/admin/v1/keys", "/admin/v1/keys?X-Admin-Key=x",
])
def test_no_other_spelling_of_a_path_is_a_way_in(gateway, admin, target):
    key, shown = admin.key()
    answer = gateway.get(target)
    assert answer.status in (400, 401, 404) and set(error(answer)) == {"message", "type", "param", "code"}
    assert shown["id"].encode() not in answer.body and b"tiny" not in answer.body
