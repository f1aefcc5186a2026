"""The admin API over HTTP: every endpoint, its shapes, its refusals, and that changes are in force at once."""

import json
import re

import pytest
from admin_client import ADMIN, ADMIN_KEY, Admin, WITH_STORE, bearer, chat_as, error, rows
from gateway_server import CHAT, eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MODEL_FIELDS = ["id", "name", "model_id", "active", "default_params", "reasoning_config", "transforms", "backends",
                "created_at", "updated_at"]
KEY_FIELDS = ["id", "name", "key_prefix", "active", "rpm_limit", "tpm_limit", "allowed_models", "expires_at",
              "created_at", "updated_at"]
ROUTES = [("GET", "/models"), ("POST", "/models"), ("GET", "/models/x"), ("PUT", "/models/x"), ("DELETE", "/models/x"),
          ("POST", "/models/x/backends"), ("PUT", "/models/x/backends/y"), ("DELETE", "/models/x/backends/y"),
          ("GET", "/keys"), ("POST", "/keys"), ("GET", "/keys/x"), ("PUT", "/keys/x"), ("DELETE", "/keys/x")]


@pytest.fixture
def empty(start):
    """A gateway with a store and no node at all."""
    return start(config=WITH_STORE)


@pytest.fixture
def admin(empty):
    return Admin(empty)


def test_a_gateway_with_a_store_starts_without_nodes(empty):
    assert empty.get("/livez").status == 200
    assert empty.get("/readyz").status == 503
    assert empty.get("/health").json()["status"] == "unavailable"


def test_a_model_reads_back_as_it_was_made(admin):
    body = {"name": "llama", "model_id": "org/llama", "active": True, "default_params": {"temperature": 0.7, "max_tokens": 9},
            "reasoning_config": {"enabled": True}, "transforms": {"system_prompt_prefix": "Be brief."}}
    answer = admin.ask("POST", "/models", body)
    assert answer.status == 201 and answer.headers["content-type"] == "application/json"
    made = answer.json()
    assert list(made) == MODEL_FIELDS
    assert {name: made[name] for name in body} == body
    assert made["backends"] == [] and UUID.fullmatch(made["id"])
    assert TIME.fullmatch(made["created_at"]) and made["updated_at"] == made["created_at"]
    assert admin.want(200, "GET", f"/models/{made['id']}") == made
    assert admin.want(200, "GET", "/models") == [made]


def test_lists_are_bare_arrays(admin):
    assert admin.want(200, "GET", "/models") == []
    assert admin.want(200, "GET", "/keys") == []


def test_putting_changes_what_it_names(admin):
    made = admin.model("llama", default_params={"temperature": 0.7})
    changed = admin.want(200, "PUT", f"/models/{made['id']}", {"model_id": "org/other", "active": False})
    assert changed["updated_at"] >= made["updated_at"]
    kept = [name for name in MODEL_FIELDS if name not in ("model_id", "active", "updated_at")]
    assert [changed[name] for name in kept] == [made[name] for name in kept]
    assert (changed["model_id"], changed["active"]) == ("org/other", False)


