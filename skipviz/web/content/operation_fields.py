"""The fields of operations and merges as a form has them, read from the kinds: what the inspector draws of a layer or skip."""

from __future__ import annotations

from collections.abc import Container
from functools import cache

from ...network.merge import MERGES
from ...network.operation import OPERATIONS
from ...network.skip import Skip


@cache
def operation_fields() -> dict[str, dict[str, dict]]:
    """Return for each operation its fields that are a number, a switch or a choice: words, what is said, bounds, default."""
    return {name: _fields(kind, kind.model_fields) for name, kind in OPERATIONS.items()}


@cache
def skip_fields() -> dict[str, dict]:
    """Return the same of the fields that a skip has for some merges alone."""
    return _fields(Skip, {name for kind in MERGES.values() for name in kind.fields})


def _fields(kind, wanted: Container[str]) -> dict[str, dict]:
    found = {}
    for name, said in kind.model_json_schema()["properties"].items():
        if name not in wanted:
            continue
        types = [part for part in said.get("anyOf", [said]) if part.get("type") != "null"]
        (part,) = types
        if name != "kind" and part["type"] in ("integer", "boolean", "string"):
            found[name] = {
                "words": said["title"],
                "says": f"{said['title']}: {said['description'].replace('None:', 'empty:')}.",
                "default": said.get("default"),
                "none": "anyOf" in said,
                **({"options": part["enum"]} if "enum" in part else {}),
                **({"bounds": [part["minimum"], part["maximum"]]} if "minimum" in part else {}),
            }
    return found
