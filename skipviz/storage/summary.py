"""What a list shows of a run: its title, what is trained, and the numbers reached last."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..tasks.experiment import Experiment

MAX_TITLE = 80
"""Characters of a title."""


def title_of(experiment: Experiment) -> str:
    """Return a title for a run that nobody has named."""
    depths = sorted({network.depth for network in experiment.variants.values()})
    layers = " and ".join(map(str, depths)) + (" layer" if depths == [1] else " layers")
    return f"{experiment.task.kind.title}, {layers}"[:MAX_TITLE]


def checked_title(text: Any) -> str:
    """Return a title as one plain line; raises `ValueError` with a sentence."""
    if not isinstance(text, str):
        raise ValueError("a title is a text")
    title = " ".join("".join(character if character.isprintable() else " " for character in text[: 10 * MAX_TITLE]).split())
    if not title:
        raise ValueError("a title has at least one visible character")
    if len(title) > MAX_TITLE:
        raise ValueError(f"a title has at most {MAX_TITLE} characters")
    return title


def summary_of(experiment: Experiment) -> dict:
    """Return what a list shows of an experiment; depth, parameters and skips are the first variant's."""
    network = experiment.network
    return {
        "task": experiment.task.name,
        "metric": experiment.task.kind.metric,
        "steps": experiment.training.steps,
        "variants": list(experiment.variants),
        "labels": [*map(experiment.label, experiment.variants)],
        "depth": network.depth,
        "parameters": network.parameter_count(),
        "skips_on": sum(skip.in_force for skip in network.skips),
        "skips_total": len(network.skips),
    }


def latest_of(payloads: Iterable[bytes], known: dict | None = None) -> dict:
    """Return the last loss and held-out metric by variant, and the metric's step, from encoded frames, the newest first."""
    found: dict[str, dict] = {"loss": {}, "held_out": {}, "held_out_step": {}}
    for payload in payloads:
        if found["loss"] and b'"held_out":' not in payload:
            continue  # there may be thousands between two that have it, too many to decode for a list
        frame = json.loads(payload)
        for variant, values in frame["variants"].items():
            if "held_out" in values:
                values["held_out_step"] = frame["step"]
            for name, numbers in found.items():
                if name in values:
                    numbers.setdefault(variant, values[name])
        if found["loss"] and len(found["held_out"]) == len(found["loss"]):
            break
    known = known or {}
    return {name: {**known.get(name, {}), **numbers} for name, numbers in found.items()}
