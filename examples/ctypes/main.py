#!/usr/bin/env python3
"""llmroute from Python by ctypes alone: main.py http://gpu-1:8000 ...

A plain call, a stream to pull from, a call that is cancelled from its callback, and a strategy of one's own. The
library is LLMROUTE_LIBRARY, or libllmroute_c.so.0 where the loader finds it.
"""

import ctypes as c
import json
import os
import sys

lib = c.CDLL(os.environ.get("LLMROUTE_LIBRARY", "libllmroute_c.so.0"))
QUESTION = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()

ON_HEAD = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p)
ON_EVENT = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p)
ON_DONE = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_void_p, c.c_void_p)
PICK = c.CFUNCTYPE(c.c_uint32, c.c_void_p, c.c_void_p)
SCORE = c.CFUNCTYPE(c.c_double, c.c_void_p, c.c_void_p)
FREE = c.CFUNCTYPE(None, c.c_void_p)


class Event(c.Structure):
    _fields_ = [("data", c.POINTER(c.c_char)), ("data_len", c.c_size_t), ("raw", c.POINTER(c.c_char)), ("raw_len", c.c_size_t)]


class Callbacks(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("user_data", c.c_void_p), ("on_head", ON_HEAD), ("on_event", ON_EVENT),
                ("on_done", ON_DONE)]


class Strategy(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("user_data", c.c_void_p), ("pick", PICK), ("score", SCORE),
                ("free_user_data", FREE)]


# ctypes takes every pointer for an int unless it is told.
for name in ("error_message", "error_name", "reply_node", "status_name"):
    getattr(lib, f"llmroute_{name}").restype = c.c_char_p
for name in ("error_message", "reply_node"):
    getattr(lib, f"llmroute_{name}").argtypes = [c.c_void_p, c.c_void_p]
for name in ("router_free", "reply_free", "error_free", "stream_free", "call_free", "call_wait", "error_name", "pick_count"):
    getattr(lib, f"llmroute_{name}").argtypes = [c.c_void_p]
lib.llmroute_pick_in_flight.argtypes = [c.c_void_p, c.c_uint32]


class RouteError(Exception):
    pass


def made(function, *args):
    """Calls a function whose last two parameters are a place for an object and one for an error; the object."""
    thing, error = c.c_void_p(), c.c_void_p()
    if function(*args, c.byref(thing), c.byref(error)) != 0:
        message = lib.llmroute_error_name(error) + b": " + lib.llmroute_error_message(error, None)
        lib.llmroute_error_free(error)
        raise RouteError(message.decode())
    return thing


def question():
    """The request and no options, as every form of a call takes them."""
    return QUESTION, c.c_size_t(len(QUESTION)), None


def chat(router):
    reply = made(lib.llmroute_route, router, *question())
    print("chat:", lib.llmroute_reply_node(reply, None).decode(), "answered")
    lib.llmroute_reply_free(reply)


def stream(router):
    stream = made(lib.llmroute_stream_open, router, *question())
    text = ""
    while (at := made(lib.llmroute_stream_next, stream)).value is not None:
        event = Event.from_address(at.value)
        data = event.data[:event.data_len]
        if data and data != b"[DONE]":
            text += "".join(choice["delta"].get("content") or "" for choice in json.loads(data)["choices"])
    lib.llmroute_stream_free(stream)
    print("stream:", text)


def cancel(router):
    events, ends = [], []

    def on_done(_, status, reply, error):
        ends.append(lib.llmroute_status_name(status).decode())
        lib.llmroute_reply_free(reply)
        lib.llmroute_error_free(error)

    # On the router's thread. Anything but 0 cancels.
    callbacks = Callbacks(c.sizeof(Callbacks), None, ON_HEAD(), ON_EVENT(lambda *_: events.append(1) or 1), ON_DONE(on_done))
    call = made(lib.llmroute_call_start, router, *question(), c.byref(callbacks))
    lib.llmroute_call_wait(call)  # `callbacks` has to live until here
    lib.llmroute_call_free(call)
    print("cancel:", ends[0], "after", len(events), "event")


def last_idle(_, pick):
    """The fewest calls in flight; of equals the last."""
    return min(reversed(range(lib.llmroute_pick_count(pick))), key=lambda i: lib.llmroute_pick_in_flight(pick, i))


def own_strategy(router):
    strategy = Strategy(c.sizeof(Strategy), None, PICK(last_idle), SCORE(), FREE())
    if lib.llmroute_router_use_strategy(router, c.byref(strategy), None) != 0:
        raise RouteError("the strategy was not taken")
    reply = made(lib.llmroute_route, router, *question())
    print("strategy:", lib.llmroute_reply_node(reply, None).decode())
    lib.llmroute_reply_free(reply)
    return strategy  # has to live as long as the router


def main(urls):
    config = json.dumps({"nodes": [{"url": url} for url in urls]}).encode()
    for part in (chat, stream, cancel, own_strategy):
        router = made(lib.llmroute_router_new, config, c.c_size_t(len(config)))
        kept = part(router)
        lib.llmroute_router_free(router)
        del kept


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} NODE_URL...")
    try:
        main(sys.argv[1:])
    except RouteError as error:
        sys.exit(str(error))
