"""Typed settings, and one sentence for each mistake in them.

Whoever reads settings from a file describes them by a model: a class with a typed field for each
key. Snakemake reads such classes whenever it starts, so they import neither torch nor pandas.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.yaml_files import number_meant

Positive = Annotated[float, Field(gt=0)]
"""A finite number above 0."""
NotNegative = Annotated[float, Field(ge=0)]
"""A finite number from 0."""
Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""
Count = Annotated[int, Field(ge=1)]
"""A whole number from 1."""
NotNegativeCount = Annotated[int, Field(ge=0)]
"""A whole number from 0."""


class Settings(BaseModel):
    """Settings that a study file states, each by name: no unknown ones, no silent conversion."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
    given: ClassVar[tuple[str, ...]] = ()
    """Names of fields that no file may state, because the program fills them in."""

    def changed(self, **values: Any) -> Self:
        """A checked copy with other values."""
        stated = self.model_dump(mode="json", exclude_unset=True)
        return read_settings(type(self), {**stated, **values}, type(self).__name__)


Model = TypeVar("Model", bound=Settings)


def read_settings(model: type[Model], values: Mapping[str, Any], place: str) -> Model:
    """``values`` as a checked record of the type ``model``.

    Raises
    ------
    StudyError
        If a key is unknown or missing, or a value has the wrong type or is out of range; one
        sentence that names the ``place``, what was found, what is expected and the nearest name.
    """
    if bad := _not_finite(values):
        *location, number = bad
        raise StudyError(
            f"{_joined(place, location)}: found {number!r}, where a finite number is expected."
        )
    try:
        # From JSON: lists may become tuples there, while numbers and texts stay what they are.
        return model.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise StudyError(_sentence(error, values, place, model)) from None


def _not_finite(values: Any) -> tuple[Any, ...] | None:
    """Location of a number that is not finite, and behind it the number; None if all are."""
    if isinstance(values, float):
        return None if math.isfinite(values) else (values,)
    if isinstance(values, Mapping):
        inner: Iterable[tuple[Any, Any]] = values.items()
    elif isinstance(values, list | tuple):
        inner = enumerate(values)
    else:
        return None
    for key, value in inner:
        if found := _not_finite(value):
            return key, *found
    return None


_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number from {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number up to {le}",
    "tuple_type": "a list",
    "list_type": "a list",
    "mapping_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "finite_number": "a finite number",
    "none_required": "null",
    "path_type": "a path",
}


def _sentence(
    error: ValidationError, values: Mapping[str, Any], place: str, model: type[Settings]
) -> str:
    """The first mistake in one sentence; of a choice of types, all that would do."""
    problems = error.errors(include_url=False)
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    location = _location(first["loc"], values)
    where, context, kind = _joined(place, location), first.get("ctx", {}), first["type"]
    if kind in ("extra_forbidden", "missing"):
        known = _known_keys(model, location[:-1])
        what, parent = location[-1], _joined(place, location[:-1]).rstrip(":")
        if kind == "missing":
            return (
                f"{parent}: the setting {what!r} was not found, where {', '.join(known)} are "
                "expected; add it in the study file."
            )
        return (
            f"{parent}: {what!r} is no setting here{nearest(what, known)}; allowed are "
            f"{', '.join(known)}."
        )
    if kind == "value_error":
        return f"{where.rstrip(':')}: {str(context['error']).rstrip('.')}."
    if kind == "string_pattern_mismatch" and "[key]" in first["loc"]:
        return (
            f"{where}: this is no name; use small letters, digits and underscores (and dots, "
            "of results), because names become file names."
        )
    found = _at(values, location)
    same = [one for one in problems if _location(one["loc"], values) == location]
    expected, choices = [], []
    for one in same:
        more = one.get("ctx", {})
        if one["type"] in ("literal_error", "enum", "union_tag_invalid"):
            text = str(more.get("expected", more.get("expected_tags", "")))
            choices += [choice.strip("' ") for choice in text.replace(" or ", ", ").split(",")]
            expected.append(f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0])
        elif one["type"] in _EXPECTED:
            expected.append(_EXPECTED[one["type"]].format(**more))
        else:
            expected.append(one["msg"].lower())
    hint = nearest(found, choices) if choices else ""
    if isinstance(found, str) and any("number" in text for text in expected):
        hint = number_meant(found)
    return (
        f"{where}: found {found!r}, where {' or '.join(dict.fromkeys(expected))} is expected{hint}."
    )


def _joined(place: str, location: Iterable[Any]) -> str:
    """``sweep.fig3.settings[1]``; behind a file, which ends in a colon, with a space."""
    steps = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in location)
    return f"{place} {steps.removeprefix('.')}" if steps and place.endswith(":") else place + steps


def _location(steps: Iterable[Any], values: Any) -> tuple[Any, ...]:
    """Steps that lead somewhere in ``values``; pydantic also names the member of a union."""
    kept: list[Any] = []
    steps = list(steps)
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if isinstance(values, Mapping) and (step in values or (last and isinstance(step, str))):
            if step not in values and any(mark in step for mark in "[-("):
                continue
            kept.append(step)
            values = values.get(step)
        elif isinstance(values, list | tuple) and isinstance(step, int) and step < len(values):
            kept.append(step)
            values = values[step]
    return tuple(kept)


def _at(values: Any, location: Iterable[Any]) -> Any:
    for step in location:
        values = values[step]
    return values


def _known_keys(model: type[Settings], location: Iterable[Any]) -> list[str]:
    """Keys that the model allows at a place."""
    schema = model.model_json_schema()
    definitions, here = schema.get("$defs", {}), schema

    def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        for option in node.get("anyOf", node.get("oneOf", ())):
            inner = resolved(option)
            if {"properties", "additionalProperties", "patternProperties", "items"} & set(inner):
                return inner
        return node

    for step in location:
        here = resolved(here)
        if isinstance(step, int):
            here = here.get("items", {})
        else:
            others = [*here.get("patternProperties", {}).values(), here.get("additionalProperties")]
            here = here.get("properties", {}).get(step, next(filter(None, others), {}))
    names = resolved(here if isinstance(here, Mapping) else {}).get("properties", {})
    return [name for name in names if name not in model.given]
