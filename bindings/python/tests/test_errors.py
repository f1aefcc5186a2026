"""llmroute.Error: what it tells, and that it travels."""

import json
import pickle

import pytest

import llmroute

PATH = "/v1/chat/completions"
BODY = b'{"messages":[]}'
REFUSAL = {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages", "code": "context"}}


def failing(status, body=None, headers=()):
    return lambda request, connection: connection.answer(status, body if body is not None else REFUSAL, headers)


def error_of(router, **options):
    with pytest.raises(llmroute.Error) as caught:
        router.route(PATH, BODY, **options)
    return caught.value


def test_a_refused_request_has_the_nodes_own_words(make_node, make_router):
    error = error_of(make_router(make_node(failing(400, headers=[("x-why", "because")]))), request_id="req-1")
    assert (error.code, error.status, error.http_status, error.node) == ("node_rejected", 400, 400, "n1")
    assert json.loads(error.body) == REFUSAL
    assert error.openai_body() == error.body
    assert ("x-why", "because") in error.headers
    assert error.request_id == "req-1"
    assert error.message == str(error)


def test_a_failure_tells_every_attempt(make_node, make_router):
    error = error_of(make_router(make_node(failing(503)), make_node(failing(500))), max_retries=1)
    assert (error.code, error.status, error.http_status) == ("upstream_error", 502, 500)
    assert [(attempt["node"], attempt["http_status"]) for attempt in error.attempts] == [("n1", 503), ("n2", 500)]
    assert json.loads(error.openai_body())["error"]["code"] == "upstream_error"
    assert error.usage["total_tokens"] == 0


def test_a_limit_tells_when_to_ask_again(make_node, make_router):
    error = error_of(make_router(make_node(failing(429, headers=[("retry-after", "30")]))), max_retries=0)
    assert (error.code, error.status, error.retry_after) == ("rate_limited", 429, 30)


def test_an_unknown_model_is_named(router):
    with pytest.raises(llmroute.Error, match='no model "other"') as caught:
        router.route(PATH, b'{"model":"other"}')
    assert (caught.value.code, caught.value.status) == ("model_not_found", 404)


def test_an_error_survives_the_way_to_another_process(make_node, make_router):
    error = error_of(make_router(make_node(failing(400))))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is llmroute.Error
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
