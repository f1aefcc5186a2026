"""Every form of the configuration is read again: when its file has changed, and at SIGHUP; calls that run go on."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple

import pytest
from admin_client import ADMIN_KEY, Admin, WITH_STORE, bearer
from fake_node import FakeNode, answer_well, completion, delta
from gateway_server import CHAT, eventually

TICK = 0.05  # seconds: between probes, which is when new nodes are asked for their models


def servers_toml(urls, interval):
    servers = ", ".join(f'{{ url = "{url}" }}' for url in urls.values())
    return (f"[servers]\nservers = [{servers}]\n"
            f"[config]\nhealth_check_interval = {TICK}\nconfig_reload_interval = {interval}\n")


def gateway_yaml(urls, interval):
    """Its nodes come from the store."""
    models = ", ".join(f"{{ name: {name}, model_id: id-of-{name} }}" for name in urls)
    return (f"database: {{ max_open_conns: 4 }}\nauth: {{ admin_key: {ADMIN_KEY} }}\nrate_limits: {{ default_rpm: 0 }}\n"
            f"health_check: {{ interval: {TICK} }}\nmodels: [{models}]\nreload: {{ interval: {interval} }}\n")


def provider_yaml(urls, interval):
    providers = ", ".join(f'{{ name: node-{name}, type: vllm, url: "{url}" }}' for name, url in urls.items())
    models = ", ".join(f"{{ name: {name}, candidates: [node-{name}] }}" for name in urls)
    return f"providers: [{providers}]\nmodels: [{models}]\n" + own_sections(interval)


def own_yaml(urls, interval):
    nodes = ", ".join(f'{{ name: node-{name}, url: "{url}" }}' for name, url in urls.items())
    return f"nodes: [{nodes}]\n" + own_sections(interval)


def litellm(urls, interval):
    models = "".join(f'  - model_name: {name}\n    litellm_params: {{ model: openai/{name}, api_base: "{url}/v1", api_key: k }}\n'
                     for name, url in urls.items())
    return f"model_list:\n{models}" + own_sections(interval)


def own_sections(interval):
    return f"health: {{ interval: {TICK} }}\nreload: {{ interval: {interval} }}\n"


def dotenv(urls, interval):
    return f"VLLM_NODES={','.join(urls.values())}\nHEALTH_CHECK_INTERVAL_SECONDS={TICK}\nCONFIG_RELOAD_INTERVAL={interval}\n"


class Form(NamedTuple):
    """`write` gives the text of a file with these models, each of a node of its own; `mistake` makes it a wrong one."""

    file: str
    write: Callable[[dict, float], str]
    mistake: str
    meant: str
    known_as: str = "{}"  # what nodes call a model


FORMS = {
    "servers.toml": Form("servers.toml", servers_toml, "max_retrys = 1\n", "config.max_retries"),
    "gateway.yaml": Form("gateway.yaml", gateway_yaml, "regestry: {}\n", "registry", "id-of-{}"),
    "provider YAML": Form("providers.yaml", provider_yaml, "retry: { max_retrys: 1 }\n", "retry.max_retries"),
    "own keys in YAML": Form("llmroute.yaml", own_yaml, "router: { max_retrys: 1 }\n", "router.max_retries"),
    "LiteLLM": Form("litellm.yaml", litellm, "router_settings: { num_retrys: 1 }\n", "router_settings.num_retries"),
    ".env": Form(".env", dotenv, "MAX_RETRYS=1\n", "MAX_RETRIES"),
}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


@pytest.fixture
def nodes(form):
    """One for each model, which serves nothing else."""
    found = {name: FakeNode(models=(form.known_as.format(name),)) for name in ("old", "kept", "new")}
    yield found
    for node in found.values():
        node.close()


def filled(start, store, nodes):
    """A store that has a model on all nodes, and a key: what to ask with."""
    gateway = start(config=WITH_STORE + f'[store]\ndatabase_url = "{store}"\n')
    admin = Admin(gateway)
    model = admin.model("stored")["id"]
    for node in nodes.values():
        admin.want(201, "POST", f"/models/{model}/backends", {"url": node.url})
    key, _ = admin.key()
    gateway.stop()
    return bearer(key)


class Reloaded:
    """A gateway whose file changes: it is looked at all the time, or read at SIGHUP alone."""

    def __init__(self, start, directory, form, nodes, hangup):
        self.form, self.nodes, self.hangup = form, nodes, hangup
        self.file = directory / form.file
        self.write("old", "kept")
        store = f"sqlite:{directory}/store.db"
        self.fields = filled(start, store, nodes) if form.write is gateway_yaml else {}
        self.gateway = start(args=("--port", "0", "--config", str(self.file)), env={"DATABASE_URL": store})
        there = nodes if self.fields else ("old", "kept")
        eventually(lambda: {form.known_as.format(name) for name in there} <= self.models())

    def models(self):
        return {model["id"] for model in self.gateway.get("/v1/models", **self.fields).json()["data"]}

    def write(self, *names, more=""):
        urls = {name: self.nodes[name].url for name in names}
        self.file.write_text(self.form.write(urls, 0 if self.hangup else TICK) + more)

    def change(self, outcome, *names, more=""):
        """Writes the file and waits until it has been taken, or refused; what the log says of that."""
        before = len(self.gateway.log(outcome))
        self.write(*names, more=more)
        if self.hangup:
            self.gateway.signal(signal.SIGHUP)
        eventually(lambda: len(self.gateway.log(outcome)) > before)
        return self.gateway.log(outcome)[-1]

    def ask(self, model, stream=False):
        return self.gateway.chat(self.fields, model=model, stream=stream)


@pytest.fixture(params=["by a look at the file", "by SIGHUP"])
def reloaded(request, start, tmp_path, form, nodes):
    return Reloaded(start, tmp_path, form, nodes, request.param == "by SIGHUP")


def calls(node):
    return [request for request in node.requests if request.path == CHAT]


def held_until(go_on):
    """Begins at once and ends later, plain or streamed."""
    def answer(request, connection):
        if request.path != CHAT:  # its load, say
            return connection.answer(404, {})
        if not request.json().get("stream"):
            return go_on.wait(20) and connection.answer(200, completion("whole"))
        connection.start_stream()
        connection.event(delta("who"))
        go_on.wait(20)
        connection.event(delta("le", "stop"))
        return connection.end_stream()

    return answer


def test_a_model_comes_and_another_goes_while_calls_run(reloaded, nodes):
    go_on = threading.Event()
    nodes["old"].handler = held_until(go_on)
    with ThreadPoolExecutor(2) as callers:
        running = [callers.submit(reloaded.ask, "old", stream) for stream in (False, True)]
        eventually(lambda: len(calls(nodes["old"])) == 2)
        reloaded.change("reloaded", "kept", "new")
        eventually(lambda: reloaded.ask("old").status == 404)  # until the new node has said what it has, it may have that
        for model in ("kept", "new"):
            asked = len(calls(nodes[model]))
            assert reloaded.ask(model, stream=True).events()[-1] == "[DONE]"
            assert len(calls(nodes[model])) == asked + 1
        assert not [call for call in running if call.done()]
        go_on.set()
    plain, streamed = (call.result() for call in running)
    assert plain.json()["choices"][0]["message"]["content"] == "whole"
    assert streamed.events()[-1] == "[DONE]" and b'"who"' in streamed.body and b'"le"' in streamed.body
    assert len(calls(nodes["old"])) == 2 and "old" not in reloaded.models()


def test_a_mistake_is_logged_and_changes_nothing(reloaded, nodes):
    go_on = threading.Event()
    nodes["old"].handler = held_until(go_on)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(reloaded.ask, "old", stream=True)
        eventually(lambda: calls(nodes["old"]))
        said = reloaded.change("not_reloaded", "kept", "new", more=reloaded.form.mistake)
        assert f"{reloaded.form.file}:" in said["reason"] and reloaded.form.meant in said["reason"]
        assert said["level"] == "error"
        go_on.set()
        nodes["old"].handler = answer_well
        for model, status in (("old", 200), ("kept", 200), ("new", 404)):
            assert reloaded.ask(model).status == status, model
    assert running.result().events()[-1] == "[DONE]"
    assert not calls(nodes["new"]) and not reloaded.gateway.log("reloaded")
    reloaded.change("reloaded", "kept", "new")
    eventually(lambda: reloaded.ask("new").status == 200)
