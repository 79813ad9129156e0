"""The task's own cross-entropy and Dice, added."""

from ..objective_kind import Loss
from .dice import FACTS

KIND = Loss(number=7, name="cross_entropy+dice", words="cross-entropy + Dice", added=True, **FACTS)
