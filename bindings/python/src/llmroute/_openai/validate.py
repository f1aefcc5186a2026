"""JSON to the SDK's types, as the SDK's own constructor would, in a fraction of its time.

The constructor takes whatever comes and leaves what does not fit as it is. Strict validation accepts only what fits
exactly; there both build the same objects, but for one detail.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

Forget = Callable[[BaseModel], None]


def reader(cast_to: type[BaseModel], construct: Callable[[bytes, Any], Any]) -> Callable[[bytes], Any]:
    """Makes the object of its JSON; `construct` does it where only the constructor will do."""
    validate, forget = validator(cast_to), forgetter(cast_to)

    def read(content: bytes) -> Any:
        try:
            answer = validate(content, strict=True)
        except ValidationError:
            return construct(content, cast_to)
        forget(answer)
        return answer

    return read


@functools.cache
def validator(cast_to: type[BaseModel]) -> Callable[..., Any]:
    cast_to.model_rebuild()  # the SDK defers that to the first use
    return cast_to.__pydantic_validator__.validate_json


@functools.cache
def forgetter(cls: type[BaseModel]) -> Forget:
    """The constructor does not count fields it has no name for among those that were set; validation does.

    Only so where the constructor was at work: unions, and so all that may be null, it validates too.
    """
    lone: list[tuple[str, Forget]] = []
    lists: list[tuple[str, Forget]] = []
    for name, field in cls.model_fields.items():
        kind: Any = field.annotation
        if is_model(kind):
            lone.append((name, forgetter(kind)))
        elif get_origin(kind) is list and is_model(get_args(kind)[0]):
            lists.append((name, forgetter(get_args(kind)[0])))

    def forget(model: BaseModel) -> None:
        if model.__pydantic_extra__:
            model.__pydantic_fields_set__.difference_update(model.__pydantic_extra__)
        fields = model.__dict__
        for name, inner in lone:
            inner(fields[name])
        for name, inner in lists:
            for item in fields[name]:
                inner(item)

    return forget


def is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)
