"""One spelling for the blocking and the asyncio form of the SDK."""

import contextlib
import inspect


async def done(value):
    """What a call returns, awaited or not."""
    return await value if inspect.isawaitable(value) else value


async def items(stream):
    """All that an iterator of either form yields."""
    if hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


async def following(stream):
    """The next item."""
    return await stream.__anext__() if hasattr(stream, "__anext__") else next(stream)


@contextlib.asynccontextmanager
async def opened(manager):
    """`with` or `async with`."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value
