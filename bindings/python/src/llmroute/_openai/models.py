"""JSON to the SDK's types, as the SDK's own constructor would, in a fraction of its time.

The constructor takes whatever comes and leaves what does not fit as it is. What fits exactly, which nearly all does,
is built by native code that is told once what a type's fields are.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import openai
from openai._utils import PropertyInfo
from pydantic import BaseModel

from llmroute._native import Model

PLAIN = (str, int, float, bool)
SINGLE = (type(None), *PLAIN)  # defaults that objects may share


def reader(cast_to: type[BaseModel], construct: Callable[[bytes, Any], Any]) -> Callable[[bytes], Any]:
    """Makes the object of its JSON; `construct` does it where only the constructor will do."""
    model = model_of(cast_to)
    if model is None:
        return lambda content: construct(content, cast_to)
    build = model.read

    def read(content: bytes) -> Any:
        answer = build(content)
        return construct(content, cast_to) if answer is None else answer

    return read


@functools.cache
def model_of(cls: type[BaseModel], **others: Any) -> Model | None:
    """What native code has to know of a type; None if its objects are more than their fields.

    `others`: the kinds of fields that are not to be as the type says, in it or in models within.
    """
    return _model_of(cls, others, ())


def _model_of(cls: type[BaseModel], others: dict[str, Any], around: tuple[type, ...]) -> Model | None:
    cls.model_rebuild()  # the SDK defers that to the first use
    if cls in around or not is_its_fields(cls):
        return None
    fields = []
    for name, field in cls.model_fields.items():
        if field.alias is not None or field.validation_alias is not None or field.default_factory is not None:
            return None
        default = None if field.is_required() else field.default
        if not isinstance(default, SINGLE):
            return None
        annotation, nullable = without_null(field.annotation)
        kind = others.get(name) or (None if field.metadata else kind_of(annotation, others, (*around, cls)))
        fields.append((name, kind, default, field.is_required(), nullable))
    return Model(cls, fields)


def is_its_fields(cls: type[BaseModel]) -> bool:
    """Whether nothing but the fields' types says how an object is made."""
    decorators = cls.__pydantic_decorators__
    validators = (
        decorators.validators,
        decorators.field_validators,
        decorators.root_validators,
        decorators.model_validators,
    )
    ours = cls.__mro__[: cls.__mro__.index(BaseModel)]
    return (
        issubclass(cls, openai.BaseModel)
        and not any(name in vars(base) for base in ours for name in ("__new__", "__init__"))
        and cls.construct.__func__ is openai.BaseModel.construct.__func__  # type: ignore[attr-defined]
        and cls.model_config.get("extra") == "allow"
        and cls.model_config.keys() <= {"extra", "defer_build"}
        and not cls.__private_attributes__
        and not cls.__pydantic_root_model__
        and not any(validators)
        and cls.model_post_init is BaseModel.model_post_init
        and not any("__pydantic_extra__" in base.__annotations__ for base in ours)
    )


def without_null(annotation: Any) -> tuple[Any, bool]:
    """A field's type, and whether it may be null."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    members = [member for member in get_args(annotation) if member is not type(None)]
    nullable = len(members) < len(get_args(annotation))
    return (members[0] if nullable and len(members) == 1 else None), nullable


def kind_of(annotation: Any, others: dict[str, Any], around: tuple[type, ...]) -> Any:
    """A type as native code knows it (native/model.hpp); None for those it does not build."""
    if annotation in PLAIN:
        return annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return frozenset(arguments) if all(isinstance(value, str) for value in arguments) else None
    if origin is list and arguments:
        item = kind_of(arguments[0], others, around)
        return None if item is None else [item]
    if origin is Annotated and all(isinstance(note, PropertyInfo) for note in arguments[1:]):
        return kind_of(arguments[0], others, around)
    if origin in (Union, types.UnionType):
        models = tuple(kind_of(member, others, around) for member in arguments)
        return models if all(isinstance(model, Model) for model in models) and told_apart(arguments) else None
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return _model_of(annotation, others, around)
    return None


def told_apart(models: tuple[type[BaseModel], ...]) -> bool:
    """Whether a field with one text for each tells them apart."""
    for name in models[0].model_fields:
        fields = [model.model_fields.get(name) for model in models]
        if all(field and field.is_required() and get_origin(field.annotation) is Literal for field in fields):
            texts = [text for field in fields if field for text in get_args(field.annotation)]
            return len(texts) == len(set(texts))
    return False
