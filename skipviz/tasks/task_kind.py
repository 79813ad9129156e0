"""What a task is; each data set is described in `tasks/dataset`. Imports no numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..network.base import Shape

if TYPE_CHECKING:
    from .task import Task


@dataclass(frozen=True)
class TaskKind:
    """A task: how its data is made, its words, its loss and metric by name, its ranges; all that forms and scripts need of it."""

    number: int
    """What makes the data of two tasks with one seed differ. It is written down and never changes: kept runs depend on it."""
    title: str
    sentence: str
    loss: str
    """Its own, in `tasks.loss`."""
    metric: str
    """In `tasks.metric`."""
    outputs: int
    picture: Literal[
        "boundary", "digits", "masks", "class_masks", "sequences", "text", "curve", "thumbnails", "confusion", "scatter", "none"
    ]
    name: str = ""
    """In an experiment's JSON data and in links."""
    made: Callable | None = None
    """`made(rng, …)` gives all x and y from numpy's generator `rng` and those of the facts that it names (`data.facts`).

    A script has its source as it stands, and that of all it uses here.
    """
    settings: tuple[str, ...] = ("noise", "samples")
    """The fields of a task that act on it, beside the seed, in the order in which a form has them."""
    samples: int = 0
    noise: float = 0.0
    max_samples: int = 0
    most: Callable[[Task], int] | None = None
    """How many samples there can be, where that hangs on its settings."""
    shape: Callable[[Task], Shape] = lambda task: (2,)
    """A sample's shape."""
    further: Callable[[Task], dict[str, Shape]] = lambda task: {}
    """Shapes of further inputs, by name; in a sample they stand behind the first."""
    length: int | None = None
    """Tokens of a sample, if it is a sequence of them."""
    vocabulary: Callable[[Task], int] = lambda task: 0
    """How many different tokens there are."""
    causal: bool = False
    """Whether a position may see only itself and those before it: what comes after is what it has to say."""
    holds_out: bool = False
    """Whether `made` gives what is held out by itself, as two arrays more."""
    families: tuple[str, ...] = ("mlp",)
    """Families of networks that can learn it, the usual one first."""
    sentence_of: Callable[[Task], str] | None = None
    """What is to be learned in a few words, where `sentence` is not all."""
    needs: str = ""
    """What a script needs beside torch and numpy, after a comma."""
