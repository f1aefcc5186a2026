"""What each variable does to a running gateway, whether it stands in the environment or in a `.env` file."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_node import FakeNode, answer_well
from gateway_server import CHAT, eventually, run_gateway

NAMELESS = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(params=["environment", "file"])
def begin(request, start, tmp_path):
    """begin(*nodes, NAME=value, ...): a gateway that has these variables and no other configuration."""

    def started(*nodes, **variables):
        variables = {"VLLM_NODES": ",".join(node.url for node in nodes), "GATEWAY_PORT": 0, **variables}
        if request.param == "environment":
            return start(args=("--config", "/dev/null"), env={name: str(value) for name, value in variables.items()})
        file = tmp_path / "gateway.env"
        file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        return start(args=("--config", str(file)))

    return started


@pytest.fixture
def five_nodes():
    nodes = [FakeNode() for _ in range(5)]
    yield nodes
    for node in nodes:
        node.close()


class ProbedNode(FakeNode):
    """Counts its health probes, and answers the next `bad` ones by 503."""

    def __init__(self):
        self.probes = 0
        self.bad = 0
        super().__init__()

    def _serve(self, connection):
        read = connection.read_request

        def read_request():
            while (request := read()) is not None and request.path == "/health":
                self.probes += 1
                if not self.bad:
                    break
                self.bad -= 1
                connection.answer(503, "")
            return request

        connection.read_request = read_request
        super()._serve(connection)


@pytest.fixture
def probed_node():
    one = ProbedNode()
    yield one
    one.close()


class BlackHole:
    """Never accepts, and its queue is full: the system drops whatever else wants to connect."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        address = self.listener.getsockname()
        self.url = f"http://127.0.0.1:{address[1]}"
        self.queue = [socket.socket() for _ in range(4)]
        for one in self.queue:
            one.setblocking(False)
            one.connect_ex(address)

    def close(self):
        for one in (*self.queue, self.listener):
            one.close()


@pytest.fixture
def black_hole():
    one = BlackHole()
    yield one
    one.close()


def test_vllm_nodes(begin, node, second_node):
    gateway = begin(VLLM_NODES=f"{node.url}/, ,{second_node.url}/v1", ROUTING_STRATEGY="round_robin")
    assert {gateway.chat().headers["x-routed-node"] for _ in range(4)} == {node.url, second_node.url}
    assert len(node.requests) == len(second_node.requests) == 2
    assert [request.path for request in node.requests + second_node.requests] == [CHAT] * 4


@pytest.mark.parametrize("strategy, with_the_busy_one", [("round_robin", 3), ("least_loaded", 0), (None, 0)])
def test_routing_strategy(begin, node, second_node, strategy, with_the_busy_one):
    """One node is busy with a call while six others come."""
    go_on = threading.Event()
    nodes = (node, second_node)
    for one in nodes:
        one.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    gateway = begin(*nodes, **({"ROUTING_STRATEGY": strategy} if strategy else {}))
    assert gateway.get("/health").json()["router"]["strategy"] == (strategy or "least_loaded")
    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(gateway.chat)
        busy = eventually(lambda: [one for one in nodes if one.requests])[0]
        for one in nodes:
            one.handler = answer_well
        assert [gateway.chat().status for _ in range(6)] == [200] * 6
        go_on.set()
    assert first.result().status == 200
    assert len(busy.requests) == 1 + with_the_busy_one


def test_node_timeout_seconds(begin, node):
    node.handler = lambda _, connection: connection.wait_for_close()
    gateway = begin(node, NODE_TIMEOUT_SECONDS=0.3, MAX_RETRIES=0)
    answer = gateway.chat()
    assert answer.status == 504 and answer.json()["error"]["code"] == "upstream_timeout"
    assert gateway.get("/health").json()["router"]["node_timeout_seconds"] == 0.3


def test_connect_timeout_seconds(begin, black_hole):
    gateway = begin(black_hole, CONNECT_TIMEOUT_SECONDS=0.3, MAX_RETRIES=0)
    begun = time.monotonic()
    answer = gateway.chat()
    assert time.monotonic() - begun < 5  # without the variable 10
    assert answer.status == 502 and answer.json()["error"]["code"] == "upstream_error"
    assert eventually(lambda: gateway.log("attempt"))[0]["error"] == "connect_failed"


