"""fork() before and after use, by hand and by multiprocessing."""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback

import pytest
from fake_node import completion, delta

import llmroute

PATH = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()


def in_child(function):
    """Runs it in a forked child; fails with it."""
    child = os.fork()
    if child == 0:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_fork_before_the_first_call(router):
    in_child(lambda: router.chat(HELLO))
    assert router.chat(HELLO) == completion()


def test_a_fork_after_calls(router):
    router.chat(HELLO)

    def work():
        assert router.chat(HELLO) == completion()
        assert len(list(router.chat({**HELLO, "stream": True}))) == 2
        in_child(lambda: router.chat(HELLO))  # and a child of the child

    for _ in range(3):
        in_child(work)
    assert router.chat(HELLO) == completion()


def test_a_stream_belongs_to_the_process_that_opened_it(router):
    stream = router.stream(PATH, BODY)

    def read():
        with pytest.raises(llmroute.Error) as caught:
            stream.read()
        assert caught.value.code == "forked"
        stream.close()
        assert router.chat(HELLO) == completion()

    in_child(read)
    assert [json.loads(chunk) for chunk in iter(stream.read, None)] == [delta("hel"), delta("lo", "stop")]


def test_forks_while_other_threads_come_back_from_their_calls(router):
    over = threading.Event()

    def work():
        while not over.is_set():
            router.chat(HELLO)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_child(lambda: router.chat(HELLO))
    finally:
        over.set()
        for thread in threads:
            thread.join()


CROWD = 16  # more than begin to share the router's thread
CROWD_THEN_FORK = """
import gc, os, sys, threading, llmroute
ends, router, size = sys.argv[1], llmroute.Router(nodes=[sys.argv[2]]), int(sys.argv[3])
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
def crowd():
    threads = [threading.Thread(target=router.chat, args=(HELLO,)) for _ in range(size)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
crowd()
child = os.fork()
if child == 0:
    over = threading.Event()
    threading.Thread(target=over.wait).start()  # may get the handle of the parent's
    if ends == "calls": crowd()
    if ends == "closes": router.close()
    if ends == "goes":
        del router
        gc.collect()
    over.set()
    sys.exit(7)
crowd()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) - 7)
"""


@pytest.mark.parametrize("ends", ["calls", "closes", "goes"])
def test_a_child_with_threads_of_a_process_whose_threads_called_together(make_node, ends):
    all_there = threading.Barrier(CROWD)

    def together(request, connection):
        all_there.wait(20)
        connection.answer(200, completion())

    program = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", CROWD_THEN_FORK, ends, make_node(together).url, str(CROWD)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_asyncio_in_a_child_of_a_process_that_used_it(router):
    async def call():
        return (await router.aroute(PATH, BODY)).status

    async def main():
        stream = await router.astream(PATH, BODY)
        pid = os.fork()
        if pid == 0:
            os._exit(child())
        _, status = await asyncio.get_running_loop().run_in_executor(None, os.waitpid, pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert [chunk async for chunk in stream] == [delta("hel"), delta("lo", "stop")]
        assert await call() == 200

    def child():
        try:
            asyncio._set_running_loop(None)
            assert asyncio.run(call()) == 200
            return 0
        except BaseException:
            traceback.print_exc()
            return 1

    asyncio.run(main())


def ask(router):
    return router.chat(HELLO)


def ask_for_what_there_is_not(router):
    return router.chat({**HELLO, "model": "other"})


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(router, method):
    router.chat(HELLO)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(ask, [router] * 4) == [completion()] * 4
        with pytest.raises(llmroute.Error) as caught:
            pool.apply(ask_for_what_there_is_not, [router])
        assert caught.value.code == "model_not_found"
