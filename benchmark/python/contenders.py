"""What is compared: each makes `count` calls, or reads `count` streams to their ends, in its own way.

Blocking ones one after the other, asyncio ones eight at a time on one loop, as such programs do.
"""

import asyncio
import json

QUESTION = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ],
    "temperature": 0.7,
    "max_tokens": 256,
}
STREAMED = {**QUESTION, "stream": True}
PATH = "/v1/chat/completions"
AT_A_TIME = 8


def sdk(module, url, stream, form="plain"):
    """A function for one call through module.OpenAI."""
    client = module.OpenAI(base_url=url + "/v1", api_key="k")
    chat = client.chat.completions
    if stream:

        def call():
            for chunk in chat.create(**STREAMED):
                chunk.choices
    elif form == "raw":

        def call():
            chat.with_raw_response.create(**QUESTION).parse()
    elif form == "parsed":

        def call():
            chat.parse(**QUESTION)
    else:

        def call():
            chat.create(**QUESTION)

    return call


def sdk_async(module, url, stream, form="plain"):
    client = module.AsyncOpenAI(base_url=url + "/v1", api_key="k")
    chat = client.chat.completions

    async def call():
        if stream:
            async for chunk in await chat.create(**STREAMED):
                chunk.choices
        elif form == "raw":
            (await chat.with_raw_response.create(**QUESTION)).parse()
        elif form == "parsed":
            await chat.parse(**QUESTION)
        else:
            await chat.create(**QUESTION)

    return call


def native(url, stream):
    import llmroute

    router = llmroute.Router(nodes=[url])
    if stream:

        def call():
            for chunk in router.chat(STREAMED):
                chunk["choices"]

        return call
    return lambda: router.chat(QUESTION)["choices"]


def native_async(url, stream):
    import llmroute

    router = llmroute.Router(nodes=[url])

    async def call():
        if stream:
            async for chunk in await router.achat(STREAMED):
                chunk["choices"]
        else:
            (await router.achat(QUESTION))["choices"]

    return call


def plain_httpx(url, stream):
    from llmroute._openai.family import package_of_sdk

    client = package_of_sdk().Client(base_url=url)
    if stream:

        def call():
            with client.stream("POST", PATH, json=STREAMED) as response:
                for line in response.iter_lines():
                    if line.startswith("data: {"):
                        json.loads(line[6:])["choices"]

        return call
    return lambda: client.post(PATH, json=QUESTION).json()["choices"]


def pycurl(url, stream):
    import io

    import pycurl as library

    handle = library.Curl()
    handle.setopt(library.URL, url + PATH)
    handle.setopt(library.HTTPHEADER, ["Content-Type: application/json", "Expect:"])

    def call():
        handle.setopt(library.POSTFIELDS, json.dumps(STREAMED if stream else QUESTION, separators=(",", ":")))
        if not stream:
            body = io.BytesIO()
            handle.setopt(library.WRITEDATA, body)
            handle.perform()
            return json.loads(body.getvalue())["choices"]
        rest = b""

        def take(data):
            nonlocal rest
            *events, rest = (rest + data).split(b"\n\n")
            for event in events:
                if event.startswith(b"data: {"):
                    json.loads(event[6:])["choices"]

        handle.setopt(library.WRITEFUNCTION, take)
        handle.perform()

    return call


def make(name, url, stream):
    """The call of a contender, and whether it is a coroutine function."""
    family, _, form = name.partition("-")
    asynchronous = form.startswith("async")
    form = form.removeprefix("async").strip("-") or "plain"
    if family in ("stock", "dropin"):
        module = __import__("openai" if family == "stock" else "llmroute")
        return (sdk_async if asynchronous else sdk)(module, url, stream, form), asynchronous
    if family == "native":
        return (native_async if asynchronous else native)(url, stream), asynchronous
    return {"httpx": plain_httpx, "pycurl": pycurl}[family](url, stream), False


def runner(name, url, stream):
    """run(count) of a contender."""
    call, asynchronous = make(name, url, stream)
    if not asynchronous:
        return lambda count: [call() for _ in range(count)]
    loop = asyncio.new_event_loop()

    async def worker(count):
        for _ in range(count):
            await call()

    async def many(count):
        await asyncio.gather(*(worker(count // AT_A_TIME) for _ in range(AT_A_TIME)))

    return lambda count: loop.run_until_complete(many(count))