@pytest.mark.parametrize("retries, attempts", [(0, 1), (1, 2), (4, 5), (None, 3)])
def test_max_retries(begin, five_nodes, retries, attempts):
    for one in five_nodes:
        one.handler = lambda _, connection: connection.answer(500, {})
    gateway = begin(*five_nodes, **({"MAX_RETRIES": retries} if retries is not None else {}))
    answer = gateway.chat()
    assert answer.status == 502 and answer.headers["x-llmroute-attempts"] == str(attempts)
    assert sum(len(one.requests) for one in five_nodes) == attempts
    assert gateway.get("/health").json()["router"]["max_retries"] == attempts - 1


def test_health_check_interval_seconds(begin, probed_node):
    gateway = begin(probed_node, HEALTH_CHECK_INTERVAL_SECONDS=0.05)
    eventually(lambda: probed_node.probes >= 5)  # without the variable one in 15 s
    assert gateway.get("/health").json()["router"]["health_check_interval_seconds"] == 0.05


def test_health_check_interval_seconds_turns_probes_on(start, probed_node):
    start(probed_node, config="[health]\nactive = false\n", env={"HEALTH_CHECK_INTERVAL_SECONDS": "0.05"})
    eventually(lambda: probed_node.probes >= 5)


def test_health_check_interval_turns_no_probes_on(start, tmp_path, probed_node):
    """That of servers.toml's product, which has a switch for them."""
    file = tmp_path / "servers.toml"
    servers = f'[servers]\nservers = [{{ url = "{probed_node.url}" }}]\n[config]\nenable_active_health_check = %s\n'
    probes = {}
    for switch in ("false", "true"):
        file.write_text(servers % switch)
        gateway = start(args=("--port", "0", "--config", str(file)), env={"HEALTH_CHECK_INTERVAL": "0.05"})
        assert gateway.get("/health").json()["router"]["health_check_interval_seconds"] == 0.05
        assert gateway.chat().status == 200
        if switch == "true":
            eventually(lambda: probed_node.probes >= 10)
        probes[switch] = probed_node.probes
        gateway.stop()
    assert probes["false"] == 0


@pytest.mark.parametrize("threshold", [2, 5])
def test_health_failure_threshold_counts_probes(begin, probed_node, threshold):
    gateway = begin(probed_node, HEALTH_CHECK_INTERVAL_SECONDS=0.05, HEALTH_FAILURE_THRESHOLD=threshold)
    probed_node.bad = threshold - 1
    seen = probed_node.probes
    eventually(lambda: probed_node.probes >= seen + threshold + 2 and not probed_node.bad)
    assert not gateway.log("node")
    probed_node.bad = threshold
    eventually(lambda: gateway.log("node"))
    assert gateway.log("node")[0]["change"] == "unhealthy" and not probed_node.bad


@pytest.mark.parametrize("threshold", [2, 4])
def test_health_failure_threshold_counts_calls(begin, node, threshold):
    node.handler = lambda _, connection: connection.answer(500, {})
    gateway = begin(node, HEALTH_FAILURE_THRESHOLD=threshold, MAX_RETRIES=0)
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    assert [gateway.chat().status for _ in range(threshold + 1)] == [502] * threshold + [503]
    assert len(node.requests) == threshold


@pytest.mark.parametrize("running, waiting", [(1, 0), (2, 3)])
def test_max_concurrent_requests_and_max_queue_size(begin, node, running, waiting):
    go_on = threading.Event()
    node.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    gateway = begin(node, MAX_CONCURRENT_REQUESTS=running, MAX_QUEUE_SIZE=waiting)
    with ThreadPoolExecutor(running + waiting) as callers:
        calls = [callers.submit(gateway.chat) for _ in range(running)]
        eventually(lambda: len(node.requests) == running)
        calls += [callers.submit(gateway.chat) for _ in range(waiting)]
        eventually(lambda: gateway.metric("queue_depth ") == waiting)
        refused = gateway.chat()
        asked = len(node.requests)
        go_on.set()
    assert refused.status == 503 and int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["code"] == "queue_full" and refused.json()["error"]["type"] == "server_error"
    assert asked == running
    assert [call.result().status for call in calls] == [200] * (running + waiting)
    assert len(node.requests) == running + waiting and gateway.metric("queue_depth ") == 0


def test_without_them_16_run_and_32_wait(begin, node):
    go_on = threading.Event()
    node.handler = lambda request, connection: (go_on.wait(20), answer_well(request, connection))
    gateway = begin(node)
    with ThreadPoolExecutor(48) as callers:
        calls = [callers.submit(gateway.chat) for _ in range(48)]
        eventually(lambda: len(node.requests) == 16 and gateway.metric("queue_depth ") == 32)
        refused = gateway.chat()
        go_on.set()
    assert refused.status == 503 and refused.json()["error"]["code"] == "queue_full"
    assert [call.result().status for call in calls] == [200] * 48


