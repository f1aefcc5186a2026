"""JSON to the SDK's types, as the SDK's own constructor would, in a fraction of its time.

The constructor takes whatever comes and leaves what does not fit as it is. Strict validation accepts only what fits
exactly; there both build the same objects, but for one detail.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, get_args, get_origin

from pydantic import BaseModel


def validated(cast_to: Any, content: bytes) -> Any:
    """The object; raises ValidationError where only the constructor will do."""
    answer = cast_to.model_validate_json(content, strict=True)
    forget_extras(answer)
    return answer


def forget_extras(model: BaseModel) -> None:
    """The constructor does not count fields it has no name for among those that were set; validation does."""
    if model.__pydantic_extra__:
        model.__pydantic_fields_set__.difference_update(model.__pydantic_extra__)
    lone, lists = constructed(model.__class__)
    for name in lone:
        forget_extras(getattr(model, name))
    for name in lists:
        for item in getattr(model, name):
            forget_extras(item)


@functools.cache
def constructed(cls: type[BaseModel]) -> tuple[list[str], list[str]]:
    """The fields that hold one model, or a list of them. Unions (all that may be null) are validated anyway."""
    kinds = {name: field.annotation for name, field in cls.model_fields.items()}
    lone = [name for name, kind in kinds.items() if is_model(kind)]
    lists = [name for name, kind in kinds.items() if get_origin(kind) is list and is_model(get_args(kind)[0])]
    return lone, lists


def is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)
