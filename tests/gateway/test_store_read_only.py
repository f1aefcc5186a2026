"""A disk that becomes read-only: admin writes say so, all else goes on, and nothing that was acknowledged is lost."""

import pathlib
import subprocess

import pytest
from admin_client import Admin, WITH_STORE, chat_as, error
from gateway_server import eventually, run_gateway

SOURCE = pathlib.Path(__file__).with_name("read_only_disk.c")


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory):
    """What stands between a process and its disk."""
    library = tmp_path_factory.mktemp("preloaded") / "read_only_disk.so"
    built = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return library


class Disk:
    """Where the store is. `environment` is that of a process that is to find it read-only."""

    def __init__(self, directory, library):
        self.directory = directory / "disk"
        self.directory.mkdir()
        self.flag = directory / "read-only"
        self.environment = {"LD_PRELOAD": str(library), "READ_ONLY_DIRECTORY": str(self.directory),
                            "READ_ONLY_WHILE": str(self.flag), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.config = WITH_STORE + f'[store]\ndatabase_url = "sqlite:{self.directory}/llmroute.db"\n'

    def make_read_only(self):
        self.flag.touch()

    def make_writable(self):
        self.flag.unlink()


@pytest.fixture
def disk(tmp_path, preloaded):
    return Disk(tmp_path, preloaded)


def changes(key, model, backend):
    """One of each kind: method, path, body."""
    return [("POST", "/keys", {"name": "x"}), ("PUT", f"/keys/{key}", {"name": "x"}), ("DELETE", f"/keys/{key}", None),
            ("POST", "/models", {"name": "x"}), ("PUT", f"/models/{model}", {"active": False}),
            ("DELETE", f"/models/{model}", None), ("POST", f"/models/{model}/backends", {"url": "http://gpu-1:8000"}),
            ("PUT", f"/models/{model}/backends/{backend}", {"active": False}),
            ("DELETE", f"/models/{model}/backends/{backend}", None)]


def listed(admin):
    return [admin.want(200, "GET", path) for path in ("/models", "/keys")]


def begin(start, node, disk):
    """A gateway, its admin API, and a key and a model of its store."""
    gateway = start(config=disk.config, env=disk.environment)
    admin = Admin(gateway)
    key, shown = admin.key()
    model = admin.model("tiny", node.url)
    return gateway, admin, key, shown["id"], model["id"]


def refuses_changes(admin, key, model):
    [backend] = admin.want(200, "GET", f"/models/{model}")["backends"]
    for method, path, body in changes(key, model, backend["id"]):
        answer = admin.ask(method, path, body)
        assert answer.status == 503, (method, path)
        assert (error(answer)["type"], error(answer)["code"]) == ("server_error", "store_unavailable")
    return True


def serves(gateway, key):
    answers = [chat_as(gateway, key) for _ in range(5)]
    return {answer.status for answer in answers} == {200} and chat_as(gateway, key, stream=True).events()[-1] == "[DONE]"


def test_a_read_only_disk_refuses_changes_and_all_else_goes_on(start, node, disk):
    gateway, admin, key, key_id, model = begin(start, node, disk)
    before = listed(admin)
    disk.make_read_only()
    assert refuses_changes(admin, key_id, model)
    assert serves(gateway, key) and listed(admin) == before
    assert eventually(lambda: gateway.log("store"))[-1]["level"] == "error"

    disk.make_writable()
    admin.model("later", node.url, model_id="tiny")
    assert chat_as(gateway, key, model="later").status == 200
    admin.want(204, "DELETE", f"/keys/{key_id}")
    assert chat_as(gateway, key).status == 401


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("number, code", [(15, 0), (9, -9)])
def test_what_was_acknowledged_before_is_there_after_a_restart(start, node, disk, writable, number, code):
    """However it ended, on a disk that was read-only still or again; and nothing is there that was refused."""
    gateway, admin, key, key_id, model = begin(start, node, disk)
    before = listed(admin)
    disk.make_read_only()
    assert refuses_changes(admin, key_id, model)
    if writable:
        disk.make_writable()
        admin.key("between")
        before = listed(admin)
    gateway.signal(number)
    assert gateway.wait() == code
    disk.flag.unlink(missing_ok=True)
    again = start(config=disk.config, env=disk.environment)
    assert listed(Admin(again)) == before and serves(again, key)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("command", ["run", "check-config"])
def test_a_start_on_a_read_only_disk_ends_with_2_and_names_it(start, disk, tmp_path, made, command):
    (tmp_path / "llmroute.toml").write_text(disk.config + "[server]\nport = 0\n")
    if made:
        start(config=disk.config).stop()
    disk.make_read_only()
    code, _, said = run_gateway(tmp_path, command, env=disk.environment)
    assert code == 2 and said.count("\n") == 1
    assert "store.database_url" in said and str(disk.directory) in said and "Read-only file system" in said
