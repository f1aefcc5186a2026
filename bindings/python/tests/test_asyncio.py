"""The asyncio forms: on the caller's own loop, asyncio's and uvloop's."""

import asyncio
import gc
import json
import threading
import weakref

import pytest
import uvloop
from config import config_for
from fake_node import completion, delta

import llmroute

PATH = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine on a loop of that kind."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


class Holding:
    """A handler that sends what it is told and then nothing, until the other side goes."""

    def __init__(self, *events, stream=True):
        self.events = events
        self.stream = stream
        self.arrived = threading.Event()
        self.gone = threading.Event()

    def __call__(self, request, connection):
        if self.stream:
            connection.start_stream()
        for event in self.events:
            connection.event(event)
        self.arrived.set()
        connection.wait_for_close()
        self.gone.set()


async def happened(event):
    """Waits for a threading.Event without blocking the loop."""
    assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 20)


def test_a_plain_call(run, router):
    async def main():
        reply = await router.aroute(PATH, BODY, request_id="req-1")
        assert (reply.status, reply.node, reply.request_id) == (200, "n1", "req-1")
        assert await router.achat(HELLO) == completion()
        assert await router.acompletion({"prompt": "a"}) == completion()
        assert json.loads(await router.aembedding({"input": "a"}, raw=True)) == completion()

    run(main())


def test_a_stream(run, router):
    async def main():
        async with await router.astream(PATH, BODY) as stream:
            assert (stream.status, stream.node) == (200, "n1")
            assert ("content-type", "text/event-stream") in stream.headers
            chunks = []
            while (chunk := await stream.read()) is not None:
                chunks.append(json.loads(chunk))
            assert chunks == [delta("hel"), delta("lo", "stop")]
            assert await stream.read() is None
            assert stream.reply().first_content > 0
        stream = await router.astream(PATH, BODY)
        events = []
        while (event := await stream.read_raw()) is not None:
            events.append(event)
        assert events[-1] == b"data: [DONE]\n\n"
        wanted = [delta("hel"), delta("lo", "stop")]
        assert [chunk async for chunk in await router.achat({**HELLO, "stream": True})] == wanted
        raw = await router.achat({**HELLO, "stream": True}, raw=True)
        assert [json.loads(chunk) async for chunk in raw] == wanted

    run(main())


def test_errors(run, make_node, make_router):
    def refuse(request, connection):
        connection.answer(400, {"error": {"message": "no"}})

    router = make_router(make_node(refuse))

    async def main():
        for call in (router.aroute, router.astream):
            with pytest.raises(llmroute.Error) as caught:
                await call(PATH, BODY)
            assert caught.value.code == "node_rejected"

    run(main())


def test_a_cut_stream_ends_with_an_error(run, make_node, make_router):
    def cut(request, connection):
        connection.start_stream()
        connection.event(delta("hel"))
        connection.reset()

    router = make_router(make_node(cut))

    async def main():
        stream = await router.astream(PATH, BODY, resume="off")
        assert json.loads(await stream.read()) == delta("hel")
        for _ in range(2):
            with pytest.raises(llmroute.Error) as caught:
                await stream.read()
            assert (caught.value.code, caught.value.partial) == ("stream_interrupted", "hel")

    run(main())


def test_many_calls_at_once(run, router):
    async def main():
        replies = await asyncio.gather(*(router.achat(HELLO) for _ in range(100)))
        assert replies == [completion()] * 100

    run(main())


def test_one_router_serves_loops_one_after_the_other_and_at_once(router):
    async def main():
        return (await router.aroute(PATH, BODY)).status

    for _ in range(3):
        assert asyncio.run(main()) == 200
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(asyncio.run(main()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == [200] * 8


def test_reading_what_is_there_does_not_turn_the_loop(make_node, make_router):
    def talk(request, connection):
        connection.start_stream()
        for _ in range(50):
            connection.event(delta("x"))
        connection.event(delta("", "stop"))
        connection.end_stream()

    router = make_router(make_node(talk))

    async def main():
        stream = await router.astream(PATH, BODY)
        while not stream.reply().attempts:  # known at the end
            await asyncio.sleep(0)
        chunks = 0
        with pytest.raises(StopIteration) as done:  # a coroutine that never suspends
            while True:
                assert await_at_once(stream.read()) is not None
                chunks += 1
                if chunks == 51:
                    stream.read().send(None)
        assert done.value.value is None

    def await_at_once(coroutine):
        try:
            coroutine.send(None)
        except StopIteration as returned:
            return returned.value
        raise AssertionError("it waited")

    asyncio.run(main())


def test_a_reader_that_is_behind_slows_the_node(run, make_node, make_router):
    chunk, count = delta("x" * 1000), 20_000
    sent = []

    def flood(request, connection):
        connection.start_stream()
        for _ in range(count):
            connection.event(chunk)
            sent.append(1)
        connection.event(delta("", "stop"))
        connection.end_stream()

    router = make_router(make_node(flood))

    async def main():
        stream = await router.astream(PATH, BODY)
        seen = -1
        while seen != len(sent):  # until the node is stuck: it sends nothing for a while
            seen = len(sent)
            await asyncio.sleep(0.2)
        assert seen < count
        read = 0
        while await stream.read() is not None:
            read += 1
        assert read == count + 1

    run(main())


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


def test_without_a_running_loop_it_says_so(router):
    with pytest.raises(RuntimeError, match="no running event loop"):
        router.aroute(PATH, BODY).send(None)
