"""The fields of operations as a form has them, read from the kinds: what the inspector draws of a layer."""

from __future__ import annotations

from functools import cache

from ...network.operation import OPERATIONS


@cache
def operation_fields() -> dict[str, dict[str, dict]]:
    """Return for each operation its fields that are a number, a switch or a choice: words, what is said, bounds, default."""
    return {name: _fields(kind) for name, kind in OPERATIONS.items()}


def _fields(kind) -> dict[str, dict]:
    found = {}
    for name, said in kind.model_json_schema()["properties"].items():
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
