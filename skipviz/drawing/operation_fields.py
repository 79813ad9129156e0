"""The fields of operations and merges as a form has them, read from the kinds: what the inspector draws of a layer or skip."""

from __future__ import annotations

from collections.abc import Container
from functools import cache

from ..network.merge import MERGES
from ..network.operation import OPERATIONS
from ..network.scalar_fields import scalar_fields
from ..network.skip import Skip


@cache
def operation_fields() -> dict[str, dict[str, dict]]:
    """Return for each operation its fields that are a number, a switch or a choice: words, what is said, bounds, default."""
    return {name: {} if kind.recorded_only else _fields(kind, kind.model_fields) for name, kind in OPERATIONS.items()}


@cache
def skip_fields() -> dict[str, dict]:
    """Return the same of the fields that a skip has for some merges alone."""
    return _fields(Skip, {name for kind in MERGES.values() for name in kind.fields})


def _fields(kind, wanted: Container[str]) -> dict[str, dict]:
    return {
        name: {
            "words": field.words,
            "says": f"{field.words}: {field.says.replace('None:', 'empty:')}.",
            "default": field.default,
            "none": field.none,
            **({"options": list(field.options)} if field.options else {}),
            **({} if field.low is None else {"bounds": [field.low, field.high]}),
        }
        for name, field in scalar_fields(kind).items()
        if name in wanted and name != "kind" and field.type != "number"
    }
