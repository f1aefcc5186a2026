"""Limits under a crowd: what was granted never exceeds them, and what was not used comes back."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from admin_client import Admin, WITH_STORE, bearer, chat_as, error
from fake_node import FakeNode, answer_well, completion, delta
from gateway_server import CHAT, eventually
from wire import Wire

RPM = 700
CALLERS = 200
EACH = 50  # requests one behind the other on a connection, all sent at once


def pipeline(key):
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "hi"}]})
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}" * (EACH - 1) + f"{head}Connection: close\r\n\r\n{body}"


def test_ten_thousand_requests_at_once_never_exceed_a_keys_limit(start, node):
    gateway = start(node, config=WITH_STORE)
    key, _ = Admin(gateway).key(rpm_limit=RPM)
    wires = [Wire(gateway) for _ in range(CALLERS)]
    for wire in wires:
        wire.send(pipeline(key))
    with ThreadPoolExecutor(CALLERS) as readers:
        statuses = [status for found in readers.map(Wire.statuses, wires) for status in found]
    assert len(statuses) == CALLERS * EACH
    assert statuses.count(200) == len(node.requests) == RPM
    assert statuses.count(429) == len(statuses) - RPM


def held_until(go_on):
    return lambda request, connection: (go_on.wait(20), answer_well(request, connection))


def limited(start, node, config=""):
    """A gateway with keys, once it knows its models, and its admin API."""
    gateway = start(node, config=WITH_STORE + config)
    admin = Admin(gateway)
    key, _ = admin.key()
    eventually(lambda: gateway.get("/v1/models", **bearer(key)).json()["data"])
    return gateway, admin


def body_of(**fields):
    return json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "hi"}], **fields})


def asks(gateway, key, **fields):
    """A caller who has asked and reads nothing yet."""
    connection = gateway.connect()
    connection.request("POST", CHAT, body_of(**fields), bearer(key))
    return connection


def is_over_its_limit(answer):
    assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1
    assert (error(answer)["type"], error(answer)["code"]) == ("rate_limit_error", "rate_limit_exceeded")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("limits", [{"rpm_limit": 1}, {"tpm_limit": 100}, {"rpm_limit": 1, "tpm_limit": 100}])
def test_a_caller_that_leaves_before_the_answer_gets_back_what_it_took(start, node, limits, stream):
    go_on = threading.Event()
    node.handler = held_until(go_on)
    gateway, admin = limited(start, node)
    key, _ = admin.key(**limits)
    caller = asks(gateway, key, stream=stream, max_tokens=90)
    eventually(lambda: node.requests)
    is_over_its_limit(chat_as(gateway, key, max_tokens=90))
    node.handler = answer_well
    caller.close()
    answers = []
    eventually(lambda: answers.append(chat_as(gateway, key, max_tokens=90)) or answers[-1].status == 200)
    assert {answer.status for answer in answers} <= {200, 429}
    assert len(node.requests) == 2
    if "rpm_limit" in limits:
        is_over_its_limit(chat_as(gateway, key))
    go_on.set()


def full(start, node, config=""):
    """A gateway whose one place is taken until an event is set, who has it, and another's key for one request."""
    go_on = threading.Event()
    node.handler = held_until(go_on)
    gateway, admin = limited(start, node, "[backpressure]\nmax_concurrent_requests = 1\n" + config)
    running = asks(gateway, admin.key()[0])
    eventually(lambda: node.requests)
    return gateway, running, admin.key(rpm_limit=1)[0], go_on


def test_a_caller_that_leaves_the_queue_gets_back_what_it_took(start, node):
    gateway, running, key, go_on = full(start, node)
    waiting = asks(gateway, key)
    eventually(lambda: gateway.metric("queue_depth ") == 1)
    is_over_its_limit(chat_as(gateway, key))
    waiting.close()
    eventually(lambda: gateway.metric("queue_depth ") == 0)
    go_on.set()
    assert running.getresponse().status == 200
    eventually(lambda: chat_as(gateway, key).status == 200)
    is_over_its_limit(chat_as(gateway, key))
    assert len(node.requests) == 2
    running.close()