def test_deleting_answers_with_nothing(admin):
    made = admin.model("llama")
    answer = admin.ask("DELETE", f"/models/{made['id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers and "x-request-id" in answer.headers
    assert admin.ask("GET", f"/models/{made['id']}").status == 404


def test_backends(admin):
    model = admin.model("llama")["id"]
    made = admin.want(201, "POST", f"/models/{model}/backends", {"url": "http://gpu-1:8000/v1", "weight": 2, "active": True})
    assert list(made) == ["id", "url", "weight", "active", "created_at", "updated_at"]
    assert (made["url"], made["weight"], made["active"]) == ("http://gpu-1:8000", 2, True)
    changed = admin.want(200, "PUT", f"/models/{model}/backends/{made['id']}", {"weight": 0.5, "active": False})
    assert (changed["url"], changed["weight"], changed["active"]) == ("http://gpu-1:8000", 0.5, False)
    assert admin.want(200, "GET", f"/models/{model}")["backends"] == [changed]
    admin.want(204, "DELETE", f"/models/{model}/backends/{made['id']}")
    assert admin.want(200, "GET", f"/models/{model}")["backends"] == []


def test_keys(admin):
    body = {"name": "ci", "rpm_limit": 60, "tpm_limit": 100000, "allowed_models": ["llama"], "expires_at": "2030-01-31T12:00:00Z"}
    made = admin.want(201, "POST", "/keys", body)
    assert list(made) == ["key", "api_key"] and list(made["api_key"]) == KEY_FIELDS
    assert re.fullmatch(r"ml-[0-9A-Za-z]{40,}", made["key"])
    shown = made["api_key"]
    assert {name: shown[name] for name in body} == body
    assert shown["active"] is True and shown["key_prefix"] == made["key"][:8]
    assert admin.want(200, "GET", f"/keys/{shown['id']}") == shown
    assert admin.want(200, "GET", "/keys") == [shown]
    changed = admin.want(200, "PUT", f"/keys/{shown['id']}", {"rpm_limit": None, "expires_at": None})
    assert changed["rpm_limit"] is None and changed["expires_at"] is None and changed["tpm_limit"] == 100000
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    assert [key["active"] for key in admin.want(200, "GET", "/keys")] == [False]


def test_a_model_serves_from_the_moment_it_is_made(empty, admin, node):
    key, _ = admin.key()
    assert chat_as(empty, key).status == 404
    made = admin.model("tiny", node.url)
    assert chat_as(empty, key).status == 200
    assert empty.get("/v1/models", **bearer(key)).json()["data"][0]["id"] == "tiny"
    assert empty.get("/readyz").status == 200
    admin.want(200, "PUT", f"/models/{made['id']}", {"active": False})
    assert chat_as(empty, key).status == 404
    admin.want(200, "PUT", f"/models/{made['id']}", {"active": True})
    assert chat_as(empty, key, stream=True).events()[-1] == "[DONE]"
    admin.want(204, "DELETE", f"/models/{made['id']}")
    assert chat_as(empty, key).status == 404


def test_an_alias_is_asked_by_its_own_id_and_answers_by_its_name(empty, admin, node):
    admin.model("alias", node.url, model_id="org/real", default_params={"temperature": 0.25},
                transforms={"system_prompt_prefix": "Be brief."})
    key, _ = admin.key()
    answer = chat_as(empty, key, model="alias")
    assert answer.status == 200 and answer.json()["model"] == "alias"
    asked = node.requests[-1].json()
    assert asked["model"] == "org/real" and asked["temperature"] == 0.25
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_model_of_the_store_has_figures_of_its_own_from_its_first_request(empty, admin):
    admin.model("new")
    key, _ = admin.key()
    assert chat_as(empty, key, model="new").status == 503  # it has no backend
    assert eventually(lambda: empty.metric('requests_total{model="new",status="5xx"')) == 1
    assert empty.metric('requests_total{model="other"') == 0


def test_one_url_is_one_node_whatever_the_model(empty, admin, node):
    admin.model("a", node.url)
    admin.model("b", node.url.replace("127.0.0.1", "127.0.0.1") + "/v1/")
    key, _ = admin.key()
    assert [one["name"] for one in empty.get("/stats", **bearer(key)).json()["nodes"]] == [node.url]


def test_weights_count_for_the_model(start, node, second_node):
    gateway = start(config=WITH_STORE + '[router]\nstrategy = "weighted_round_robin"\n')
    admin = Admin(gateway)
    model = admin.model("tiny")["id"]
    for one, weight in ((node, 3), (second_node, 1)):
        admin.want(201, "POST", f"/models/{model}/backends", {"url": one.url, "weight": weight})
    key, _ = admin.key()
    for _ in range(8):
        assert chat_as(gateway, key).status == 200
    assert (len(node.requests), len(second_node.requests)) == (6, 2)


def test_what_was_made_is_there_after_a_restart(start, node, tmp_path):
    config = WITH_STORE + f'[store]\ndatabase_url = "sqlite:{tmp_path}/kept.db"\n'
    first = start(config=config)
    Admin(first).model("tiny", node.url)
    key, _ = Admin(first).key()
    first.stop()
    second = start(config=config)
    assert chat_as(second, key).status == 200


def test_entries_of_the_file_are_shown_and_cannot_be_changed(start, node):
    gateway = start(node, config=WITH_STORE + '[[models]]\nname = "filed"\nmodel_id = "tiny"\nnodes = ["n0"]\n')
    admin = Admin(gateway)
    [filed] = admin.want(200, "GET", "/models")
    assert filed["name"] == "filed" and filed["source"] == "llmroute.toml"
    assert [backend["url"] for backend in filed["backends"]] == [node.url]
    assert admin.want(200, "GET", f"/models/{filed['id']}") == filed
    clash = admin.ask("POST", "/models", {"name": "filed"})
    assert clash.status == 409 and error(clash)["param"] == "name" and "llmroute.toml" in error(clash)["message"]
    admin.model("stored")
    assert [one["name"] for one in admin.want(200, "GET", "/models")] == ["stored", "filed"]


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("method, path", [("PUT", ""), ("DELETE", ""), ("POST", "/backends"), ("PUT", "/backends/{backend}"),
                                          ("DELETE", "/backends/{backend}"), ("PUT", "/backends/x"), ("DELETE", "/backends/x")])
def test_a_model_of_the_file_refuses_every_change(start, node, second_node, method, path, good):
    """Of itself and of its backends, whatever the body says."""
    gateway = start(node, config=WITH_STORE + '[[models]]\nname = "filed"\nmodel_id = "tiny"\nnodes = ["n0"]\n')
    admin = Admin(gateway)
    [filed] = admin.want(200, "GET", "/models")
    [backend] = filed["backends"]
    key, _ = admin.key()
    whole = {"url": second_node.url, "active": False} if "backends" in path else {"active": False}
    body = None if method == "DELETE" else whole if good else {"nonsense": 1}
    answer = admin.ask(method, f"/models/{filed['id']}{path.format(backend=backend['id'])}", body)
    said = error(answer)
    assert answer.status == 409 and (said["type"], said["code"], said["param"]) == ("invalid_request_error", "conflict", "id")
    assert "filed" in said["message"] and "llmroute.toml" in said["message"]
    assert admin.want(200, "GET", "/models") == [filed]
    assert chat_as(gateway, key, model="filed").status == 200 and not second_node.requests
    assert [entry[0] for entry in rows(gateway, "SELECT action FROM audit_log")] == ["key.create"]


@pytest.mark.parametrize("path, body, param", [
    ("/models", {}, "name"), ("/models", {"name": ""}, "name"), ("/models", {"name": 1}, "name"),
    ("/models", {"name": "a", "active": "yes"}, "active"), ("/models", {"name": "a", "default_params": []}, "default_params"),
    ("/models", {"name": "a", "actvie": True}, "actvie"), ("/models", {"name": "a", "id": "b"}, "id"),
    ("/models", {"name": "a", "transforms": {"x": 1}}, "x"),
    ("/keys", {}, "name"), ("/keys", {"name": "a", "rpm_limit": -1}, "rpm_limit"),
    ("/keys", {"name": "a", "tpm_limit": "9"}, "tpm_limit"), ("/keys", {"name": "a", "allowed_models": "b"}, "allowed_models"),
    ("/keys", {"name": "a", "expires_at": "soon"}, "expires_at"), ("/keys", {"name": "a", "key": "ml-own"}, "key"),
    ("/models", "{", ""), ("/models", "[]", ""), ("/models", '{"name":"a","name":"b"}', "name"),
    ("/models", '{"name":NaN}', ""), ("/keys", b"", "")])
def test_wrong_bodies_are_refused_by_field(admin, path, body, param):
    answer = admin.ask("POST", path, body)
    assert answer.status == 400
    assert error(answer)["type"] == "invalid_request_error" and (error(answer)["param"] or "") == param
    assert admin.want(200, "GET", path) == []


@pytest.mark.parametrize("url", ["", "gpu-1", "ftp://gpu-1", "http://user:secret@gpu-1", "http://gpu-1:99999", 7, None])
def test_backends_need_a_good_url(admin, url):
    model = admin.model("llama")["id"]
    answer = admin.ask("POST", f"/models/{model}/backends", {"url": url})
    assert answer.status == 400 and error(answer)["param"] == "url" and b"secret" not in answer.body


def test_clashes_are_409(admin):
    first = admin.model("a")
    admin.model("b")
    assert error(admin.ask("POST", "/models", {"name": "a"}))["code"] == "conflict"
    assert admin.ask("PUT", f"/models/{first['id']}", {"name": "b"}).status == 409
    admin.want(201, "POST", f"/models/{first['id']}/backends", {"url": "http://gpu-1:8000"})
    again = admin.ask("POST", f"/models/{first['id']}/backends", {"url": "http://GPU-1:8000/"})
    assert again.status == 409 and error(again)["param"] == "url"


@pytest.mark.parametrize("method, path", [route for route in ROUTES if "x" in route[1].split("/")])
def test_what_is_not_there_is_404(admin, method, path):
    answer = admin.ask(method, path, {} if method in ("POST", "PUT") else None)
    assert answer.status == 404 and error(answer)["type"] == "not_found_error"


def test_methods_that_are_not_there(admin):
    answer = admin.ask("PATCH", "/models/x", {})
    assert answer.status == 405 and answer.headers["allow"] == "GET, PUT, DELETE"


@pytest.mark.parametrize("method, path", ROUTES)
def test_every_admin_route_wants_the_admin_key(empty, admin, method, path):
    key, _ = admin.key()
    wrong = [{}, {"X-Admin-Key": ""}, {"X-Admin-Key": "wrong"}, {"X-Admin-Key": ADMIN_KEY[:-1]}, {"X-Admin-Key": key},
             bearer(key), bearer(ADMIN_KEY), {"Authorization": ADMIN_KEY}]
    for headers in wrong:
        answer = admin.ask(method, path, "{}" if method in ("POST", "PUT") else None, headers)
        assert answer.status == 401, headers
        assert error(answer)["type"] == "authentication_error" and error(answer)["code"] == "invalid_admin_key"
    assert admin.want(200, "GET", "/models") == []


def test_the_admin_key_is_no_clients_token(empty):
    assert empty.chat(headers=bearer(ADMIN_KEY)).status == 401
    assert empty.chat(headers=ADMIN).status == 401


@pytest.mark.parametrize("config", ["", '[auth]\nauth_token = "sesame"\n', "[auth]\nkeys = true\n"])
def test_without_an_admin_key_the_admin_api_is_off(start, node, config):
    answer = Admin(start(node, config=config)).ask("GET", "/models", headers={"X-Admin-Key": "", **bearer("sesame")})
    assert answer.status == 403
    assert error(answer)["type"] == "permission_error" and "auth.admin_key" in error(answer)["message"]


def test_no_store_is_made_where_none_is_needed(start, node):
    gateway = start(node)
    gateway.chat()
    assert not list(gateway.directory.glob("*.db*"))


def test_a_separate_listener_serves_the_admin_api_alone(start, node):
    gateway = start(node, config=WITH_STORE + '[server]\nadmin_listen = "127.0.0.1:0"\n')
    found = re.fullmatch(r"admin on http://127\.0\.0\.1:(\d+)\n", gateway.process.stdout.readline())
    assert Admin(gateway).ask("GET", "/models").status == 404
    callers = gateway.port
    gateway.port = int(found[1])
    assert Admin(gateway).want(200, "GET", "/models") == []
    assert Admin(gateway).ask("GET", "/models", headers={}).status == 401
    for method, path in (("POST", CHAT), ("GET", "/v1/models"), ("GET", "/stats"), ("GET", "/metrics"), ("GET", "/health")):
        assert gateway.request(method, path, "{}" if method == "POST" else None).status == 404
    gateway.signal(15)
    assert gateway.wait() == 0
    assert callers != gateway.port


def test_the_separate_listener_speaks_tls_where_the_other_does(start, node, tmp_path):
    import http.client
    import ssl
    from certificates import Identity
    server = Identity(tmp_path, "server")
    gateway = start(node, config=WITH_STORE + '[server]\nadmin_listen = "127.0.0.1:0"\n'
                    f'[server.tls]\ncert_file = "{server.certificate}"\nkey_file = "{server.key}"\n')
    found = re.fullmatch(r"admin on https://127\.0\.0\.1:(\d+)\n", gateway.process.stdout.readline())
    context = ssl.create_default_context(cafile=server.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", int(found[1]), timeout=10, context=context)
    connection.request("GET", "/admin/v1/models", headers=ADMIN)
    assert connection.getresponse().read() == b"[]"
    connection.close()


def test_a_reload_of_the_file_keeps_what_is_in_the_store(start, node, second_node):
    import signal
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    admin.model("stored", second_node.url, model_id="tiny")
    key, _ = admin.key()
    path = gateway.directory / "llmroute.toml"
    path.write_text(path.read_text() + '\n[[models]]\nname = "filed"\nmodel_id = "tiny"\nnodes = ["n0"]\n')
    gateway.signal(signal.SIGHUP)
    eventually(lambda: gateway.log("reloaded"))
    for model in ("stored", "filed"):
        assert chat_as(gateway, key, model=model).status == 200
    assert [len(one.requests) for one in (node, second_node)] == [1, 1]
    assert [one["name"] for one in admin.want(200, "GET", "/models")] == ["stored", "filed"]
    admin.model("later", second_node.url, model_id="tiny")
    assert chat_as(gateway, key, model="filed").status == 200


def test_a_wrong_admin_address_is_an_error_of_the_configuration(tmp_path):
    from gateway_server import run_gateway
    (tmp_path / "llmroute.toml").write_text('[server]\nadmin_listen = "9000"\n[[nodes]]\nurl = "http://gpu-1"\n')
    code, _, said = run_gateway(tmp_path, "run")
    assert code == 2 and "llmroute.toml:2" in said and "host:port" in said


def test_every_change_is_in_the_audit_log(empty, admin):
    model = admin.model("llama")
    backend = admin.want(201, "POST", f"/models/{model['id']}/backends", {"url": "http://gpu-1:8000"})
    admin.want(200, "PUT", f"/models/{model['id']}", {"active": False})
    admin.want(204, "DELETE", f"/models/{model['id']}/backends/{backend['id']}")
    admin.want(204, "DELETE", f"/models/{model['id']}")
    key, shown = admin.key()
    admin.want(200, "PUT", f"/keys/{shown['id']}", {"name": "other"})
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    admin.ask("POST", "/models", {"name": ""})
    log = rows(empty, "SELECT who, action, subject, before, after FROM audit_log ORDER BY at")
    assert [entry[1] for entry in log] == ["model.create", "backend.create", "model.update", "backend.delete",
                                           "model.delete", "key.create", "key.update", "key.revoke"]
    assert {entry[2] for entry in log} == {model["id"], backend["id"], shown["id"]}
    assert all(re.fullmatch(r"admin-[0-9a-f]{8} from 127\.0\.0\.1", entry[0]) for entry in log)
    before, after = log[2][3:]
    assert json.loads(before)["active"] is True and json.loads(after)["active"] is False
    assert log[0][3] is None and log[4][4] is None
    assert not [entry for entry in log if key in str(entry) or ADMIN_KEY in str(entry)]


def test_pipelined_changes_are_answered_in_order(empty):
    """A request behind one that waits for the store waits too."""
    connection = empty.connect()
    connection.connect()
    bodies = [json.dumps({"name": f"m{i}"}) for i in range(20)]
    connection.sock.sendall("".join(
        f"POST /admin/v1/models HTTP/1.1\r\nHost: x\r\nX-Admin-Key: {ADMIN_KEY}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        for body in bodies).encode())
    seen = b""
    while seen.count(b"HTTP/1.1 ") < 20 or not seen.endswith(b"}"):
        piece = connection.sock.recv(65536)
        assert piece, seen
        seen += piece
    assert re.findall(rb'"name":"(m\d+)"', seen) == [f"m{i}".encode() for i in range(20)]
    connection.close()


def test_a_drain_waits_for_the_answer(empty, admin):
    admin.model("a")
    empty.signal(15)
    assert empty.wait() == 0
    assert eventually(lambda: rows(empty, "PRAGMA integrity_check") == [("ok",)])
