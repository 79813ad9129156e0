"""The fields of a kind or another description that are a number, a switch or a choice, read from what they are declared as."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from .base import Frozen


@dataclass(frozen=True)
class ScalarField:
    """One field; `options` is empty for a number and for text of one's own, and bounds are None where there are none."""

    name: str
    words: str
    says: str
    """What its declaration says of it, in lower case; '' for what says nothing."""
    type: str
    """integer, number, boolean or string, as JSON Schema has it."""
    default: Any
    none: bool
    """Whether it may be left empty."""
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@cache
def scalar_fields(model: type[Frozen]) -> dict[str, ScalarField]:
    """Return the fields of `model` that are a number, a switch or a choice, by name, in their order."""
    found = {}
    for name, said in model.model_json_schema()["properties"].items():
        types = [part for part in said.get("anyOf", [said]) if part.get("type") != "null"]
        if len(types) != 1 or types[0].get("type") not in ("integer", "number", "boolean", "string"):
            continue
        (part,) = types
        found[name] = ScalarField(
            name,
            said["title"],
            said.get("description", ""),
            part["type"],
            said.get("default"),
            "anyOf" in said,
            tuple(part.get("enum", ())),
            part.get("minimum", part.get("exclusiveMinimum")),
            part.get("maximum", part.get("exclusiveMaximum")),
        )
    return found
