"""How files that leave the lab are called: by what a person called the run, or by what was trained. Imports no streamlit."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache

from ...network.remembered import remembered
from ...storage import Run
from ...storage.summary import title_of
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.twin import TWIN

LONGEST = 60
"""Characters of a name, the run's id and the suffix not counted."""
_SPELT = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "×": "x", "→": "-"})


def stem(experiment: Experiment) -> str:
    """Return how files of an experiment are called: by its preset's name, or by depth and task."""
    name = preset_of(experiment)
    return f"skipviz-{name or f'{experiment.network.depth}-layers-{experiment.task.name}'}"


def run_stem(run: Run) -> str:
    """Return how files of a run are called: by the title that a person gave it, else as those of its experiment."""
    experiment = run.began or run.experiment
    named = run.title and run.title != title_of(experiment)
    return f"skipviz-{plain(run.title)}" if named and plain(run.title) else stem(experiment)


def plain(title: str) -> str:
    """Return a title in small letters, digits and dashes, which every system takes; empty where nothing of it is left."""
    spelt = unicodedata.normalize("NFKD", title.lower().translate(_SPELT))
    letters = "".join(character for character in spelt if not unicodedata.combining(character))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:LONGEST].rstrip("-")


@remembered
def preset_of(experiment: Experiment) -> str | None:
    """Return the name of the preset that an experiment is, however often it is recorded, and with a twin beside it or without."""
    return _preset_names().get(json.dumps(_alone(experiment).trained()))


@cache
def _preset_names() -> dict[str, str]:
    return {json.dumps(_alone(presets.get(name)).trained()): name for name in presets.names()}


def _alone(experiment: Experiment) -> Experiment:
    variants = {name: network for name, network in experiment.variants.items() if name != TWIN}
    training = experiment.training
    if training.record_every is None and len(variants) == len(experiment.variants):
        return experiment
    return experiment.replaced(variants=variants, training=training.replaced(record_every=None))
