"""Gradient clipping."""

from typing import Literal

from pydantic import Field

from ..event_kind import BaseEvent, Change
from ..experiment import Training


class ClipEvent(BaseEvent):
    """Sets both thresholds at which gradients are clipped; None clips no more."""

    kind: Literal["clip"] = "clip"
    clip_norm: float | None = Field(None, gt=0, le=1e6)
    clip_value: float | None = Field(None, gt=0, le=1e6)


def _acts(training: Training) -> str:
    return f"updater.clip_norm, updater.clip_value = {training.clip_norm!r}, {training.clip_value!r}"


KIND = Change(number=2, event=ClipEvent, sign="⊤", acts=_acts)
