"""What the gateway says of itself, and to whom."""

import json
import re

import pytest
from gateway_server import CHAT, eventually
from fake_node import FakeNode

TOKEN = {"Authorization": "Bearer sesame"}
WITH_TOKEN = '[auth]\nauth_token = "sesame"\n'
OPEN = ["/", "/health", "/livez", "/readyz", "/metrics", "/version", "/ui"]
CLOSED = [("POST", CHAT), ("POST", "/v1/completions"), ("POST", "/v1/embeddings"), ("GET", "/v1/models"),
          ("GET", "/v1/models/tiny"), ("GET", "/stats")]


def test_the_service_names_itself_and_its_endpoints(gateway):
    answer = gateway.get("/")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    service = answer.json()
    assert service["service"] == "llmroute-gateway"
    assert service["version"] == gateway.get("/version").json()["version"]
    assert f"POST {CHAT}" in service["endpoints"]


def test_health_says_what_the_router_is_set_to(start, node):
    gateway = start(node, config='[router]\nstrategy = "p2c"\nmax_retries = 1\n[timeouts]\nattempt = 7\n')
    health = gateway.get("/health").json()
    assert health["status"] == "ok"
    assert health["router"] == {"strategy": "p2c", "max_retries": 1, "node_timeout_seconds": 7,
                                "health_check_interval_seconds": 10}
    assert health["nodes"] == [{"name": "n0", "url": node.url, "healthy": True, "in_flight": 0}]


def test_health_shows_the_nodes_only_to_those_who_may_see_them(start, node):
    gateway = start(node, config=WITH_TOKEN)
    assert "nodes" not in gateway.get("/health").json()
    assert "nodes" not in gateway.get("/health", Authorization="Bearer wrong").json()
    assert len(gateway.get("/health", **TOKEN).json()["nodes"]) == 1


def test_without_a_usable_node_health_and_ready_are_503(start):
    gone = FakeNode()
    gone.close()
    gateway = start(gone, config='[health]\ninterval = "20ms"\nunhealthy_threshold = 1\n')
    eventually(lambda: gateway.get("/health").status == 503)
    assert gateway.get("/health").json()["status"] == "unavailable"
    assert gateway.get("/readyz").status == 503
    assert gateway.get("/livez").status == 200


def test_ready_and_alive(gateway):
    assert gateway.get("/readyz").status == 200
    assert gateway.get("/livez").status == 200


def test_models_are_what_the_nodes_say(gateway):
    data = eventually(lambda: gateway.get("/v1/models").json()["data"])
    assert [model["id"] for model in data] == ["tiny"]
    assert data[0]["object"] == "model"
    assert gateway.get("/v1/models/tiny").json()["id"] == "tiny"
    absent = gateway.get("/v1/models/absent")
    assert absent.status == 404 and absent.json()["error"]["code"] == "model_not_found"


def test_stats_count(gateway):
    gateway.chat()
    stats = eventually(lambda: (s := gateway.stats())["requests"] == 1 and s)
    assert stats["uptime_seconds"] > 0
    assert stats["nodes"][0]["requests"] == 1 and stats["nodes"][0]["in_flight"] == 0
    assert stats["nodes"][0]["breaker"]["state"] == "closed"


def test_metrics_are_those_documented(gateway):
    gateway.chat()
    gateway.chat(stream=True)
    eventually(lambda: gateway.metric("requests_total{") == 2)
    answer = gateway.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = re.findall(r"^# TYPE (\S+) (\S+)$", answer.body.decode(), re.M)
    assert dict(families) == {
        "requests_total": "counter", "request_latency_seconds": "histogram", "queue_depth": "gauge",
        "requests_rejected_total": "counter", "requests_per_node_total": "counter",
        "node_active_requests": "gauge", "node_failures_total": "counter", "upstream_errors_total": "counter"}
    assert gateway.metric('requests_total{model="tiny",status="2xx",stream="false"}') == 1
    assert gateway.metric('requests_total{model="tiny",status="2xx",stream="true"}') == 1
    assert gateway.metric('request_latency_seconds_count{model="tiny",stream="true"}') == 1
    assert gateway.metric('requests_per_node_total{node="n0"}') == 2
    assert gateway.metric('node_active_requests{node="n0"}') == 0


@pytest.mark.parametrize("method, path", CLOSED)
def test_what_is_closed_asks_for_the_token(start, node, method, path):
    gateway = start(node, config=WITH_TOKEN)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic sesame"}):
        answer = gateway.request(method, path, "{}" if method == "POST" else None, headers)
        assert answer.status == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert answer.json()["error"]["type"] == "authentication_error"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not node.requests


def test_the_token_opens_it(start, node):
    gateway = start(node, config=WITH_TOKEN)
    assert gateway.chat(headers=TOKEN).status == 200
    assert gateway.get("/stats", **TOKEN).status == 200


def test_the_live_page_shows_stats_and_loads_nothing_from_elsewhere(gateway):
    answer = gateway.get("/ui")
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.body.decode()
    assert not re.search(r"https?:|src=|href=|innerHTML", page)
    stats = gateway.get("/stats").json()
    for top in re.findall(r"stats\.([a-z_]+)", page):
        assert top in stats or top == "error"
    assert set(re.findall(r"node\.([a-z_]+)", page)) <= set(stats["nodes"][0])
    assert set(re.findall(r"node\.(?:latency|ttft)_ms\.([a-z0-9]+)", page)) <= set(stats["nodes"][0]["latency_ms"])


def test_stats_have_the_spread_of_answers(gateway):
    before = gateway.get("/stats").json()["nodes"][0]
    assert before["latency_ms"] == before["ttft_ms"] == {"ewma": None, "p50": None, "p95": None}
    assert gateway.chat().status == 200 and gateway.chat(stream=True).status == 200
    after = eventually(lambda: [node for node in gateway.get("/stats").json()["nodes"] if node["ttft_ms"]["p95"]])[0]
    for name in ("latency_ms", "ttft_ms"):
        figures = after[name]
        assert 0 < figures["p50"] == figures["p95"] < 10_000 and abs(figures["p50"] / figures["ewma"] - 1) < 0.05


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_asks_for_none(start, node, path):
    assert start(node, config=WITH_TOKEN).get(path).status == 200


def test_no_body_is_read_before_authentication(start, node):
    gateway = start(node, config=WITH_TOKEN)
    connection = gateway.connect()
    connection.putrequest("POST", CHAT)
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_errors_are_openai_objects(gateway):
    absent = gateway.get("/v1/nothing")
    assert absent.status == 404
    assert set(absent.json()["error"]) == {"message", "type", "param", "code"}
    wrong = gateway.get(CHAT)
    assert wrong.status == 405 and wrong.headers["allow"] == "POST"
    assert wrong.json()["error"]["type"] == "invalid_request_error"
    assert gateway.request("DELETE", "/health").headers["allow"] == "GET"


def test_a_query_does_not_change_the_path(gateway):
    assert gateway.get("/livez?verbose=1").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_a_request_id(gateway, method):
    answer = gateway.request(method, "/livez", headers={"X-Request-ID": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    made = gateway.request(method, "/livez", headers={"X-Request-ID": "not sane!"})
    assert re.fullmatch(r"req-[0-9a-f]{32}", made.headers["x-request-id"])


def test_the_listed_endpoints_are_json(gateway):
    for path in ("/", "/health", "/livez", "/readyz", "/version", "/stats", "/v1/models"):
        json.loads(gateway.get(path).body)