def test_a_call_that_the_queue_refuses_costs_nothing(start, node):
    gateway, running, key, go_on = full(start, node, "max_queue_size = 0\n")
    for _ in range(3):
        refused = chat_as(gateway, key)
        assert refused.status == 503 and error(refused)["code"] == "queue_full"
    go_on.set()
    assert running.getresponse().status == 200
    assert eventually(lambda: (answer := chat_as(gateway, key)).status != 503 and answer).status == 200
    is_over_its_limit(chat_as(gateway, key))
    running.close()


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_call_that_fails_costs_nothing(start, node, status):
    node.handler = lambda _, connection: connection.answer(status, {"error": {"message": "no"}})
    gateway, admin = limited(start, node, "[router]\nmax_retries = 0\n")
    key, _ = admin.key(rpm_limit=1, tpm_limit=100)
    assert chat_as(gateway, key, max_tokens=90).status == (502 if status == 500 else status)
    node.handler = answer_well
    assert chat_as(gateway, key, max_tokens=90).status == 200
    is_over_its_limit(chat_as(gateway, key))


def test_a_caller_that_leaves_in_mid_stream_pays_for_what_it_had(start, node):
    def begin(_, connection):
        connection.start_stream()
        connection.event(delta("first"))
        connection.wait_for_close()

    node.handler = begin
    gateway, admin = limited(start, node)
    (key, _), (fresh, _) = (admin.key(rpm_limit=9, tpm_limit=1000) for _ in range(2))
    caller = asks(gateway, key, stream=True, max_tokens=800)
    response = caller.getresponse()
    assert b"first" in response.readline()
    response.close()
    caller.close()
    eventually(lambda: gateway.cancelled(stream=True) == 1)
    node.handler = answer_well

    def left(name):
        """What it had has come off these."""
        used, unused = (int(chat_as(gateway, one).headers[f"x-ratelimit-remaining-{name}"]) for one in (key, fresh))
        return unused - used

    assert 1 <= left("tokens") <= len(body_of(stream=True, max_tokens=800)) // 4 + 1  # the prompt, as it was guessed
    assert left("requests") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_used_tokens_count_as_the_node_counted_them(start, node, stream):
    usage = {"prompt_tokens": 500, "completion_tokens": 100, "total_tokens": 600}

    def answer(request, connection):
        if not request.json().get("stream"):
            return connection.answer(200, {**completion(), "usage": usage})
        connection.start_stream()
        connection.event(delta("a", "stop"))
        connection.event({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage})
        return connection.end_stream()

    node.handler = answer
    gateway, admin = limited(start, node)
    key, _ = admin.key(tpm_limit=1000)
    first, second = (chat_as(gateway, key, stream=stream) for _ in range(2))
    assert first.status == second.status == 200
    assert 350 <= int(second.headers["x-ratelimit-remaining-tokens"]) < 400
    over = chat_as(gateway, key, stream=stream)
    is_over_its_limit(over)
    assert "1000 tokens a minute" in error(over)["message"]
    assert over.headers["x-ratelimit-remaining-tokens"] == "0" and 1 <= int(over.headers["retry-after"]) <= 61
    assert len(node.requests) == 2
    assert gateway.metric('requests_rejected_total{reason="rate_limit"}') == 1
    assert gateway.metric('requests_total{model="tiny",status="429"') == 1
    assert chat_as(gateway, admin.key(tpm_limit=1000)[0]).status == 200


@pytest.mark.parametrize("said", [0, 100])
def test_what_a_crowd_uses_beyond_its_tokens_is_bounded_by_what_was_let_in(start, node, said):
    """50 at once, each of whose answers is ten times as long as it said: only so many run as fit by what they said."""
    crowd, limit = 50, 400
    go_on = threading.Event()

    def answer(_, connection):
        go_on.wait(20)
        usage = {"prompt_tokens": 20, "completion_tokens": 1000, "total_tokens": 1020}
        connection.answer(200, {**completion(), "usage": usage})

    node.handler = answer
    gateway, admin = limited(start, node)
    key, _ = admin.key(tpm_limit=limit)
    fields = {"max_tokens": said} if said else {}
    with ThreadPoolExecutor(crowd) as callers:
        calls = [callers.submit(chat_as, gateway, key, **fields) for _ in range(crowd)]
        eventually(lambda: len(node.requests) + sum(call.done() for call in calls) == crowd)
        let_in = len(node.requests)
        go_on.set()
    assert let_in == limit // (len(body_of(**fields)) // 4 + said)
    answers = [call.result() for call in calls]
    assert sum(answer.status == 200 for answer in answers) == let_in
    for answer in answers:
        if answer.status != 200:
            is_over_its_limit(answer)
    is_over_its_limit(chat_as(gateway, key))
    assert len(node.requests) == let_in


