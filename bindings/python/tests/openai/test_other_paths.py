"""What is no inference goes to the first node that serves it, or fails in the API's form."""

import openai
import pytest
from fake_node import answer_well
from forms import done, items

FILE = {"id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch", "status": "processed"}


def serving_files(request, connection):
    if request.path.startswith("/v1/files"):
        if request.method == "POST":
            return connection.answer(200, FILE)
        return connection.answer(200, {"object": "list", "data": [FILE], "has_more": False})
    if request.path == "/v1/audio/transcriptions":
        return connection.answer(200, {"text": f"{len(request.body)} bytes"})
    return answer_well(request, connection)


def without_files(request, connection):
    connection.answer(404, {"error": {"message": "no such path"}})


PICTURES = [
    {"type": "image_generation.partial_image", "b64_json": "AA==", "partial_image_index": 0},
    {"type": "image_generation.completed", "b64_json": "AAAA"},
]


def streaming_pictures(request, connection):
    assert request.json()["stream"] is True
    connection.start_stream()
    for picture in PICTURES:
        connection.event(picture)
    connection.end_stream()


@pytest.fixture
def client(make_client, make_node):
    """Of two nodes, of which the second serves files."""
    return make_client(nodes=[make_node(without_files).url, make_node(serving_files).url])


async def test_a_list(client):
    files = await items(await done(client.files.list()))
    assert [type(file) for file in files] == [openai.types.FileObject]


async def test_a_form_with_a_file(client):
    file = await done(client.files.create(file=("a", b"content"), purpose="batch"))
    assert file.id == "f"
    heard = await done(client.audio.transcriptions.create(file=("a.wav", b"RIFF"), model="whisper"))
    assert int(heard.text.split()[0]) > 100


async def test_a_stream_where_the_router_has_none(make_client, make_node, form):
    client = make_client(nodes=[make_node(without_files).url, make_node(streaming_pictures).url])
    pictures = await items(await done(client.images.generate(prompt="a cat", stream=True)))
    assert [(type(picture), picture.type) for picture in pictures] == [
        (openai.types.ImageGenPartialImageEvent, "image_generation.partial_image"),
        (openai.types.ImageGenCompletedEvent, "image_generation.completed"),
    ]
    kind = openai.AsyncStream[object] if form == "asyncio" else openai.Stream[object]
    body = {"stream": True}
    stream = await done(client.post("/custom", body=body, cast_to=object, stream=True, stream_cls=kind))
    assert await items(stream) == PICTURES


async def test_a_path_that_nobody_serves(make_client, make_node):
    client = make_client(nodes=[make_node(without_files).url, make_node(without_files).url])
    with pytest.raises(openai.NotFoundError, match="no such path"):
        await done(client.files.list())
    with pytest.raises(openai.NotFoundError):
        await done(client.batches.cancel("b"))


async def test_a_lone_node_lists_its_models_itself(make_client, make_node):
    client = make_client(base_url=make_node(models=("own",)).url + "/v1", api_key="k")
    assert [(model.id, getattr(model, "owned_by", None)) for model in await items(await done(client.models.list()))] == [
        ("own", None)
    ]
