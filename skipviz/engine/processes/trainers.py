"""What trains an experiment in a worker: the lab's own networks, or the module that this server was opened on."""

from __future__ import annotations

import os

from ...learning.seeds import Seeds, trainer_of
from ...learning.trainer import Trainer
from ...settings import get_settings
from ...tasks.experiment import Experiment
from ...tasks.uploads import Uploads
from ...watch.errors import WatchError
from ...watch.opened import spec


def trainer_for(experiment: Experiment, device: str = "cpu", uploads: Uploads | None = None) -> Trainer | Seeds:
    """Return what trains an experiment, or runs a person's code as a trainer does; raises `UploadError` or `WatchError`."""
    if not experiment.task.watched:
        return trainer_of(experiment, device, uploads)
    if not get_settings().open:
        raise WatchError(spec.refusal(experiment, None))
    from ...watch.opened.trainer import OpenedTrainer

    opened = spec.read(get_settings().open)[0]
    os.chdir(opened.folder)
    return OpenedTrainer(opened, experiment, device)
