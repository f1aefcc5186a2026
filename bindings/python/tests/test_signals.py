"""Ctrl-C in every wait, and signals that are not meant to end it."""

import json
import os
import signal
import threading
import time

import pytest
from fake_node import delta

PATH = "/v1/chat/completions"
BODY = json.dumps({"messages": []}).encode()


class Trap:
    """A node that interrupts the main thread once a call waits on it, and answers nothing."""

    def __init__(self, *events, signal_number=signal.SIGINT, then_answer=None):
        self.events = events
        self.signal_number = signal_number
        self.then_answer = then_answer
        self.sent_at = 0.0
        self.gone = threading.Event()

    def __call__(self, request, connection):
        if self.events:
            connection.start_stream()
        for event in self.events:
            connection.event(event)
        time.sleep(0.05)  # whichever comes first, the signal or the wait: both have to work
        self.sent_at = time.monotonic()
        os.kill(os.getpid(), self.signal_number)
        if self.then_answer:
            return self.then_answer(connection)
        connection.wait_for_close()
        self.gone.set()


def interrupted(trap, call):
    with pytest.raises(KeyboardInterrupt):
        call()
    took = time.monotonic() - trap.sent_at
    assert trap.gone.wait(20)
    return took


def test_ctrl_c_ends_a_plain_call(make_node, make_router):
    trap = Trap()
    assert interrupted(trap, lambda: make_router(make_node(trap)).route(PATH, BODY)) < 0.1


def test_ctrl_c_ends_the_opening_of_a_stream(make_node, make_router):
    trap = Trap()
    assert interrupted(trap, lambda: make_router(make_node(trap)).stream(PATH, BODY)) < 0.1


@pytest.mark.parametrize("read", ["read", "read_raw", "__next__"])
def test_ctrl_c_ends_a_read(make_node, make_router, read):
    trap = Trap(delta("a"))
    stream = make_router(make_node(trap)).stream(PATH, BODY)
    stream.read()
    assert interrupted(trap, getattr(stream, read)) < 0.1


def test_a_handler_that_returns_lets_the_call_go_on(make_node, make_router):
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.set())

    def answer_later(connection):
        handled.wait(20)
        connection.answer(200, {"handled": True})

    try:
        router = make_router(make_node(Trap(signal_number=signal.SIGUSR1, then_answer=answer_later)))
        assert router.route(PATH, BODY).json() == {"handled": True}
    finally:
        signal.signal(signal.SIGUSR1, before)
