"""A thousand slow streams at once: every one whole, and what one costs in memory."""

import asyncio
import resource

import pytest
from demo.client import Question, ask
from raw_client import ManyStreams, events, text_of

STREAMS, FEW, LIMIT_KB = 1000, 10, 30
PROMPT, TOKENS = "How do you do?", 24
# Half a second a token: all streams have begun long before the first ends.
PACE = ("--prefill-us-per-token", "0", "--decode-us", "500000", "--max-num-seqs", "2000")


def resident_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def instrumented(pid):
    with open(f"/proc/{pid}/maps") as maps:
        return any("libasan" in line or "libtsan" in line for line in maps)


@pytest.fixture
def descriptors():
    """Room for two descriptors a stream in the gateway, one here and one in the node; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"ulimit -n {wanted} is not allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run(gateway, count, tokens):
    """`count` streams; their bodies, and the gateway's memory while all of them ran."""
    measured = []
    streams = ManyStreams(gateway.url, count, PROMPT, tokens)
    bodies = asyncio.run(streams.run(lambda: measured.append(resident_kb(gateway.pid))))
    return bodies, measured[0]


def test_a_thousand_streams_are_whole_and_small(servers, descriptors):
    node = servers.mock("slow", *PACE)
    quick = servers.mock("quick")
    gateway = servers.gateway([node], '[health]\nactive = false\n[logging]\nlevel = "warn"\n')
    run(gateway, FEW, 3)  # warm
    _, with_few = run(gateway, FEW, 3)
    bodies, with_many = run(gateway, STREAMS, TOKENS)
    expected = ask(quick.url, Question("x", PROMPT, max_tokens=TOKENS)).text
    assert len(bodies) == STREAMS
    for body in bodies:
        assert body.endswith(b"data: [DONE]\n\n") and body.count(b"[DONE]") == 1
        assert text_of(body) == expected
        reasons = [choice["finish_reason"] for event in events(body) for choice in event["choices"]]
        assert [reason for reason in reasons if reason] == ["length"]
    if instrumented(gateway.pid):
        pytest.skip("all were whole; a sanitizer's memory says nothing")
    per_stream = (with_many - with_few) / (STREAMS - FEW)
    print(f"{per_stream:.1f} KB a stream ({with_few} KB with {FEW}, {with_many} KB with {STREAMS})")
    assert per_stream <= LIMIT_KB
