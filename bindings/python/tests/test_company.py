"""Blocking calls of threads that wait together: they end as those of a thread alone do."""

import json
import os
import signal
import threading
import time

import pytest
from fake_node import completion
from holding import Holding

import llmroute

PATH = "/v1/chat/completions"


def body(content, **members):
    return json.dumps({"messages": [{"role": "user", "content": content}], **members}).encode()


class Node:
    """Echoes the question; holds back the answer to "wait", and refuses "no"."""

    def __init__(self):
        self.hold = Holding(stream=False)
        self.kept = Holding(stream=False)  # as long as the test

    def __call__(self, request, connection):
        content = request.json()["messages"][0]["content"]
        if content == "no":
            return connection.answer(422, {"error": {"message": "no", "type": "invalid_request_error"}})
        if content in ("keep", "wait"):
            return (self.kept if content == "keep" else self.hold)(request, connection)
        return connection.answer(200, completion(content))


class InCompany:
    """A router on which a call of another thread is under way."""

    def __init__(self, make_node, make_router, **options):
        self.node = Node()
        self.router = make_router(make_node(self.node), **options)
        self.ended_with = None
        self.thread = threading.Thread(target=self._wait)
        self.thread.start()
        assert self.node.kept.arrived.wait(20)

    def _wait(self):
        try:
            self.router.route(PATH, body("keep"))
        except llmroute.Error as error:
            self.ended_with = error.code

    def end(self):
        self.router.close()
        self.thread.join(20)
        assert self.ended_with == "shutting_down"


@pytest.fixture
def company(make_node, make_router):
    company = InCompany(make_node, make_router)
    yield company
    company.end()


def test_each_gets_its_own_answer(company):
    answers = {}

    def ask(me):
        answers[me] = [
            company.router.route(PATH, body(f"{me}.{turn}")).json()["choices"][0]["message"]["content"]
            for turn in range(20)
        ]

    threads = [threading.Thread(target=ask, args=(me,)) for me in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {me: [f"{me}.{turn}" for turn in range(20)] for me in range(16)}


FAILURES = {
    "a node's refusal": (body("no"), {}),
    "an unknown model": (body("hi", model="other"), {}),
    "a stream": (body("hi", stream=True), {}),
    "no JSON": (b"{", {}),
    "a deadline": (body("wait"), {"deadline": 0.05}),
}


@pytest.mark.parametrize(("request_body", "options"), FAILURES.values(), ids=FAILURES)
def test_failures_are_those_of_a_thread_alone(company, make_node, make_router, request_body, options):
    def failure(router):
        with pytest.raises(llmroute.Error) as caught:
            router.route(PATH, request_body, **options, request_id="r")
        error = caught.value
        attempts = [(attempt["node"], attempt["error"], attempt["http_status"]) for attempt in error.attempts]
        return error.code, error.status, error.http_status, error.param, error.body, error.node, attempts

    assert failure(company.router) == failure(make_router(make_node(Node())))


def test_close_ends_them(company):
    def close():
        company.node.hold.arrived.wait(20)
        company.router.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(llmroute.Error) as caught:
        company.router.route(PATH, body("wait"))
    closer.join()
    assert caught.value.code == "shutting_down"
    assert company.node.hold.gone.wait(20)


def test_ctrl_c_ends_the_main_threads(company):
    sent_at = []

    def interrupt():
        company.node.hold.arrived.wait(20)
        sent_at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        company.router.route(PATH, body("wait"))
    assert time.monotonic() - sent_at[0] < 0.1
    assert company.node.hold.gone.wait(20)
    assert company.thread.is_alive()


def test_observers_and_strategies_are_called_on_the_calls_thread(make_node, make_router):
    """So that one which takes a lock that the caller holds (an RLock, say) does not wait for ever."""
    on_threads = []

    class Observer:
        def on_call(self, event):
            on_threads.append(threading.get_ident())

    def first(nodes, request):
        on_threads.append(threading.get_ident())
        return 0

    company = InCompany(make_node, make_router, observer=Observer(), strategy=first)
    on_threads.clear()
    company.router.route(PATH, body("hi"))
    company.end()
    me, other = threading.get_ident(), company.thread.ident
    assert on_threads == [me, me, other]
