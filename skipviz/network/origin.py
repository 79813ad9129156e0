"""What made a network: a family and the values of its settings. It says nothing of what the network computes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError, WrapValidator

from .base import Frozen

Name = Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]
Value = Annotated[int | float, Field(ge=-1e9, le=1e9)] | Annotated[str, Field(max_length=32)]


class Origin(Frozen):
    """A family's name, and what was chosen of its settings where it is not the usual."""

    family: Name
    values: dict[Name, Value] = Field({}, max_length=32)


def _or_none(value: Any, validate) -> Origin | None:
    try:
        return validate(value)
    except ValidationError:
        return None


Made = Annotated[Origin | None, WrapValidator(_or_none)]
"""An origin; what is none costs only the form that it would have been shown with, so it is nothing instead."""
