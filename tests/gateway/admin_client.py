"""The admin API and the keys it makes, for tests."""

import json
import pathlib
import sqlite3

from gateway_server import CHAT

ADMIN_KEY = "master-key-of-the-tests"
ADMIN = {"X-Admin-Key": ADMIN_KEY}
WITH_STORE = f'[auth]\nkeys = true\nadmin_key = "{ADMIN_KEY}"\n'


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


class Admin:
    """Speaks to /admin/v1 of a gateway; `ask` gives the answer, the others check it and give what it holds."""

    def __init__(self, gateway):
        self.gateway = gateway

    def ask(self, method, path, body=None, headers=ADMIN):
        return self.gateway.request(method, "/admin/v1" + path, body, headers)

    def want(self, status, method, path, body=None):
        answer = self.ask(method, path, body)
        assert answer.status == status, (method, path, answer.status, answer.body)
        return answer.json() if answer.body else None

    def model(self, name="tiny", url=None, **fields):
        """Makes a model, with a backend where there is a URL."""
        made = self.want(201, "POST", "/models", {"name": name, **fields})
        if url:
            self.want(201, "POST", f"/models/{made['id']}/backends", {"url": url})
        return made

    def key(self, name="test", **fields):
        """Makes a key: (the key, its record)."""
        made = self.want(201, "POST", "/keys", {"name": name, **fields})
        return made["key"], made["api_key"]


def chat_as(gateway, key, **fields):
    return gateway.chat(headers=bearer(key), **fields)


def rows(gateway, statement):
    """What a statement finds in the gateway's store."""
    store = sqlite3.connect(pathlib.Path(gateway.directory) / "llmroute.db")
    try:
        return store.execute(statement).fetchall()
    finally:
        store.close()


def error(answer):
    """The error object of an answer; it has OpenAI's form."""
    found = json.loads(answer.body)["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found


__all__ = ["ADMIN", "ADMIN_KEY", "Admin", "CHAT", "WITH_STORE", "bearer", "chat_as", "error", "rows"]
