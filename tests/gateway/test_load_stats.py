"""GET /load-stats, and routing by what nodes report."""

import threading

from fake_node import FakeNode, answer_well
from gateway_server import eventually

BY_REPORTS = '[router]\nstrategy = "vllm_load"\n[health]\nmetrics_interval = "200ms"\n'


def page(running, waiting=0, usage=0.25):
    return ("# HELP vllm:num_requests_running Requests.\n# TYPE vllm:num_requests_running gauge\n"
            f'vllm:num_requests_running{{engine="0",model_name="tiny"}} {running}\n'
            f'vllm:num_requests_waiting{{engine="0",model_name="tiny"}} {waiting}\n'
            f'vllm:kv_cache_usage_perc{{engine="0",model_name="tiny"}} {usage}\nprocess_max_fds 20000.0\n')


class ReportingNode(FakeNode):
    """Serves a page of metrics; `text` None: it has got none."""

    def __init__(self, text):
        super().__init__(self.answer)
        self.text = text
        self.asked = 0

    def answer(self, request, connection):
        if request.path != "/metrics":
            return answer_well(request, connection)
        self.asked += 1
        if self.text is None:
            return connection.answer(404, {"detail": "Not Found"})
        return connection.answer(200, self.text, content_type="text/plain")


def started(start, *texts, config=BY_REPORTS):
    nodes = [ReportingNode(text) for text in texts]
    return start(*nodes, config=config), nodes


def servers(gateway):
    return gateway.get("/load-stats").json()["servers"]


def test_the_shape_and_the_figures(start):
    gateway, nodes = started(start, page(3, 2), page(0))
    first = eventually(lambda: (s := servers(gateway))[0]["current_load"] == 3 and s)
    assert first == [
        {"url": nodes[0].url, "current_load": 3, "max_capacity": 1, "available_capacity": 0, "utilization_percent": 100.0,
         "status": "healthy", "detailed_metrics": {"num_requests_running": 3, "num_requests_waiting": 2,
                                                   "gpu_cache_usage_perc": 0.25, "process_max_fds": 20000}},
        {"url": nodes[1].url, "current_load": 0, "max_capacity": 1, "available_capacity": 1, "utilization_percent": 0.0,
         "status": "healthy", "detailed_metrics": {"num_requests_running": 0, "num_requests_waiting": 0,
                                                   "gpu_cache_usage_perc": 0.25, "process_max_fds": 20000}}]
    assert gateway.get("/load-stats").json()["summary"] == {
        "total_servers": 2, "healthy_servers": 2, "total_active_load": 3, "total_capacity": 2,
        "overall_utilization_percent": 100.0}
    stats = gateway.stats()["nodes"]
    assert {**stats[0]["reported"], "age_seconds": 0} == {"running": 3, "waiting": 2, "kv_cache_usage": 0.25, "age_seconds": 0}
    assert [node["last_score"] for node in stats] == [11, 0]


def test_calls_go_to_the_node_that_says_it_has_room(start):
    gateway, nodes = started(start, page(5), page(1))
    eventually(lambda: [s["current_load"] for s in servers(gateway)] == [5, 1])
    assert {gateway.chat().headers["x-routed-node"] for _ in range(5)} == {"n1"}
    nodes[1].text = page(9)
    eventually(lambda: [s["current_load"] for s in servers(gateway)] == [5, 9])
    assert {gateway.chat().headers["x-routed-node"] for _ in range(5)} == {"n0"}


def test_calls_that_run_count_before_the_next_report_does(start):
    """All ask at once, and every node says that it is idle."""
    gateway, nodes = started(start, page(0), page(0), page(0), config=BY_REPORTS.replace("200ms", "30s"))
    eventually(lambda: all(s["detailed_metrics"]["num_requests_running"] == 0 for s in servers(gateway)))
    go_on = threading.Event()
    for node in nodes:
        node.handler = lambda request, connection: (go_on.wait(10), answer_well(request, connection))
    callers = [threading.Thread(target=gateway.chat) for _ in range(12)]
    for caller in callers:
        caller.start()
    eventually(lambda: sum(s["current_load"] for s in servers(gateway)) == 12)
    assert [s["current_load"] for s in servers(gateway)] == [4, 4, 4]
    go_on.set()
    for caller in callers:
        caller.join()


def test_what_a_node_does_not_report_is_null_and_not_nothing(start):
    gateway, nodes = started(start, page(1), None)
    eventually(lambda: servers(gateway)[0]["current_load"] == 1 and nodes[1].asked >= 2)
    assert servers(gateway)[1]["detailed_metrics"] == dict.fromkeys(
        ("num_requests_running", "num_requests_waiting", "gpu_cache_usage_perc", "process_max_fds"))
    assert gateway.stats()["nodes"][1]["reported"] is None
    assert gateway.chat().status == 200


def test_nobody_is_asked_when_no_strategy_goes_by_it(start):
    gateway, nodes = started(start, page(1), page(1), config='[health]\ninterval = "20ms"\n')
    for _ in range(5):
        assert gateway.chat().status == 200
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    assert nodes[0].asked + nodes[1].asked == 0
    assert servers(gateway)[0]["detailed_metrics"]["num_requests_running"] is None


def test_a_node_that_is_away_is_unhealthy(start):
    gateway, nodes = started(start, page(1), page(1),
                             config=BY_REPORTS + 'interval = "20ms"\nunhealthy_threshold = 1\n')
    eventually(lambda: nodes[1].probes)  # over a connection that is kept
    nodes[1].close()
    eventually(lambda: servers(gateway)[1]["status"] == "unhealthy")
    assert servers(gateway)[0]["status"] == "healthy"
    assert gateway.get("/load-stats").json()["summary"]["healthy_servers"] == 1
