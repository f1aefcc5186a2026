"""Streams that die in the middle, through the gateway: what the caller reads equals the uncut stream."""

import http.client
import json

import pytest
from demo.processes import eventually

CONFIG = """
[router]
strategy = "priority"
max_retries = 4
retry_budget = 5
resume = "{resume}"
backoff = "10ms"

[health]
active = false

[breaker]
consecutive_failures = 100
min_requests = 1000
"""
PROMPTS = {"ascii": "Tell me about the river", "beyond": "Erzähl mir vom Fluß 🌊 bitte"}


def nodes_of(nodes, provider):
    return "".join(f'[[nodes]]\nname = "{node.name}"\nurl = "{node.url}"\nprovider = "{provider}"\npriority = {i}\n'
                   for i, node in enumerate(nodes))


class Stream:
    """A streamed chat, read event by event."""

    def __init__(self, url, prompt, **more):
        host = url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=60)
        body = {"model": "tiny", "messages": [{"role": "user", "content": prompt}], "stream": True, "max_tokens": 40,
                "temperature": 0, "stream_options": {"include_usage": True}, **more}
        self.connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events = []
        self.done = False

    def read_event(self):
        """False at the end."""
        for line in self.response:
            if line.startswith(b"data: [DONE]"):
                self.done = True
            elif line.startswith(b"data: "):
                self.events.append(json.loads(line[6:]))
                return True
        self.connection.close()
        return False

    def read_all(self):
        while self.read_event():
            pass
        return self

    def told(self):
        """What a caller makes of it; every number of a stream that was not cut."""
        choices = [choice for event in self.events for choice in event.get("choices", ())]
        return {"text": "".join(choice["delta"].get("content") or "" for choice in choices),
                "roles": sum("role" in choice["delta"] for choice in choices),
                "finish": [choice["finish_reason"] for choice in choices if choice["finish_reason"]],
                "ids": len({event["id"] for event in self.events if "id" in event}),
                "usage": [event["usage"]["completion_tokens"] for event in self.events if event.get("usage")],
                "errors": [event["error"] for event in self.events if "error" in event],
                "token_ids": any(choice.get("token_ids") for choice in choices),
                "done": self.done}


@pytest.fixture(scope="module")
def trio(shared_servers):
    """Two nodes that misbehave on request, one that is well, and gateways in front of them."""
    bad = [shared_servers.mock(name) for name in ("one", "two")]
    nodes = [*bad, shared_servers.mock("well")]
    gateways = {(provider, resume): shared_servers.gateway((), CONFIG.format(resume=resume) + nodes_of(nodes, provider))
                for provider, resume in (("vllm", "safe"), ("auto", "safe"), ("auto", "best_effort"))}
    return bad, nodes[-1], gateways


def set_faults(nodes, *faults):
    """The first fault for the first request of the first node, and so on round."""
    for i, node in enumerate(nodes):
        plan = ";;".join(faults[i::len(nodes)])
        method, body = ("POST", json.dumps({"fault": plan})) if plan else ("DELETE", None)
        connection = http.client.HTTPConnection(node.url.removeprefix("http://"))
        connection.request(method, "/control/fault", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status in (200, 204)
        connection.close()


def same(told, uncut):
    """Cut between its last text and its usage a stream is whole, and has no usage."""
    return told == uncut or (told["usage"] == [] and told | {"usage": uncut["usage"]} == uncut)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("provider", ["vllm", "auto"])
def test_a_stream_cut_after_every_token_equals_the_uncut_one(trio, provider, prompt):
    bad, well, gateways = trio
    gateway = gateways[provider, "safe"]
    set_faults(bad)
    uncut = Stream(well.url, PROMPTS[prompt]).read_all().told()
    assert Stream(gateway.url, PROMPTS[prompt]).read_all().told() == uncut
    for tokens in range(1, 41, 3):
        for faults in ((f"cut=fin,tokens={tokens}",),
                       (f"cut=rst,tokens={tokens}", f"cut=error,tokens={tokens // 2 + 1}"),
                       (f"cut=fin,tokens={tokens}", f"cut=rst,tokens={tokens}", f"cut=garbage,tokens={tokens}")):
            set_faults(bad, *(fault + ",times=1" for fault in faults))
            assert same(Stream(gateway.url, PROMPTS[prompt]).read_all().told(), uncut), (tokens, faults)
    rungs = {line.get("rung") for line in gateway.log("attempt")}
    assert ("ids" if provider == "vllm" else "replay") in rungs


def test_a_stream_cut_after_every_byte_equals_the_uncut_one(trio):
    bad, well, gateways = trio
    set_faults(bad)
    uncut = Stream(well.url, "A short one", max_tokens=5).read_all().told()
    for size in range(1, 1500, 29):
        set_faults(bad, f"cut=rst,bytes={size},times=1")
        for gateway in gateways.values():
            assert same(Stream(gateway.url, "A short one", max_tokens=5).read_all().told(), uncut), size


def test_a_tool_call_that_has_begun_is_not_joined(trio):
    bad, _, gateways = trio
    set_faults(bad, "cut=fin,events=3,times=1")
    told = Stream(gateways["vllm", "safe"].url, "call it", tools=[{"type": "function", "function": {
        "name": "look_up", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}}]).read_all()
    errors = [event["error"] for event in told.events if "error" in event]
    assert len(errors) == 1 and errors[0]["code"] == "stream_interrupted" and not told.done


def test_a_real_server_killed_in_mid_stream_is_replaced(real_nodes, shared_servers):
    """llama.cpp at temperature 0: the same answer again, and the caller sees one."""
    chat, _ = real_nodes
    gateway = shared_servers.gateway((), CONFIG.format(resume="safe") + nodes_of(chat, "llamacpp"))
    uncut = Stream(chat[1].url, "Tell me a story", max_tokens=300).read_all().told()
    stream = Stream(gateway.url, "Tell me a story", max_tokens=300)
    assert stream.read_event() and stream.read_event()
    chat[0].kill()
    try:
        told = stream.read_all().told()
        assert (told["text"], told["finish"], told["done"]) == (uncut["text"], uncut["finish"], True)
        assert told["ids"] == 1 and not told["errors"]
        eventually(lambda: any(line.get("rung") == "replay" or line["node"] == chat[0].name
                               for line in gateway.log("attempt")), "the first server was in the trail")
    finally:
        chat[0].start()