def test_model_name(begin):
    several = FakeNode(models=("tiny", "other"))
    gateway = begin(several, MODEL_NAME="other")
    eventually(lambda: len(gateway.get("/v1/models").json()["data"]) == 2)
    answer = gateway.request("POST", CHAT, NAMELESS)
    assert answer.status == 200 and several.requests[0].json()["model"] == "other"
    assert gateway.chat(model="tiny").status == 200 and several.requests[1].json()["model"] == "tiny"
    several.close()


def test_without_model_name_one_of_several_has_to_be_named(begin):
    several = FakeNode(models=("tiny", "other"))
    gateway = begin(several)
    eventually(lambda: len(gateway.get("/v1/models").json()["data"]) == 2)
    answer = gateway.request("POST", CHAT, NAMELESS)
    assert answer.status == 400 and answer.json()["error"]["param"] == "model" and not several.requests
    several.close()


def test_auth_token(begin, node):
    gateway = begin(node, AUTH_TOKEN="sesame")
    for wrong in ({}, {"Authorization": "Bearer sesam"}, {"Authorization": "sesame"}):
        answer = gateway.chat(headers=wrong)
        assert answer.status == 401 and answer.json()["error"]["code"] == "invalid_api_key"
    assert not node.requests and gateway.get("/stats").status == 401
    assert gateway.chat(headers={"Authorization": "Bearer sesame"}).status == 200


def test_gateway_port(begin, node, tmp_path):
    assert begin(node, GATEWAY_PORT=0).port != 8000
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = {"VLLM_NODES": node.url, "GATEWAY_PORT": str(port), "PORT": "0"}
        code, _, err = run_gateway(tmp_path, "run", "--config", "/dev/null", env=env)
    assert code == 1 and f"127.0.0.1:{port}" in err


def test_variables_win_over_the_file(start, node):
    config = '[router]\nstrategy = "p2c"\nmax_retries = 7\ndefault_model = "absent"\n[timeouts]\nattempt = "7s"\n' \
             '[health]\ninterval = "7s"\n[auth]\nauth_token = "from-the-file"\n'
    env = {"ROUTING_STRATEGY": "round_robin", "MAX_RETRIES": "1", "MODEL_NAME": "tiny", "NODE_TIMEOUT_SECONDS": "9",
           "HEALTH_CHECK_INTERVAL_SECONDS": "11", "AUTH_TOKEN": "sesame"}
    gateway = start(node, config=config, env=env)
    token = {"Authorization": "Bearer sesame"}
    assert gateway.get("/health").json()["router"] == {
        "strategy": "round_robin", "max_retries": 1, "node_timeout_seconds": 9, "health_check_interval_seconds": 11}
    assert gateway.request("POST", CHAT, NAMELESS, token).status == 200
    assert node.requests[0].json()["model"] == "tiny"
    assert gateway.chat(headers={"Authorization": "Bearer from-the-file"}).status == 401


def test_an_empty_variable_is_as_none(begin, node):
    gateway = begin(node, AUTH_TOKEN="", MAX_RETRIES="", ROUTING_STRATEGY="", MODEL_NAME="")
    assert gateway.chat().status == 200
    assert gateway.get("/health").json()["router"]["max_retries"] == 2


@pytest.mark.parametrize("name, value", [
    ("NODE_TIMEOUT_SECONDS", "soon"), ("CONNECT_TIMEOUT_SECONDS", "-1"), ("MAX_RETRIES", "1.5"),
    ("HEALTH_CHECK_INTERVAL_SECONDS", "15s"), ("HEALTH_FAILURE_THRESHOLD", "many"), ("GATEWAY_PORT", "65536"),
    ("MAX_CONCURRENT_REQUESTS", "-1"), ("MAX_QUEUE_SIZE", "auto"), ("ROUTING_STRATEGY", "leest_loaded"),
    ("VLLM_NODES", "gpu-1:8000"),
])
def test_a_value_that_is_none_is_named_with_its_variable(tmp_path, name, value):
    env = {"VLLM_NODES": "http://127.0.0.1:9", name: value}
    code, _, err = run_gateway(tmp_path, "check-config", env=env)
    assert code == 2 and name in err and err.count("\n") == 1
    file = tmp_path / "wrong.env"
    file.write_text("\n".join(f"{key}={json.dumps(text)}" for key, text in env.items()))
    code, _, err = run_gateway(tmp_path, "check-config", str(file))
    assert code == 2 and f"wrong.env:{len(env)}: {name}" in err
