"""Many threads on one router, and the GIL let go of in every wait."""

import json
import threading
import time

import pytest
from fake_node import completion, delta

PATH = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()


def test_64_threads(router):
    failures = []

    def work():
        try:
            for _ in range(5):
                assert router.chat(HELLO) == completion()
                assert list(router.chat({**HELLO, "stream": True})) == [delta("hel"), delta("lo", "stop")]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert router.snapshot()["in_flight"] == 0


def test_threads_that_do_other_things_between_their_calls_keep_nobody_waiting(make_node, make_router):
    router = make_router(make_node(lambda request, connection: connection.answer(200, completion())))
    elsewhere = 0.05

    def work():
        for _ in range(4):
            router.chat(HELLO)
            time.sleep(elsewhere)

    threads = [threading.Thread(target=work) for _ in range(32)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert time.monotonic() - began < len(threads) * 4 * elsewhere / 2  # it would be twice that, one after the other


def test_an_observer_that_asks_the_router_under_a_crowd(make_node, make_router):
    class Curious:
        router = None
        seen = 0

        def on_attempt(self, attempt):
            self.router.explain(PATH, BODY)
            Curious.seen += 1

    observer = Curious()
    node = make_node(lambda request, connection: connection.answer(200, completion()))
    router = observer.router = make_router(node, observer=observer)
    threads = [threading.Thread(target=lambda: [router.chat(HELLO) for _ in range(20)]) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Curious.seen == 32 * 20


# The node is a thread of this very process: it answers only if the caller's wait has let go of the GIL.
@pytest.mark.parametrize("wait", ["route", "open", "read", "close", "drop", "router"])
def test_no_wait_holds_the_gil(make_node, make_router, wait):
    turns = []

    def busy_then_answer(request, connection):
        turns.append(sum(range(1000)))  # Python code, which wants the GIL
        if not request.json().get("stream"):
            return connection.answer(200, completion())
        connection.start_stream()
        connection.event(delta("a"))
        if wait in ("open", "read"):
            connection.event(delta("", "stop"))
            return connection.end_stream()
        connection.wait_for_close()

    router = make_router(make_node(busy_then_answer))
    if wait == "route":
        assert router.route(PATH, BODY).status == 200
    else:
        stream = router.stream(PATH, BODY)
        assert stream.read()
        if wait == "read":
            assert stream.read()
        elif wait == "close":
            stream.close()
        elif wait == "router":
            router.close()
        del stream
    assert turns


def test_a_stream_is_read_by_one_thread_at_a_time(make_node, make_router):
    inside = threading.Event()
    release = threading.Event()

    def hold(request, connection):
        connection.start_stream()
        connection.event(delta("a"))
        inside.wait(20)
        release.wait(20)
        connection.event(delta("b", "stop"))
        connection.end_stream()

    stream = make_router(make_node(hold)).stream(PATH, BODY)
    stream.read()
    chunks = []
    refused = threading.Event()

    def read():
        while not refused.is_set():
            try:
                if (chunk := stream.read()) is None:
                    return
                chunks.append(chunk)
            except RuntimeError as error:
                assert "another thread" in str(error)
                refused.set()
                release.set()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.set()
    for thread in threads:
        thread.join(20)
    assert refused.is_set()


def test_a_stream_may_move_between_threads(router):
    stream = router.stream(PATH, BODY)
    chunks = []
    while len(chunks) < 3:
        reader = threading.Thread(target=lambda: chunks.append(stream.read()))
        reader.start()
        reader.join(20)
    assert [json.loads(chunk) for chunk in chunks[:2]] == [delta("hel"), delta("lo", "stop")]
    assert chunks[2] is None
