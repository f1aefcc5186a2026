"""Nodes that others keep busy as well: the gateway goes by what they report."""

from demo.client import Question, Wave
from demo.processes import eventually
from demo.servers import fetch_json

PACED = ("--prefill-us-per-token", "0", "--decode-us", "20000", "--max-num-seqs", "4")
BY_REPORTS = '[router]\nstrategy = "vllm_load"\n[health]\nmetrics_interval = "200ms"\n'


def test_calls_keep_away_from_a_node_that_others_keep_busy(servers):
    busy, free = servers.mock("busy", *PACED), servers.mock("free", *PACED)
    gateway = servers.gateway([busy, free], BY_REPORTS)
    others = Wave(busy.url, [Question(f"other-{i}", f"Other {i}", stream=True, max_tokens=200) for i in range(6)])

    def load():
        return [server["detailed_metrics"] for server in fetch_json(gateway.url + "/load-stats")["servers"]]

    eventually(lambda: (load()[0]["num_requests_running"], load()[0]["num_requests_waiting"]) == (4, 2), "it is full")
    ours = Wave(gateway.url, [Question(f"ours-{i}", f"Ours {i}", stream=False, max_tokens=5) for i in range(4)])
    assert all(answer.whole() for answer in ours.wait())
    assert gateway.node("free")["requests"] == 4 and gateway.node("busy")["requests"] == 0
    reported = gateway.node("busy")["reported"]
    assert reported["running"] == 4 and 0 < reported["kv_cache_usage"] <= 1
    assert all(answer.whole() for answer in others.wait())
