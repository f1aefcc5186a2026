"""What is asked of the node itself: health, models, metrics, access; and how it slows down."""

import json
import threading
import time

import pytest
from mock_node_server import CHAT, eventually

METRICS = ["vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
           "vllm:request_success_total", "vllm:prompt_tokens_total", "vllm:generation_tokens_total"]
ENDLESS = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "stream": True, "max_tokens": 100000}


@pytest.fixture
def occupy(request):
    """occupy(node, n): n streams that do not end before the test does."""
    def begin(node, count):
        for _ in range(count):
            connection = node.connect()
            connection.request("POST", CHAT, json.dumps(ENDLESS))
            request.addfinalizer(connection.close)

    return begin


def test_health(node):
    assert node.request("GET", "/health").status == 200 and node.request("GET", "/health").body == b""


def test_models(node):
    listed = node.request("GET", "/v1/models").json()
    assert listed["object"] == "list" and [one["id"] for one in listed["data"]] == ["tiny", "tiny-think"]
    assert all(one["object"] == "model" and one["max_model_len"] > 0 for one in listed["data"])


def test_metrics_count_tokens_and_requests(start):
    node = start()
    answer = node.request("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert {name: node.metric(name) for name in METRICS} == dict.fromkeys(METRICS, 0)
    plain = node.chat(max_tokens=5).json()["usage"]
    node.chat(max_tokens=5, stream=True)
    assert node.metric("vllm:request_success_total") == 2
    assert node.metric("vllm:prompt_tokens_total") == 2 * plain["prompt_tokens"]
    assert node.metric("vllm:generation_tokens_total") == 10


def test_prompts_of_a_size_cost_the_same_however_they_come(node):
    short, long = (node.chat("x" * size).json()["usage"]["prompt_tokens"] for size in (30, 60))
    assert long == short + 10
    assert node.complete("x" * 30).json()["usage"]["prompt_tokens"] == 10


def test_tokenize_and_back(node):
    ids = node.request("POST", "/tokenize", {"prompt": "Grüße"}).json()
    assert ids["count"] == len(ids["tokens"]) == 3 and ids["token_strs"] is None
    assert node.request("POST", "/detokenize", {"tokens": ids["tokens"]}).json() == {"prompt": "Grüße"}
    messages = [{"role": "user", "content": "hello"}]
    assert (node.request("POST", "/tokenize", {"messages": messages}).json()["tokens"]
            == node.chat(return_token_ids=True).json()["prompt_token_ids"])


@pytest.mark.parametrize("path, body", [("/tokenize", "{"), ("/tokenize", {}), ("/tokenize", {"prompt": 1}),
                                        ("/detokenize", {}), ("/detokenize", {"tokens": [99]})])
def test_what_cannot_be_tokenized(node, path, body):
    assert node.request("POST", path, body).status == 400


def test_a_key(start):
    node = start("--api-key", "secret")
    assert node.chat().status == 401 and node.request("GET", "/health").status == 200
    with_key = node.request("GET", "/v1/models", headers={"Authorization": "Bearer secret"})
    assert with_key.status == 200


def test_beyond_its_slots_requests_wait(start, occupy):
    node = start("--decode-us", "1000", "--max-num-seqs", "2")
    occupy(node, 5)
    eventually(lambda: node.metric("vllm:num_requests_waiting") == 3)
    assert node.metric("vllm:num_requests_running") == 2 and node.metric("vllm:kv_cache_usage_perc") == 1
    assert node.stats()["active"] == 5


def test_the_fuller_the_batch_the_slower_each_token(start, occupy):
    node = start("--decode-us", "2000", "--max-num-seqs", "8")

    def seconds():
        began = time.monotonic()
        assert node.chat(max_tokens=20).status == 200
        return time.monotonic() - began

    alone = min(seconds() for _ in range(3))
    occupy(node, 7)
    eventually(lambda: node.metric("vllm:num_requests_running") == 7)
    assert seconds() >= 20 * 0.002 * 2 and alone < 20 * 0.002 * 2


def test_prompts_are_worked_through_one_after_the_other(start):
    node = start("--prefill-us-per-token", "500")
    began, ends = time.monotonic(), []

    def ask():
        assert node.complete("x" * 300, max_tokens=1).status == 200  # 100 tokens: 50 ms
        ends.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends)[0] >= 0.05 and sorted(ends)[2] >= 0.15


def test_a_caller_who_goes_is_noticed(start):
    node = start("--decode-us", "1000")
    connection, response = node.open("POST", CHAT, ENDLESS)
    assert response.read1(100) and node.stats()["active"] == 1
    connection.close()
    response.close()
    eventually(lambda: node.stats()["active"] == 0)
    assert node.stats()["aborted"] == 1 and node.metric("vllm:num_requests_running") == 0


def test_a_slow_reader_gets_everything(node):
    connection, response = node.open("POST", CHAT, {**ENDLESS, "max_tokens": 50000})
    assert node.stats()["active"] == 1  # nobody has read: its socket is full
    body = response.read()
    connection.close()
    assert body.count(b'"content"') == 1 + 50000 and body.endswith(b"data: [DONE]\n\n")
