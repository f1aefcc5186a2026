"""GET /v1/models when there are several nodes: what the router knows, in the shape the API has."""

from __future__ import annotations

import json
import time
from urllib.parse import unquote

from llmroute import Router

LIST = "/v1/models"
_started = int(time.time())


def answer(router: Router, method: str, path: str) -> tuple[int, bytes] | None:
    """Status and body; None where a node answers for itself: another path, a lone node, or no model known yet."""
    path = path.partition("?")[0].rstrip("/")
    if method != "GET" or not (path == LIST or path.startswith(LIST + "/")):
        return None
    known = router.models()
    if not known or len(router.snapshot()["nodes"]) == 1:
        return None
    if path == LIST:
        return 200, _json({"object": "list", "data": [_model(name) for name in known]})
    name = unquote(path[len(LIST) + 1 :])
    if name in known:
        return 200, _json(_model(name))
    return 404, _json(
        {
            "error": {
                "message": f'no node serves the model "{name}"',
                "type": "not_found_error",
                "param": "model",
                "code": "model_not_found",
            }
        }
    )


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _started, "owned_by": "llmroute"}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
