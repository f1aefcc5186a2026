"""A configuration that changes while the gateway works: no request is lost, and what is known of nodes stays."""

import itertools
import os
import random
import signal
import threading
import urllib.error
import urllib.request

import pytest
from demo.client import Question, ask
from demo.processes import BIN, Program, eventually
from demo.servers import Gateway, clean_environment

QUICK = '[reload]\ninterval = "50ms"\n'
PACED = ("--prefill-us-per-token", "0", "--decode-us", "1000")


def listed(*nodes, more=""):
    """The tables of these nodes."""
    return "".join(f'\n[[nodes]]\nname = "{node.name}"\nurl = "{node.url}"\n{more}' for node in nodes)


class Load:
    """Asks without a pause, plain and streamed, until it is stopped."""

    def __init__(self, url, callers=6):
        self.url = url
        self.stopping = threading.Event()
        self.answers = []
        self.threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(callers)]

    def _ask(self, caller):
        for i in itertools.count():
            if self.stopping.is_set():
                return
            self.answers.append(ask(self.url, Question(f"load-{caller}-{i}", "Go on", stream=caller % 2 == 0)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def more(self, count=12):
        """Waits until so many have been answered from now on."""
        target = len(self.answers) + count
        eventually(lambda: len(self.answers) >= target, "the load goes on", 30)

    def lost(self):
        return [f"{answer.request_id}: {answer.status} {answer.problem}" for answer in self.answers if not answer.whole()]


class Reloaded(Gateway):
    """A gateway whose file is changed."""

    def write(self, text):
        """In place, as an editor may."""
        (self.directory / "llmroute.toml").write_text(text)

    def exchange(self, text):
        """By a rename, as another editor does."""
        new = self.directory / "new"
        new.write_text(text)
        os.replace(new, self.directory / "llmroute.toml")

    def outcomes(self):
        return self.log("reloaded") + self.log("not_reloaded")

    def settle(self, change, outcome="reloaded", more=""):
        """Does `change` and waits until the file has been taken, or refused."""
        before = len(self.log(outcome))
        change()
        eventually(lambda: len(self.log(outcome)) > before, f"{outcome} {more}", 20)
        return self.log(outcome)[-1]


@pytest.fixture
def gateway(servers, tmp_path):
    """gateway(config): its file is `config`, changed from then on."""

    def start(config, *arguments, **env):
        started = Reloaded(tmp_path, (), config, {**clean_environment(), **env})
        started.command += arguments
        return servers.start(started)

    return start


def test_nodes_come_and_go_under_load(servers, gateway):
    a, b, c = (servers.mock(name, *PACED) for name in "abc")
    one = gateway(QUICK + listed(a, b))
    with Load(one.url) as load:
        load.more()
        before = one.node("a")
        one.settle(lambda: one.exchange(QUICK + listed(a, b, c)))
        eventually(lambda: c.control()["requests"] > 0, "the new node is asked")
        one.settle(lambda: one.write(QUICK + listed(a, c, more="weight = 2\n")))
        load.more(30)  # what was under way at b has ended by now
        asked = b.control()["requests"]
        load.more(30)
        assert b.control()["requests"] == asked
        after = one.node("a")
    assert load.lost() == []
    assert after["weight"] == 2
    assert after["requests"] >= before["requests"] > 0  # what was learnt of it stays
    assert after["latency_ms"]["ewma"] is not None
    assert {node["name"] for node in one.stats()["nodes"]} == {"a", "c"}


def test_prefixes_of_the_file_lose_nothing(servers, gateway):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    a, b = (servers.mock(name, *PACED) for name in "ab")
    whole = '[reload]\ninterval = 0\n\n[router]\nstrategy = "round_robin"\n' + listed(a, b) + '\n[timeouts]\nconnect = "3s"\n'
    one = gateway(whole)
    with Load(one.url) as load:
        load.more()
        for _ in range(25):
            taken = len(one.outcomes())
            one.write(whole[:chance.randrange(len(whole))])
            one.signal(signal.SIGHUP)
            eventually(lambda: len(one.outcomes()) > taken, f"SIGHUP is heeded, seed {seed}")
            load.more(3)
        one.write(whole)
        one.settle(lambda: one.signal(signal.SIGHUP))
        load.more()
    assert load.lost() == []
    assert one.log("not_reloaded")
    assert {node["name"] for node in one.stats()["nodes"]} == {"a", "b"}


def test_a_bad_file_is_told_once_and_changes_nothing(servers, gateway):
    a = servers.mock("a")
    good = QUICK + listed(a)
    one = gateway(good)
    said = one.settle(lambda: one.write(good + "[router]\nmax_retrys = 1\n"), "not_reloaded")
    assert "llmroute.toml:" in said["reason"] and "router.max_retries" in said["reason"]
    looked = one.stats()["uptime_seconds"]
    eventually(lambda: one.stats()["uptime_seconds"] > looked + 0.3, "it looks several times more")
    one.settle(lambda: (one.directory / "llmroute.toml").unlink(), "not_reloaded")
    assert ask(one.url, Question("q", "hi")).whole()
    one.settle(lambda: one.write(good))
    assert len(one.log("not_reloaded")) == 2


def test_an_empty_file_changes_nothing(servers, gateway):
    a, b = servers.mock("a"), servers.mock("b")
    one = gateway(QUICK + listed(a), ADMIN_API_KEY="k")  # with which no node is needed
    assert "is empty" in one.settle(lambda: one.write("\n"), "not_reloaded")["reason"]
    assert ask(one.url, Question("q", "hi")).node == "a"
    one.settle(lambda: one.write(QUICK + listed(b)))
    assert ask(one.url, Question("q", "hi")).node == "b"


def test_a_symbolic_link_that_is_exchanged_is_a_change(servers, gateway):
    a, b = servers.mock("a"), servers.mock("b")
    one = gateway(QUICK + listed(a))
    link, folder = one.directory / "llmroute.toml", one.directory
    (folder / "v2").write_text(QUICK + listed(b))

    def exchange():
        os.symlink("v2", folder / "link")
        os.replace(folder / "link", link)

    one.settle(exchange)
    assert ask(one.url, Question("q", "hi")).node == "b"


def test_tokens_change_at_once_and_other_sections_are_named(servers, gateway):
    a = servers.mock("a")
    one = gateway(QUICK + '[auth]\nauth_token = "old"\n' + listed(a))

    def status(token):
        request = urllib.request.Request(one.url + "/v1/models", headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert (status("old"), status("new")) == (200, 401)
    one.settle(lambda: one.write(QUICK + '[auth]\nauth_token = "new"\n[server]\nworkers = 3\n' + listed(a)))
    assert (status("old"), status("new")) == (401, 200)
    assert "server" in one.log("restart_needed")[-1]["sections"]


def test_a_file_that_has_lost_its_tokens_opens_no_door(servers, gateway):
    """As one that is written from its top is, half-way."""
    a, b = servers.mock("a"), servers.mock("b")
    one = gateway(QUICK + listed(a) + '\n[auth]\nauth_token = "old"\n')
    assert "auth" in one.settle(lambda: one.write(QUICK + listed(b)), "not_reloaded")["reason"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(one.url + "/v1/models", timeout=10)
    assert refused.value.code == 401
    asked = urllib.request.Request(one.url + "/stats", headers={"Authorization": "Bearer old"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert b'"name":"a"' in answer.read()  # nor does anything else change


def test_the_flag_makes_it_look_every_second(servers, gateway):
    a, b = servers.mock("a"), servers.mock("b")
    never = "[reload]\ninterval = 0\n"
    one = gateway(never + listed(a), "--reload")
    one.settle(lambda: one.exchange(never + listed(b)))
    assert ask(one.url, Question("q", "hi")).node == "b"


def test_without_a_file_there_is_nothing_to_reload(servers, tmp_path):
    a = servers.mock("a")
    env = {**clean_environment(), "VLLM_NODES": a.url}
    one = servers.start(Program("gateway", [BIN / "llmroute-gateway", "run"], tmp_path, env))
    one.signal(signal.SIGHUP)
    eventually(lambda: "there is no file" in one.log_text(), "it says so")
    assert ask(one.url, Question("q", "hi")).whole()
