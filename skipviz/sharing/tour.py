"""A tour: up to ten steps, each with a sentence, a control that it speaks of, and a state that it sets; and its text in a link.

A control is a name of `TARGETS`: what a link holds never says where on a page something is looked for. Text is only text.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, fields
from functools import lru_cache

from ..network.base import NetworkError
from ..tasks import presets
from . import link

MAX_STEPS = 10
MAX_TEXT = 200
"""Characters of a step's text."""
MAX_CHARACTERS = 4_000
"""Of a tour in a link."""
MAX_LINKS = 3
"""Different experiments that a tour opens, apart from presets: each is a link that has to be read."""
MAX_TRAIN = 100_000
MAX_VALVES = 40
LAYOUTS = ("", "u")


class TourError(ValueError):
    """What is no tour; one sentence."""


@dataclass(frozen=True)
class Target:
    """A control that a step shows: its name for a lecturer, its page, where the page has it, and of the figure its panel."""

    words: str
    page: str
    selector: str
    panel: str = ""


TARGETS = {
    "sentence": Target("The sentence over the network", "lab", ".sv-sentence"),
    "skips": Target("Plain and Residual", "lab", ".sv-bar > .sv-segment"),
    "summary": Target("What the network is", "lab", ".sv-inspector"),
    "start": Target("Start", "lab", ".sv-transport .sv-main"),
    "time": Target("The time slider", "lab", ".sv-timeline"),
    "speed": Target("Speed and learning rate", "lab", ".sv-sliders"),
    "first-layer": Target("The first layer", "lab", 'svg.sv-diagram [data-layer="f1"]'),
    "diagram": Target("The network", "lab", ".sv-network .sv-diagram-host"),
    "gain": Target("The valves", "lab", ".sv-head-gain"),
    "bars": Target("What the bars show", "lab", ".sv-head-bars"),
    "share-at-fork": Target("Share at fork", "lab", ".sv-head-share"),
    "update": Target("Update ÷ weight", "lab", ".sv-head-update"),
    "layout": Target("Column or U by scale", "lab", ".sv-shape"),
    "heatmap": Target("Gradient over time", "lab", ".sv-heatmap-card"),
    "loss": Target("Loss and metric", "lab", ".sv-loss-card"),
    "picture": Target("What the network does", "lab", ".sv-picture-card"),
    "compare": Target("Compare", "lab", ".sv-compare-tool"),
    "share": Target("Share", "lab", ".sv-share"),
    "left-valve": Target("Figure 4.9, left: the valve beside f(5)", "figure", '.sv-panel [data-valve="f5"]', "left"),
    "left": Target("Figure 4.9, left: its loss", "figure", ".sv-panel-losses", "left"),
    "center": Target("Figure 4.9, centre: its loss", "figure", ".sv-panel-losses", "center"),
    "right": Target("Figure 4.9, right: its loss", "figure", ".sv-panel-losses", "right"),
}
"""What a step can point at, by the name that stands in links: names are never changed."""


@dataclass(frozen=True)
class Step:
    """`experiment` (a preset's name or a link's text) is opened, drawn as `layout`, trained to step `train`; then `skips` are
    all switched on or off, the valves of the layers `shut` are shut and those of `opened` are opened. A step that switches nothing
    holds the run there.
    `terms` are the glossary's, which only our own tour names."""

    text: str
    target: str
    experiment: str = ""
    layout: str = ""
    train: int | None = None
    skips: bool | None = None
    shut: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The page that has the target."""
        return TARGETS[self.target].page

    def to_data(self) -> dict:
        """Return it as the browser gets it, its experiment as a link's text."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**found, "page": self.page, "experiment": _link_of(self.experiment) if self.experiment else ""}


_KEYS = {"experiment": "x", "layout": "l", "train": "n", "skips": "s", "shut": "v", "opened": "o"}
"""Names of what a step sets, as they stand in links."""
_reading = threading.Lock()
"""One experiment of a tour is read at a time, as links are."""


def to_targets() -> dict[str, dict]:
    """Return the table of targets as the browser gets it."""
    return {name: {one.name: getattr(target, one.name) for one in fields(target)} for name, target in TARGETS.items()}


