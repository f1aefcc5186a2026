"""Answers with embeddings: asked for in base64, as the SDK does, and given as numbers."""

from __future__ import annotations

import array
import base64
import sys
from typing import Any

from pydantic_core import from_json

from .plan import Plan
from .validate import forgetter


def numbers(embedding: str) -> list[float]:
    """Little-endian float32 in base64."""
    values = array.array("f", base64.b64decode(embedding))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def read_embeddings(plan: Plan, content: bytes) -> Any:
    """Who asked for a format gets it as it came; who did not gets numbers, whatever the node sent."""
    decode = plan.defaulted
    try:
        data = from_json(content)
        if decode:
            for item in data["data"]:
                if isinstance(item["embedding"], str):
                    item["embedding"] = numbers(item["embedding"])
        answer = plan.endpoint.answer.model_validate(data, strict=True)
        forgetter(plan.endpoint.answer)(answer)
    except (ValueError, TypeError, LookupError):  # ValidationError is a ValueError
        return _lenient(plan, content, decode)
    return _not_empty(answer) if decode else answer


def _lenient(plan: Plan, content: bytes, decode: bool) -> Any:
    answer = plan.construct(content, plan.endpoint.answer)
    if not decode:
        return answer
    for item in _not_empty(answer).data:
        if isinstance(item.embedding, str):
            item.embedding = numbers(item.embedding)
    return answer


def _not_empty(answer: Any) -> Any:
    if not answer.data:
        raise ValueError("No embedding data received")
    return answer
