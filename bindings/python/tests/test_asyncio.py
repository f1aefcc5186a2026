"""The asyncio forms: on the caller's own loop, asyncio's and uvloop's."""

import asyncio
import json
import threading

import pytest
from fake_node import completion, delta

import llmroute

PATH = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(HELLO).encode()


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


def test_without_a_running_loop_it_says_so(router):
    with pytest.raises(RuntimeError, match="no running event loop"):
        router.aroute(PATH, BODY).send(None)
