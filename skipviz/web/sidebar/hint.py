"""The one line beside the lab's Start button: what to try with this network."""

from __future__ import annotations

from ...tasks import presets
from ...tasks.experiment import Experiment
from .family_panel import preset_experiment

ANY_NETWORK = "Click a skip to switch it; drag along the trunk to add one."
OWN = "Click a skip to switch it in your module; click a valve to kill the gradient there."
WITHOUT_SKIPS = "Drag along the trunk, from state to state, to add a skip."


def hint(experiment: Experiment) -> str:
    """Return a preset's own sentence, or what can be done with any network."""
    name = preset_of(experiment)
    return presets.preset(name).do if name else next_hint(experiment)


def next_hint(experiment: Experiment) -> str:
    """Return what can be done with the network once something was done to its run."""
    if experiment.task.watched:
        return OWN
    return ANY_NETWORK if experiment.network.skips else WITHOUT_SKIPS


def preset_of(experiment: Experiment) -> str | None:
    """Return the name of the preset that the experiment is, if it is one."""
    return next((name for name in presets.names() if preset_experiment(name) == experiment), None)
