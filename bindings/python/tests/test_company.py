"""Blocking calls of many threads that wait together: they end as those of a thread alone do."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from fake_node import completion
from gateway_server import eventually
from holding import Holding

import llmroute

PATH = "/v1/chat/completions"


def body(content, **members):
    return json.dumps({"messages": [{"role": "user", "content": content}], **members}).encode()


MANY = 5  # native/wait_for_reply.hpp: crowd


class Node:
    """Echoes the question; holds back the answer to "keep", "wait" and "later", and refuses "no"."""

    def __init__(self):
        self.hold = Holding(stream=False)
        self.kept = Holding(stream=False)  # as long as the test
        self.keeps = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, request, connection):
        content = request.json()["messages"][0]["content"]
        if content == "no":
            return connection.answer(422, {"error": {"message": "no", "type": "invalid_request_error"}})
        if content == "keep":
            self.keeps.release()
            return self.kept(request, connection)
        if content == "wait":
            return self.hold(request, connection)
        if content == "later":
            self.hold.arrived.set()
            assert self.go_on.wait(20)
        return connection.answer(200, completion(content))


class InCompany:
    """A router on which calls of other threads are under way."""

    def __init__(self, make_node, make_router, **options):
        self.node = Node()
        self.router = make_router(make_node(self.node), **options)
        self.ended_with = []
        self.threads = [threading.Thread(target=self._wait) for _ in range(MANY)]
        for thread in self.threads:
            thread.start()
            assert self.node.keeps.acquire(timeout=20)

    def _wait(self):
        try:
            self.router.route(PATH, body("keep"))
        except llmroute.Error as error:
            self.ended_with.append(error.code)

    def end(self):
        self.router.close()
        for thread in self.threads:
            thread.join(20)
        assert self.ended_with == ["shutting_down"] * MANY


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
        return (error.code, error.status, error.http_status, error.param, error.body, error.node, error.request_id, error.usage,
                error.partial, attempts, re.sub(r"[0-9.]+ s ", "", error.message))

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
    assert all(thread.is_alive() for thread in company.threads)


@contextlib.contextmanager
def signalled_once_it_waits(company, handler):
    """Sends SIGUSR1 when the node has the call to be held back, and `handler` gets it."""

    def send():
        company.node.hold.arrived.wait(20)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_handler_that_returns_lets_the_call_go_on(company):
    with signalled_once_it_waits(company, lambda number, frame: company.node.go_on.set()):
        assert company.router.route(PATH, body("later")).json() == completion("later")


def test_a_child_that_a_signal_handler_forks_is_not_kept_waiting(company):
    me, children = os.getpid(), []

    def fork(number, frame):
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # ends it if it is kept waiting
            raise SystemExit
        children.append(child)
        company.node.go_on.set()

    try:
        with signalled_once_it_waits(company, fork):
            assert company.router.route(PATH, body("later")).json() == completion("later")
    except BaseException as error:
        if os.getpid() != me:
            os._exit(7 if isinstance(error, SystemExit) else 1)
        raise
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7


@contextlib.contextmanager
def answered_while_in_a_signal_handler(company, then):
    """`then` runs in a handler on the main thread, whose call has its answer meanwhile: it is called to take the GIL."""

    def handler(number, frame):
        company.node.go_on.set()
        eventually(lambda: company.router.snapshot()["nodes"][0]["in_flight"] == MANY)
        then()

    with signalled_once_it_waits(company, handler):
        yield


def test_who_does_not_take_the_gil_when_called_stops_nobody(company):
    answers = []

    def ask_and_wait():
        asking = threading.Thread(target=lambda: answers.append(company.router.route(PATH, body("hi")).json()))
        asking.start()
        asking.join(20)
        assert answers == [completion("hi")]

    with answered_while_in_a_signal_handler(company, ask_and_wait):
        assert company.router.route(PATH, body("later")).json() == completion("later")
    assert answers


def test_a_child_has_a_line_of_its_own(company):
    """Not one in which a thread of the parent's has been called for ever: nobody would be called in it."""
    me, children = os.getpid(), []

    def fork():
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            for _ in range(MANY):
                threading.Thread(target=company.router.route, args=(PATH, body("keep")), daemon=True).start()
            eventually(lambda: company.router.snapshot()["nodes"][0]["in_flight"] >= MANY)
            began = time.monotonic()
            company.router.route(PATH, body("hi"))
            os._exit(7 if time.monotonic() - began < 0.09 else 1)  # who is not called goes ahead after 0.1 s
        children.append(child)

    try:
        with answered_while_in_a_signal_handler(company, fork):
            assert company.router.route(PATH, body("later")).json() == completion("later")
    finally:
        if os.getpid() != me:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7


def native_threads():
    """Threads that Python knows nothing of."""
    return {int(thread) for thread in os.listdir("/proc/self/task")} - {thread.native_id for thread in threading.enumerate()}


@pytest.mark.parametrize(("options", "threads"), [({}, 1), ({"strategy": lambda nodes, request: 0}, 0)])
def test_one_thread_of_the_routers_does_the_io_of_many(make_node, make_router, options, threads):
    before = native_threads()
    company = InCompany(make_node, make_router, **options)
    eventually(lambda: len(native_threads() - before) == threads)
    company.end()


NO_ROOM = """
import json, os, resource, sys, threading, llmroute
router = llmroute.Router(nodes=[sys.argv[1]])
many = int(sys.argv[2])
def ask(content):
    return router.route("/v1/chat/completions", json.dumps({"messages": [{"role": "user", "content": content}]}).encode())
for _ in range(many - 1):
    threading.Thread(target=ask, args=("keep",), daemon=True).start()
while router.snapshot()["nodes"][0]["in_flight"] < many - 1:
    pass
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 4_000_000, resource.getrlimit(resource.RLIMIT_AS)[1]))  # a stack is 8 MB
print(ask("hi").status, len(os.listdir("/proc/self/task")) - threading.active_count(), flush=True)
os._exit(0)
"""


def test_without_room_for_a_thread_each_goes_on_alone(make_node):
    program = ["sh", "-c", 'ulimit -s 8192 && exec "$@"', "sh", sys.executable, "-c", NO_ROOM, make_node(Node()).url, str(MANY)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "200 0\n", "")


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
    assert on_threads[:2] == [threading.get_ident()] * 2
    assert set(on_threads[2:]) == {thread.ident for thread in company.threads}
