"""The learning rate in force at a step, as a pure function of (training, step). Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .experiment import Training

Schedule = Literal["constant", "cosine", "step", "one_cycle"]
SCHEDULES = {"constant": "constant", "cosine": "cosine", "step": "in steps", "one_cycle": "one-cycle"}
"""The schedules' names as they are written."""

CUTS, CUT = (1 / 2, 3 / 4), 0.1
"""`step` multiplies the rate by the second at these shares of the steps (He et al. 2015 on CIFAR: at 32k and 48k of 64k)."""
RISE, FIRST, LAST = 0.3, 1 / 25, 1 / 25e4
"""Of one-cycle, torch's own: the share of the steps in which it rises, and its first and last rate, as shares of the peak."""


def learning_rate(training: Training, step: int) -> float:
    """Return the learning rate of the update that step `step` (counted from 0) makes.

    `training.learning_rate` is the largest one. Warm-up rises to it in equal parts over the first `warmup_steps` steps (Goyal et
    al. 2017); what follows is spread over the steps that are left. `cosine` falls to 0 (Loshchilov & Hutter 2017), `step` to a
    tenth at half and again at three quarters. `one_cycle` (Smith & Topin 2017) rises and falls by cosines; its rise takes the
    warm-up steps, or 30 % of all steps without any, and momentum stays as it is.
    """
    peak, warmup = training.learning_rate, training.warmup_steps
    if training.schedule == "one_cycle":
        return peak * one_cycle(step, training.steps, warmup or RISE * training.steps)
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * FALLS[training.schedule](step - warmup, training.steps - warmup)


def cosine(step: int, steps: int) -> float:
    """Return half a cosine's share of the peak, which falls to 0."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def in_steps(step: int, steps: int) -> float:
    """Return a share of the peak that falls at some of the steps."""
    return CUT ** sum(step >= int(share * steps) for share in CUTS)


def one_cycle(step: int, steps: int, rise: float) -> float:
    """Return a share of the peak that rises for so many steps and then falls."""
    top = rise - 1
    if step < top:
        return between(FIRST, 1.0, step / top)
    return between(1.0, LAST, (step - top) / (steps - 1 - top) if step > top else 0.0)


def between(first: float, last: float, share: float) -> float:
    """Return what lies between two numbers on half a cosine."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))


FALLS: dict[str, Callable[[int, int], float]] = {"constant": lambda step, steps: 1.0, "cosine": cosine, "step": in_steps}
"""Schedule → (step, of how many steps) ↦ share of the peak, after warm-up."""
