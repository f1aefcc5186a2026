"""Strategies and observers written in Python."""

import asyncio
import gc
import json
import threading
import weakref

import pytest
from config import config_for
from fake_node import delta

import llmroute

PATH = "/v1/chat/completions"
BODY = b'{"messages":[],"max_tokens":7}'


def last(nodes, request):
    return len(nodes) - 1


def test_a_strategy_sees_nodes_and_request(make_node, make_router):
    seen = []

    def pick(nodes, request):
        seen.append((nodes, request))
        return 1

    router = make_router(make_node(), make_node(), strategy=pick)
    assert router.route(PATH, BODY, session_key="s").node == "n2"
    nodes, request = seen[0]
    assert [(node.name, node.weight, node.capacity, node.priority) for node in nodes] == [("n1", 1, 1, 1), ("n2", 1, 1, 2)]
    assert nodes[0].in_flight == 0
    assert (request.model, request.session_key, request.output_tokens, request.stream) == ("tiny", "s", 7, False)
    assert request.prompt_tokens > 0
    with router.stream(PATH, BODY) as stream:
        assert stream.node == "n2"
    assert seen[-1][1].stream


def boom(nodes, request):
    raise KeyError("boom")


@pytest.mark.parametrize(("strategy", "error"), [(boom, KeyError), (lambda n, r: 7, IndexError), (lambda n, r: "x", TypeError)])
def test_what_a_strategy_raises_ends_the_call(make_node, make_router, strategy, error):
    router = make_router(make_node(), make_node(), strategy=strategy)
    with pytest.raises(error):
        router.route(PATH, BODY)
    with pytest.raises(error):
        router.stream(PATH, BODY)
    with pytest.raises(error):
        router.explain(PATH, BODY)

    async def main():
        for call in (router.aroute, router.astream):
            with pytest.raises(error):
                await call(PATH, BODY)

    asyncio.run(main())


class Notes:
    def __init__(self):
        self.attempts = []
        self.calls = []
        self.changes = []

    def on_attempt(self, event):
        self.attempts.append(event)

    def on_call(self, event):
        self.calls.append(event)

    def on_node(self, event):
        self.changes.append(event)


def test_an_observer_is_told_everything(make_node):
    def fail(request, connection):
        connection.answer(503, {})

    config = config_for(make_node(fail), make_node())
    config["breaker"] = {"consecutive_failures": 1}
    notes = Notes()
    with llmroute.Router(config, observer=notes) as router:
        reply = router.route(PATH, BODY, tenant="t")
    first, second = notes.attempts
    assert (first.node, first.number, first.error, first.http_status, first.reason) == ("n1", 1, "upstream_error", 503, "503")
    assert (second.node, second.number, second.error, second.rung, second.key) == ("n2", 2, None, "", 0)
    assert first.request_id == second.request_id == reply.request_id
    (call,) = notes.calls
    assert (call.node, call.model, call.tenant, call.attempts, call.stream) == ("n2", "tiny", "t", 2, False)
    assert call.usage["total_tokens"] == 2
    assert call.time >= second.time > 0
    assert call.first_content is None
    assert [(change.node, change.kind) for change in notes.changes][0] == ("n1", "breaker_opened")


def test_an_observer_need_not_have_every_method(make_node, make_router):
    assert make_router(make_node(), observer=object()).route(PATH, BODY).status == 200


def test_where_it_was_raised_is_in_the_traceback(make_node, make_router):
    def refuse(nodes, request):
        raise ValueError

    class Observer:
        def on_call(self, event):
            raise ValueError

    for options, function in (({"strategy": refuse}, "refuse"), ({"observer": Observer()}, "on_call")):
        with pytest.raises(ValueError) as caught:
            make_router(make_node(), make_node(), **options).route(PATH, BODY)
        assert [frame.name for frame in caught.traceback][-1] == function


@pytest.mark.parametrize("method", ["on_attempt", "on_call"])
def test_what_an_observer_raises_reaches_the_caller(make_node, make_router, method):
    class Angry:
        pass

    def complain(self, event):
        raise ZeroDivisionError(event.node)

    setattr(Angry, method, complain)
    router = make_router(make_node(), observer=Angry())
    with pytest.raises(ZeroDivisionError, match="n1"):
        router.route(PATH, BODY)
    with pytest.raises(ZeroDivisionError):
        list(router.stream(PATH, BODY))

    async def main():
        with pytest.raises(ZeroDivisionError):
            await router.aroute(PATH, BODY)
        with pytest.raises(ZeroDivisionError):
            async for _ in await router.astream(PATH, BODY):
                pass

    asyncio.run(main())


def test_what_an_observer_raises_about_a_node_is_printed(make_node, make_router, monkeypatch):
    class Angry:
        def on_node(self, event):
            raise ZeroDivisionError

    printed = []
    monkeypatch.setattr("sys.unraisablehook", lambda args: printed.append(args.exc_type))
    config = config_for(make_node(lambda request, connection: connection.answer(503, {})))
    config["breaker"] = {"consecutive_failures": 1}
    with llmroute.Router(config, observer=Angry()) as router, pytest.raises(llmroute.Error):
        router.route(PATH, BODY)
    assert printed[0] is ZeroDivisionError


def test_callbacks_may_use_the_router_from_a_call_of_its(make_node, make_router):
    router = None

    class Curious:
        def on_attempt(self, event):
            self.in_flight = router.snapshot()["nodes"][0]["in_flight"]

        def on_node(self, event):
            router.snapshot()

    curious = Curious()
    router = make_router(make_node(), strategy=lambda nodes, request: len(router.models()) - 1, observer=curious)
    assert router.route(PATH, BODY).status == 200
    assert curious.in_flight in (0, 1)


def test_a_strategy_for_many_threads(make_node, make_router):
    router = make_router(make_node(), make_node(), strategy=last)
    nodes = []
    threads = [threading.Thread(target=lambda: nodes.append(router.route(PATH, BODY).node)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert nodes == ["n2"] * 16


def test_an_observer_that_knows_its_router_is_collected_with_it(make_node):
    class Owner:
        def __init__(self, node):
            self.router = llmroute.Router(config_for(node), observer=self)

    owner = Owner(make_node())
    assert owner.router.route(PATH, BODY).status == 200
    there = weakref.ref(owner)
    del owner
    gc.collect()
    assert there() is None


def test_a_stream_goes_on_with_its_observer_when_the_router_is_dropped(make_node):
    notes = Notes()
    stream = llmroute.Router(config_for(make_node()), observer=notes).stream(PATH, BODY)
    assert [json.loads(chunk) for chunk in iter(stream.read, None)] == [delta("hel"), delta("lo", "stop")]
    assert len(notes.calls) == 1
