"""A node that holds back, and waiting for what happens there from a coroutine."""

import asyncio
import threading


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
