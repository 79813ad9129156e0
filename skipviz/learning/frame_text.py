"""A frame as compact JSON with six significant digits, and back. Imports no torch.

What one process writes another restores byte for byte: a number of six digits survives as a float64.
"""

from __future__ import annotations

import json
from dataclasses import fields

from .frame import Frame, VariantFrame

NUMBER_LISTS = tuple(field.name for field in fields(VariantFrame) if "Numbers" in str(field.type))
NUMBERS = ("loss", "metric", "head_grad", "held_out", "total_grad", "learning_rate")
MARKS = tuple(field.name for field in fields(VariantFrame) if "Places" in str(field.type))
_FIELDS = tuple(field.name for field in fields(VariantFrame))
_LISTS = frozenset(NUMBER_LISTS)


def encode_frame(frame: Frame, passing: bool = False) -> bytes:
    """Return `frame.to_data()` as JSON with six significant digits, several times faster than `json.dumps`."""
    variants = ",".join([f"{json.dumps(name)}:{_variant(variant)}" for name, variant in frame.variants.items()])
    mark = ',"passing":true' if passing else ""
    events = json.dumps(frame.events, separators=(",", ":"), allow_nan=False)
    return f'{{"step":{frame.step},"variants":{{{variants}}},"events":{events},"seconds":{frame.seconds:.4f}{mark}}}'.encode()


def decode_frame(payload: bytes) -> Frame:
    """Return the frame that `encode_frame` wrote; raises `ValueError` for other bytes."""
    data = json.loads(payload)
    try:
        variants = {name: _variant_from(values) for name, values in data["variants"].items()}
        return Frame(data["step"], variants, data["events"], data["seconds"])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"these bytes hold no frame: {error}") from None


def _variant(variant: VariantFrame) -> str:
    parts = []
    for name in _FIELDS:
        value = getattr(variant, name)
        if value is None or value == []:
            continue
        if name in _LISTS:
            text = "[" + ",".join(["null" if number is None else f"{number:.6g}" for number in value]) + "]"
        elif isinstance(value, float):
            text = f"{value:.6g}"
        else:
            text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        parts.append(f'"{name}":{text}')
    return "{" + ",".join(parts) + "}"


def _variant_from(values: dict) -> VariantFrame:
    variant = VariantFrame(None, None, [], [], [], [], None, [], [], [], [])
    for name, value in values.items():
        setattr(variant, name, float(value) if name in NUMBERS else value)
    return variant
