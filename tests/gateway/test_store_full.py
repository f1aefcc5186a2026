"""A disk that takes no more: admin writes say so, reading and routing go on, and writing does when there is room.

The disk is as small as the process's largest file (RLIMIT_FSIZE).
"""

import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from admin_client import Admin, WITH_STORE, chat_as, error
from gateway_server import eventually


def limit_files(gateway, size):
    _, hard = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def fill(admin):
    """Writes until one is refused; its answer, and the names that were acknowledged."""
    names = []
    for i in range(2000):
        answer = admin.ask("POST", "/models", {"name": f"m{i}", "default_params": {"user": "x" * 5000}})
        if answer.status != 201:
            return answer, names
        names.append(f"m{i}")
    raise AssertionError("the disk was never full")


def test_a_full_disk_refuses_writes_and_routing_goes_on(start, node):
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    key, shown = admin.key()
    limit_files(gateway, 600_000)
    refused, names = fill(admin)
    assert refused.status == 503
    assert error(refused)["type"] == "server_error" and error(refused)["code"] == "store_unavailable"
    assert eventually(lambda: gateway.log("store"))[-1]["level"] == "error"
    limit_files(gateway, 1)  # not even what needs little room; nor a line of the log
    for method, path, body in (("POST", "/keys", {"name": "x"}), ("PUT", f"/keys/{shown['id']}", {"name": "y"}),
                               ("DELETE", f"/keys/{shown['id']}", None)):
        assert admin.ask(method, path, body).status == 503
    for _ in range(20):
        assert chat_as(gateway, key).status == 200
    assert chat_as(gateway, key, stream=True).events()[-1] == "[DONE]"
    assert admin.want(200, "GET", f"/keys/{shown['id']}") == shown
    assert [model["name"] for model in admin.want(200, "GET", "/models")] == names

    limit_files(gateway, resource.RLIM_INFINITY)
    admin.want(204, "DELETE", f"/keys/{shown['id']}")
    assert chat_as(gateway, key).status == 401
    gateway.signal(15)
    assert gateway.wait() == 0


def test_a_store_that_is_taken_away_refuses_changes_alone(start, node):
    """Its tables are gone: the engine works, the statements do not."""
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    key, _ = admin.key()
    store = sqlite3.connect(gateway.directory / "llmroute.db")
    store.execute("DROP TABLE audit_log")
    store.commit()
    store.close()
    assert admin.ask("POST", "/models", {"name": "m"}).status == 503
    assert admin.want(200, "GET", "/models") == []
    assert chat_as(gateway, key).status == 200


def test_a_store_that_somebody_holds_keeps_no_call_waiting(start, node):
    """A backup that has the database to itself: a change waits for it, and gives up; calls know nothing of it."""
    gateway = start(node, config=WITH_STORE)
    admin = Admin(gateway)
    key, _ = admin.key()
    with sqlite3.connect(gateway.directory / "llmroute.db", isolation_level=None) as store:
        store.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(1) as beside:
            change = beside.submit(admin.ask, "POST", "/models", {"name": "m"})
            calls = 0
            while not change.done():
                assert chat_as(gateway, key).status == 200
                calls += 1
        assert change.result().status == 503 and calls > 20
        store.execute("ROLLBACK")
    assert admin.want(200, "GET", "/models") == []
    admin.want(201, "POST", "/models", {"name": "m"})
