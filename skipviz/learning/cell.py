"""Trains one cell of a sweep and measures it where it begins and where it ends."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ..network.network import Network
from ..tasks.experiment import Experiment
from ..tasks.sweep import QUANTITIES, Cell
from ..tasks.uploads import Uploads
from .frame import VariantFrame
from .seeds import Seeds, trainer_of
from .setup import as_in_a_run
from .trainer import Trainer, pick_device


def cell_row(
    cell: Cell,
    uploads: Uploads | None = None,
    beat: Callable[[float], object] = lambda share: None,
    refuse: Callable[[Experiment], str | None] = lambda experiment: None,
    explain: Callable[[Exception], str] = str,
    device: str = "cpu",
) -> dict:
    """Return a row with `tasks.sweep.Sweep.columns` of a cell, as JSON data: a cell that fails says why and stops nothing.

    `beat(share)` is called before every step with the share of steps that are taken; what it raises ends the training, if it is
    no `Exception`. `refuse` may say why an experiment is not to be trained, `explain` why one failed.
    """
    began = monotonic()
    row = {"cell": cell.index, **cell.at, **dict.fromkeys(QUANTITIES), "state": "impossible", "reason": cell.reason}
    row |= {"diverged_at": None}
    if cell.experiment is not None:
        refused = refuse(cell.experiment)
        if refused:
            row["reason"] = refused
        else:
            try:
                with as_in_a_run(pick_device(device).type == "cuda"):
                    row |= _trained(trainer_of(cell.experiment, device, uploads), beat)
            except Exception as error:
                row |= {"state": "failed", "reason": explain(error) or type(error).__name__}
    return {**row, "seconds": round(monotonic() - began, 3)}


def _trained(trainer: Trainer | Seeds, beat: Callable[[float], object]) -> dict:
    """Return what a training of one network measures at its first step and at its last, both before their updates."""
    (name,) = trainer.experiment.variants
    steps, network = trainer.experiment.training.steps, trainer.experiment.network
    first = last = None
    while not trainer.finished:
        beat(trainer.step / steps)
        frame = trainer.advance(record=trainer.step in (0, steps - 1))
        if frame is not None:
            last = frame.variants[name]
            first = first or last
    found = {**_gradients(network, first, "init"), "state": "finished", "reason": None}
    if name not in trainer.diverged:
        return {**found, **_gradients(network, last, "end"), "final_loss": last.loss, "held_out": last.held_out}
    where = trainer.diverged[name]
    place = network.place(where["layer"])
    reason = f"diverged at step {where['step']}: {place} gave the first number that is not finite"
    return {**found, "state": "diverged", "reason": reason, "diverged_at": where["step"]}


def _gradients(network: Network, frame: VariantFrame, when: str) -> dict:
    """Return ‖∂L/∂θ‖ of the first layer with weights, and as a multiple of the last's; None where one is not finite."""
    weighted = {layer.id for layer in network.weighted}
    gradients = [norm for layer, norm in zip(network.layers, frame.weight_grad, strict=True) if layer.id in weighted]
    first, last = gradients[0], gradients[-1]
    ratio = first / last if first is not None and last else None
    return {f"first_gradient_{when}": first, f"ratio_{when}": ratio}
