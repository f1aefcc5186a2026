"""How calls on a running loop end early: cancelled, left, closed with their router or their loop."""

import asyncio
import gc
import json
import threading
import weakref

import pytest
import uvloop
from config import config_for
from fake_node import completion, delta
from holding import Holding, happened

import llmroute

PATH = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()


@pytest.mark.parametrize("form", ["aroute", "astream"])
def test_cancelling_the_wait_for_an_answer_closes_its_socket(run, make_node, make_router, form):
    hold = Holding(stream=False)
    router = make_router(make_node(hold))

    async def main():
        task = asyncio.create_task(getattr(router, form)(PATH, BODY))
        await happened(hold.arrived)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await happened(hold.gone)

    run(main())


def test_cancelling_before_the_call_has_begun(run, router, node):
    async def main():
        task = asyncio.create_task(router.aroute(PATH, BODY))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert node.requests == []


def test_a_read_that_is_cancelled_has_taken_nothing(run, make_node, make_router):
    more = threading.Event()

    def pause(request, connection):
        connection.start_stream()
        connection.event(delta("a"))
        more.wait(20)
        connection.event(delta("b", "stop"))
        connection.end_stream()

    router = make_router(make_node(pause))

    async def main():
        stream = await router.astream(PATH, BODY)
        assert json.loads(await stream.read()) == delta("a")
        for read in (stream.read, stream.read_raw, stream.__anext__):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(read(), 0.01)
        more.set()
        assert json.loads(await stream.read()) == delta("b", "stop")
        assert await stream.read() is None

    run(main())


@pytest.mark.parametrize("leave", ["close", "exit", "drop"])
def test_leaving_a_stream_early_closes_its_socket(run, make_node, make_router, leave):
    hold = Holding(delta("a"))
    router = make_router(make_node(hold))

    async def main():
        stream = await router.astream(PATH, BODY)
        await stream.read()
        if leave == "drop":
            del stream
        else:
            await (stream.close() if leave == "close" else stream.__aexit__(None, None, None))
            with pytest.raises(llmroute.Error, match="closed"):
                await stream.read()
        await happened(hold.gone)

    run(main())


def test_closing_a_stream_wakes_the_task_that_reads_it(run, make_node, make_router):
    router = make_router(make_node(Holding(delta("a"))))

    async def main():
        stream = await router.astream(PATH, BODY)
        await stream.read()
        reader = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        await stream.close()
        with pytest.raises(llmroute.Error, match="closed"):
            await asyncio.wait_for(reader, 20)

    run(main())


def test_two_tasks_do_not_read_one_stream(run, make_node, make_router):
    router = make_router(make_node(Holding(delta("a"))))

    async def main():
        stream = await router.astream(PATH, BODY)
        await stream.read()
        reader = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await stream.read()
        reader.cancel()

    run(main())


def test_a_loop_that_ends_takes_its_calls_along(run, make_node, make_router):
    hold = Holding(delta("a"))
    router = make_router(make_node(hold))
    streams = []

    async def main():
        streams.append(await router.astream(PATH, BODY))

    run(main())
    streams.clear()
    assert hold.gone.wait(20)


@pytest.mark.parametrize("kind", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("wait", ["answer", "read"])
def test_a_task_that_waits_on_a_closed_loop_is_collected(make_node, make_router, kind, wait):
    hold = Holding(delta("a")) if wait == "read" else Holding(stream=False)
    router = make_router(make_node(hold))

    async def work():
        if wait == "answer":
            return await router.aroute(PATH, BODY)
        stream = await router.astream(PATH, BODY)
        await stream.read()
        return await stream.read()

    loop = kind()
    loop.set_exception_handler(lambda loop, context: None)  # it says that a task was left
    task = loop.create_task(work())
    loop.run_until_complete(happened(hold.arrived))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert hold.gone.wait(20)
    left = weakref.ref(task)
    del task, loop
    gc.collect()
    assert left() is None


@pytest.mark.parametrize("how", ["aclose", "close", "exit"])
def test_closing_a_router_ends_its_calls(run, make_node, make_router, how):
    hold = Holding(stream=False)
    router = make_router(make_node(hold))

    async def main():
        call = asyncio.create_task(router.aroute(PATH, BODY))
        await happened(hold.arrived)
        if how == "close":
            router.close()
        else:
            await (router.aclose() if how == "aclose" else router.__aexit__(None, None, None))
        with pytest.raises(llmroute.Error) as caught:
            await call
        assert caught.value.code == "shutting_down"
        await happened(hold.gone)

    run(main())


def test_closing_a_router_from_another_thread_ends_its_calls(run, make_node, make_router):
    hold = Holding(stream=False)
    router = make_router(make_node(hold))

    async def main():
        call = asyncio.create_task(router.aroute(PATH, BODY))
        await happened(hold.arrived)
        await asyncio.get_running_loop().run_in_executor(None, router.close)
        with pytest.raises(llmroute.Error) as caught:
            await call
        assert caught.value.code == "shutting_down"

    run(main())


def test_a_router_that_is_dropped_closes_its_connections(run, make_node):
    left = threading.Event()

    def answer_and_watch(request, connection):
        connection.answer(200, completion())
        connection.wait_for_close()
        left.set()

    node = make_node(answer_and_watch)

    async def main():
        router = llmroute.Router(config_for(node))
        await router.aroute(PATH, BODY)
        there = weakref.ref(router)
        del router
        assert there() is None  # no cycle keeps it
        await happened(left)  # while the loop goes on

    gc.disable()
    try:
        run(main())
    finally:
        gc.enable()


def test_a_stream_outlives_its_router(run, make_node):
    node = make_node()

    async def main():
        stream = await llmroute.Router(config_for(node)).astream(PATH, BODY)
        assert [chunk async for chunk in stream] == [delta("hel"), delta("lo", "stop")]

    run(main())