def checked(steps) -> tuple[Step, ...]:
    """Return the tour that `steps`, a list of dictionaries from outside, describes; raises `TourError` with a sentence."""
    if not isinstance(steps, list | tuple) or not steps:
        raise TourError("a tour has at least one step")
    if len(steps) > MAX_STEPS:
        raise TourError(f"this tour has {len(steps)} steps and a tour has at most {MAX_STEPS}")
    found = tuple(_step(number, step) for number, step in enumerate(steps, start=1))
    links = {step.experiment for step in found} - {"", *presets.names()}
    if len(links) > MAX_LINKS:
        raise TourError(f"this tour opens {len(links)} experiments and a tour opens at most {MAX_LINKS}, besides presets")
    for step in found:
        _open(step.experiment)
    return found


def encode(steps) -> str:
    """Return the text of a tour for a link; raises `TourError` for what is no tour, and for one that is too long."""
    short = [
        [step.text, step.target, {_KEYS[name]: value for name in _KEYS if (value := getattr(step, name)) not in ("", None, ())}]
        for step in checked(steps)
    ]
    text = link.sealed(json.dumps(short, separators=(",", ":"), ensure_ascii=False).encode())
    if len(text) > MAX_CHARACTERS:
        raise TourError(
            f"this tour makes {len(text):,} characters of a link and has at most {MAX_CHARACTERS:,}; give it fewer experiments"
        )
    return text


@lru_cache(maxsize=4)
def decode(text: str) -> tuple[Step, ...]:
    """Return the tour in a link's `tour=`; raises `TourError` with a sentence for any other text."""
    if len(text) > MAX_CHARACTERS:
        raise TourError(f"this tour has {len(text):,} characters and a tour has at most {MAX_CHARACTERS:,}")
    try:
        return checked([_lengthened(*step) for step in json.loads(link.unsealed(text))])
    except TourError:
        raise
    except link.LinkError as error:
        raise TourError(str(error).replace("this link is damaged", "this tour is damaged")) from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise TourError("this tour is damaged: it does not hold steps") from None


def _lengthened(text, target, settings: dict) -> dict:
    """Return a step of a link as it comes from elsewhere too."""
    names = {key: name for name, key in _KEYS.items()}
    return {"text": text, "target": target, **{names[key]: value for key, value in settings.items()}}


def _step(number: int, step) -> Step:
    if not isinstance(step, dict) or not set(step) <= {"text", "target", *_KEYS}:
        raise TourError(f"step {number} is not written as steps are")
    found = {"experiment": "", "layout": "", "train": None, "skips": None, "shut": (), "opened": (), **step}
    problem = _problem(found)
    if problem:
        raise TourError(f"step {number} {problem}")
    return Step(**{**found, "text": found["text"].strip(), "shut": tuple(found["shut"]), "opened": tuple(found["opened"])})


def _problem(step: dict) -> str | None:
    """Return what is wrong with the fields of a step, or None."""
    text, target, train = step.get("text"), step.get("target"), step["train"]
    if not isinstance(text, str) or not text.strip():
        return "has no text"
    if len(text) > MAX_TEXT:
        return f"has {len(text)} characters of text and a step has at most {MAX_TEXT}"
    if not isinstance(target, str) or target not in TARGETS:
        return "shows a control that no page has"
    if not isinstance(step["experiment"], str) or step["layout"] not in LAYOUTS or not _is_switch(step["skips"]):
        return "sets what no step sets"
    if train is not None and (type(train) is not int or not 0 <= train <= MAX_TRAIN):
        return f"trains to a step that is not between 0 and {MAX_TRAIN:,}"
    for field, does in (("shut", "shuts"), ("opened", "opens")):
        valves = step[field]
        if not isinstance(valves, list | tuple) or len(valves) > MAX_VALVES or not all(_is_id(one) for one in valves):
            return f"{does} what are not the valves of up to {MAX_VALVES} layers"
    if TARGETS[target].page == "figure" and (step["experiment"] or step["layout"] or train is not None):
        return "shows the figure, which opens no other experiment"
    return None


def _is_switch(value) -> bool:
    return value is None or value is True or value is False


def _is_id(value) -> bool:
    return isinstance(value, str) and len(value) <= 64


def _open(experiment: str) -> None:
    """Refuse what is neither a preset nor a link that opens."""
    if experiment and experiment not in presets.names():
        try:
            _link_of(experiment)
        except (link.LinkError, NetworkError) as error:
            raise TourError(f"an experiment of this tour does not open: {error}") from None


@lru_cache(maxsize=64)
def _link_of(experiment: str) -> str:
    """Return the link's text of a preset, or of an experiment as this installation writes it."""
    if experiment in presets.names():
        return link.encode(presets.get(experiment))
    with _reading:
        return link.encode(link.decode(experiment))