class LateLister(FakeNode):
    """Serves at once, and says only when told what."""

    def __init__(self):
        self.listed = threading.Event()
        super().__init__()

    def _serve(self, connection):
        read = connection.read_request

        def read_request():
            request = read()
            if request is not None and request.path.endswith("/models"):
                self.listed.wait(20)
            return request

        connection.read_request = read_request
        super()._serve(connection)


@pytest.mark.parametrize("limits", [{"rpm_limit": 1}, {"rpm_limit": None}, {"rpm_limit": 0, "tpm_limit": 100}])
def test_a_limit_holds_while_the_models_become_known(start, limits):
    node = LateLister()
    gateway = start(node, config=WITH_STORE + "[limits]\ndefault_rpm = 1\n")
    key, _ = Admin(gateway).key(**limits)
    node.handler = lambda _, connection: connection.answer(200, {**completion(), "usage": {"total_tokens": 200}})
    assert chat_as(gateway, key).status == 200
    is_over_its_limit(chat_as(gateway, key))
    node.listed.set()
    eventually(lambda: gateway.get("/v1/models", **bearer(key)).json()["data"])
    is_over_its_limit(chat_as(gateway, key))
    assert len(node.requests) == 1
    node.close()


def test_callers_without_a_name_share_the_limits(start, node):
    gateway = start(node, config="[limits]\ndefault_rpm = 2\n")
    eventually(lambda: gateway.get("/v1/models").json()["data"])
    assert [gateway.chat().status for _ in range(3)] == [200, 200, 429]
    assert len(node.requests) == 2


def test_a_limit_is_judged_when_the_model_is_known(start, node):
    """A key that has spent all for one model is told first what is wrong with its request, and has another model left."""
    gateway, admin = limited(start, node)
    admin.model("other", node.url, model_id="tiny")
    key, _ = admin.key(rpm_limit=1, allowed_models=["tiny", "other"])
    assert chat_as(gateway, key).status == 200
    is_over_its_limit(chat_as(gateway, key))
    broken = gateway.request("POST", CHAT, '{"model":"tiny"', bearer(key))
    assert broken.status == 400 and error(broken)["type"] == "invalid_request_error"
    assert chat_as(gateway, key, model="absent").status == 403
    assert chat_as(gateway, key, model="other").status == 200
    is_over_its_limit(chat_as(gateway, key, model="other"))
    assert len(node.requests) == 2


@pytest.mark.parametrize("own", [False, True])
def test_what_is_passed_on_counts_for_its_model(start, node, own):
    """A form as well as JSON; by what is configured, or the key's own limit."""
    node.handler = lambda request, connection: connection.answer(200, completion())
    config = "" if own else '[limits]\nper_tenant_model = [{ model = "whisper", rpm = 2 }]\n'
    gateway, admin = limited(start, node, config)
    key, _ = admin.key(**({"rpm_limit": 2} if own else {}))
    form = '--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--xx--\r\n'
    forms = {**bearer(key), "Content-Type": "multipart/form-data; boundary=xx"}
    assert gateway.request("POST", "/v1/audio/transcriptions", form, forms).status == 200
    assert gateway.request("POST", "/v1/audio/speech", {"model": "whisper", "input": "x"}, bearer(key)).status == 200
    is_over_its_limit(gateway.request("POST", "/v1/audio/transcriptions", form, forms))
    is_over_its_limit(gateway.request("POST", "/v1/audio/speech", {"model": "whisper", "input": "x"}, bearer(key)))
    assert chat_as(gateway, key).status == 200
