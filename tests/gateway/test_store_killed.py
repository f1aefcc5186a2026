"""kill -9 in the middle of admin writes: the file is sound and what was acknowledged is there.

LLMROUTE_KILL_ROUNDS says how often; the longer tests do it two hundred times.
"""

import http.client
import json
import os
import random
import sqlite3
import threading

import pytest
from admin_client import ADMIN, WITH_STORE

ROUNDS = int(os.environ.get("LLMROUTE_KILL_ROUNDS", "20"))


class Writer(threading.Thread):
    """Makes models, keys and backends as fast as they are acknowledged, until the gateway is gone."""

    def __init__(self, gateway, number, enough):
        super().__init__()
        self.gateway, self.number, self.enough = gateway, number, enough
        self.models, self.keys, self.backends, self.gone = [], [], [], []
        self.odd = []

    def run(self):
        connection = self.gateway.connect()
        try:
            for i in range(100_000):
                self.one(connection, f"{self.number}-{i}")
                if len(self.models) == 3:
                    self.enough.set()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def one(self, connection, name):
        model = self.ask(connection, "POST", "/models", {"name": name})["id"]
        self.models.append(model)
        backend = self.ask(connection, "POST", f"/models/{model}/backends", {"url": f"http://{name}.example"})["id"]
        self.backends.append(backend)
        self.keys.append(self.ask(connection, "POST", "/keys", {"name": name})["api_key"]["id"])
        if len(self.keys) % 3 == 0:
            lost = self.keys.pop(0)
            self.gone.append(lost)
            self.ask(connection, "DELETE", f"/keys/{lost}")
            self.gone[-1] = (lost, "acknowledged")

    def ask(self, connection, method, path, body=None):
        connection.request(method, "/admin/v1" + path, json.dumps(body) if body else None, ADMIN)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (201, 204):
            self.odd.append((path, answer.status, text))
        return json.loads(text) if text else {}


def check(store, writers):
    [found] = store.execute("PRAGMA integrity_check").fetchone()
    assert found == "ok"
    assert store.execute("PRAGMA foreign_key_check").fetchall() == []
    there = {table: {row[0] for row in store.execute(f"SELECT id FROM {table}")}
             for table in ("models", "backends", "api_keys")}
    revoked = {row[0] for row in store.execute("SELECT id FROM api_keys WHERE active = 0")}
    noted = {row[0] for row in store.execute("SELECT subject FROM audit_log")}
    assert noted >= there["models"] | there["backends"] | there["api_keys"], "a change without its note"
    for writer in writers:
        assert not writer.odd
        assert there["models"] >= set(writer.models)
        assert there["backends"] >= set(writer.backends)
        assert there["api_keys"] >= set(writer.keys)
        assert revoked >= {entry[0] for entry in writer.gone if isinstance(entry, tuple)}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_acknowledged_is_lost(start, tmp_path, seed):
    path = tmp_path / "store.db"
    config = WITH_STORE + f'[store]\ndatabase_url = "sqlite:{path}"\n'
    gateway = start(config=config)
    enough = threading.Event()
    writers = [Writer(gateway, number, enough) for number in range(3)]
    for writer in writers:
        writer.start()
    assert enough.wait(20)
    enough.clear()
    enough.wait(random.Random(seed).uniform(0, 0.05))  # somewhere in a write: nothing is waited for
    gateway.process.kill()
    for writer in writers:
        writer.join()
    gateway.wait()
    again = start(config=config)  # what the log still holds is taken over
    listed = json.loads(again.request("GET", "/admin/v1/models", headers=ADMIN).body)
    store = sqlite3.connect(path)
    check(store, writers)
    assert {model["id"] for model in listed} == {row[0] for row in store.execute("SELECT id FROM models")}
    store.close()
