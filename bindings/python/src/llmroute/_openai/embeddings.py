"""Answers with embeddings: asked for in base64, as the SDK does, and given as numbers."""

from __future__ import annotations

import array
import base64
import sys
from typing import Any

from .models import model_of
from .plan import Plan


def numbers(embedding: str) -> list[float]:
    """Little-endian float32 in base64."""
    values = array.array("f", base64.b64decode(embedding))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def read_embeddings(plan: Plan, content: bytes) -> Any:
    """Who asked for a format gets it as it came; who did not gets numbers, whatever the node sent."""
    cast_to = plan.endpoint.answer
    if not plan.defaulted:
        return plan.reader(cast_to)(content)
    encoded = model_of(cast_to, embedding=str)
    answer = None if encoded is None else encoded.read(content)
    if answer is None:
        answer = plan.reader(cast_to)(content)
    if not answer.data:
        raise ValueError("No embedding data received")
    for item in answer.data:
        if isinstance(item.embedding, str):
            item.embedding = numbers(item.embedding)
    return answer
