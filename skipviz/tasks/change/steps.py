"""The length of a run that goes on."""

from typing import Literal

from pydantic import Field

from ..event_kind import BaseEvent, Change
from ..experiment import MOST_STEPS


class StepsEvent(BaseEvent):
    """Sets how many steps the run takes in all: a run whose steps are used up goes on. A schedule is from then on that of a run
    of so many steps."""

    kind: Literal["steps"] = "steps"
    steps: int = Field(ge=1, le=MOST_STEPS)


KIND = Change(number=3, event=StepsEvent, sign="»", words="on to {steps} steps", by_form=False)
