"""migrate and keys on the command line, and who may have a store."""

import json
import re
import sqlite3

import pytest
from admin_client import Admin, WITH_STORE, chat_as
from gateway_server import eventually, run_gateway

FAST = '[store]\ncache_refresh_interval = "20ms"\n'


def test_migrations_go_up_and_down(tmp_path):
    def states():
        code, said, _ = run_gateway(tmp_path, "migrate", "status")
        assert code == 0
        return ["to be done" not in line for line in said.splitlines()]

    assert states() == [False] * 3
    assert run_gateway(tmp_path, "migrate", "up")[:2] == (0, "3 done, the store is at version 3\n")
    assert states() == [True] * 3
    assert run_gateway(tmp_path, "migrate", "up")[1].startswith("0 done")
    for version in (3, 2, 1):
        assert run_gateway(tmp_path, "migrate", "down")[:2] == (
            0, f"version {version} undone, the store is at version {version - 1}\n")
    assert run_gateway(tmp_path, "migrate", "down")[:2] == (0, "there is nothing to undo\n")
    assert states() == [False] * 3


def test_a_running_gateway_keeps_its_store(start, node):
    gateway = start(node, config=WITH_STORE)
    for what in ("up", "down"):
        code, _, said = run_gateway(gateway.directory, "migrate", what)
        assert code == 1 and "another llmroute-gateway" in said
    assert run_gateway(gateway.directory, "migrate", "status")[0] == 0
    code, _, said = run_gateway(gateway.directory, "run", "--port", "0")
    assert code == 1 and "another llmroute-gateway" in said
    assert Admin(gateway).want(200, "GET", "/models") == []


def test_keys_are_made_listed_and_revoked(tmp_path):
    code, said, _ = run_gateway(tmp_path, "keys", "create", "--name", "ci", "--model", "a", "--model", "b", "--rpm", "5",
                                "--expires-at", "2030-01-31T12:00:00Z")
    assert code == 0
    made = json.loads(said)
    assert re.fullmatch(r"ml-[0-9A-Za-z]{43}", made["key"])
    shown = made["api_key"]
    assert (shown["name"], shown["allowed_models"], shown["rpm_limit"], shown["tpm_limit"], shown["expires_at"]) == (
        "ci", ["a", "b"], 5, None, "2030-01-31T12:00:00Z")
    code, said, _ = run_gateway(tmp_path, "keys", "list")
    assert code == 0 and json.loads(said) == [shown] and made["key"] not in said
    assert run_gateway(tmp_path, "keys", "revoke", shown["id"])[:2] == (0, "")
    assert json.loads(run_gateway(tmp_path, "keys", "list")[1])[0]["active"] is False
    store = sqlite3.connect(tmp_path / "llmroute.db")
    log = store.execute("SELECT who, action FROM audit_log ORDER BY at").fetchall()
    assert [action for _, action in log] == ["key.create", "key.revoke"]
    assert all(who.startswith("command line, user ") for who, _ in log)
    store.close()


def test_a_running_gateway_sees_what_commands_do(start, node):
    gateway = start(node, config=WITH_STORE + FAST)
    made = json.loads(run_gateway(gateway.directory, "keys", "create", "--name", "ci")[1])
    eventually(lambda: chat_as(gateway, made["key"]).status == 200)
    assert run_gateway(gateway.directory, "keys", "revoke", made["api_key"]["id"])[0] == 0
    eventually(lambda: chat_as(gateway, made["key"]).status == 401)


@pytest.mark.parametrize("args, code, said", [
    (["migrate"], 2, ""), (["migrate", "sideways"], 2, ""), (["keys"], 2, ""), (["keys", "create"], 2, "--name"),
    (["keys", "create", "--name", ""], 2, "name"), (["keys", "create", "--name", "x", "--rpm", "-1"], 2, "rpm_limit"),
    (["keys", "create", "--name", "x", "--expires-at", "soon"], 2, "expires_at"),
    (["keys", "revoke", "absent"], 1, "absent"), (["keys", "revoke"], 2, ""),
    (["keys", "list", "--database-url", "mysql://user:pass@host/db"], 1, "mysql:"),
    (["migrate", "up", "--database-url", "sqlite:/no/such/directory/x.db"], 1, "/no/such/directory"),
    (["keys", "list", "--config", "absent.toml"], 2, "absent.toml")])
def test_exit_codes(tmp_path, args, code, said):
    ended, out, err = run_gateway(tmp_path, *args)
    assert (ended, out) == (code, "")
    assert said in err and "pass" not in err


def test_the_store_is_where_the_configuration_says(tmp_path):
    (tmp_path / "llmroute.toml").write_text('[store]\ndatabase_url = "sqlite:other.db"\n')
    assert run_gateway(tmp_path, "migrate", "up")[0] == 0
    assert (tmp_path / "other.db").exists() and not (tmp_path / "llmroute.db").exists()
    assert run_gateway(tmp_path, "migrate", "up", "--database-url", "sqlite:third.db")[0] == 0
    assert (tmp_path / "third.db").exists()
    code, _, said = run_gateway(tmp_path, "keys", "list", "--database-url", "sqlite:other.db")
    assert (code, said) == (0, "")


def test_a_store_of_a_later_version_stops_the_start(start, tmp_path):
    assert run_gateway(tmp_path, "migrate", "up")[0] == 0
    store = sqlite3.connect(tmp_path / "llmroute.db")
    store.execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'later', 0)")
    store.commit()
    store.close()
    (tmp_path / "llmroute.toml").write_text(WITH_STORE)
    code, _, said = run_gateway(tmp_path, "run", "--port", "0")
    assert code == 1 and "version 99" in said
