"""A frame as compact JSON, and back. Imports no torch.

A frame that is kept has nine significant digits, which tell every float32 number from every other; a passing one, which is
only looked at, has six. What one process writes another restores byte for byte, as a float64 holds more digits than either.
"""

from __future__ import annotations

import json
from dataclasses import fields

from .frame import BANDED, Band, Frame, Numbers, VariantFrame

NUMBER_LISTS = tuple(field.name for field in fields(VariantFrame) if "Numbers" in str(field.type))
NUMBERS = ("loss", "metric", "head_grad", "held_out", "held_out_loss", "balanced_accuracy", "total_grad", "learning_rate")
MARKS = tuple(field.name for field in fields(VariantFrame) if "Places" in str(field.type))
_FIELDS = tuple(field.name for field in fields(VariantFrame))
_LISTS = frozenset(NUMBER_LISTS)


def encode_frame(frame: Frame, passing: bool = False) -> bytes:
    """Return `frame.to_data()` as JSON with rounded numbers, several times faster than `json.dumps`."""
    digits = ".6g" if passing else ".9g"
    variants = ",".join([f"{json.dumps(name)}:{_variant(variant, digits)}" for name, variant in frame.variants.items()])
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


def _variant(variant: VariantFrame, digits: str) -> str:
    parts = []
    for name in _FIELDS:
        value = getattr(variant, name)
        if value is None or value == []:
            continue
        if name in _LISTS:
            text = _list(value, digits)
        elif name == "bands":
            text = _bands(value, digits)
        elif isinstance(value, float):
            text = format(value, digits)
        else:
            text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        parts.append(f'"{name}":{text}')
    return "{" + ",".join(parts) + "}"


def _list(numbers: Numbers, digits: str) -> str:
    return "[" + ",".join(["null" if number is None else format(number, digits) for number in numbers]) + "]"


def _bands(bands: dict[str, Band], digits: str) -> str:
    texts = []
    for name in BANDED:
        if name in bands:
            low, high = bands[name]
            text = _list([low, high], digits) if name in NUMBERS else f"[{_list(low, digits)},{_list(high, digits)}]"
            texts.append(f'"{name}":{text}')
    return "{" + ",".join(texts) + "}"


def _variant_from(values: dict) -> VariantFrame:
    variant = VariantFrame(None, None, [], [], [], [], None, [], [], [], [])
    for name, value in values.items():
        setattr(variant, name, float(value) if name in NUMBERS else value)
    return variant
