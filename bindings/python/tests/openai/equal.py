"""Equality to the last private attribute."""

import math

import pydantic


def differences(left, right, where="answer"):
    """What tells two values apart: types, fields, which of them were set, extras, in depth. Empty: nothing."""
    if type(left) is not type(right):
        return [f"{where}: {type(left).__name__} {left!r} is no {type(right).__name__} {right!r}"]
    if isinstance(left, pydantic.BaseModel):
        return _of_models(left, right, where)
    if isinstance(left, dict):
        if list(left) != list(right):
            return [f"{where}: keys {list(left)} and {list(right)}"]
        return [text for key in left for text in differences(left[key], right[key], f"{where}.{key}")]
    if isinstance(left, list):
        if len(left) != len(right):
            return [f"{where}: {len(left)} and {len(right)} elements"]
        return [text for i, pair in enumerate(zip(left, right)) for text in differences(*pair, f"{where}[{i}]")]
    if isinstance(left, float) and math.isnan(left) and math.isnan(right):
        return []
    same = left == right and (not isinstance(left, float) or math.copysign(1, left) == math.copysign(1, right))
    return [] if same else [f"{where}: {left!r} and {right!r}"]


def _of_models(left, right, where):
    found = differences(left.__dict__, right.__dict__, where)
    if left.model_fields_set != right.model_fields_set:
        found.append(f"{where}: set {left.model_fields_set ^ right.model_fields_set}")
    for name in ("__pydantic_extra__", "__pydantic_private__"):
        found += differences(getattr(left, name), getattr(right, name), f"{where}.{name}")
    return found
