"""The forms a configuration may have; routers travel as theirs."""

import json
import pathlib
import pickle

import pytest
from config import config_for

import llmroute


def names(router):
    with router:
        return [node["name"] for node in router.snapshot()["nodes"]]


@pytest.mark.parametrize("form", [dict, json.dumps])
def test_a_tree_or_its_text(node, form):
    assert names(llmroute.Router(form(config_for(node)))) == ["n1"]


@pytest.mark.parametrize("form", [str, pathlib.Path])
def test_files(tmp_path, node, form):
    as_json = tmp_path / "llmroute.json"
    as_json.write_text(json.dumps(config_for(node)))
    as_toml = tmp_path / "llmroute.toml"
    as_toml.write_text(f'[[nodes]]\nname = "n1"\nurl = "{node.url}"\n')
    assert names(llmroute.Router(form(as_json))) == ["n1"]
    assert names(llmroute.Router.from_file(form(as_toml))) == ["n1"]


def test_nodes_are_urls_or_tables(node):
    router = llmroute.Router(nodes=[node.url, {"name": "other", "url": "http://127.0.0.1:1"}], strategy="round_robin")
    assert router.explain("/v1/chat/completions", b"{}")["strategy"] == "round_robin"
    assert names(router) == [node.url, "other"]


def test_another_configuration_while_the_router_runs(node):
    with llmroute.Router(config_for(node)) as router:
        other = config_for(node) | {"health": {"interval": "3s"}, "models": [{"name": "mine", "model_id": "m"}]}
        assert router.reload(other) == ["health"]
        assert "mine" in router.models()
        with pytest.raises(llmroute.ConfigError, match="nodes"):
            router.reload({"nodes": [{"url": "nonsense"}]})
        assert "mine" in router.models()
        assert "mine" in pickle.loads(pickle.dumps(router)).models()


def test_a_callers_tree_stays_as_it_is(node):
    tree = config_for(node)
    before = json.dumps(tree)
    llmroute.Router(tree, nodes=["http://127.0.0.1:1"], strategy="p2c").close()
    assert json.dumps(tree) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"nodes": [{"url": "http://a", "wieght": 2}]}', "wieght"),
        ('{"nodes": ', "configuration"),
        ('{"nodes": [{"url": "gpu-1:8000"}]}', "gpu-1"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(llmroute.ConfigError, match=message) as caught:
        llmroute.Router(text)
    assert caught.value.code == "invalid_config"
    assert isinstance(caught.value, llmroute.Error)


def test_what_is_wrong_in_a_file_names_it(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("nodes = [")
    for path in (bad, tmp_path / "missing.json"):
        with pytest.raises(llmroute.ConfigError, match=path.name):
            llmroute.Router(path)


def test_a_router_travels_as_its_configuration(node):
    with llmroute.Router(config_for(node)) as router:
        copy = pickle.loads(pickle.dumps(router))
        with copy:
            assert copy.route("/v1/chat/completions", b'{"messages":[]}').node == "n1"
