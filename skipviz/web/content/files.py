"""The files that a run or an experiment can be had as, each made of plain data: scripts, JSON, replays. Imports no streamlit.

They are made by a process beside the server's, see `render_worker.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ...network.base import NetworkError
from ...sharing import link, replay
from ...sharing.script import experiment as script
from ...sharing.weights import WeightsError, from_checkpoint
from ...storage import Run
from ...tasks import presets
from ...tasks.blobs import Blob
from ...tasks.event import message_from
from ...tasks.experiment import Experiment, ExperimentError, experiment_from_json
from ...tasks.own import UploadError
from ...tasks.uploads import Uploads
from .file_names import preset_of, run_stem, stem
from .replay_data import replay_file

NO_SUCH_FILE = "there is no such file to download"
NOT_BEGUN = "this run has not begun yet: there is nothing to download"

File = tuple[str, bytes]
"""Name and content."""


class FileError(ValueError):
    """A file that cannot be given out; `status` is HTTP's number, the text one sentence.

    `again` is after how many seconds another try may succeed.
    """

    def __init__(self, status: int, reason: str, again: int | None = None) -> None:
        super().__init__(status, reason, again)
        self.status, self.reason, self.again = status, reason, again

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a run's files are made of, as it travels to the process that makes them; `began` is its first experiment's JSON."""

    id: str
    title: str
    state: str
    diverged: dict
    events: list[dict]
    header_json: bytes | None
    frames: list[bytes]
    began_json: str
    steps: int

    @cached_property
    def began(self) -> Experiment:
        """The experiment that the run began with, before its events."""
        return experiment_from_json(self.began_json)

    @property
    def experiment(self) -> Experiment:
        """The same: what its events made of it stands in no file."""
        return self.began

    @property
    def header(self) -> dict | None:
        """The run's header, or None while it has not begun."""
        return None if self.header_json is None else json.loads(self.header_json)


def recorded(run: Run) -> Recorded:
    """Return a run as it is now."""
    began = (run.began or run.experiment).to_json()
    frames = list(run.frames)
    return Recorded(run.id, run.title, run.state, dict(run.diverged), list(run.events), run.header_json, frames, began, run.steps)


def run_file(run: Recorded, suffix: str, lab: str, uploads: Uploads) -> File:
    """Return name and content of a run's script, JSON or replay, in which `lab` is the lab's address; raises `FileError`."""
    if suffix not in RUN_FILES:
        raise FileError(404, NO_SUCH_FILE)
    name = f"{run_stem(run)}-{run.id}.{suffix}"
    return name, refused(lambda: RUN_FILES[suffix](run, name, lab, uploads))


def weights(checkpoint: Blob, variant: str, label: str) -> bytes:
    """Return the weights of one of a run's networks as a safetensors file, from the run's checkpoint; raises `FileError`."""
    try:
        return from_checkpoint(checkpoint.read_bytes(), variant, label)
    except OSError:
        raise FileError(409, "the weights of this run are no longer there") from None
    except WeightsError as error:
        raise FileError(409, str(error)) from None


def link_file(text: str, suffix: str, uploads: Uploads) -> File:
    """Return name and content of the file of a link's experiment; raises `FileError`."""
    return _experiment_file(refused(lambda: link.decode(text)), suffix, uploads)


def experiment_file(text: str, suffix: str, uploads: Uploads) -> File:
    """Return name and content of the file of an experiment that has not run, given as JSON; raises `FileError`."""
    return _experiment_file(refused(lambda: experiment_from_json(text)), suffix, uploads)


def _experiment_file(experiment: Experiment, suffix: str, uploads: Uploads) -> File:
    if suffix not in LINK_FILES:
        raise FileError(404, NO_SUCH_FILE)
    name = f"{stem(experiment)}.{suffix}"
    return name, refused(lambda: LINK_FILES[suffix](experiment, name, uploads))


def refused(make: Callable):
    """Return what `make` does; what cannot be made is refused with its sentence."""
    try:
        return make()
    except replay.ReplayError as error:
        raise FileError(409, str(error)) from None
    except (link.LinkError, script.ScriptError, NetworkError, UploadError, ExperimentError) as error:
        raise FileError(422, str(error)) from None


def title(experiment: Experiment) -> str:
    """Return an experiment's name for people: its preset's title, or depth and task."""
    name = preset_of(experiment)
    return presets.preset(name).title if name else f"{experiment.network.depth} layers on {experiment.task.kind.title.lower()}"


def pretty_json(experiment: Experiment) -> bytes:
    """Return an experiment's JSON as a file that a person can read and the lab opens again."""
    return (json.dumps(experiment.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n").encode()


def _script(run: Recorded, name: str, lab: str, uploads: Uploads) -> bytes:
    events = [message_from(event) for event in run.events]
    return script.script(run.began, events, name, uploads).encode()


RUN_FILES: dict[str, Callable[[Recorded, str, str, Uploads], bytes]] = {
    "py": _script,
    "json": lambda run, name, lab, uploads: pretty_json(run.began),
    "html": lambda run, name, lab, uploads: replay_file(run, title(run.began), lab),
}
"""What a run can be had as, beside its tables."""
LINK_FILES: dict[str, Callable[[Experiment, str, Uploads], bytes]] = {
    "py": lambda experiment, name, uploads: script.script(experiment, (), name, uploads).encode(),
    "json": lambda experiment, name, uploads: pretty_json(experiment),
}
"""What an experiment that has not run can be had as."""
