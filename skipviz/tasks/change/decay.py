"""Weight decay, by its field."""

from typing import Literal

from pydantic import Field

from ..event_kind import BaseEvent, Change
from ..experiment import Training


class DecayEvent(BaseEvent):
    """Sets the weight decay."""

    kind: Literal["decay"] = "decay"
    weight_decay: float = Field(ge=0, le=1)


def _acts(training: Training) -> str:
    return f'updater.optimizer.param_groups[0]["weight_decay"] = {training.weight_decay!r}'


KIND = Change(number=4, event=DecayEvent, sign="λ", words="weight decay {weight_decay}", acts=_acts)
