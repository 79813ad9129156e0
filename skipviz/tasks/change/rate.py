"""The learning rate, by its slider beside the time slider."""

from typing import Literal

from pydantic import Field

from ..event_kind import BaseEvent, Change


class RateEvent(BaseEvent):
    """Sets the learning rate; 0 measures only."""

    kind: Literal["rate"] = "rate"
    learning_rate: float = Field(ge=0, le=10)


KIND = Change(number=1, event=RateEvent, sign="η", words="rate {learning_rate}")
