"""The interpreter ends while calls are under way: at once, with its exit code, in silence."""

import subprocess
import sys
import textwrap

import pytest
from fake_node import delta

SETUP = """
import asyncio, sys, threading, llmroute
url = sys.argv[1]
BODY, PATH = b'{"messages":[]}', "/v1/chat/completions"
class Watch:
    def on_attempt(self, event): pass
    def on_call(self, event): pass
    def on_node(self, event): pass
router = llmroute.Router(nodes=[url, {"name": "other", "url": url}], observer=Watch(), strategy=lambda nodes, request: 0)
started = threading.Event()
def closed_is_fine(failure):
    if not isinstance(failure.exc_value, llmroute.Error): threading.__excepthook__(failure)
threading.excepthook = closed_is_fine
"""

PROGRAMS = {
    "a daemon thread waits for an answer": """
        def work():
            started.set()
            router.route(PATH, BODY)
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "daemon threads wait together": """
        plain = llmroute.Router(nodes=[url])
        for _ in range(16): threading.Thread(target=plain.route, args=(PATH, BODY), daemon=True).start()
        while plain.snapshot()["nodes"][0]["in_flight"] < 16: pass
    """,
    "daemon threads call together": """
        plain = llmroute.Router(nodes=[url])
        def work():
            while True:
                try: plain.route(PATH, b"{")
                except llmroute.Error: started.set()
        for _ in range(16): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "daemon threads whose strategy raises": """
        def refuse(nodes, request): raise ValueError("no")
        refusing = llmroute.Router(nodes=[url, {"name": "other", "url": url}], strategy=refuse)
        def work():
            while True:
                try: refusing.route(PATH, BODY)
                except ValueError: started.set()
        for _ in range(8): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "daemon threads with headers of their own kind": """
        class Fields:
            def __iter__(self):
                for turn in range(100): yield "x-a", Text()
        class Text:
            def __str__(self): return "b"
        def work():
            while True:
                try: router.route(PATH, b"{", headers=Fields())
                except llmroute.Error: started.set()
        for _ in range(8): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "a daemon thread reads a stream": """
        def work():
            stream = router.stream(PATH, BODY)
            started.set()
            while True: stream.read()
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "daemon threads call and call": """
        def work():
            while True:
                with router.stream(PATH, BODY) as stream: stream.read()
                started.set()
        for _ in range(8): threading.Thread(target=work, daemon=True).start()
        started.wait()
    """,
    "a stream is left open": """
        stream = router.stream(PATH, BODY)
        stream.read()
    """,
    "asyncio is left with calls under way": """
        async def main():
            global stream, task
            stream = await router.astream(PATH, BODY)
            task = asyncio.create_task(stream.read())
            await asyncio.sleep(0)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.wait_for(router.astream(PATH, BODY), 20))
        asyncio.run(main())
    """,
    "a router is closed by an exit handler": """
        import atexit
        atexit.register(router.close)
        stream = router.stream(PATH, BODY)
    """,
    "a router is made and used by an exit handler": """
        import atexit
        def late():
            llmroute.Router(nodes=[url]).stream(PATH, BODY).read()
        atexit.register(late)
    """,
    "an exception ends it": """
        stream = router.stream(PATH, BODY)
        sys.exit(0)
    """,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_exit(make_node, program):
    def hold(request, connection):
        connection.start_stream()
        connection.event(delta("a"))
        connection.wait_for_close()

    url = make_node(hold).url
    for _ in range(5):  # which thread comes first differs from run to run
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", "-c", SETUP + textwrap.dedent(program), url],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr.decode()) == (0, "")
